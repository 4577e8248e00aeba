"""Where a node came from."""

from __future__ import annotations

import dataclasses

import pytest

from tests.programs import matmul, schedule_for
from tewb.base import Span
from tewb.ir import Origin


def test_origins_are_equal_by_what_they_say() -> None:
    assert Origin() == Origin(None, None, None, None, (), ())
    assert len({Origin("C", "i", 0), Origin("C", "i", 0)}) == 1
    for other in (
        Origin("D", "i", 0),
        Origin("C", "j", 0),
        Origin("C", "i", 1),
        Origin("C", "i", 0, steps=(0,)),
    ):
        assert other != Origin("C", "i", 0)
    assert Origin("C", span=Span("a.py", 3)) != Origin("C", span=Span("a.py", 4))


def test_an_origin_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Origin("C").stage = "D"  # type: ignore[misc]
    removed = dataclasses.replace(Origin("C", "j"), gone=(("C", "i"),))
    assert removed.stage == "C" and removed.gone == (("C", "i"),)


def test_the_step_made_it_and_the_steps_shaped_it() -> None:
    s = schedule_for(matmul(16, 16, 16)[1])
    _, inner = s["C"].split("i", factor=4)
    s["C"].reorder("k", inner)
    origin = s["C"].origin(inner)
    assert (
        (origin.step, origin.steps) == (0, (0, 1))
        and origin.span is not None
        and origin.span.file == __file__
    )
