"""The state of why this fast: made in the background, first without memory, and with a problem where there is one."""

from __future__ import annotations

import pytest

from tests.workbench.speed.programs import unrolled
from tewb.workbench.demos import demo_session
from tewb.workbench.session import Session
from tewb.workbench.speed import why_fast
from tewb.workbench.speed.cache_misses import Cache
from tewb.workbench.speed.memory_levels import MemoryLevels, Source
from tewb.workbench.states import speed
from tewb.workbench.states.speed import WhyThisFast, speed_state


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that need not be measured."""
    levels = MemoryLevels((Cache("L1", 512, 8),), (Source("memory", 5e-9, 9e-9),), 3.0)
    monkeypatch.setattr(why_fast, "memory_levels", lambda: levels)
    monkeypatch.setattr(why_fast, "machine_peaks", lambda *_: why_fast.Peaks(100.0, 10.0))
    monkeypatch.setattr(speed, "is_measured", lambda: True)


def last(session: Session) -> WhyThisFast:
    *_, state = speed_state(session)
    assert state is not None
    return state


def test_the_loop_is_that_of_the_tree_and_of_the_code() -> None:
    s = demo_session("matmul", n=64)
    found = last(s)
    loop = found.loops[0]
    assert (loop.name, loop.stage, loop.loop, loop.share) == ("C.k", "C", "k", 1.0)
    assert loop.part == s.code_forms.loop_numbers.number("C", "k")
    assert found.sentence.startswith("The inner loop C.k ") and found.problem is None
    assert max(limit.cycles for limit in loop.limits) == loop.cycles
    assert sum(loop.kinds.values()) == loop.instructions and loop.ports
    assert {x.buffer for x in loop.lines} >= {"A", "B"} and found.caches == {"L1": 512 * 64}


def test_code_without_a_loop_is_a_loop_that_runs_once() -> None:
    s = unrolled(4)
    (whole,) = last(s).loops
    assert whole.once and (whole.name, whole.stage, whole.loop, whole.iterations) == ("C", "C", None, 1)
    assert whole.part == s.code_forms.loop_numbers.number("C")
    assert [t.key for t in last(s).times] == ["C"] and last(s).predicted and last(s).roof
    assert all("iteration" not in limit.about for limit in whole.limits)
    assert not last(demo_session("matmul", n=64)).loops[0].once


def test_while_memory_is_measured_a_state_without_it_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "is_measured", lambda: False)
    first, second = [x for x in speed_state(demo_session("matmul", n=64)) if x is not None]
    assert why_fast.BEING_MEASURED in first.notes and first.predicted is None
    assert why_fast.BEING_MEASURED not in second.notes and second.predicted is not None


def test_an_edit_is_another_answer_and_what_cannot_be_lowered_is_a_problem() -> None:
    s = demo_session("matmul", n=64)
    before = last(s)
    s.apply({"primitive": "tile", "stage": "C", "args": {"x": "i", "y": "j", "x_factor": 4, "y_factor": 16}})
    s.apply({"primitive": "vectorize", "stage": "C", "args": {"axis": "j.inner"}})
    assert last(s).sentence != before.sentence
    s.args = s.args[:1]
    s.schedule.version += 1
    assert "not among the arguments" in (last(s).problem or "")
