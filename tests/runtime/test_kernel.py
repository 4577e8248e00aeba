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
from tests.in_threads import in_threads
from tewb import te
from tewb.base import ArgumentError, LowerError
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

    def work() -> None:
        for _ in range(100):
            b = np.zeros(64, "float32")
            k(a, b)
            np.testing.assert_array_equal(b, want)

    in_threads(*[work] * 4)


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


# ---------------------------------------------------------------- arguments are positions


def difference() -> Any:
    """placeholder - placeholder, of any size."""
    n = te.var("n")
    A, B = te.placeholder((n,)), te.placeholder((n,))
    C = te.compute((n,), lambda i: A[i] - B[i])
    return tewb.build(te.create_schedule(C.op), [A, B, C])


@pytest.mark.parametrize("calls", [0, 3])
def test_arrays_of_one_name_are_what_stands_at_their_places(calls: int) -> None:
    k = difference()
    a, b = np.arange(10, dtype="float32"), np.full(10, 3, "float32")
    for _ in range(calls):
        k(a, b)
    np.testing.assert_array_equal(k(a, b), a - 3)
    np.testing.assert_array_equal(k(a[::2], b[::-2]), a[::2] - 3)
    c = np.zeros(11, "float32")
    k(a, b, c[1:])
    k(a[1:4], b[:3], c[::4])
    np.testing.assert_array_equal(c[::4], [-2, -1, 0])
    shifted = np.zeros(41, "uint8")[1:].view("float32")
    shifted[:] = a
    np.testing.assert_array_equal(k(b, shifted), 3 - a)
    k(a, b, b)  # in place
    np.testing.assert_array_equal(b, a - 3)


def test_scalars_of_one_name_are_what_stands_at_their_places() -> None:
    x, y, z = te.var("x"), te.var("x"), te.var("x", "float32")
    n = te.var("x")
    A = te.placeholder((n,), name="x")
    C = te.compute((n,), lambda i: A[i] * z + (x - y * 10).astype("float32"), name="x")
    k = tewb.build(te.create_schedule(C.op), [x, A, y, z, C])
    a = np.arange(7, dtype="float32")
    for _ in range(4):
        np.testing.assert_array_equal(k(1, a, 2, 3.0), a * 3 - 19)
        np.testing.assert_array_equal(k(np.int64(1), a[::2], 2, 3), a[::2] * 3 - 19)


def test_outputs_of_one_name_are_two() -> None:
    A = te.placeholder((6,), name="A")
    C, D = (te.compute((6,), lambda i, n=n: A[i] + float(n), name="C") for n in (1, 2))
    k = tewb.build(te.create_schedule([C.op, D.op]), [A, D, C])
    a, c, d = np.zeros(6, "float32"), np.zeros(6, "float32"), np.zeros(6, "float32")
    for _ in range(4):
        k(a, d, c)
        k(a[::-1], d[::-1], c)
        np.testing.assert_array_equal([c, d], [a + 1, a + 2])
    with pytest.raises(
        ArgumentError,
        match=r"the outputs C and C share memory\n  at the 2nd argument, C, and the 3rd argument, C",
    ):
        k(a, d, d)


NINES = np.zeros(9, "float32")


@pytest.mark.parametrize(
    ("args", "keywords", "said"),
    [
        ((NINES, NINES.astype("float64"), NINES), {}, "placeholder has dtype float64.*at the 2nd argument, placeholder\n"),
        ((NINES.astype("float64"), NINES, NINES), {}, "placeholder has dtype float64.*at the 1st argument, placeholder\n"),
        ((NINES, NINES[1:], NINES), {}, "n is 9 from placeholder's dimension 0, but placeholder's dimension 0 is 8.*"
         "at the 1st argument, placeholder, and the 2nd argument, placeholder"),
        ((NINES, NINES, NINES[1:]), {}, "at the 1st argument, placeholder, and the 3rd argument, compute"),
        ((NINES,), {}, "missing: placeholder, compute.*at the 2nd argument, placeholder, and the 3rd argument, compute"),
        ((NINES,), {"placeholder": NINES}, "kernel main has 2 parameters placeholder, and placeholder=... may be any of "
         "them.*at the 1st argument.*2nd argument, placeholder.*by position"),
        ((NINES, NINES), {"placeholder": NINES}, "kernel main has 2 parameters placeholder"),
        ((NINES, 3, NINES), {}, "placeholder is an array of float32, not an int.*at the 2nd argument, placeholder"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("calls", [0, 3])
def test_messages_tell_the_place_of_an_argument(args: Any, keywords: Any, said: str, calls: int) -> None:
    k = difference()
    for _ in range(calls):
        k(NINES, NINES)
    with pytest.raises(ArgumentError, match=f"(?s){said}"):
        k(*args, **keywords)


def test_messages_tell_the_place_among_many_arguments() -> None:
    inputs = [te.placeholder((4,), name="A") for _ in range(12)]
    C = te.compute((4,), lambda i: sum(t[i] * float(n) for n, t in enumerate(inputs)), name="A")
    k = tewb.build(te.create_schedule(C.op), [*inputs, C])
    ones = np.ones(4, "float32")
    np.testing.assert_array_equal(k(*[ones] * 12), ones * 66)
    for n in (10, 11):
        given = [ones] * 12
        given[n] = ones[:3]
        with pytest.raises(ArgumentError, match=f"at the {n + 1}th argument, A"):
            k(*given)


def test_a_keyword_of_an_output_of_an_inputs_name_is_refused() -> None:
    A = te.placeholder((4,), name="A")
    B = te.compute((4,), lambda i: A[i] + 1.0, name="A")
    k = tewb.build(te.create_schedule(B.op), [A, B])
    with pytest.raises(ArgumentError, match="has 2 parameters A"):
        k(A=np.zeros(4, "float32"))
    np.testing.assert_array_equal(k(np.zeros(4, "float32")), np.ones(4))


def test_a_variable_or_an_unread_input_is_given_once() -> None:
    A, unread = te.placeholder((4,), name="A"), te.placeholder((4,), name="A")
    x, y = te.var("x"), te.var("x")
    B = te.compute((4,), lambda i: A[i] + (x - y).astype("float32"), name="B")
    s = te.create_schedule(B.op)
    for given in ([A, x, y, x, B], [A, unread, x, y, unread, B], [A, x, y, A, B]):
        with pytest.raises(LowerError, match="[Ax] is given twice among the arguments"):
            tewb.build(s, given)
    k = tewb.build(s, [unread, y, A, x, B])
    np.testing.assert_array_equal(k(NINES[:4], 1, NINES[:4], 5), [4, 4, 4, 4])


# ---------------------------------------------------------------- truth values


TRUE = (1, 2, 3, -1, -2, 128, 255, 256, 1 << 40, 1 << 70, True, np.True_, np.uint8(2), np.int64(-4), 2.0,
        np.float32(2), np.array(2, "uint8"), np.array(2, "uint8").view(bool), np.array([6], "uint8").view(bool)[0])  # fmt: skip
FALSE = (0, False, np.False_, np.uint8(0), 0.0, np.array(False))


@pytest.mark.parametrize("debug", [False, True])
def test_any_number_but_zero_is_true(debug: bool) -> None:
    flag = te.var("flag", "bool")
    A = te.placeholder((8,), name="A", dtype="int32")
    B = te.compute((8,), lambda i: te.select(flag, A[i], te.const(0, "int32")), name="B")
    C = te.compute((8,), lambda i: flag.astype("int32") + te.if_then_else(flag, B[i], A[i] * 2), name="C")
    s = te.create_schedule(C.op)
    s[C].vectorize("i")
    k = tewb.build(s, [A, flag, C], debug=debug)
    a = np.arange(8, dtype="int32")
    for _ in range(3):
        for value in TRUE:
            np.testing.assert_array_equal(k(a, value), a + 1, err_msg=repr(value))
        for value in FALSE:
            np.testing.assert_array_equal(k(a, value), a * 2, err_msg=repr(value))
    for value in ("yes", None, [1], 0.5, np.zeros(2, bool), 1j, np.complex64(1)):
        with pytest.raises(ArgumentError, match="flag is a bool scalar.*\n  at the 2nd argument, flag"):
            k(a, value)


def any_bytes(shape: tuple[int, ...]) -> Any:
    values = np.array([0, 1, 2, 3, 4, 6, 7, 16, 128, 254, 255, 0, 0], "uint8")
    return np.random.default_rng(0).choice(values, shape).view(bool)


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("lanes", [1, 12, 32])
def test_any_byte_but_zero_of_an_array_is_true(lanes: int, debug: bool) -> None:
    n, m = 12, 32
    A, B = te.placeholder((n, m), "bool", name="A"), te.placeholder((m, n), "bool", name="B")
    k = te.reduce_axis((0, n), "k")
    read = te.compute((n, m), lambda i, j: A[i, j], name="read")
    C = te.compute((n, m), lambda i, j: te.all(read[i, j], te.any(B[j, i], A[n - 1 - i, j])), name="C")
    D = te.compute(
        (n, m),
        lambda i, j: te.select(A[i, j], te.if_then_else(B[j, i], 3, 2), B[j, i].astype("int32")),
        name="D",
    )
    E = te.compute((m,), lambda j: te.sum(A[k, j].astype("int32"), axis=k), name="E")
    s = te.create_schedule([C.op, D.op, E.op])
    if lanes > 1:
        for t in (read, C, D):
            s[t].vectorize(s[t].split("j", factor=lanes)[1])
        s[E].vectorize(s[E].split("j", factor=lanes)[1])
    kernel = tewb.build(s, [A, B, C, D, E], debug=debug)
    a, b = any_bytes((n, m)), any_bytes((m, n))
    x, y = a.view("uint8") != 0, (b.view("uint8") != 0).T
    c, d, e = kernel(a, b)
    np.testing.assert_array_equal(c.view("uint8"), (x & (y | x[::-1])).view("uint8"))
    np.testing.assert_array_equal(d, np.where(x, np.where(y, 3, 2), y))
    np.testing.assert_array_equal(e, x.sum(0))
    turned = np.asfortranarray(a.view("uint8")).view(bool)
    np.testing.assert_array_equal(kernel(turned, b)[1], d)


def test_any_byte_but_zero_that_an_extern_writes_is_true() -> None:
    tewb.register_func(
        "test_kernel.twos",
        lambda x, y: np.multiply(x.view("uint8") != 0, 2, out=y.view("uint8"), casting="unsafe"),
        override=True,
    )
    A = te.placeholder((16,), "bool", name="A")
    E = te.extern(
        (16,), [A], lambda i, o: te.call_packed("test_kernel.twos", i[0], o[0]), dtype="bool", name="E"
    )
    B = te.compute((16,), lambda i: te.select(E[i], 5, 6), name="B")
    s = te.create_schedule(B.op)
    s[B].vectorize("i")
    a = any_bytes((16,))
    np.testing.assert_array_equal(tewb.build(s, [A, B])(a), np.where(a.view("uint8") != 0, 5, 6))


def test_any_byte_but_zero_that_a_c_function_returns_is_true() -> None:
    A = te.placeholder((9,), "int32", name="A")
    B = te.compute((9,), lambda i: te.call_extern("bool", "abs", A[i]), name="B")
    C = te.compute((9,), lambda i: te.call_extern("int32", "abs", B[i]), name="C")
    a = np.array([0, 1, 2, -2, 4, 6, 128, -8, 255], "int32")
    b, c = tewb.build(te.create_schedule([B.op, C.op]), [A, B, C])(a)
    np.testing.assert_array_equal(b.view("uint8"), a != 0)
    np.testing.assert_array_equal(c, a != 0)
