"""Calling kernels: what they take, what they refuse, and that they live on."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import ArgumentError
from tewb.runtime import get_num_threads, set_num_threads


def kernel(n: int = 8, m: int = 4, dtype: str = "float32") -> Any:
    A = te.placeholder((n, m), name="A", dtype=dtype)
    B = te.compute((n, m), lambda i, j: A[i, j] + A[i, j], name="B")
    return tewb.build(te.create_schedule(B.op), [A, B])


def arrays(n: int = 8, m: int = 4, dtype: str = "float32") -> tuple[Any, Any]:
    return np.arange(n * m).reshape(n, m).astype(dtype), np.zeros((n, m), dtype)


def read_only() -> Any:
    b = np.zeros((8, 4), "float32")
    b.flags.writeable = False
    return b


A8 = np.zeros((8, 4), "float32")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((np.zeros((8, 4)), A8), r"(?s)A has dtype float64, and kernel main takes float32.*A.astype\('float32'\)"),
        ((np.zeros((8, 5), "float32"), A8), r"A has shape \(8, 5\), and the kernel takes \(8, 4\): dimension 1 is 5, not 4"),
        ((np.zeros(8, "float32"), A8), r"A has 1 dimensions \(8,\), and kernel main takes 2: \(8, 4\)"),
        ((A8, read_only()), "B is an output of kernel main and is read-only"),
        ((), r"takes 2 arguments \(A, B\); missing: A, B"),
        ((A8, A8, A8), "takes 2 arguments .* and was given 3"),
        ((np.full((8, 4), None), A8), "A holds Python objects"),
        (([[1.0]], A8), "A is an array of float32, not a list"),
        ((A8, np.broadcast_to(np.zeros(4, "float32"), (8, 4))), "read-only|stride 0"),
        ((np.zeros((8, 4), ">f4"), A8), "byte order"),
        ((None, A8), "not a NoneType"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("calls", [0, 3])
def test_a_wrong_argument_is_explained_and_the_kernel_lives(args: Any, said: str, calls: int) -> None:
    k = kernel()
    for _ in range(calls):  # later calls go through the native entry
        k(*arrays())
    with pytest.raises(ArgumentError, match=said):
        k(*args)
    a, b = arrays()
    k(a, b)
    np.testing.assert_array_equal(b, a * 2)


def test_keywords() -> None:
    a, b = arrays()
    kernel()(B=b, A=a)
    np.testing.assert_array_equal(b, a * 2)
    with pytest.raises(ArgumentError, match="no parameter C"):
        kernel()(a, C=b)
    with pytest.raises(ArgumentError, match="A is given twice"):
        kernel()(a, b, A=a)


@pytest.mark.parametrize(
    "view",
    [
        lambda x: np.repeat(np.repeat(x, 2, 0), 2, 1)[::2, ::2],
        lambda x: np.ascontiguousarray(x.T).T,
        lambda x: np.ascontiguousarray(x[::-1])[::-1],
    ],
)
def test_arrays_that_are_not_contiguous_simply_work(view: Any) -> None:
    a, b = arrays()
    k = kernel()
    k(view(a), b)
    np.testing.assert_array_equal(b, a * 2)
    out = view(np.zeros_like(b))
    k(a, out)
    np.testing.assert_array_equal(out, a * 2)


def test_unaligned_arrays_work() -> None:
    raw = np.zeros(8 * 4 * 4 + 1, np.uint8)
    a = raw[1:].view("float32").reshape(8, 4)
    a[...] = 3
    b = np.zeros((8, 4), "float32")
    kernel()(a, b)
    assert (b == 6).all()


def test_output_that_overlaps_an_input() -> None:
    n = 64
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[n - 1 - i] + 1.0, name="B")
    k = tewb.build(te.create_schedule(B.op), [A, B])
    a = np.arange(n, dtype="float32")
    want = a[::-1] + 1
    k(a, a)
    np.testing.assert_array_equal(a, want)


def test_outputs_that_share_memory_are_refused() -> None:
    A = te.placeholder((4,), name="A")
    P, Q = te.compute((4,), lambda i: (A[i] + 1.0, A[i] + 2.0), name="PQ")
    k = tewb.build(te.create_schedule(P.op), [A, P, Q])
    shared = np.zeros(6, "float32")
    with pytest.raises(ArgumentError, match="share memory"):
        k(np.zeros(4, "float32"), shared[:4], shared[2:])


def test_symbols_are_bound_once_and_compared() -> None:
    n = te.var("n")
    A, B = te.placeholder((n,), name="A"), te.placeholder((n,), name="B")
    C = te.compute((n,), lambda i: A[i] + B[i], name="C")
    k = tewb.build(te.create_schedule(C.op), [A, B, C])
    with pytest.raises(ArgumentError, match="n is 16 from A's dimension 0, but B's dimension 0 is 17"):
        k(np.zeros(16, "float32"), np.zeros(17, "float32"), np.zeros(16, "float32"))


def test_strided_binds_run_without_a_copy() -> None:
    A = te.placeholder((4, 6), name="A")
    B = te.compute((4, 6), lambda i, j: A[i, j] * 2.0, name="B")
    layout = te.decl_buffer((4, 6), name="A", strides=[te.var("s0"), te.var("s1")])
    s = te.create_schedule(B.op)
    k = tewb.build(s, [A, B], binds={A: layout})
    base = np.arange(24, dtype="float32").reshape(6, 4)
    for a in (base.T, base.T[::-1], np.broadcast_to(np.arange(6, dtype="float32"), (4, 6))):
        b = np.zeros((4, 6), "float32")
        k(a, b)
        np.testing.assert_array_equal(b, a * 2)


def test_scalars_are_checked() -> None:
    A, n = te.placeholder((4,), name="A", dtype="int32"), te.var("shift", "int32")
    B = te.compute((4,), lambda i: A[i] + n, name="B")
    k = tewb.build(te.create_schedule(B.op), [A, n, B])
    b = np.zeros(4, "int32")
    k(np.arange(4, dtype="int32"), 5, b)
    np.testing.assert_array_equal(b, [5, 6, 7, 8])
    with pytest.raises(ArgumentError, match="shift is a int32 scalar, and 1.5 is not a whole number"):
        k(b, 1.5, b)
    with pytest.raises(ArgumentError, match="does not fit int32"):
        k(b, 1 << 40, b)


def test_arrays_that_tewb_makes_begin_where_lines_do() -> None:
    """numpy's own begin 16 bytes into a line of the caches."""
    A = te.placeholder((2048,), name="A")
    B = te.compute((2048,), lambda i: A[i] + 1.0, name="B")
    added = tewb.build(te.create_schedule(B.op), [A, B])
    a = np.ones(2048, "float32")
    for _ in range(8):
        for made in (added(a), tewb.nd.empty((8, 4)), tewb.nd.array(a), tewb.nd.empty(3, "int8")):
            assert np.asarray(made).ctypes.data % 64 == 0


def test_nd_arrays_and_zero_dimensions() -> None:
    a, _ = arrays()
    b = tewb.nd.empty((8, 4))
    kernel()(tewb.nd.array(a, tewb.cpu(0)), b)
    np.testing.assert_array_equal(b.asnumpy(), a * 2)
    assert tewb.nd.array([1, 2.5]).dtype == "float32"
    assert tewb.nd.array(np.arange(3)).dtype == "int64"
    X = te.placeholder((), name="X")
    Y = te.compute((), lambda: X() + 1.0, name="Y")
    y = np.zeros((), "float32")
    tewb.build(te.create_schedule(Y.op), [X, Y])(np.float32(2), y)
    assert y == 3


def test_a_shape_too_large_for_memory() -> None:
    A, at = te.placeholder((4,), name="A"), te.placeholder((4,), name="at", dtype="int32")
    B = te.compute((1 << 19, 1 << 19), lambda i, j: A[0] + i + j, name="B")
    C = te.compute((4,), lambda i: B[at[i], at[i]], name="C")
    k = tewb.build(te.create_schedule(C.op), [A, at, C])
    with pytest.raises(ArgumentError, match=r"the intermediate B needs 1048576 MiB"):
        k(np.zeros(4, "float32"), np.zeros(4, "int32"), np.zeros(4, "float32"))
    with tewb.PassContext(config={"tewb.memory_limit": 1000}):
        D = te.compute((1 << 20,), lambda i: A[0] + i, name="D")
        E = te.compute((1 << 20,), lambda i: D[(1 << 20) - 1 - i], name="E")
        big = tewb.build(te.create_schedule(E.op), [A, E])
        with pytest.raises(ArgumentError, match="the intermediate D needs 4 MiB"):
            big(np.zeros(4, "float32"), np.zeros(1 << 20, "float32"))


def test_memory_of_intermediates_comes_back() -> None:
    A = te.placeholder((1 << 16,), name="A")
    B = te.compute((1 << 16,), lambda i: A[i] + 1.0, name="B")
    C = te.compute((1 << 16,), lambda i: B[(1 << 16) - 1 - i], name="C")
    k = tewb.build(te.create_schedule(C.op), [A, C])
    a, c = np.zeros(1 << 16, "float32"), np.zeros(1 << 16, "float32")
    with tewb.PassContext(config={"tewb.memory_limit": 1 << 18}):
        for _ in range(50):
            k(a, c)
    assert (c == 1).all()


def parallel_sum(rows: int = 64) -> Any:
    A = te.placeholder((rows, 256), name="A")
    k = te.reduce_axis((0, 256), name="k")
    B = te.compute((rows,), lambda i: te.sum(A[i, k], axis=k), name="B")
    s = te.create_schedule(B.op)
    s[B].parallel("i")
    return tewb.build(s, [A, B])


def test_parallel_calls_from_several_threads() -> None:
    k = parallel_sum()
    a = np.random.default_rng(0).integers(0, 9, (64, 256)).astype("float32")
    want = a.sum(axis=1)
    wrong: list[Any] = []

    def work() -> None:
        for _ in range(100):
            b = np.zeros(64, "float32")
            k(a, b)
            if not np.array_equal(b, want):
                wrong.append(b)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert wrong == []


def test_thread_counts() -> None:
    before = get_num_threads()
    k = parallel_sum()
    a, b = np.ones((64, 256), "float32"), np.zeros(64, "float32")
    try:
        for n in (1, 3, 2):
            set_num_threads(n)
            b[...] = 0
            k(a, b)
            assert (b == 256).all()
        with pytest.raises(ValueError, match="0 threads"):
            set_num_threads(0)
    finally:
        set_num_threads(before)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_after_use_works() -> None:
    k = parallel_sum()
    a, b = np.ones((64, 256), "float32"), np.zeros(64, "float32")
    k(a, b)
    child = os.fork()
    if child == 0:
        c = np.zeros(64, "float32")
        k(a, c)
        os._exit(0 if (c == 256).all() else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_a_long_kernel_can_be_interrupted() -> None:
    n = 1 << 14
    A = te.placeholder((n,), name="A", dtype="float64")
    k = te.reduce_axis((0, n), name="k")
    l = te.reduce_axis((0, n), name="l")  # noqa: E741
    B = te.compute((n,), lambda i: te.sum(te.sin(A[i] * A[k] + A[l]), axis=[k, l]), name="B")
    kernel = tewb.build(te.create_schedule(B.op), [A, B])
    timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        kernel(np.ones(n), np.zeros(n))
    # Half a second passes before the signal; the kernel itself would run for hours.
    assert time.monotonic() - start < 20
    timer.join()


def test_timing_and_looks() -> None:
    k = kernel()
    a, b = arrays()
    t = k.time(a, b, number=2, repeat=5)
    assert len(t.results) == 5 and t.min <= t.median <= t.max
    assert k.time_evaluator(k.entry_name, tewb.cpu(0), number=3)(a, b).mean > 0
    assert repr(k) == "Kernel(main: A: float32[8, 4], B: float32[8, 4])"
    assert "define" in k.get_source("ll") and "main" in k.get_source("asm")
    with pytest.raises(ArgumentError, match="ll, ll0 and asm"):
        k.get_source("ptx")
