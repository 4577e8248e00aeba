"""What is made once, whoever asks first, also by threads that ask together."""

from __future__ import annotations

import os
import threading
import time

import pytest

from tewb.base import free_after_fork, once


def test_threads_that_ask_together_get_one_thing() -> None:
    made: list[int] = []
    together, got = threading.Barrier(4), list[object]()

    @once
    def thing(number: int) -> object:
        """A thing."""
        made.append(number)
        time.sleep(0.01)
        return object()

    def ask() -> None:
        together.wait()
        got.append(thing(3))

    every = [threading.Thread(target=ask) for _ in range(4)]
    for t in every:
        t.start()
    for t in every:
        t.join()
    assert made == [3] and len(set(map(id, got))) == 1
    assert thing(4) is not got[0] and thing.__doc__ == "A thing." and made == [3, 4]


def test_what_makes_may_ask_for_another() -> None:
    @once
    def factorial(n: int) -> int:
        return n * factorial(n - 1) if n else 1

    assert factorial(5) == 120


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_lock_is_free_in_the_child_of_a_fork() -> None:
    lock = free_after_fork(threading.Lock())
    with lock:
        child = os.fork()
        if not child:
            os._exit(0 if lock.acquire(timeout=1) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
