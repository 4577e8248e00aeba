"""How much of the spread of times each knob explains."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest

from tewb.runtime import Timing
from tewb.tuning.importance import importances
from tewb.tuning.study import Trial


def trials(seconds: Any, **values: list[Any]) -> list[Trial]:
    """All points of the values, with the time that a function gives them."""
    points = [dict(zip(values, p, strict=True)) for p in itertools.product(*values.values())]
    return [Trial(n, p, "timed", Timing((seconds(**p),))) for n, p in enumerate(points)]


def test_a_knob_that_alone_decides_explains_all() -> None:
    found = importances(trials(lambda x, y: 2.0**x, x=[1, 2, 3], y=["a", "b"]))
    assert list(found) == ["x", "y"] and found["x"] == pytest.approx(1.0) and found["y"] == 0.0


def test_two_knobs_share_as_their_variances_do() -> None:
    found = importances(trials(lambda x, y: math.exp(3 * x + y), x=[0, 1], y=[0, 1]))
    assert found["x"] == pytest.approx(0.9, abs=0.06) and found["y"] < 0.15 and sum(found.values()) <= 1


def test_values_that_are_lists_and_knobs_that_some_points_do_not_have() -> None:
    some = [
        Trial(0, {"o": (0, 1)}, "timed", Timing((1.0,))),
        Trial(1, {"o": (1, 0), "z": 1}, "slow", Timing((2.0,))),
    ]
    found = importances([*some, Trial(2, {"o": (0, 1)}, "timed", Timing((1.0,))), Trial(3, {}, "refused")])
    assert set(found) == {"o", "z"} and sum(found.values()) == pytest.approx(1.0)


def test_of_a_knob_whose_other_value_was_always_refused_nothing_is_known() -> None:
    timed = trials(lambda x, packed: 1.0 + x, x=[1, 2, 3], packed=[False])
    refused = [Trial(9, {"x": x, "packed": True}, "refused") for x in (1, 2, 3)]
    assert list(importances([*timed, *refused])) == ["x"]


@pytest.mark.parametrize("count", [0, 1])
def test_few_trials_say_nothing(count: int) -> None:
    assert importances(trials(lambda x: 1.0 + x, x=list(range(count)))) == {}


def test_equal_times_say_nothing() -> None:
    assert importances(trials(lambda x: 1.0, x=[1, 2, 3])) == {}
