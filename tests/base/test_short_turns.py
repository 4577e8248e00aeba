"""Turns of threads are short while somebody wants it, and then as they were."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tewb.base import short_turns
from tewb.base.short_turns import TURN


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    usual = sys.getswitchinterval()
    yield
    sys.setswitchinterval(usual)


def test_turns_are_short_until_the_last_who_wants_it_has_ended() -> None:
    sys.setswitchinterval(0.004)
    first, second = ExitStack(), ExitStack()
    first.enter_context(short_turns())
    assert sys.getswitchinterval() == pytest.approx(TURN)
    second.enter_context(short_turns())
    first.close()
    assert sys.getswitchinterval() == pytest.approx(TURN)
    second.close()
    assert sys.getswitchinterval() == pytest.approx(0.004)


def test_work_that_fails_gives_them_back() -> None:
    sys.setswitchinterval(0.004)
    with pytest.raises(ZeroDivisionError), short_turns():
        _ = 1 // 0
    assert sys.getswitchinterval() == pytest.approx(0.004)


def test_turns_that_are_shorter_stay() -> None:
    sys.setswitchinterval(1e-5)
    with short_turns():
        assert sys.getswitchinterval() == pytest.approx(1e-5)
    assert sys.getswitchinterval() == pytest.approx(1e-5)
