"""Kernels that call Python and then run for long can be interrupted and stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import Stopped, stopped_by
from tewb.runtime.interrupt_watch import watched

ENDLESS = """
    import os, signal, sys, threading, time
    import numpy as np
    import tewb
    from tewb import te

    def endless():
        A = te.placeholder((4,), "int64", name="A")
        D = te.extern((4,), [A], lambda i, o: tewb.tir.call_packed("watched.copy", i[0], o[0]), dtype="int64", name="D")
        k = te.reduce_axis((0, 1 << 50), name="k")
        C = te.compute((1,), lambda i: te.sum((D[k // 3 % 4] + k) % 7, axis=k), name="C")
        return tewb.build(te.create_schedule(C.op), [A, C])

    @tewb.register_func("watched.copy")
    def copy(a, b):
        b[...] = a

    kernel = endless()
    a, c = np.zeros(4, "int64"), np.zeros(1, "int64")
"""


def said_by(text: str) -> list[str]:
    """What a process prints that runs `text` after the definitions of ENDLESS."""
    found = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(ENDLESS) + textwrap.dedent(text)],
        capture_output=True,
        text=True,
        timeout=100,
        env=dict(os.environ),
    )
    assert not found.returncode, found.stderr
    return found.stdout.split()


@pytest.mark.slow
def test_an_interrupt_ends_a_kernel_that_has_called_python() -> None:
    text = """
        for _ in range(2):
            try:
                threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
                kernel(a, c)
            except KeyboardInterrupt:
                print("interrupted")
        print(signal.set_wakeup_fd(-1))
    """
    assert said_by(text) == ["interrupted", "interrupted", "-1"]


@pytest.mark.slow
def test_a_stop_ends_a_kernel_that_has_called_python_on_another_thread() -> None:
    text = """
        from tewb.base import Stopped, stopped_by

        def run():
            with stopped_by(lambda: True):
                try:
                    kernel(a, c)
                except Stopped:
                    print("stopped")

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    """
    assert said_by(text) == ["stopped"]


def test_who_listened_for_signals_before_hears_them_still() -> None:
    reads, writes = os.pipe()
    for end in (reads, writes):
        os.set_blocking(end, False)
    before = signal.set_wakeup_fd(writes, warn_on_full_buffer=False)
    cancelled = threading.Event()
    try:
        with pytest.raises(KeyboardInterrupt), watched(cancelled.set):
            os.kill(os.getpid(), signal.SIGINT)
            cancelled.wait(20)
            time.sleep(20)
        assert cancelled.wait(20)
        assert signal.SIGINT in os.read(reads, 100)
        assert signal.set_wakeup_fd(before, warn_on_full_buffer=False) == writes
    finally:
        signal.set_wakeup_fd(before)
        os.close(reads)
        os.close(writes)


def test_nothing_is_cancelled_without_a_reason() -> None:
    cancelled = threading.Event()
    with watched(cancelled.set):
        time.sleep(0.05)
    with stopped_by(lambda: False), watched(cancelled.set):
        time.sleep(0.4)
    assert not cancelled.is_set()


def test_a_block_that_is_stopped_ends_with_that() -> None:
    cancelled = threading.Event()
    with stopped_by(lambda: True), pytest.raises(Stopped), watched(cancelled.set):
        assert cancelled.wait(20)


def test_a_long_kernel_with_callbacks_computes_the_same() -> None:
    tewb.register_func("watched.twice", lambda x, y: np.multiply(x, 2, out=y), override=True)
    A = te.placeholder((600, 600), name="A")
    D = te.extern(
        A.shape,
        [A],
        lambda i, o: tewb.tir.call_packed("watched.twice", i[0], o[0]),
        dtype="float32",
        name="D",
    )
    k = te.reduce_axis((0, 600), name="k")
    C = te.compute(A.shape, lambda i, j: te.sum(D[i, k] * A[k, j], axis=k), name="C")
    kernel = tewb.build(te.create_schedule(C.op), [A, C])
    a, c = np.random.default_rng(0).random((600, 600), "float32"), np.zeros((600, 600), "float32")
    for _ in range(3):
        kernel(a, c)
        np.testing.assert_allclose(c, 2 * a @ a, rtol=1e-3)
