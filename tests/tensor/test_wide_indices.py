"""Indices whose arithmetic passes int32 on the way, of sizes that are known and of symbolic ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests.pages import between_pages
from tewb import te
from tewb.base import BoundError

N = 70000
Index = Callable[[Any], Any]
VALUES = np.arange(64, dtype="int32") * 3 + 1
PLACES = np.arange(N, dtype="int64")

# Each as an index of te, and of numpy in int64.
INDICES: dict[str, tuple[Index, Index]] = {
    "remainder": (lambda i: i * 65536 % 61, lambda i: i * 65536 % 61),
    "quotient": (lambda i: i * 65536 // 100000000, lambda i: i * 65536 // 100000000),
    "square": (lambda i: i * i % 61, lambda i: i * i % 61),
    "below 0": (lambda i: (-i * 65536) % 61, lambda i: (-i * 65536) % 61),
    "smaller": (lambda i: te.min(i * 65536, 63), lambda i: np.minimum(i * 65536, 63)),
    "larger": (lambda i: te.max(63 - i * 65536, 0), lambda i: np.maximum(63 - i * 65536, 0)),
    "truncated": (lambda i: te.truncmod(i * 65537, 61), lambda i: i * 65537 % 61),
    "by an index": (
        lambda i: i * 65536 // (i * 2000 + 1),
        lambda i: i * 65536 // (i * 2000 + 1),
    ),
    "choice": (
        lambda i: te.if_then_else(i > 5, i * 65536 // 100000000, 0),
        lambda i: np.where(i > 5, i * 65536 // 100000000, 0),
    ),
    "cast": (lambda i: (i * 65536).astype("int64") % 61, lambda i: i * 65536 % 61),
    "shift": (lambda i: (i << 16) % 61, lambda i: (i << 16) % 61),
    "shift down": (lambda i: i * 65536 >> 27, lambda i: i * 65536 >> 27),
    "bits": (lambda i: i * 65536 // 3 & 63, lambda i: i * 65536 // 3 & 63),
}


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", INDICES)
@pytest.mark.parametrize("primitive", ["", "compute_inline", "compute_at", "vectorize"])
def test_indices_of_known_and_of_symbolic_sizes_are_those_of_int64(name: str, primitive: str) -> None:
    index, wanted = INDICES[name]
    n = te.var("n")
    for size in (N, n):
        A = te.placeholder((64,), "int32", name="A")
        T = te.compute((size,), lambda i, A=A: A[index(i)], name="T")
        D = te.compute((size,), lambda i, T=T: T[i] + 1, name="D")
        s = te.create_schedule(D.op)
        outer, inner = s[D].split("i", factor=8)
        if primitive == "compute_at":
            s[T].compute_at(s[D], outer)
        elif primitive:
            s[T].compute_inline()
        if primitive == "vectorize":
            s[D].vectorize(inner)
        sizes = {"args": [n, A, D], "values": [N]} if size is n else {"args": [A, D], "values": []}
        made = tewb.build(s, sizes["args"])(*sizes["values"], between_pages(VALUES))
        np.testing.assert_array_equal(made, VALUES[wanted(PLACES)] + 1)


def test_products_of_sizes_in_indices_are_those_of_int64() -> None:
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((64,), "int32", name="A")
    D = te.compute((n,), lambda i: A[i * m // 7 % 64], name="D")
    kernel = tewb.build(te.create_schedule(D.op), [n, m, A, D])
    for size, number in [(5, 5), (N, 65536), (N, 2**31 - 1), (30, -(2**31))]:
        made = kernel(size, number, between_pages(VALUES))
        np.testing.assert_array_equal(made, VALUES[PLACES[:size] * number // 7 % 64])


def test_symbolic_index_of_a_hybrid_function_is_that_of_int64() -> None:
    @te.hybrid.script
    def gathered(a, n):
        o = output_tensor((n,), "int32")  # noqa: F821
        for i in range(n):
            o[i] = a[i * 65536 // 7 % 64]
        return o

    n = te.var("n")
    A = te.placeholder((64,), "int32", name="A")
    D = gathered(A, n)
    kernel = tewb.build(te.create_schedule(D.op), [n, A, D])
    np.testing.assert_array_equal(kernel(N, between_pages(VALUES)), VALUES[PLACES * 65536 // 7 % 64])


# ---------------------------------------------------------------- indices with elements in them

FAR = np.array([-(2**31), -(2**31) + 1, -65537, -1, 0, 1, 65536, 2**31 - 2, 2**31 - 1], "int32")

# Of an element x and an axis i; each in bounds of 64 elements, or nearly so.
WITH_ELEMENTS: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]] = {
    "sum": (lambda x, i: (x + i) % 61, lambda x, i: (x + i) % 61),
    "product": (lambda x, i: x * (i + 3) // 7 % 61, lambda x, i: x * (i + 3) // 7 % 61),
    "power of two": (lambda x, i: x * 65537 % 64, lambda x, i: x * 65537 % 64),
    "bits": (lambda x, i: (x * 31 + i) & 63, lambda x, i: (x * 31 + i) & 63),
    "clamped": (lambda x, i: te.max(te.min(x + i, 63), 0), lambda x, i: np.clip(x + i, 0, 63)),
    "negative": (lambda x, i: (-x) % 61, lambda x, i: (-x) % 61),
    "choice": (
        lambda x, i: te.if_then_else(x + i < 0, 5, (x - i) % 61),
        lambda x, i: np.where(x + i < 0, 5, (x - i) % 61),
    ),
}


@pytest.mark.parametrize("name", WITH_ELEMENTS)
@pytest.mark.parametrize("primitive", ["", "compute_inline", "compute_at", "vectorize"])
def test_indices_with_elements_in_them_are_those_of_int64(name: str, primitive: str) -> None:
    index, wanted = WITH_ELEMENTS[name]
    n, size = te.var("n"), len(FAR)
    for extent in (size, n):
        A = te.placeholder((64,), "int32", name="A")
        X = te.placeholder((extent,), "int32", name="X")
        T = te.compute((extent,), lambda i, A=A, X=X: A[index(X[i], i)], name="T")
        D = te.compute((extent,), lambda i, T=T: T[i] + 1, name="D")
        s = te.create_schedule(D.op)
        outer, inner = s[D].split("i", factor=8)
        if primitive == "compute_at":
            s[T].compute_at(s[D], outer)
        elif primitive:
            s[T].compute_inline()
        if primitive == "vectorize":
            s[D].vectorize(inner)
        made = tewb.build(s, [A, X, D])(between_pages(VALUES), between_pages(FAR))
        np.testing.assert_array_equal(made, VALUES[wanted(FAR.astype("int64"), np.arange(size))] + 1)


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_indices_of_narrow_elements_do_not_wrap(dtype: str) -> None:
    last = int(np.iinfo(dtype).max)
    A = te.placeholder((4 * last,), "int32", name="A")
    X = te.placeholder((4,), dtype, name="X")
    D = te.compute((4,), lambda i: A[X[i] * 2 + 1] + A[X[i] + te.const(1, dtype)], name="D")
    a, i = np.arange(4 * last, dtype="int32"), np.array([0, 1, last // 2 + 1, last], dtype)
    made = tewb.build(te.create_schedule(D.op), [A, X, D])(between_pages(a), i)
    np.testing.assert_array_equal(made, a[i.astype("int64") * 2 + 1] + a[i.astype("int64") + 1])


# Each wraps to an element of A, which is not there: of x[i], of i and of a number m.
OUTSIDE: dict[str, tuple[Callable[[Any, Any, Any], Any], list[int], int]] = {
    "element and axis": (lambda x, i, m: x + i * 65536, [0] * 65536 + [0], 0),
    "two elements": (lambda x, i, m: x + x, [0, 1, -(2**31)], 0),
    "times an element": (lambda x, i, m: x * 65536, [0, 65536], 0),
    "element and number": (lambda x, i, m: x + m, [-(2**31)], -(2**31)),
    "number": (lambda x, i, m: m * 65536 + i, [0], 65536),
    "two numbers": (lambda x, i, m: m + m + i, [0], -(2**31)),
    "behind a condition": (lambda x, i, m: te.if_then_else(i > 65535, i * 65536, 0), [0] * 65537, 0),
}


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("primitive", ["", "vectorize", "parallel", "inline"])
def test_check_of_an_index_sees_it_before_it_wraps(name: str, primitive: str) -> None:
    index, elements, number = OUTSIDE[name]
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((te.var("a"),), "int32", name="A")
    X = te.placeholder((n,), "int32", name="X")
    D = te.compute((n,), lambda i: A[index(X[i], i, m)], name="D")
    if primitive == "inline":
        T, D = D, te.compute((n,), lambda i, T=D: T[i] + 1, name="D")
    s = te.create_schedule(D.op)
    if primitive == "inline":
        s[T].compute_inline()
    else:
        outer, inner = s[D].split("i", factor=8)
        if primitive:
            getattr(s[D], primitive)(outer if primitive == "parallel" else inner)
    kernel = tewb.build(s, [A, X, m, D])
    with pytest.raises(BoundError, match="in dimension 0"):
        kernel(np.zeros(65, "int32"), np.array(elements, "int32"), number)


def hybrid_sum(a, x, m, n):
    o = output_tensor((n,), "int32")  # noqa: F821
    for i in range(n):
        o[i] = a[x[i] + i * 65536]
    return o


def hybrid_numbers(a, x, m, n):
    o = output_tensor((n,), "int32")  # noqa: F821
    for i in range(n):
        o[i] = a[m + m + i]
    return o


def hybrid_variable(a, x, m, n):
    o = output_tensor((n,), "int32")  # noqa: F821
    for i in range(n):
        y = x[i]
        o[i] = a[y * 65536]
    return o


def hybrid_store(a, x, m, n):
    o = output_tensor((n,), "int32")  # noqa: F821
    for i in range(n):
        o[i] = 0
    for i in range(n):
        o[x[i] + x[i]] = a[0]
    return o


@pytest.mark.parametrize(
    "function, elements, number",
    [
        (hybrid_sum, [0] * 65537, 0),
        (hybrid_numbers, [0], -(2**31)),
        (hybrid_variable, [0, 65536], 0),
        (hybrid_store, [0, -(2**31)], 0),
    ],
)
def test_check_of_an_index_of_a_hybrid_function_sees_it_before_it_wraps(
    function: Any, elements: list[int], number: int
) -> None:
    n, m = te.var("n"), te.var("m")
    A, X = te.placeholder((te.var("a"),), "int32", name="A"), te.placeholder((n,), "int32", name="X")
    D = te.hybrid.script(function)(A, X, m, n)
    kernel = tewb.build(te.create_schedule(D.op), [A, X, m, D])
    np.testing.assert_array_equal(kernel(np.zeros(65, "int32"), np.zeros(1, "int32"), 3), [0])
    with pytest.raises(BoundError, match="in dimension 0"):
        kernel(np.zeros(65, "int32"), np.array(elements, "int32"), number)


def test_index_beyond_int32_of_elements_reads_its_element() -> None:
    n = te.var("n", "int64")
    A = te.placeholder((n,), "uint8", name="A")
    X = te.placeholder((3,), "int32", name="X")
    m = te.var("m")
    C = te.compute((3,), lambda i: A[X[i] * m + i].astype("int32"), name="C")
    B = te.decl_buffer(A.shape, "uint8", name="A", strides=[te.var("q", "int64")])
    for debug in (False, True):
        kernel = tewb.build(te.create_schedule(C.op), [A, X, m, C], binds={A: B}, debug=debug)
        a = np.broadcast_to(np.uint8(7), (2**40,))
        np.testing.assert_array_equal(kernel(a, np.array([0, 1, 2**30], "int32"), 512), [7, 7, 7])
        with pytest.raises(BoundError):
            kernel(a, np.array([0, 1, 2**30], "int32"), 1024)


@pytest.mark.parametrize(
    "index",
    [
        lambda x: te.max(te.min(x, 2), 0),
        lambda x: te.floormod(x, 3),
        lambda x: te.floormod(te.floordiv(x, 7), 3),
        lambda x: te.max(te.min(x * 2, 2), 0),
    ],
    ids=["clipped", "remainder", "quotient", "more"],
)
@pytest.mark.parametrize("dtype", ["int8", "int16", "int32"])
def test_an_element_has_wrapped_where_an_index_reads_it_inline_or_not(index: Any, dtype: str) -> None:
    A, B = te.placeholder((40,), dtype, name="A"), te.placeholder((3,), name="B")
    X = te.compute((40,), lambda i: A[i] + A[39 - i] * A[i], name="X")
    Y = te.compute((40,), lambda i: te.max(X[i], -5) - X[i], name="Y")
    C = te.compute((40,), lambda i: B[index(X[i])] + B[index(Y[i])], name="C")
    ends = np.iinfo(dtype)
    a = np.random.default_rng(5).integers(ends.min, ends.max, 40, dtype, endpoint=True)
    b, results = np.arange(1, 4, dtype="float32"), []
    for inlined in ([], ["X"], ["X", "Y"]):
        s = te.create_schedule(C.op)
        for name in inlined:
            s[name].compute_inline()
        results.append(np.zeros(40, "float32"))
        tewb.build(s, [A, B, C], debug=True)(a, b, results[-1])
    np.testing.assert_array_equal(results[1], results[0])
    np.testing.assert_array_equal(results[2], results[0])


def test_ordinary_indices_stay_in_32_bits() -> None:
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((n, m), "int32", name="A")
    indices: list[Callable[[Any], Any]] = [
        lambda i: A[i // m, i % m],
        lambda i: A[te.max(te.min(i + 1, n - 1), 0), te.max(i % m - 1, 0)],
        lambda i: A[(n - 1 - i) % n, (i + 3) % m],
    ]
    for f in indices:
        assert "int64" not in str(te.compute((n * m,), f, name="B").op.body)


def test_checks_of_ordinary_indices_with_elements_stay_in_32_bits() -> None:
    n = te.var("n")
    A = te.placeholder((n,), "int32", name="A")
    X = te.placeholder((n,), "int32", name="X")
    B = te.compute((n,), lambda i: A[X[i]] + A[X[i] + 1] + A[X[i] - 1] + A[X[i] + i], name="B")
    assert "int64" not in str(tewb.lower(te.create_schedule(B.op), [A, X, B]))


def test_statements_of_an_extern_index_in_int64() -> None:
    def body(ins: Any, outs: Any) -> Any:
        ib = tewb.tir.ir_builder.create()
        a, x, o = (ib.buffer_ptr(b) for b in (*ins, *outs))
        with ib.for_range(0, N, name="i") as i:
            o[i] = a[i * 65536 // 7 % 64] + a[(x[0] + i) % 61]
        return ib.get()

    A, X = te.placeholder((64,), "int32", name="A"), te.placeholder((1,), "int32", name="X")
    D = te.extern((N,), [A, X], body, name="D", dtype="int32")
    kernel = tewb.build(te.create_schedule(D.op), [A, X, D])
    for x in (0, 2**31 - 1, -(2**31)):
        made = kernel(between_pages(VALUES), between_pages(np.array([x], "int32")))
        np.testing.assert_array_equal(made, VALUES[PLACES * 65536 // 7 % 64] + VALUES[(x + PLACES) % 61])


def counts_of_elements(l, n):  # noqa: E741
    o = output_tensor((n,), "uint32")  # noqa: F821
    for i in range(n):
        o[i] = uint32(0)  # noqa: F821
        for _ in range(l[i] * 65536):
            o[i] = o[i] + uint32(1)  # noqa: F821
    return o


def counts_between_elements(l, n):  # noqa: E741
    o = output_tensor((n,), "uint32")  # noqa: F821
    for i in range(n):
        o[i] = uint32(0)  # noqa: F821
        for _ in range(l[0], l[i]):
            o[i] = o[i] + uint32(1)  # noqa: F821
    return o


@pytest.mark.parametrize(
    "function, fits, wanted, passes",
    [
        (counts_of_elements, [0, 1, 3], [0, 65536, 3 * 65536], [0, 65537]),
        (counts_between_elements, [2**31 - 9, 2**31 - 1, 0], [0, 8, 0], [-(2**31), 2**31 - 1]),
    ],
)
def test_loops_of_a_hybrid_function_that_pass_int32_are_checked(
    function: Any, fits: list[int], wanted: list[int], passes: list[int]
) -> None:
    n = te.var("n")
    L = te.placeholder((n,), "int32", name="L")
    D = te.hybrid.script(function)(L, n)
    kernel = tewb.build(te.create_schedule(D.op), [L, n, D])
    np.testing.assert_array_equal(kernel(np.array(fits, "int32"), 3), wanted)
    with pytest.raises(BoundError, match="has more iterations than int32 counts"):
        kernel(np.array(passes, "int32"), 2)
