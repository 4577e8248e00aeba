"""The pool: every iteration runs once, workers help, wake and sleep, and what goes wrong stops the rest.

The loops here are Python functions that the pool's machine code calls, so that they can tell what they see.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import pytest

import tewb
from tests.runtime.pool_loops import elements_at, rows_by_calls, run
from tewb import te
from tewb.base import BoundError
from tewb.runtime import Kernel, get_num_threads, pool, set_num_threads
from tewb.runtime.thread_pool_code import MOST_WORKERS

pytestmark = pytest.mark.usefixtures("two_threads")


def helpers(count: int = 2, n: int = 0) -> int:
    """How many threads take part in `n` iterations, each of which waits until `count` have come."""
    seen: set[int] = set()
    end = time.monotonic() + 20

    def body(lo: int, hi: int) -> None:
        seen.add(threading.get_ident())
        while len(seen) < count and time.monotonic() < end:
            time.sleep(0.001)

    run(body, n or count, most=1)
    return len(seen)


def test_workers_take_part() -> None:
    assert helpers(2) == 2
    set_num_threads(4)
    assert helpers(4, 8) == 4
    assert helpers(3) == 3  # no more are asked than there are iterations
    set_num_threads(1)
    assert helpers(1, 50) == 1  # though the others may be awake
    set_num_threads(2)
    assert helpers(2) == 2


def test_workers_wake_from_sleep() -> None:
    for pause in (0.0004, 0.0005, 0.0006, 0.001, 0.05):
        for _ in range(5):
            time.sleep(pause)
            assert helpers(2) == 2


def test_an_idle_pool_uses_no_processor() -> None:
    set_num_threads(4)
    assert helpers(4) == 4
    busy = 1.0
    end = time.monotonic() + 20  # what others left may work for a while, numpy's threads for one
    while busy >= 0.5 and time.monotonic() < end:
        start, cpu = time.perf_counter(), time.process_time()
        time.sleep(0.3)
        busy = (time.process_time() - cpu) / (time.perf_counter() - start)
    assert busy < 0.5


def test_a_caller_that_waits_for_long_sleeps() -> None:
    me = threading.get_ident()

    def body(lo: int, hi: int) -> None:
        if threading.get_ident() == me:
            begun.wait(100)  # until the worker has taken the other iteration
        else:
            begun.set()
            time.sleep(0.3)

    begun = threading.Event()
    start, cpu = time.perf_counter(), time.thread_time()
    assert run(body, 2, most=1) == 0
    assert begun.is_set() and time.perf_counter() - start > 0.29
    assert time.thread_time() - cpu < 0.15


def test_calls_from_many_threads_while_the_size_changes() -> None:
    wrong: list[Any] = []
    rng = random.Random(0)
    stop = threading.Event()

    def work(seed: int) -> None:
        own = random.Random(seed)
        for _ in range(150):
            n, ranges = own.randrange(40), []
            code = run(lambda lo, hi: ranges.append((lo, hi)), n, own.choice([1, 3, 1 << 62]))  # noqa: B023
            if code or [i for lo, hi in sorted(ranges) for i in range(lo, hi)] != list(range(n)):
                wrong.append((n, ranges))
            time.sleep(own.choice([0, 0, 0, 0.0007]))

    def resize() -> None:
        while not stop.is_set():
            set_num_threads(rng.randrange(1, 6))
            time.sleep(0.001)

    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    changer = threading.Thread(target=resize)
    for t in (*workers, changer):
        t.start()
    for t in workers:
        t.join(60)
    stop.set()
    changer.join(60)
    assert not any(t.is_alive() for t in workers) and wrong == []


def nested_calls(rounds: int, seed: int) -> list[Any]:
    """What is wrong after loops in loops of random sizes, from several threads, while the pool changes its size."""
    wrong: list[Any] = []
    stop = threading.Event()

    def work(seed: int) -> None:
        own = random.Random(seed)
        for _ in range(rounds):
            outer, inner = own.randrange(1, 4), own.choice([0, 1, 2, 30])
            most, ran = own.choice([1, 3, 1 << 62]), list[tuple[int, int]]()
            fails = own.random() < 0.1

            def each(lo: int, hi: int) -> int:
                for i in range(lo, hi):
                    code = run(lambda a, b: ran.extend((i, k) for k in range(a, b)), inner, most)  # noqa: B023
                    if code:
                        return code
                return 7 if fails else 0  # noqa: B023

            code = run(each, outer, 1)
            if code != 7 * fails:
                wrong.append(("code", code))
            if not fails and sorted(ran) != [(i, k) for i in range(outer) for k in range(inner)]:
                wrong.append(ran)

    def resize() -> None:
        own = random.Random(seed)
        while not stop.is_set():
            set_num_threads(own.randrange(1, 9))
            pool().start()
            stop.wait(0.001)

    workers = [threading.Thread(target=work, args=(10 * seed + n,), daemon=True) for n in range(3)]
    changer = threading.Thread(target=resize, daemon=True)
    for t in (*workers, changer):
        t.start()
    for t in workers:
        t.join(300)
    stop.set()
    changer.join(60)
    return [*wrong, *(["hangs"] if any(t.is_alive() for t in workers) else [])]


def test_loops_in_loops_from_many_threads() -> None:
    assert nested_calls(40, 0) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 4))
def test_loops_in_loops_from_many_threads_for_long(seed: int) -> None:
    assert nested_calls(5000, seed) == []


def test_sizes_that_cannot_be() -> None:
    for size in (0, -1, MOST_WORKERS + 2):
        with pytest.raises(ValueError, match=f"{size} threads cannot run a kernel"):
            set_num_threads(size)
    assert get_num_threads() == 2


# ---------------------------------------------------------------- kernels


def doubled(n: int = 1000) -> tuple[Any, Any, Any]:
    """A kernel with a parallel loop, its input and its output."""
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] * 2.0, name="B")
    s = te.create_schedule(B.op)
    s[B].parallel("i")
    return tewb.build(s, [A, B]), np.arange(n, dtype="float32"), np.zeros(n, "float32")


@pytest.mark.parametrize("n", [1, 2, 3, 17, 1000, 100_003])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_parallel_and_serial_kernels_agree(n: int, size: int) -> None:
    set_num_threads(size)
    k, a, b = doubled(n)
    for _ in range(4):  # the first in Python, the others through the entry
        b[...] = 0
        k(a, b)
        np.testing.assert_array_equal(b, a * 2)


def test_a_parallel_kernel_is_called_in_machine_code(monkeypatch: pytest.MonkeyPatch) -> None:
    k, a, b = doubled()
    for _ in range(3):
        k(a, b)
    if k._direct is None:
        pytest.skip("this Python has no native entries")
    seen: list[Any] = []
    slow = Kernel._call_in_python
    monkeypatch.setattr(
        Kernel, "_call_in_python", lambda self, values: (seen.append(values), slow(self, values))[1]
    )
    k(a, b)
    assert seen == []
    set_num_threads(pool()._started + 2)  # there is a worker to start, which Python does
    assert k._direct(a, b) is NotImplemented
    k(a, b)
    assert k._direct(a, b) is None and seen == []
    np.testing.assert_array_equal(b, a * 2)


def test_an_error_in_one_iteration_is_explained() -> None:
    n = 4000
    k = tewb.build(*elements_at(n), debug=True)
    a, where = np.ones(8, "float32"), np.zeros(n, "int32")
    for _ in range(4):
        k(a, where, np.zeros(n, "float32"))
        where[[5, 3999]] = 1000, 2000
        with pytest.raises(BoundError, match="B reads outside of A in dimension 0"):
            k(a, where, np.zeros(n, "float32"))
        where[...] = 0


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@needs_fork
@pytest.mark.parametrize("calls", [1, 5])
def test_a_fork_has_workers_of_its_own(calls: int) -> None:
    k, a, b = doubled()
    for _ in range(calls):
        k(a, b)
    child = os.fork()
    if child == 0:
        try:
            c = np.zeros_like(b)
            for _ in range(3):
                k(a, c)
            os._exit(0 if (c == a * 2).all() and helpers() == 2 else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    k(a, b)
    assert helpers() == 2


@needs_fork
def test_a_fork_while_a_loop_runs() -> None:
    """From another thread, and from an iteration."""
    children: list[int] = []

    def fork() -> None:
        child = os.fork()
        if child == 0:
            os._exit(0 if helpers() == 2 else 1)
        children.append(child)

    thread = threading.Timer(0.05, fork)
    thread.start()
    run(lambda lo, hi: time.sleep(0.3), 2, most=1)
    thread.join()
    run(lambda lo, hi: fork() if lo == 0 else None, 2, most=1)
    assert [os.waitstatus_to_exitcode(os.waitpid(c, 0)[1]) for c in children] == [0, 0]


@needs_fork
def test_a_loop_goes_on_in_a_fork_beside_loops_inside_of_it() -> None:
    """The child comes back to an iteration of its caller, after loops that might have taken the place of the outer one."""
    me, parent, forked = threading.get_ident(), os.getpid(), threading.Event()
    seen: list[int] = []
    children: list[int] = []

    def body(lo: int, hi: int) -> None:
        if threading.get_ident() != me:
            forked.wait(20)
        elif not forked.is_set():
            children.append(os.fork())
            forked.set()
        seen.append(lo)
        if os.getpid() != parent and helpers() != 2:
            os._exit(1)

    code = run(body, 30, most=1)
    if os.getpid() != parent:  # the worker of the parent may have had an iteration
        os._exit(0 if code == 0 and len(set(seen)) == len(seen) and len(seen) in (29, 30) else 2)
    assert code == 0 and sorted(seen) == list(range(30))
    assert [os.waitstatus_to_exitcode(os.waitpid(c, 0)[1]) for c in children] == [0]


def _in_a_process(_: int) -> bool:
    k, a, b = doubled()
    for _ in range(3):
        k(a, b)
    return bool((b == a * 2).all())


@pytest.mark.slow
@pytest.mark.parametrize(
    "method", [m for m in ("fork", "spawn") if m in multiprocessing.get_all_start_methods()]
)
def test_multiprocessing(method: str) -> None:
    assert _in_a_process(0)
    # An executor says when a process has died, which a pool waits for; one that hangs says where (a child of a fork cannot).
    where: dict[str, Any] = {"initializer": faulthandler.dump_traceback_later, "initargs": (100,)}
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, context, **(where if method == "spawn" else {})) as processes:
        assert list(processes.map(_in_a_process, range(4), timeout=120)) == [True] * 4


PROGRAM = """
import numpy as np, tewb, threading, time
from tewb import te
A = te.placeholder((1000,), name="A")
B = te.compute((1000,), lambda i: A[i] * 2.0, name="B")
s = te.create_schedule(B.op)
s[B].parallel("i")
k = tewb.build(s, [A, B])
a, b = np.ones(1000, "float32"), np.zeros(1000, "float32")
for _ in range(5):
    k(a, b)
"""


def program(more: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM + more],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "more",
    [
        "",  # workers look for work
        "time.sleep(0.1)",  # they sleep
        "threading.Thread(target=lambda: [k(a, b) for _ in range(10**9)], daemon=True).start(); time.sleep(0.1)",
    ],
)
def test_a_program_ends_quietly(more: str) -> None:
    done = program(more, TEWB_NUM_THREADS="4")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_number_of_threads_comes_from_the_environment() -> None:
    count = "from tewb.runtime import get_num_threads, pool; print(get_num_threads(), pool()._started)"
    assert program(count, TEWB_NUM_THREADS="3").stdout == "3 2\n"
    assert "TEWB_NUM_THREADS is '-2', which is no number of threads" in program(TEWB_NUM_THREADS="-2").stderr


# ---------------------------------------------------------------- kernels inside of kernels, and beside each other


@pytest.mark.parametrize("size", [1, 2, 4])
def test_a_packed_function_of_a_parallel_loop_calls_a_parallel_kernel(size: int) -> None:
    set_num_threads(size)
    k, a, b = doubled(20_000)
    name = "tests.pool.inner"

    def inner(x: Any, y: Any) -> None:
        out = np.zeros_like(b)
        k(a, out)
        y[...] = x + out[-1]

    tewb.register_func(name, inner, override=True)
    outer = tewb.build(*rows_by_calls(name, 12))
    for _ in range(4):
        got = np.zeros((12, 4), "float32")
        outer(np.ones((12, 4), "float32"), got)
        assert (got == 1 + 2 * 19_999).all()
    tewb.runtime.remove_global_func(name)


@pytest.mark.parametrize("size", [1, 2, 5, 8])
@pytest.mark.parametrize("outer", [1, 2, 3])
def test_memory_of_loops_in_loops_is_that_of_each_task(size: int, outer: int) -> None:
    """Intermediates on the heap and on the stack, in both loops."""
    set_num_threads(size)
    n = 40
    A = te.placeholder((outer, n, 3000), name="A")
    B = te.compute(A.shape, lambda i, j, k: A[i, j, k] + 1.0, name="B")
    C = te.compute(A.shape, lambda i, j, k: B[i, j, 2999 - k] * 2.0, name="C")
    D = te.compute((outer, n, 100), lambda i, j, k: C[i, n - 1 - j, 30 * k] - 3.0, name="D")
    E = te.compute((outer, n, 100), lambda i, j, k: D[i, j, 99 - k] + C[i, j, k], name="E")
    s = te.create_schedule(E.op)
    i, j, _ = E.op.axis
    s[E].parallel(i)
    s[E].parallel(j)
    s[C].compute_at(s[E], i)
    s[C].parallel(C.op.axis[1])
    s[B].compute_at(s[C], C.op.axis[1])
    s[D].compute_at(s[E], j)
    k = tewb.build(s, [A, E])
    a = np.random.default_rng(size).random((outer, n, 3000), dtype="float32")
    c = (a[:, :, ::-1] + np.float32(1)) * np.float32(2)
    want = (c[:, ::-1, ::30] - np.float32(3))[:, :, ::-1] + c[:, :, :100]
    for _ in range(3):
        got = np.zeros((outer, n, 100), "float32")
        k(a, got)
        np.testing.assert_array_equal(got, want)


def test_an_error_belongs_to_its_own_call() -> None:
    n = 50_000
    k = tewb.build(*elements_at(n), debug=True)
    a = np.ones(8, "float32")
    outcomes: dict[int, set[str]] = {0: set(), 9: set()}

    def work(where: int) -> None:
        index, out = np.zeros(n, "int32"), np.zeros(n, "float32")
        index[1000] = where
        for _ in range(30):
            try:
                k(a, index, out)
            except BoundError:
                outcomes[where].add("error")
            else:
                outcomes[where].add("fine" if (out == 1).all() else "wrong")

    threads = [threading.Thread(target=work, args=(where,)) for where in outcomes]
    for t in threads:
        t.start()
    for t in threads:
        t.join(120)
    assert outcomes == {0: {"fine"}, 9: {"error"}}
