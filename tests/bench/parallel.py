"""Parallel loops: what it costs to share one, and how much faster two threads are than one.

A row's first time is that of two threads, its second that of one, in turn; every result is checked.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import tewb
from tests.bench.blur import blur
from tests.bench.blur import numpy as numpy_blur
from tests.bench.convolution import dense, numpy_dense
from tests.bench.harness import heading, race, samples, shown
from tests.bench.math import elementwise
from tests.bench.matmul import scheduled
from tewb import te
from tewb.runtime import get_num_threads, set_num_threads

Program = tuple[Any, list[Any]]


def main() -> None:
    before = get_num_threads()
    try:
        set_num_threads(2)
        fork_and_join()
        little()
        scaling()
        together()
    finally:
        set_num_threads(before)


# ---------------------------------------------------------------- the cost


def step(n: int, parallel: bool) -> Any:
    """B[i] = A[i] + 1."""
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    s = te.create_schedule(B.op)
    if parallel:
        s[B].parallel("i", grain=1)
    return tewb.build(s, [A, B])


def little() -> None:
    """Rows of 64 floats: few are one thread's."""
    heading("parallel rows of 64 floats", "serial")
    for n in (2, 16, 64, 256, 4096):
        shared, alone = rows(n, True), rows(n, False)
        a, b = np.ones((n, 64), "float32"), np.zeros((n, 64), "float32")
        for kernel in (shared, alone):
            for _ in range(3):
                b[...] = 0
                kernel(a, b)
                assert (b == 2).all()
        print(race(f"{n} rows", lambda: shared(a, b), lambda: alone(a, b)))  # noqa: B023


def rows(n: int, parallel: bool) -> Any:
    """B[i, j] = A[i, j] + 1, a vector each row."""
    A = te.placeholder((n, 64), name="A")
    B = te.compute(A.shape, lambda i, j: A[i, j] + 1.0, name="B")
    s = te.create_schedule(B.op)
    s[B].vectorize("j")
    if parallel:
        s[B].parallel("i")
    return tewb.build(s, [A, B])


def fork_and_join() -> None:
    """Two iterations that do next to nothing, shared as `grain` says, beside the same loop without threads."""
    heading("a parallel loop of 2 iterations", "serial")
    shared, alone = step(2, True), step(2, False)
    a, b = np.ones(2, "float32"), np.zeros(2, "float32")
    for kernel in (shared, alone):
        for _ in range(3):
            b[...] = 0
            kernel(a, b)
            assert (b == 2).all()
    print(race("one call after the other", lambda: shared(a, b), lambda: alone(a, b)))
    for pause in (0.01, 0.1):
        times: dict[Any, list[float]] = {shared: [], alone: []}
        for _ in range(30):
            for kernel, found in times.items():
                time.sleep(pause)
                found.append(samples(lambda: kernel(a, b), 1))  # noqa: B023
        first, second = (statistics.median(found) for found in times.values())
        print(
            f"{f'after {pause * 1000:.0f} ms of sleep':<44} {shown(first):>10}  {'':>4} {shown(second):>10}"
        )


# ---------------------------------------------------------------- two threads against one


def shared_exp(n: int) -> Program:
    s, args = elementwise("exp", 1, n, "float32")
    s[args[-1]].parallel("i.outer")
    return s, args


def triangle(n: int) -> Program:
    """Row i has i + 1 elements."""

    @te.hybrid.script  # type: ignore[untyped-decorator]
    def sums(a: Any) -> Any:
        b = output_tensor((n,), "float32")  # type: ignore[name-defined]  # noqa: F821
        for i in parallel(n):  # type: ignore[name-defined]  # noqa: F821
            b[i] = 0.0
            for k in range(i + 1):
                b[i] += a[i, k]
        return b

    A = te.placeholder((n, n), name="A")
    B = sums(A)
    return te.create_schedule(B.op), [A, B]


def tiles(n: int) -> Program:
    """Two iterations, of which the second takes three times as long: 1.33 is the most there can be."""

    @te.hybrid.script  # type: ignore[untyped-decorator]
    def sines(a: Any) -> Any:
        b = output_tensor((2,), "float32")  # type: ignore[name-defined]  # noqa: F821
        for t in parallel(2):  # type: ignore[name-defined]  # noqa: F821
            b[t] = 0.0
            for k in range(n + 2 * n * t):
                b[t] += sin(a[t, k])  # type: ignore[name-defined]  # noqa: F821
        return b

    A = te.placeholder((2, 3 * n), name="A")
    B = sines(A)
    return te.create_schedule(B.op), [A, B]


def uneven_sums(a: Any) -> Any:
    n = a.shape[1] // 3
    return np.array([np.sin(a[0, :n]).sum(), np.sin(a[1]).sum()], "float32")


def scaling() -> None:
    heading("two threads", "one")
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> Any:
        return rng.standard_normal(shape, dtype=np.float32)

    a, b = normal(1024, 1024), normal(1024, 1024)
    compare("matmul 1024", scheduled(1024, 1024, 1024, threads=2), [a, b], np.matmul)
    a, w = normal(64, 56, 56), normal(64, 64, 3, 3)
    compare("convolution 64 -> 64, 56 x 56", dense(64, 64, 56, threads=2), [a, w], numpy_dense)
    image = rng.integers(0, 9999, (4098, 4098)).astype("float32")
    compare("blur 4096 x 4096 (bound by memory)", blur(4096, 4096, "float32", threads=2), [image], numpy_blur)
    compare("exp of 16 K", shared_exp(1 << 14), [normal(1 << 14)], np.exp)
    compare("exp of 1 M", shared_exp(1 << 20), [normal(1 << 20)], np.exp)
    x = normal(1 << 20)
    A = te.placeholder((1 << 20,), name="A")
    B = te.compute((1 << 20,), lambda i: te.tanh(A[i]), name="B")
    s = te.create_schedule(B.op)
    s[B].parallel("i")
    compare("1 M tiny iterations", (s, [A, B]), [x], np.tanh)
    compare(
        "rows of a triangle of 2048", triangle(2048), [normal(2048, 2048)], lambda a: np.tril(a).sum(axis=1)
    )
    compare("two uneven tiles", tiles(1 << 14), [normal(2, 3 << 14)], uneven_sums)


def compare(name: str, program: Program, given: list[Any], numpy: Callable[..., Any]) -> None:
    """A kernel on two threads and on one. Both kernels are the same; the pool is set before each sample."""
    s, args = program
    kernel = tewb.build(s, args)
    want = numpy(*given)
    got = np.zeros_like(want)

    def on(threads: int) -> Callable[[], Any]:
        def call() -> None:
            set_num_threads(threads)
            kernel(*given, got)

        return call

    for threads in (2, 1):
        got[...] = 0
        on(threads)()
        np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-2)
    print(race(name, on(2), on(1), 15))
    set_num_threads(2)


def together() -> None:
    """Calls of a serial kernel from two Python threads at once, beside as many from one thread."""
    heading("calls from two Python threads", "from one")
    n, calls = 1 << 14, 200
    s, args = elementwise("exp", 1, n, "float32")
    serial, shared = tewb.build(s, args), tewb.build(*shared_exp(n))
    x = np.random.default_rng(0).standard_normal(n, dtype=np.float32)
    outputs = [np.zeros(n, "float32") for _ in range(2)]

    def work(kernel: Any, out: Any, count: int) -> None:
        for _ in range(count):
            kernel(x, out)

    def both(kernel: Any) -> None:
        threads = [threading.Thread(target=work, args=(kernel, out, calls // 2)) for out in outputs]
        for t in threads:
            t.start()
        for t in threads:
            t.join()

    for name, kernel in (("serial exp of 16 K", serial), ("parallel exp of 16 K", shared)):
        both(kernel)
        for out in outputs:
            np.testing.assert_allclose(out, np.exp(x), rtol=1e-5)
            out[...] = 0
        print(race(f"{name}, {calls} calls", lambda: both(kernel), lambda: work(kernel, outputs[0], calls)))  # noqa: B023
