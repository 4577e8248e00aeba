"""Background calls: their results, interrupts at any moment, and threads that are used again."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import collection_waits
from tewb.runtime import background_call, set_num_threads
from tewb.runtime import kernel as kernel_module
from tewb.runtime.background_call import call_in_background


@pytest.fixture
def alarm() -> Iterator[Callable[[Callable[[], Any]], None]]:
    """Runs a function as a signal handler, 50 ms from now."""
    before = signal.getsignal(signal.SIGALRM)

    def set_alarm(handler: Callable[[], Any]) -> None:
        signal.signal(signal.SIGALRM, lambda *_: handler())
        signal.setitimer(signal.ITIMER_REAL, 0.05)

    yield set_alarm
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def never() -> None:
    raise AssertionError("cancelled without an interrupt")


def test_calls_share_a_thread() -> None:
    main, seen = threading.get_ident(), set()

    def call() -> int:
        seen.add(threading.get_ident())
        return 4

    assert [call_in_background(call, never) for _ in range(50)] == [4] * 50
    assert len(seen) == 1 and main not in seen


def test_a_helper_keeps_nothing() -> None:
    big = np.zeros(10)
    gone = threading.Event()

    class Held:
        def __del__(self) -> None:
            gone.set()

    held = Held()
    call_in_background(lambda keep=(held, big): 0, never)
    del held
    assert gone.wait(60)


def raises() -> None:
    raise KeyboardInterrupt("now")


def test_an_interrupt_cancels_and_waits_for_the_end(alarm: Any) -> None:
    stop, log = threading.Event(), []

    def call() -> int:
        stop.wait(60)
        time.sleep(0.05)
        log.append("over")
        return 1

    def cancel() -> None:
        log.append("cancelled")
        stop.set()

    alarm(raises)
    with pytest.raises(KeyboardInterrupt, match="now"):
        call_in_background(call, cancel)
    assert log[0] == "cancelled" and "over" in log
    assert call_in_background(lambda: 5, never) == 5


def test_a_second_interrupt_while_the_first_is_on_its_way(alarm: Any) -> None:
    stop, log = threading.Event(), []

    def call() -> int:
        stop.wait(60)
        time.sleep(0.15)
        log.append("over")
        return 1

    def cancel() -> None:
        if not stop.is_set():
            stop.set()
            signal.setitimer(signal.ITIMER_REAL, 0.05)

    alarm(raises)
    with pytest.raises(KeyboardInterrupt):
        call_in_background(call, cancel)
    assert log == ["over"]


def test_a_handler_that_makes_a_long_call_itself(alarm: Any) -> None:
    made: list[int] = []
    done = threading.Event()

    def handler() -> None:
        made.append(call_in_background(lambda: 7, never))
        done.set()

    alarm(handler)
    assert call_in_background(lambda: 1 if done.wait(60) else 0, never) == 1
    assert made == [7]


@pytest.mark.slow
@collection_waits()
def test_interrupts_at_any_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of calls under a rain of signals that raise: none hangs, and each ends before its caller goes on."""
    gc.collect()  # an interrupt that falls into the end of some garbage of other tests is swallowed there
    before = signal.getsignal(signal.SIGALRM)
    signal.signal(signal.SIGALRM, lambda *_: raises())
    interrupted = 0
    end = time.monotonic() + 1.5
    try:
        while time.monotonic() < end:
            running: list[int] = []

            def call() -> int:
                running.append(1)  # noqa: B023
                time.sleep(0.0001)
                running.pop()  # noqa: B023
                return 1

            try:
                signal.setitimer(signal.ITIMER_REAL, 0.00001 + (time.monotonic_ns() % 400) * 1e-6)
                call_in_background(call, lambda: None)
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                interrupted += 1
            assert running == []
    except KeyboardInterrupt:  # one that came late, between two calls
        pass
    finally:
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert interrupted > 0
    assert call_in_background(lambda: 9, never) == 9


def test_a_long_parallel_kernel_can_be_interrupted(alarm: Any) -> None:
    n = 1 << 14
    A = te.placeholder((n,), name="A", dtype="float64")
    k = te.reduce_axis((0, n), name="k")
    l = te.reduce_axis((0, n), name="l")  # noqa: E741
    B = te.compute((n,), lambda i: te.sum(te.sin(A[i] * A[k] + A[l]), axis=[k, l]), name="B")
    s = te.create_schedule(B.op)
    s[B].parallel("i")
    kernel = tewb.build(s, [A, B])
    set_num_threads(2)
    for _ in range(2):
        alarm(raises)
        start = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            kernel(np.ones(n), np.zeros(n))
        assert time.monotonic() - start < 20  # the kernel itself would run for hours


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_has_helpers_of_its_own() -> None:
    call_in_background(lambda: 0, never)
    assert background_call._idle
    child = os.fork()
    if child == 0:
        os._exit(call_in_background(lambda: 6, never))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 6


@pytest.mark.slow
@pytest.mark.parametrize("symbolic", [False, True])
def test_a_call_that_turns_out_short_stays_on_this_thread(
    symbolic: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To wake another thread takes a fifth of a product of 256 x 256 floats."""
    n = te.var("n") if symbolic else 1 << 20
    A = te.placeholder((n,), name="A")
    B = te.compute(
        (n,), lambda i: te.exp(A[i]) + te.exp(-A[i]) + te.exp(A[i] * 0.5) + te.exp(A[i] * 2.0), name="B"
    )
    s = te.create_schedule(B.op)
    s[B].vectorize(s[B].split("i", factor=16)[1])
    kernel = tewb.build(s, [A, B])
    work = 1 << 20
    seen: list[Any] = []
    monkeypatch.setattr(
        kernel_module, "call_in_background", lambda call, cancel: (seen.append(call), call())[1]
    )

    def calls(size: int) -> int:
        a, b = np.ones(size, "float32"), np.zeros(size, "float32")
        seen.clear()
        kernel(a, b)
        np.testing.assert_allclose(b, sum(np.exp(a * x) for x in (1, -1, 0.5, 2)), rtol=1e-5)
        return len(seen)

    monkeypatch.setattr(kernel_module, "_MOMENT", 0.0)
    assert [calls(work) for _ in range(4)] == [1, 1, 1, 1]  # as slow as feared
    monkeypatch.setattr(kernel_module, "_MOMENT", 1000.0)
    assert [calls(work) for _ in range(4)] == [1, 0, 0, 0]
    if symbolic:  # much more work than that is not trusted
        assert [calls(8 * work) for _ in range(3)] == [1, 0, 0]
        assert calls(work) == 0
