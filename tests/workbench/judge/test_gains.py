"""Gains: by what Speed says on this machine, by the estimate for another."""

from __future__ import annotations

import pytest

from tests.workbench.judge.test_next_steps import MACHINE
from tests.workbench.speed.test_verdict import machine, needs_x86
from tewb.schedule import Step
from tewb.workbench.demos import demo_session
from tewb.workbench.judge.estimate import predict
from tewb.workbench.judge.gains import Gains

ORDER = Step("reorder", "C", {"axes": ["i", "k", "j"]})
__all__ = ["machine"]  # a fixture of every test here


@needs_x86
def test_on_this_machine_they_are_the_times_of_speed() -> None:
    s = demo_session("matmul", n=96)
    gain = Gains(s).of([ORDER])
    assert gain is not None and gain.is_gain and not gain.is_loss and gain.then is not None
    after = s.copy()
    after.apply(ORDER)
    assert gain.now == s.why_this_fast().predicted
    assert gain.after == after.why_this_fast().predicted == gain.then.predicted
    assert gain.times == pytest.approx(gain.now / gain.after)
    back = Gains(after).of([Step("reorder", "C", {"axes": ["i", "j", "k"]})])
    assert back is not None and back.is_loss and back.times == pytest.approx(1 / gain.times)


def test_for_another_machine_they_are_those_of_the_estimate() -> None:
    s = demo_session("matmul", n=96)
    gains = Gains(s, MACHINE)
    gain = gains.of([ORDER])
    assert gain is not None and gain.then is None and gains.speed is None
    assert gain.now == predict(s.passes[0][1], s.sizes, MACHINE) and gain.times > 2


@pytest.mark.parametrize("where", [None, MACHINE])
def test_refused_steps_have_none(where: object) -> None:
    s = demo_session("matmul", n=16)
    assert Gains(s, where).of([Step("vectorize", "C", {"axis": "nowhere"})]) is None  # type: ignore[arg-type]


def test_calls_whose_time_nobody_sees_have_none() -> None:
    s = demo_session("extern")
    assert Gains(s).of([Step("parallel", "C", {"axis": "i"})]) is None
