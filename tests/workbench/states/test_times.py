"""Times as they are sent: contestants, history, roofline."""

from __future__ import annotations

from tests.workbench.measure.symbolic import symbolic_session
from tewb.runtime import Timing
from tewb.workbench import Measurement
from tewb.workbench.demos import demo_session
from tewb.workbench.requests import ask
from tewb.workbench.states.journal import journal_state
from tewb.workbench.states.times import history_state, measured_state, roof_state


def test_a_measurement_has_a_row_for_each_contestant() -> None:
    s = demo_session("matmul", n=16)
    m = measured_state(s, s.measure(repeat=2))
    kernel, reference = m.contestants
    assert kernel.ok and kernel.name == "tewb" and (kernel.median or 0) > 0 and reference.name == "numpy"
    assert m.ratio is not None and abs(m.ratio - (reference.median or 0) / (kernel.median or 1)) < 1e-9
    assert m.steps == 0 and m.text.startswith("✓") and m.sizes == ""


def test_a_wrong_result_has_no_time() -> None:
    s = demo_session("matmul", n=16)
    s.reference = lambda a, b: a @ b + 1
    m = measured_state(s, s.measure(repeat=1))
    assert not m.contestants[0].ok and m.contestants[0].median is None and m.ratio is None


def test_the_history_goes_along_the_journal() -> None:
    s = demo_session("matmul", n=16)
    s.measure(repeat=1, cold=False)
    s.apply({"primitive": "split", "stage": "C", "args": {"axis": "i", "factor": 4}})
    s.measure(repeat=1, cold=False)
    assert [(h.steps, h.label, h.ok) for h in history_state(s)] == [
        (0, "no steps", True),
        (1, "split(C, axis=i, factor=4)", True),
    ]
    s.undo()
    assert len(history_state(s)) == 1


def test_the_roofline_has_a_point_for_each_measurement() -> None:
    s = demo_session("matmul", n=16)
    assert roof_state(s).points == () and "nothing measured" in roof_state(s).note
    s.measure(repeat=1, cold=False)
    r = roof_state(s)
    assert [p.label for p in r.points] == ["no steps"] and r.gflops > 0 and r.numpy is not None


def test_a_measurement_on_a_busy_machine_says_so() -> None:
    varying = Timing((1.0, 1.0, 2.0, 3.0, 3.0))
    state = measured_state(demo_session("matmul", n=8), Measurement(True, "fine", varying, Timing((1.0,))))
    assert "the machine is busy" in state.text and state.doubtful
    sure = Measurement(True, "fine", Timing((2.0,)), Timing((1.0,)))
    assert not measured_state(demo_session("matmul", n=8), sure).doubtful


def test_times_of_other_sizes_are_not_those_of_now() -> None:
    s = symbolic_session(64)
    m = s.measure(repeat=1, cold=False)
    assert not measured_state(s, m).stale and len(history_state(s)) == 1
    ask(s, "size", {"name": "n", "value": 1024})
    assert measured_state(s, m).stale and history_state(s) == () and roof_state(s).points == ()
    assert [step.seconds for step in journal_state(s).steps] == [None]
    ask(s, "size", {"name": "n", "value": 64})
    assert not measured_state(s, m).stale and len(history_state(s)) == 1
    assert journal_state(s).steps[0].seconds == m.kernel.median
    s.undo()
    assert measured_state(s, m).stale
