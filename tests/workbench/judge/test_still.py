"""The questions that a smaller program must still answer with yes."""

from __future__ import annotations

from typing import Any

import pytest

from tewb.base import TewbError
from tewb.workbench.demos import demo_session
from tewb.workbench.judge.still import fails, fault, is_as_slow, is_different


def test_a_schedule_that_is_right_is_not_different_and_does_not_fail() -> None:
    s = demo_session("matmul", n=16)
    assert not is_different(s.schedule, s.args, {}) and not fails(s.schedule, s.args, {})


def test_what_cannot_be_lowered_fails() -> None:
    s = demo_session("matmul", n=64)
    for loop in ("i", "j", "k"):
        s.schedule["C"].unroll(loop)
    assert fails(s.schedule, s.args, {})


def test_what_is_wrong_is_found_by_itself() -> None:
    s = demo_session("matmul", n=64)
    assert fault(s) == "slow"  # nothing worse
    for loop in ("i", "j", "k"):
        s.schedule["C"].unroll(loop)
    s.sync()
    assert fault(s) == "fails"


def test_slow_is_what_loses_half_as_much_and_takes_more_than_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    s = demo_session("blur", n=64)
    ran: list[Any] = []
    seconds = iter([2.0, 1.0, 1.6, 1.0, 1.4, 1.0, 1e-6, 1e-7])

    def timed(call: Any) -> float:
        ran.append(call())
        return next(seconds)

    monkeypatch.setattr("tewb.workbench.judge.still._timed", timed)
    question = is_as_slow(s.schedule, s.args, {}, ())
    assert [question(s.schedule, s.args, {}) for _ in range(3)] == [True, False, False]
    assert len(ran) == 8  # the kernels did run


def test_what_is_not_slow_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    s = demo_session("blur", n=16)
    monkeypatch.setattr("tewb.workbench.judge.still._timed", lambda call: 1.0)
    with pytest.raises(
        TewbError, match="not slow: it takes 1 times as long as the schedule without any step"
    ):
        is_as_slow(s.schedule, s.args, {}, ())
    s.schedule["X"].compute_inline()
    with pytest.raises(TewbError, match="as the pinned schedule"):
        is_as_slow(s.schedule, s.args, {}, s.schedule.journal)
