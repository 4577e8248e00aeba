"""Times of loops as they are sent: by the names of the tree, with the step that they are of."""

from __future__ import annotations

from tests.workbench.measure.symbolic import symbolic_session
from tewb.workbench.demos import demo_session
from tewb.workbench.requests import ask
from tewb.workbench.states.loop_times import loop_times_state
from tewb.workbench.states.loops import loops_state
from tewb.workbench.states.schema import as_json


def test_nothing_was_measured_at_first() -> None:
    state = loop_times_state(demo_session("matmul", n=16))
    assert (state.lines, state.steps, state.stale) == ((), None, False) and "not measured" in state.said


def test_times_have_the_keys_of_the_tree_and_grow_old_with_an_edit() -> None:
    s = demo_session("matmul", n=32)
    s.measure_loops(seconds=0.001)
    state = loop_times_state(s)
    c = loops_state(s).roots[2]
    lines = {t.key: t for t in state.lines}
    assert set(lines) == {"C", "C/i", "C/j", "C/k"} and lines["C/i"].part == c.inside[0].part
    assert state.whole and state.whole >= (lines["C"].seconds or 0)
    assert (state.steps, state.stale) == (0, False)
    s.apply({"primitive": "vectorize", "stage": "C", "args": {"axis": "j"}})
    later = loop_times_state(s)
    assert later.stale and later.said.startswith("as of step 0: ") and later.lines == state.lines
    s.undo()
    assert not loop_times_state(s).stale
    assert as_json(state)["lines"][0]["known"] == "timed"


def test_calls_and_the_kernel_are_no_lines_of_the_tree() -> None:
    s = demo_session("extern")
    s.measure_loops(seconds=0.001)
    assert [t.key for t in loop_times_state(s).lines].count("E") == 1
    assert "" not in {t.key for t in loop_times_state(s).lines}


def test_times_of_other_sizes_are_stale() -> None:
    s = symbolic_session(64)
    s.measure_loops(seconds=0.001)
    assert not loop_times_state(s).stale
    ask(s, "size", {"name": "n", "value": 1024})
    later = loop_times_state(s)
    assert later.stale and later.said.startswith("as of step 1 with n = 64: ")
