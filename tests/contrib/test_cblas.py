"""Matrix products by BLAS: whole and in tiles, on views, one thread in parallel loops, and what has no product."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import DTypeError, ExternError, ShapeError
from tewb.contrib import cblas
from tewb.ir import For, ForKind, walk


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("n", "m", "k", "x", "y"), [(64, 64, 64, 16, 32), (70, 50, 33, 32, 24), (5, 3, 7, 8, 2)]
)
def test_blas_as_the_micro_kernel_of_tiles(n: int, m: int, k: int, x: int, y: int, dtype: str) -> None:
    A, B = te.placeholder((n, k), name="A", dtype=dtype), te.placeholder((k, m), name="B", dtype=dtype)
    P = te.compute((n, k), lambda i, j: A[i, j] + te.const(1, dtype), name="P")
    C = cblas.matmul(P, B)
    s = te.create_schedule(C.op)
    yo, _, _, _ = s[C].tile("d0", "d1", x, y)
    s[P].compute_at(s[C], yo)
    s[C].parallel(yo)
    a, b = (np.random.rand(*shape).astype(dtype) for shape in ((n, k), (k, m)))
    c = np.zeros((n, m), dtype)
    tewb.build(s, [A, B, C], debug=True)(a, b, c)
    np.testing.assert_allclose(c, (a + 1) @ b, rtol=1e-5)


def test_blas_has_one_thread_in_our_parallel_loops() -> None:
    function = cblas.gemm("float32")
    assert function.set_threads is not None
    seen: list[int] = []

    def look(a: Any) -> None:
        assert function.set_threads is not None
        before = function.set_threads(1)
        function.set_threads(before)
        seen.append(before)
        a[...] = 0

    tewb.register_func("test.threads", look, override=True)
    A, B = te.placeholder((8, 8), name="A"), te.placeholder((8, 8), name="B")
    C = cblas.matmul(A, B)
    E = te.extern((8, 8), [C], lambda i, o: te.call_packed("test.threads", o[0]), name="E",
                  access=te.access.elementwise)  # fmt: skip
    s = te.create_schedule(E.op)
    io, _ = s[E].split("d0", 4)
    s[E].parallel(io)
    before = function.set_threads(2)
    try:
        tewb.build(s, [A, B, E])(*[np.zeros((8, 8), "float32") for _ in "abc"])
        assert seen == [1, 1]
        assert function.set_threads(2) == 2
    finally:
        function.set_threads(before)
    assert any(
        n.kind is ForKind.PARALLEL for n in walk(tewb.lower(s, [A, B, E])["main"].body) if isinstance(n, For)
    )


def test_misuse_of_blas() -> None:
    A, B = te.placeholder((4, 5), name="A"), te.placeholder((4, 5), name="B")
    with pytest.raises(ShapeError, match=r"A\[4, 5\] and B\[4, 5\] have no product"):
        cblas.matmul(A, B)
    A, B = te.placeholder((4, 4), name="A", dtype="int32"), te.placeholder((4, 4), name="B", dtype="int32")
    with pytest.raises(DTypeError, match="two float32 or two float64, not int32 and int32"):
        cblas.matmul(A, B)


@pytest.mark.parametrize("shapes", [((4,), (4, 4)), ((4, 4), (4, 4, 1)), ((2, 3), (4, 2))])
def test_shapes_without_a_product(shapes: Any) -> None:
    A, B = (te.placeholder(shape, name=name) for shape, name in zip(shapes, "AB", strict=True))
    with pytest.raises(ShapeError, match="have no product") as e:
        cblas.matmul(A, B)
    assert e.value.hint == "they must be (n, k) and (k, m)" and e.value.span is not None


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sizes_may_be_symbolic(dtype: str) -> None:
    n, k, m = te.var("n"), te.var("k"), te.var("m")
    A, B = te.placeholder((n, k), dtype, name="A"), te.placeholder((k, m), dtype, name="B")
    C = cblas.matmul(A, B, name="D")
    assert C.name == "D"
    kernel = tewb.build(te.create_schedule(C.op), [A, B, C])
    for rows, depth, columns in ((3, 4, 5), (1, 1, 1), (2, 7, 1)):
        a, b = np.random.rand(rows, depth).astype(dtype), np.random.rand(depth, columns).astype(dtype)
        np.testing.assert_allclose(kernel(a, b), a @ b, rtol=1e-5)


def test_symbolic_depths_must_be_the_same() -> None:
    n, k, m = te.var("n"), te.var("k"), te.var("m")
    with pytest.raises(ShapeError, match=r"A\[n, k\] and B\[m, k\] have no product"):
        cblas.matmul(te.placeholder((n, k), name="A"), te.placeholder((m, k), name="B"))


def test_two_dtypes_are_refused() -> None:
    A, B = te.placeholder((4, 4), name="A"), te.placeholder((4, 4), name="B", dtype="float64")
    with pytest.raises(DTypeError, match="not float32 and float64") as e:
        cblas.matmul(A, B)
    assert "cast one of them" in (e.value.hint or "")


def test_without_scipy_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    cblas.gemm.cache_clear()
    monkeypatch.setitem(sys.modules, "scipy.linalg", None)  # type: ignore[arg-type]
    with pytest.raises(ExternError, match="cblas needs scipy") as e:
        cblas.gemm("float32")
    assert e.value.hint == "pip install scipy"


def test_rows_that_do_not_lie_side_by_side_are_refused() -> None:
    columns = te.decl_buffer((4, 4), name="A", strides=[1, 4])
    with pytest.raises(ExternError, match="the rows of A do not lie side by side"):
        cblas._step(columns)
    assert tewb.ir.const_int(cblas._step(te.decl_buffer((4, 6), name="A"))) == 6
    assert tewb.ir.const_int(cblas._step(te.decl_buffer((4, 6), name="A", strides=[9, 1]))) == 9


@pytest.mark.parametrize("transa", [False, True])
@pytest.mark.parametrize("transb", [False, True])
def test_factors_may_be_stored_transposed_whole_and_in_tiles(transa: bool, transb: bool) -> None:
    n, k, m = 6, 5, 7
    a, b = np.random.rand(n, k).astype("float32"), np.random.rand(k, m).astype("float32")
    x, y = (np.ascontiguousarray(v.T) if t else v for v, t in ((a, transa), (b, transb)))
    A, B = te.placeholder(x.shape, name="A"), te.placeholder(y.shape, name="B")
    C = cblas.matmul(A, B, transa, transb)
    D = te.compute(C.shape, lambda i, j: C[i, j] + 1.0, name="D")
    for tiled in (False, True):
        s = te.create_schedule(D.op)
        if tiled:
            _, column, _, _ = s[D].tile(*D.op.axis, 4, 3)
            s[C].compute_at(s[D], column)
        np.testing.assert_allclose(tewb.build(s, [A, B, D])(x, y), a @ b + 1, rtol=1e-5)


def test_transposed_factors_that_do_not_fit_are_refused() -> None:
    A, B = te.placeholder((6, 5), name="A"), te.placeholder((5, 7), name="B")
    with pytest.raises(ShapeError, match="have no product") as e:
        cblas.matmul(A, B, transb=True)
    assert "(n, k) and (m, k)" in str(e.value)


@pytest.mark.parametrize("name", ["matmul", "batch_matmul"])
def test_products_by_their_packed_names(name: str) -> None:
    front = (2,) if name == "batch_matmul" else ()
    x, y = np.random.rand(*front, 6, 5).astype("float32"), np.random.rand(*front, 7, 5).astype("float32")
    A, B = te.placeholder(x.shape, name="A"), te.placeholder(y.shape, name="B")
    call = f"tvm.contrib.cblas.{name}"
    C = te.extern(
        (*front, 6, 7),
        [A, B],
        lambda ins, outs: tewb.tir.call_packed(call, ins[0], ins[1], outs[0], False, True),
        name="C",
    )
    f = tewb.build(te.create_schedule(C.op), [A, B, C])
    np.testing.assert_allclose(f(x, y), x @ np.swapaxes(y, -1, -2), rtol=1e-5)
    assert tewb.get_global_func(call, allow_missing=True) is not None
