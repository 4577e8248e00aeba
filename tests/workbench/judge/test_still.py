"""The questions that a smaller program must still answer with yes."""

from __future__ import annotations

import pytest

from tewb.base import TewbError
from tewb.workbench.demos import demo_session
from tewb.workbench.judge.still import fails, is_as_slow, is_different


def test_a_schedule_that_is_right_is_not_different_and_does_not_fail() -> None:
    s = demo_session("matmul", n=16)
    assert not is_different(s.schedule, s.args, {}) and not fails(s.schedule, s.args, {})


def test_what_cannot_be_lowered_fails() -> None:
    s = demo_session("matmul", n=64)
    for loop in ("i", "j", "k"):
        s.schedule["C"].unroll(loop)
    assert fails(s.schedule, s.args, {})


def test_a_long_way_round_is_slow_and_nothing_else() -> None:
    """Each element of T computed for every element that reads it: many times the work."""
    s = demo_session("blur", n=64)
    plain = s.schedule.copy()
    s.schedule["X"].compute_at(s.schedule["Y"], s.schedule["Y"].leaf_iter_vars[1])
    s.schedule["Y"].reorder("j", "i")
    question = is_as_slow(s.schedule, s.args, {}, ())
    assert question(s.schedule, s.args, {}) and not question(plain, s.args, {})
    with pytest.raises(
        TewbError, match="not slow: it takes .* times as long as the schedule without any step"
    ):
        is_as_slow(plain, s.args, {}, ())
