"""What a search found, as text, table and steps of improvement."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tuning.programs import product
from tewb.base import TewbError
from tewb.runtime import Timing
from tewb.tuning.result import TuneResult, table
from tewb.tuning.study import Trial
from tewb.tuning.subject import FromProgram

POINT = {"y": 4, "x": 8, "inside": (0, 1, 2), "vector": True}


def result(*trials: Trial) -> TuneResult:
    return TuneResult(trials, FromProgram(product), lambda: {"x": 0.75, "y": 0.25})


def trial(number: int, seconds: float | None, state: Any = "timed", **changes: Any) -> Trial:
    time = None if seconds is None else Timing((seconds, seconds))
    return Trial(number, {**POINT, **changes}, state, time, "" if time else "because")


def test_the_best_is_the_fastest_that_was_timed_to_the_end() -> None:
    r = result(
        trial(0, 3.0), trial(1, 0.5, "slow"), trial(2, 1.0, x=12), trial(3, 1.0, "same"), trial(4, 2.0)
    )
    assert r.best.number == 2 and [t.number for t in r.ranked] == [2, 4, 0]
    assert r.point["x"] == 12 and "factor=12" in r.code
    assert r.convergence() == [(0, 3.0), (2, 1.0)]
    assert str(r).splitlines()[0] == "5 trials: 3 timed, 1 slow, 1 same"
    assert r.importances == {"x": 0.75, "y": 0.25}
    assert (
        r.build()(
            *[__import__("numpy").zeros((24, 24), "float32")] * 2,
            __import__("numpy").empty((24, 24), "float32"),
        )
        is None
    )


def test_without_a_time_the_reasons_are_told() -> None:
    r = result(trial(0, None, "refused"), trial(1, None, "wrong"))
    with pytest.raises(TewbError, match="no trial could be timed: 2 x because"):
        _ = r.best
    assert "refused: because" in str(r)


def test_the_table() -> None:
    assert table([trial(7, 0.5)]) == [{"number": 7, "state": "timed", "seconds": 0.5, "message": "", **POINT}]
