"""Duels: what is clearly faster wins, what is not does not, and a wrong result is seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.tuning import duels
from tewb.tuning.duels import Contestant, Duel, fought, gain
from tewb.tuning.shared_arrays import kept_arrays
from tewb.tuning.task import perform
from tewb.workbench import Session


def duel(
    folder: Path, best: bool = True, seconds: float = 1.0, reference: Any = None, parallel: bool = False
) -> Duel:
    """A program on its own, or beside itself."""
    A = te.placeholder((32, 32), name="A")
    B = te.compute((32, 32), lambda i, j: A[i, j] * 2.0, name="B")
    s = te.create_schedule(B.op)
    if parallel:
        s[B].parallel("i")
    module = tewb.lower(s, [A, B])
    arrays = kept_arrays(Session(s, [A, B], reference=reference), folder)
    return Duel(module, module if best else None, seconds, arrays)


def script(monkeypatch: pytest.MonkeyPatch, *seconds: float) -> list[float]:
    """Have samples take these seconds, one after the other."""
    left = list(seconds)
    monkeypatch.setattr(duels, "_seconds", lambda call, count, is_alone: left.pop(0))
    return left


BOTH = [Contestant(lambda: None, True, 1.0)] * 2


def test_one_that_is_alone_is_checked_and_timed(tmp_path: Path) -> None:
    heard: list[str] = []
    outcome = perform(duel(tmp_path, best=False), heard.append)
    assert outcome.how == "timed" and len(outcome.samples) == duels.FEW and outcome.beside == ()
    assert min(outcome.samples) > 0 and heard == ["building", "checking", "waiting", "timing"]


def test_a_wrong_result_is_not_timed(tmp_path: Path) -> None:
    outcome = perform(duel(tmp_path, reference=lambda a: a * 3))
    assert outcome.how == "wrong" and "B differs: first at" in outcome.message and outcome.samples == ()


def test_two_are_timed_in_turn_on_the_same_arrays(tmp_path: Path) -> None:
    outcome = perform(duel(tmp_path, seconds=1e-6))
    assert outcome.how == "timed" and len(outcome.samples) == len(outcome.beside) >= duels.FEW


def test_what_is_faster_twice_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    left = script(monkeypatch, *[1.0, 0.8] * (duels.FEW + duels.MORE))
    best, other = fought(BOTH)
    assert gain(best, other) == pytest.approx(1.25) and left == []
    assert len(best) == duels.MORE


def test_luck_in_a_few_samples_is_no_win(monkeypatch: pytest.MonkeyPatch) -> None:
    lucky = duels.FEW + 2
    script(monkeypatch, *[1.0, 0.8] * lucky, *[1.0, 1.0] * (duels.FEW + duels.MORE - lucky))
    assert not gain(*fought(BOTH)) >= duels.FASTER


def test_what_is_not_faster_has_few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    left = script(monkeypatch, *[1.0, 0.98] * (duels.FEW + duels.MORE))
    assert not gain(*fought(BOTH)) >= duels.FASTER
    assert len(left) == 2 * duels.MORE


def test_what_is_far_slower_at_once_is_not_timed_in_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(monkeypatch)
    monkeypatch.setattr(duels, "SAMPLE", 0.0)
    outcome = perform(duel(tmp_path, seconds=1e-12))
    assert outcome.how == "slow" and len(outcome.samples) == 2 and outcome.beside == ()


def test_a_program_of_several_threads_is_timed_by_the_clock_on_the_wall(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tewb.runtime import get_num_threads

    asked: list[bool] = []
    monkeypatch.setattr(
        duels, "_seconds", lambda call, count, is_alone: (call(), asked.append(is_alone), 1.0)[-1]
    )
    assert perform(duel(tmp_path, best=False, parallel=True)).how == "timed"
    assert set(asked) == {get_num_threads() == 1}


def test_one_thread_beside_several_is_timed_by_their_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(duels, "_seconds", lambda call, count, is_alone: (asked.append(is_alone), 1.0)[-1])
    one, several = (Contestant(lambda: None, is_alone, 1.0) for is_alone in (True, False))
    fought([one, several])
    assert not any(asked)
    asked.clear()
    fought([one, one])
    assert all(asked) and asked


def test_parallel_loops_have_the_threads_that_were_asked_for(tmp_path: Path) -> None:
    from tewb.runtime import get_num_threads, set_num_threads

    before, task = get_num_threads(), duel(tmp_path, best=False, parallel=True)
    try:
        assert perform(Duel(task.other, None, 0.0, task.parameters, threads=2)).how == "timed"
        assert get_num_threads() == 2
    finally:
        set_num_threads(before)


def test_arrays_that_a_wrong_schedule_may_have_written_to_are_read_again(tmp_path: Path) -> None:
    right, wrong = duel(tmp_path, best=False), duel(tmp_path, best=False, reference=lambda a: a * 3)
    perform(right)
    duels._loaded(right.parameters)[0][...] = np.nan
    assert perform(wrong).how == "wrong"
    assert np.isfinite(duels._loaded(right.parameters)[0]).all()
