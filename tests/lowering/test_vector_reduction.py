"""Reduce loops as the lanes of vectors."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

import tewb
from tests.pages import between_pages
from tests.programs import argmax, assert_same_result, matmul, rows, schedule_for
from tewb import te
from tewb.ir import script
from tewb.ir.parser import parse


def reduction(kind: Any, n: int, m: int, dtype: str = "float32") -> tuple[Any, Any]:
    A = te.placeholder((n, m), name="A", dtype=dtype)
    k = te.reduce_axis((0, m), name="k")
    return A, te.compute((n,), lambda i: kind(A[i, k], axis=k), name="C")


def test_the_lanes_are_joined_by_halves() -> None:
    A, C = reduction(te.sum, 5, 61)
    s = te.create_schedule(C.op)
    s[C].vectorize(s[C].split("k", factor=8)[1])
    text = script(tewb.lower(s, [A, C]))
    assert text.splitlines()[5:] == [
        "        for i in range(5):",
        '            C.lanes = T.allocate((8,), "float32", scope="local")',
        "            C.lanes[0:8] = T.Broadcast(T.float32(0.0), 8)",
        "            for k.outer in range(7):",
        "                C.lanes[0:8] = C.lanes[0:8] + A[i, k.outer * 8:k.outer * 8 + 8]",
        "            C.lanes[0:5] = C.lanes[0:5] + A[i, 56:61]",
        "            C.lanes[0:4] = C.lanes[0:4] + C.lanes[4:8]",
        "            C.lanes[0:2] = C.lanes[0:2] + C.lanes[2:4]",
        "            C.lanes[0] = C.lanes[0] + C.lanes[1]",
        "            C[i] = C.lanes[0]",
    ]
    assert script(parse(text)) == text


@pytest.mark.one_in(3)
@pytest.mark.parametrize("kind", [te.sum, te.max, te.min, te.prod])
@pytest.mark.parametrize("dtype", ["float32", "int64", "uint8"])
@pytest.mark.parametrize(("m", "lanes"), [(24, 8), (21, 8), (5, 8), (7, 3), (1, 4)])
def test_every_reducer_and_sizes_that_do_not_divide(kind: Any, dtype: str, m: int, lanes: int) -> None:
    A, C = reduction(kind, 3, m, dtype)
    s = te.create_schedule(C.op)
    s[C].vectorize(s[C].split("k", factor=lanes)[1])
    assert_same_result(s, [A], [C])
    assert_same_result(s, [A], [C], debug=True)


@pytest.mark.parametrize("lanes", [2, 5, 7, 16])
def test_pairs_are_joined_together(lanes: int) -> None:
    inputs, outputs = argmax(7, 23)
    s = schedule_for(outputs)
    s["IV"].vectorize(s["IV"].split("k", factor=lanes)[1])
    assert_same_result(s, inputs, outputs, debug=True)


@pytest.mark.parametrize("order", [("i", "k.outer", "j", "k.inner"), ("k.inner", "k.outer", "j", "i"),
                                   ("k.outer", "k.inner", "i", "j"), ("j", "k.inner", "i", "k.outer")])  # fmt: skip
def test_data_loops_inside_have_lanes_each(order: tuple[str, ...]) -> None:
    inputs, outputs = matmul(7, 9, 21)
    s = schedule_for(outputs)
    s["C"].split("k", factor=4)
    s["C"].reorder(*order)
    s["C"].vectorize("k.inner")
    s["C"].split("j", factor=4)
    assert_same_result(s, inputs, outputs, debug=True)


def test_a_fused_loop_and_the_outer_part_of_one() -> None:
    A = te.placeholder((5, 6, 7), name="A")
    a, b = te.reduce_axis((0, 6), name="a"), te.reduce_axis((0, 7), name="b")
    C = te.compute((5,), lambda i: te.sum(A[i, a, b], axis=[a, b]), name="C")
    for factor in (8, 16):
        s = te.create_schedule(C.op)
        outer, inner = s[C].split(s[C].fuse(a, b), factor=factor)
        s[C].vectorize(outer if factor == 16 else inner)
        assert_same_result(s, [A], [C])


def test_start_and_condition() -> None:
    A = te.placeholder((6, 20), name="A", dtype="int32")
    k = te.reduce_axis((3, 17), name="k")
    C = te.compute((6,), lambda i: te.sum(A[i, k], axis=k, where=k % 3 != i % 2, init=i + 5), name="C")
    D = te.compute((6,), lambda i: te.max(A[i, k], axis=k, where=i % 2 == 0, init=-3), name="D")
    for T in (C, D):
        s = te.create_schedule(T.op)
        s[T].vectorize(s[T].split(k, factor=4)[1])
        assert_same_result(s, [A], [T], debug=True)


def test_lanes_inside_of_other_stages_and_threads() -> None:
    inputs, outputs = rows(9, 22)
    s = schedule_for(outputs)
    for name in ("S", "E", "M"):
        s[name].compute_at(s["P"], "i")
    for name in ("S", "M"):
        s[name].vectorize(s[name].split("k", factor=8)[1])
    s["P"].parallel("i")
    assert_same_result(s, inputs, outputs, debug=True)


@pytest.mark.parametrize("debug", [False, True])
def test_a_symbolic_size_masks_its_last_lanes(debug: bool) -> None:
    n = te.var("n")
    A = te.placeholder((3, n), name="A")
    k = te.reduce_axis((0, n), name="k")
    C = te.compute((3,), lambda i: te.max(A[i, k], axis=k), name="C")
    s = te.create_schedule(C.op)
    s[C].vectorize(s[C].split(k, factor=8)[1])
    assert "vectorized" not in script(tewb.lower(s, [A, C]))
    kernel = tewb.build(s, [A, C], debug=debug)
    for size in (0, 1, 8, 21):
        a, c = np.random.rand(3, size).astype("float32"), np.full(3, 9, "float32")
        kernel(a, c)
        np.testing.assert_array_equal(c, a.max(axis=1, initial=-np.inf))


def test_a_nan_is_not_lost() -> None:
    A, C = reduction(te.max, 2, 40)
    s = te.create_schedule(C.op)
    s[C].vectorize(s[C].split("k", factor=16)[1])
    a, c = np.zeros((2, 40), "float32"), np.zeros(2, "float32")
    a[0, 13] = a[1, 39] = np.nan
    tewb.build(s, [A, C])(a, c)
    assert np.isnan(c).all()


def test_unknown_elements_are_checked_in_every_lane() -> None:
    A, B = te.placeholder((9,), name="A"), te.placeholder((20,), name="B", dtype="int32")
    k = te.reduce_axis((0, 20), name="k")
    C = te.compute((1,), lambda i: te.sum(A[B[k]], axis=k), name="C")
    s = te.create_schedule(C.op)
    s[C].vectorize(s[C].split(k, factor=8)[1])
    kernel = tewb.build(s, [A, B, C])
    a, b, c = np.arange(9, dtype="float32"), np.full(20, 3, "int32"), np.zeros(1, "float32")
    kernel(a, b, c)
    assert c[0] == 60
    b[18] = 9
    with pytest.raises(tewb.TewbError, match="C reads outside of A"):
        kernel(a, b, c)


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("at_end", [True, False])
def test_the_check_of_an_index_stays_inside_of_a_masked_tail(at_end: bool, debug: bool) -> None:
    n = te.var("n")
    A, N = te.placeholder((9,), name="A"), te.placeholder((n,), "int32", name="N")
    k = te.reduce_axis((0, n), name="k")
    C = te.compute((2,), lambda i: te.sum(A[N[k]] * (i + 1), axis=k), name="C")
    s = te.create_schedule(C.op)
    s[C].vectorize(s[C].split(k, factor=8)[1])
    kernel = tewb.build(s, [A, N, C], debug=debug)
    a = between_pages(np.arange(9, dtype="float32"), at_end)
    for size in (0, 1, 8, 13):
        i, c = np.arange(size, dtype="int32") % 9, np.zeros(2, "float32")
        kernel(a, between_pages(i, at_end), c)
        np.testing.assert_array_equal(c, [a[i].sum(), 2 * a[i].sum()])


@pytest.mark.parametrize("mark", ["vectorize", "unroll", "serial", "rfactor"])
def test_an_index_is_checked_before_what_it_names_is_read(mark: str) -> None:
    n = te.var("n")
    A, N = te.placeholder((9,), name="A"), te.placeholder((5,), "int32", name="N")
    J = te.placeholder((n,), "int32", name="J")
    k = te.reduce_axis((0, n), name="k")
    C = te.compute((1,), lambda i: te.sum(A[N[J[k]]], axis=k), name="C")
    s = te.create_schedule(C.op)
    inner = s[C].split(k, factor=8)[1]
    if mark == "rfactor":
        s.rfactor(C, inner)
    elif mark != "serial":
        getattr(s[C], mark)(inner)
    kernel = tewb.build(s, [A, N, J, C])
    a, i, c = (
        between_pages(np.ones(9, "float32")),
        between_pages(np.arange(5, dtype="int32")),
        np.zeros(1, "float32"),
    )
    j = between_pages(np.full(13, 4, "int32"))
    kernel(a, i, j, c)
    assert c[0] == 13
    j[11] = 5
    with pytest.raises(tewb.TewbError, match="reads outside of N in dimension 0"):
        kernel(a, i, j, c)


@pytest.mark.parametrize("mark", ["vectorize", "rfactor", "serial"])
@pytest.mark.parametrize("m", [0, 20])
def test_what_a_reduction_starts_with_is_checked(m: int, mark: str) -> None:
    A, B = te.placeholder((9,), name="A"), te.placeholder((m,), name="B")
    N = te.placeholder((3,), "int32", name="N")
    k = te.reduce_axis((0, m), name="k")
    C = te.compute((3,), lambda i: te.sum(B[k], axis=k, init=A[N[i]]), name="C")
    s = te.create_schedule(C.op)
    inner = s[C].split(k, factor=8)[1]
    if mark == "rfactor":
        s.rfactor(C, inner)
    elif mark == "vectorize":
        s[C].vectorize(inner)
    kernel = tewb.build(s, [A, B, N, C])
    a, b, i = (
        between_pages(np.arange(9, dtype="float32")),
        np.ones(m, "float32"),
        np.array([8, 0, 3], "int32"),
    )
    c = np.zeros(3, "float32")
    kernel(a, b, i, c)
    np.testing.assert_array_equal(c, i + m)
    i[1] = 9
    with pytest.raises(tewb.TewbError, match="C reads outside of A in dimension 0"):
        kernel(a, b, i, c)
    with pytest.raises(tewb.TewbError, match="C reads outside of A") if m else nullcontext():
        te.compute((3,), lambda i: te.sum(B[k], axis=k, init=A[i + 7]), name="C")


@pytest.mark.parametrize("step", ["vectorize", "split", "unroll", "rfactor", "parallel", "cache_write"])
@pytest.mark.parametrize("axes", [0, 1])
def test_a_reduction_over_nothing_is_the_identity(step: str, axes: int) -> None:
    """Of one axis, and of two of which one is empty."""
    A = te.placeholder((4, 0), name="A")
    k, r = te.reduce_axis((0, 0), name="k"), te.reduce_axis((0, 3), name="r")
    for kind, identity in ((te.sum, 0), (te.max, -np.inf), (te.prod, 1)):
        over = [r, k] if axes else [k]
        C = te.compute((4,), lambda i, kind=kind, over=over: kind(A[i, k], axis=over), name="C")
        s = te.create_schedule(C.op)
        T = s[C]
        if step == "cache_write":
            T = s[s.cache_write(C, "local")]
        if step in ("split", "rfactor"):
            inner = T.split(k, factor=8)[1]
            if step == "rfactor":
                s.rfactor(C, inner)
            else:
                T.vectorize(inner)
        elif step == "parallel":
            T.parallel("i")
            T.vectorize(k)
        elif step == "unroll":
            T.unroll(k)
        else:
            T.vectorize(k)
        c = np.full(4, 7, "float32")
        tewb.build(s, [A, C])(np.zeros((4, 0), "float32"), c)
        np.testing.assert_array_equal(c, np.full(4, identity))


def test_a_pair_over_nothing_is_the_identity_also_inside_of_another_stage() -> None:
    inputs, outputs = argmax(7, 0)
    s = schedule_for(outputs)
    s["IV"].vectorize("k")
    assert_same_result(s, inputs, outputs)
    inputs, outputs = rows(5, 0)
    s = schedule_for(outputs)
    s["S"].vectorize("k")
    s["M"].vectorize("k")
    s["S"].compute_at(s["P"], "i")
    assert_same_result(s, inputs, outputs)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_fused_loops_of_nothing(shape: tuple[int, int]) -> None:
    A = te.placeholder(shape, name="A")
    a, b = te.reduce_axis((0, shape[0]), name="a"), te.reduce_axis((0, shape[1]), name="b")
    C = te.compute((2,), lambda i: te.sum(A[a, b], axis=[a, b]), name="C")
    s = te.create_schedule(C.op)
    s[C].vectorize(s[C].split(s[C].fuse(a, b), factor=4)[1])
    assert_same_result(s, [A], [C])
    B = te.compute(shape, lambda i, j: A[i, j] + 1.0, name="B")
    s = te.create_schedule(B.op)
    s[B].parallel(s[B].fuse(*s[B].op.axis))
    assert_same_result(s, [A], [B])
