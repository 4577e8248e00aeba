"""Work that is too deep for Python's own stack: results, errors, places and context come back from the long one."""

from __future__ import annotations

import contextvars
import sys
import threading
from typing import Any

import pytest

from tewb.base import TewbError, any_depth, here


def depth(n: int) -> int:
    return 0 if n == 0 else 1 + depth(n - 1)


def test_work_that_is_too_deep_goes_on_with_a_longer_stack() -> None:
    @any_depth
    def work(n: int) -> int:
        return depth(n)

    assert work(20_000) == 20_000
    assert sys.getrecursionlimit() < 20_000


def test_errors_and_places_come_back_from_a_long_stack() -> None:
    @any_depth
    def work() -> Any:
        depth(5000)
        return here()

    @any_depth
    def fails() -> None:
        depth(5000)
        raise KeyError("mine")

    place = work()
    assert place is not None and place.file == __file__
    with pytest.raises(KeyError, match="mine"):
        fails()


def test_what_never_ends_is_refused() -> None:
    @any_depth
    def work(n: int) -> int:
        return depth(n)

    with pytest.raises(TewbError, match="nests too deep"):
        work(10**7)
    assert work(2000) == 2000


def test_shallow_work_stays_on_its_thread() -> None:
    @any_depth
    def work(n: int, *, more: int) -> tuple[int, int]:
        return depth(n) + more, threading.get_ident()

    assert work(10, more=1) == (11, threading.get_ident())
    assert work(5000, more=1)[1] != threading.get_ident()


def test_deep_work_sees_the_context_of_its_caller() -> None:
    setting = contextvars.ContextVar("setting", default="unset")

    @any_depth
    def work() -> str:
        depth(5000)
        return setting.get()

    setting.set("mine")
    assert work() == "mine"


def test_deep_work_in_deep_work_needs_no_further_thread() -> None:
    @any_depth
    def inner() -> int:
        depth(5000)
        return threading.get_ident()

    @any_depth
    def outer() -> bool:
        depth(5000)
        return inner() == threading.get_ident()

    before = sys.getrecursionlimit()
    assert outer() and sys.getrecursionlimit() == before
