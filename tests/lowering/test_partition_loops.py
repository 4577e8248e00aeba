"""Partition: which iterations are free of conditions, as text, and the same results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.lowering.passes import after, vector
from tests.programs import assert_same_result
from tewb import te
from tewb.arith import Analyzer
from tewb.ir import parse, structural_equal

Program = tuple[Any, list[Any]]


def stencil(n: int, m: int, lanes: int = 0, likely: bool = False) -> Program:
    """B[i, j] = A[i, j-1] + A[i, j] + A[i, j+1], zero outside."""
    mark = te.likely if likely else (lambda c: c)
    A = te.placeholder((n, m), name="A")
    B = te.compute(
        (n, m),
        lambda i, j: (
            te.if_then_else(mark(j > 0), A[i, j - 1], 0.0)
            + A[i, j]
            + te.if_then_else(mark(m - 1 > j), A[i, j + 1], 0.0)
        ),
        name="B",
    )
    s = te.create_schedule(B.op)
    if lanes:
        s[B].vectorize(s[B].split("j", factor=lanes)[1])
    return s, [A, B]


def padded(n: int, m: int, size: int = 3, lanes: int = 8) -> Program:
    """Means over windows, the image padded by zeros on all sides."""
    A = te.placeholder((n, m), name="A")
    r, c = te.reduce_axis((0, size), name="r"), te.reduce_axis((0, size), name="c")
    h = size // 2

    def at(y: Any, x: Any) -> Any:
        inside = te.all(y >= h, y - h < n, x - h >= 0, x <= m + h - 1)
        return te.if_then_else(inside, A[y - h, x - h], 0.0)

    B = te.compute((n, m), lambda i, j: te.sum(at(i + r, j + c), axis=[r, c]), name="B")
    s = te.create_schedule(B.op)
    _, x = s[B].split("j", factor=lanes)
    s[B].reorder("i", "j.outer", "r", "c", x)
    s[B].vectorize(x)
    return s, [A, B]


def test_a_lower_bound_gives_a_prologue() -> None:
    A = te.placeholder((8,), name="A")
    B = te.compute((8,), lambda i: te.if_then_else(te.likely(i > 0), A[i - 1], 0.0), name="B")
    assert after("partition_loops", te.create_schedule(B.op), [A, B]) == (
        "B[0] = T.float32(0.0)\nfor i in range(7):\n    B[i + 1] = A[i]"
    )


def test_partition_takes_the_guard_out_of_the_loop() -> None:
    assert after("partition_loops", *vector()) == (
        "for i.outer in range(2):\n"
        "    for i.inner in range(4):\n"
        "        B[i.outer * 4 + i.inner] = A[i.outer * 4 + i.inner] + T.float32(1.0)\n"
        "for i.inner in range(2):\n"
        "    B[i.inner + 8] = A[i.inner + 8] + T.float32(1.0)"
    )


def test_partition_can_be_switched_off() -> None:
    with tewb.PassContext(config={"tir.LoopPartition": False}):
        assert "T.likely" in str(tewb.lower(*vector()))
    with pytest.raises(tewb.TewbError, match="unknown pass option 'tir.LoopPartiton'"):
        tewb.PassContext(config={"tir.LoopPartiton": False})


@pytest.mark.parametrize("likely", [False, True])
def test_the_interior_of_a_padded_stencil_is_vectors(likely: bool) -> None:
    text = after("simplify again", *stencil(4, 64, 16, likely)).splitlines()
    start = next(k for k, line in enumerate(text) if "for j.outer in range(2)" in line)
    assert "if_then_else" in text[start - 1]
    assert "if_then_else" not in text[start + 1]
    assert "if_then_else" in text[start + 2]


def test_conditions_stay_where_most_iterations_need_them() -> None:
    A = te.placeholder((8,), name="A")
    B = te.compute((8,), lambda i: te.if_then_else(i > 5, A[i], 0.0), name="B")
    assert after("partition_loops", te.create_schedule(B.op), [A, B]).count("for") == 1
    C = te.compute((8,), lambda i: te.if_then_else(te.all(i > 0, i % 2 == 0), A[i], 0.0), name="C")
    assert after("partition_loops", te.create_schedule(C.op), [A, C]).count("for") == 1


def test_two_dimensions_grow_ninefold_and_no_more() -> None:
    A = te.placeholder((8, 8, 8), name="A")
    B = te.compute(
        (8, 8, 8),
        lambda i, j, k: te.if_then_else(te.all(i > 0, j > 0, k > 0, i < 7, j < 7, k < 7), A[i, j, k], 0.0),
        name="B",
    )
    text = after("partition_loops", te.create_schedule(B.op), [A, B])
    assert text.count("for i in") == 1 and text.count("B[") <= 9


@pytest.mark.parametrize("likely", [False, True])
@pytest.mark.parametrize(
    "n, m, lanes", [(3, 64, 16), (3, 70, 16), (2, 17, 16), (2, 5, 4), (4, 9, 0), (1, 1, 0)]
)
def test_stencils_compute_the_same(n: int, m: int, lanes: int, likely: bool) -> None:
    s, args = stencil(n, m, lanes, likely)
    a = np.random.default_rng(0).standard_normal((n, m), dtype=np.float32)
    b = np.zeros_like(a)
    tewb.build(s, args)(a, b)
    wide = np.pad(a, ((0, 0), (1, 1)))
    np.testing.assert_array_equal(b, wide[:, :-2] + wide[:, 1:-1] + wide[:, 2:])


@pytest.mark.one_in(2)
@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("n, m, size", [(20, 64, 3), (9, 33, 5), (4, 8, 3), (3, 3, 3)])
def test_padded_windows_compute_the_same(n: int, m: int, size: int, debug: bool) -> None:
    s, args = padded(n, m, size)
    a = np.random.default_rng(0).integers(-9, 9, (n, m)).astype("float32")
    b = np.zeros_like(a)
    with tewb.PassContext(config={"tir.instrument_bound_checkers": debug}):
        tewb.build(s, args)(a, b)
    wide = np.pad(a, size // 2)
    want = sum(wide[r : r + n, c : c + m] for r in range(size) for c in range(size))
    np.testing.assert_array_equal(b, want)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "bool"])
def test_lanes_outside_of_the_buffer_are_not_loaded(dtype: str) -> None:
    A = te.placeholder((16,), name="A", dtype=dtype)
    zero = te.const(0, dtype)
    B = te.compute((16,), lambda i: te.if_then_else(te.all(i >= 3, i < 11), A[i - 3], zero), name="B")
    s = te.create_schedule(B.op)
    s[B].vectorize("i")
    a = np.arange(1, 17).astype(dtype)
    b = np.zeros_like(a)
    tewb.build(s, [A, B])(a, b)
    np.testing.assert_array_equal(b, np.concatenate([np.zeros(3), a[:8], np.zeros(5)]).astype(dtype))


# ---------------------------------------------------------------- symbolic sizes


def doubled(n: Any, factor: int, dtype: str = "float32") -> Program:
    A = te.placeholder((n,), name="A", dtype=dtype)
    B = te.compute((n,), lambda i: A[i] + A[i] if dtype != "bool" else A[i], name="B")
    s = te.create_schedule(B.op)
    s[B].split("i", factor=factor)
    return s, [A, B]


def test_a_symbolic_loop_is_clean_up_to_an_expression() -> None:
    assert after("partition_loops", *doubled(te.var("n"), 4)).splitlines()[1:] == [
        "for i.outer in range(n // 4):",
        "    for i.inner in range(4):",
        "        B[i.outer * 4 + i.inner] = A[i.outer * 4 + i.inner] + A[i.outer * 4 + i.inner]",
        "for i.outer in range((n + 3) // 4 - n // 4):",
        "    for i.inner in range(n - i.outer * 4 - n // 4 * 4):",
        "        B[i.outer * 4 + n // 4 * 4 + i.inner] = "
        "A[i.outer * 4 + n // 4 * 4 + i.inner] + A[i.outer * 4 + n // 4 * 4 + i.inner]",
    ]


def test_the_interior_of_a_symbolic_stencil_has_no_choices() -> None:
    text = after("partition_loops", *stencil(te.var("n"), te.var("m"))).splitlines()
    clean = [line for line in text if "B[" in line and "if_then_else" not in line]
    assert len(clean) == 1 and "A[i, j" in clean[0]


@pytest.mark.parametrize("likely", [False, True])
@pytest.mark.parametrize("lanes", [0, 8])
def test_symbolic_stencils_compute_the_same_at_every_size(lanes: int, likely: bool) -> None:
    kernel = tewb.build(*stencil(te.var("n"), te.var("m"), lanes, likely))
    for n, m in ((1, 1), (2, 1), (1, 7), (3, 8), (2, 9), (2, 15), (5, 33)):
        a = np.random.default_rng(0).standard_normal((n, m), dtype=np.float32)
        b = np.zeros_like(a)
        kernel(a, b)
        wide = np.pad(a, ((0, 0), (1, 1)))
        np.testing.assert_array_equal(b, wide[:, :-2] + wide[:, 1:-1] + wide[:, 2:])


def test_a_vector_loop_under_a_symbolic_guard_has_a_mask() -> None:
    s, args = doubled(te.var("n"), 4)
    s["B"].vectorize("i.inner")
    assert after("simplify again", s, args).splitlines()[3:] == [
        "for i.outer in range((n + 3) // 4 - n // 4):",
        "    if T.likely(T.Ramp(i.outer * 4 + n // 4 * 4, 1, 4) < T.Broadcast(n, 4)):",
        "        B[i.outer * 4 + n // 4 * 4:i.outer * 4 + n // 4 * 4 + 4] = "
        "A[i.outer * 4 + n // 4 * 4:i.outer * 4 + n // 4 * 4 + 4] + "
        "A[i.outer * 4 + n // 4 * 4:i.outer * 4 + n // 4 * 4 + 4]",
    ]
    module = tewb.lower(s, args)
    assert structural_equal(parse(str(module))["main"], module["main"])


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "int64", "bool"])
def test_masked_stores_touch_their_lanes_only(dtype: str, debug: bool) -> None:
    s, args = doubled(te.var("n"), 16, dtype)
    s["B"].vectorize("i.inner")
    with tewb.PassContext(config={"tir.instrument_bound_checkers": debug}):
        kernel = tewb.build(s, args)
    for n in (0, 1, 15, 16, 17, 50):
        a, b = np.arange(1, n + 1).astype(dtype), np.full(n + 32, 1, dtype)
        kernel(a, b[:n])
        np.testing.assert_array_equal(b[:n], a + a if dtype != "bool" else a)
        np.testing.assert_array_equal(b[n:], np.full(32, 1, dtype))


def test_a_masked_choice_and_a_masked_walk_stay_loops() -> None:
    n = te.var("n")
    A = te.placeholder((n, n), name="A")
    B = te.compute((n,), lambda i: A[i, 0], name="B")
    C = te.compute((n,), lambda i: te.if_then_else(A[0, i] > 0.0, A[0, i], B[i]), name="C")
    s = te.create_schedule(C.op)
    for t in (B, C):
        s[t].vectorize(s[t].split("i", factor=8)[1])
    kernel = tewb.build(s, [A, C])
    for size in (1, 7, 8, 13):
        a = np.random.default_rng(0).standard_normal((size, size), dtype=np.float32)
        c = np.zeros(size, np.float32)
        kernel(a, c)
        np.testing.assert_array_equal(c, np.where(a[0] > 0, a[0], a[:, 0]))


def test_a_single_element_is_read_only_where_some_lane_wants_it() -> None:
    n, m = te.var("n"), te.var("m")
    A, W = te.placeholder((n,), name="A"), te.placeholder((m,), name="W")
    k = te.reduce_axis((0, m), name="k")
    C = te.compute((n,), lambda i: te.sum(A[i] * W[k], axis=k), name="C")
    s = te.create_schedule(C.op)
    L = s.cache_write(C, "local")
    outer, inner = s[C].split("i", factor=16)
    s[C].vectorize(inner)
    s[L].compute_at(s[C], outer)
    s[L].reorder("k", "i.c")
    s[L].vectorize("i.c")
    assert "if T.likely(T.Ramp(" in str(tewb.lower(s, [A, W, C]))
    kernel = tewb.build(s, [A, W, C])
    for size, terms in ((0, 0), (3, 0), (5, 2), (16, 1), (37, 3)):
        rng = np.random.default_rng(0)
        a, w = rng.standard_normal(size).astype("float32"), rng.standard_normal(terms).astype("float32")
        c = np.full(size, 7, np.float32)
        kernel(a, w, c)
        np.testing.assert_allclose(c, a * w.sum(), rtol=1e-4, atol=1e-5)


def test_the_tiles_of_a_fused_loop_ask_once_whether_they_are_whole() -> None:
    """No range of a fused loop has the whole tiles only. A sum of products of bytes went lane by lane in all of them."""
    A = te.placeholder((50, 90), name="A")
    B = te.compute((50, 90), lambda i, j: A[i, j] + 1.0, name="B")
    s = te.create_schedule(B.op)
    io, jo, _, _ = s[B].tile("i", "j", 8, 32)
    s[B].fuse(io, jo)
    assert after("partition_loops", s, [A, B]) == (
        "for i.outer.j.outer.fused in range(21):\n"
        "    if T.likely(i.outer.j.outer.fused // 3 < 6) and T.likely(i.outer.j.outer.fused % 3 < 2):\n"
        "        for i.inner in range(8):\n"
        "            for j.inner in range(32):\n"
        "                B[i.outer.j.outer.fused // 3 * 8 + i.inner, i.outer.j.outer.fused % 3 * 32 + j.inner]"
        " = A[i.outer.j.outer.fused // 3 * 8 + i.inner, i.outer.j.outer.fused % 3 * 32 + j.inner] + T.float32(1.0)\n"
        "    else:\n"
        "        for i.inner in range(T.min(50 - i.outer.j.outer.fused // 3 * 8, 8)):\n"
        "            for j.inner in range(T.min(90 - i.outer.j.outer.fused % 3 * 32, 32)):\n"
        "                B[i.outer.j.outer.fused // 3 * 8 + i.inner, i.outer.j.outer.fused % 3 * 32 + j.inner]"
        " = A[i.outer.j.outer.fused // 3 * 8 + i.inner, i.outer.j.outer.fused % 3 * 32 + j.inner] + T.float32(1.0)"
    )


@pytest.mark.one_in(3)
@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("kind", ["serial", "parallel", "outer lanes"])
@pytest.mark.parametrize("symbolic", [False, True])
def test_fused_tiles_that_do_not_divide(symbolic: bool, kind: str, debug: bool) -> None:
    n, m = (te.var("n"), te.var("m")) if symbolic else (21, 45)
    A, B = te.placeholder((n, 9), name="A"), te.placeholder((9, m), name="B")
    k = te.reduce_axis((0, 9), name="k")
    C = te.compute((n, m), lambda i, j: te.sum(A[i, k] * B[k, j], axis=k), name="C")
    s = te.create_schedule(C.op)
    L = s.cache_write(C, "local")
    io, jo, ii, ji = s[C].tile("i", "j", 4, 16)
    s[C].unroll(ii)
    s[C].vectorize(ji)
    if kind == "outer lanes":  # the fused loop is inside of the one that becomes lanes
        s[C].reorder(ji, io, jo, ii)
        s[C].fuse(io, jo)
    else:
        tile = s[C].fuse(io, jo)
        s[L].compute_at(s[C], tile)
        s[L].reorder("k", "i.c", "j.c")
        s[L].vectorize("j.c")
        if kind == "parallel":
            s[C].parallel(tile)
    kernel = tewb.build(s, [A, B, C], debug=debug)
    for size, other in ((21, 45), (8, 32), (1, 1), (0, 5)) if symbolic else ((21, 45),):
        a, b = np.random.rand(size, 9).astype("float32"), np.random.rand(9, other).astype("float32")
        c = np.full((size, other), 7, "float32")
        kernel(a, b, c)
        np.testing.assert_allclose(c, a @ b, rtol=1e-5)


def test_a_guard_of_an_inner_loop_whose_extent_depends_on_the_outer_one() -> None:
    """S2 makes columns 0 to 2*i for row i: where they pass n depends on i itself, so i has no end to be cut at."""
    n = te.var("n", "int64")
    A = te.placeholder((n,), "int32", name="A")
    S = te.compute((n,), lambda j: A[j] + 1, name="S")
    B = te.compute((n,), lambda i: S[te.min(i * 3, n - 1)] + S[i], name="B")
    C = te.compute((n,), lambda i: te.if_then_else(i * 3 < n, S[i * 3], 0) + S[i], name="C")
    for out in (B, C):
        s = te.create_schedule(out.op)
        s[S].compute_at(s[out], s[out].op.axis[0])
        module = tewb.lower(s, [A, out])
        assert structural_equal(parse(str(module)), module)
        for size in (1, 2, 7, 20):
            a, got = np.arange(size, dtype="int32") * 5, np.zeros(size, "int32")
            tewb.build(s, [A, out])(a, got)
            i = np.arange(size)
            far = np.minimum(i * 3, size - 1)
            want = a[far] + 1 if out is B else np.where(i * 3 < size, a[far] + 1, 0)
            np.testing.assert_array_equal(got, want + a + 1)


@te.hybrid.script
def triangle(a: Any) -> Any:
    b = output_tensor((a.shape[0], a.shape[0]), "float32")  # noqa: F821
    for i in range(a.shape[0]):
        for j in range(i + 1):
            b[i, j] = a[i] + 1.0
    return b


def test_a_loop_is_not_cut_where_an_inner_loop_says_which_ends_with_it() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = triangle(A)
    s = te.create_schedule(B.op)
    s[B].split(s[B].leaf_iter_vars[1], factor=8)
    kernel = tewb.build(s, [A, B])
    for size in (1, 8, 21):
        a, b = np.arange(size, dtype="float32"), np.zeros((size, size), "float32")
        kernel(a, b)
        np.testing.assert_array_equal(b, np.tril(np.repeat(a[:, None] + 1, size, axis=1)))


def test_comparisons_of_floats_are_not_asked_whether_they_wrap(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are no guards of loops, and in nested choices each question simplified all that is below."""
    made = []

    class Counted(Analyzer):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

    monkeypatch.setattr("tewb.lowering.partition_loops.Analyzer", Counted)
    n = te.var("n")
    A = te.placeholder((n,), name="A")

    def body(i: Any) -> Any:
        e = A[i]
        for k in range(20):
            e = te.if_then_else(e > float(k), e * 0.5, A[i] + float(k))
        return e

    C = te.compute((n,), body, name="C")
    s = te.create_schedule(C.op)
    s[C].split(C.op.axis[0], 8)
    tewb.lower(s, [A, C])
    assert len(made) < 10


# ---------------------------------------------------------------- threads


def of_threads(n: int) -> str:
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    s = te.create_schedule(B.op)
    block, inner = s[B].split("i", factor=64)
    thread, inner = s[B].split(inner, factor=16)
    s[B].bind(block, te.thread_axis("blockIdx.x"))
    s[B].bind(thread, te.thread_axis("threadIdx.x"))
    assert_same_result(s, [A], [B])
    return str(tewb.lower(s, [A, B]))


def test_each_thread_tests_once_whether_its_part_is_whole() -> None:
    text = of_threads(250)
    assert text.count("if T.likely(blockIdx.x * 4 + threadIdx.x < 15):\n") == 1
    assert text.count("for i.inner.inner in range(16):\n") == 1
    assert "if " not in of_threads(256)


def test_few_iterations_of_a_thread_are_tested_one_by_one() -> None:
    A = te.placeholder((30,), name="A")
    B = te.compute((30,), lambda i: A[i] + 1.0, name="B")
    s = te.create_schedule(B.op)
    thread, inner = s[B].split("i", factor=4)
    s[B].bind(thread, te.thread_axis("threadIdx.x"))
    text = str(tewb.lower(s, [A, B]))
    assert text.count("for i.inner in range(4):") == 2  # and no loop as long as what is left
    assert text.count("if T.likely(") == 2
    assert_same_result(s, [A], [B])
