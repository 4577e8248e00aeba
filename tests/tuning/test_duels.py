"""Duels: what is clearly faster wins, what is not does not, and a wrong result is seen."""

from __future__ import annotations

import numpy as np
import pytest

from tewb import te
from tewb.runtime import Timing
from tewb.tuning import duels
from tewb.tuning.duels import Contestant, Duel, Ring
from tewb.workbench import Session


def ring(reference: object = None) -> tuple[Ring, Session]:
    A = te.placeholder((32, 32), name="A")
    B = te.compute((32, 32), lambda i, j: A[i, j] * 2.0, name="B")
    session = Session(te.create_schedule(B.op), [A, B], reference=reference)  # type: ignore[arg-type]
    return Ring(session), session


def script(monkeypatch: pytest.MonkeyPatch, *seconds: float) -> list[float]:
    """Have samples take these seconds, one after the other."""
    left = list(seconds)
    monkeypatch.setattr(duels, "_seconds", lambda call, count, is_alone: left.pop(0))
    return left


BEST = Contestant(lambda: None, True, 1.0, None)


def test_a_contestant_was_checked_and_timed() -> None:
    r, session = ring()
    c = r.contestant(session.schedule)
    assert c.wrong is None and c.first > 0 and c.is_alone
    assert len(r.alone(c).results) == duels.FEW
    wrong, session = ring(lambda a: a * 3)
    assert "B differs from numpy" in (wrong.contestant(session.schedule).wrong or "")


def test_what_is_faster_twice_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    left = script(monkeypatch, *[1.0, 0.8] * (duels.FEW + duels.MORE))
    duel = Ring.duel(None, BEST, 1.0, BEST)  # type: ignore[arg-type]
    assert duel.is_won and duel.gain == pytest.approx(1.25) and left == []
    assert duel.best is not None and len(duel.best.results) == duels.FEW + duels.MORE


def test_luck_in_a_few_samples_is_no_win(monkeypatch: pytest.MonkeyPatch) -> None:
    script(monkeypatch, *[1.0, 0.8] * duels.FEW, *[1.0, 1.0] * duels.MORE)
    assert not Ring.duel(None, BEST, 1.0, BEST).is_won  # type: ignore[arg-type]


def test_what_is_not_faster_has_few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    left = script(monkeypatch, *[1.0, 0.98] * (duels.FEW + duels.MORE))
    assert not Ring.duel(None, BEST, 1.0, BEST).is_won  # type: ignore[arg-type]
    assert len(left) == 2 * duels.MORE


def test_what_is_far_slower_at_once_has_no_samples() -> None:
    slow = Contestant(lambda: pytest.fail("called again"), True, 9.0, None)
    duel = Ring.duel(None, BEST, 1.0, slow)  # type: ignore[arg-type]
    assert duel == Duel(None, Timing((9.0,)), 1 / 9) and not duel.is_won


def test_a_program_of_several_threads_is_timed_by_the_clock_on_the_wall() -> None:
    A = te.placeholder((64, 64), name="A")
    B = te.compute((64, 64), lambda i, j: A[i, j] * 2.0, name="B")
    s = te.create_schedule(B.op)
    s[B].parallel("i")
    c = Ring(Session(s, [A, B])).contestant(s)
    from tewb.runtime import get_num_threads

    assert c.is_alone == (get_num_threads() == 1)
    assert np.isfinite(c.first)
