"""Sums over threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import argmax, assert_same_result, rows, schedule_for
from tewb import te
from tewb.base import LowerError
from tewb.ir import script

Scheduled = tuple[Any, list[Any], list[Any]]


def sums(n: Any, m: Any, factor: int = 4, store: bool = True, partial: bool = True) -> Scheduled:
    """Sums of rows: partial ones by the threads of a row, which together make the sum."""
    A = te.placeholder((n, m), name="A")
    k = te.reduce_axis((0, m), name="k")
    B = te.compute((n,), lambda i: te.sum(A[i, k], axis=k), name="B")
    s = te.create_schedule(B.op)
    tx = te.thread_axis("threadIdx.x")
    term = s.rfactor(B, s[B].split("k", factor=factor)[1]) if partial else None
    block, row = s[B].split(s[B].op.axis[0], factor=4)
    s[B].bind(block, te.thread_axis("blockIdx.x"))
    s[B].bind(row, te.thread_axis("threadIdx.y"))
    s[B].bind(s[B].op.reduce_axis[0], tx)
    if term is not None:
        s[term].compute_at(s[B], s[B].op.reduce_axis[0])
    if store:
        s[B].set_store_predicate(tx.var.equal(0))
    return s, [A], [B]


@pytest.mark.parametrize("store", [True, False])
@pytest.mark.parametrize(("n", "m"), [(8, 16), (5, 19), (1, 3)])
def test_a_sum_of_partial_sums_of_threads(n: int, m: int, store: bool) -> None:
    s, inputs, outputs = sums(n, m, store=store)
    assert_same_result(s, inputs, outputs, debug=True)


@pytest.mark.parametrize("m", [16, 7])
def test_a_sum_whose_every_term_is_of_a_thread(m: int) -> None:
    s, inputs, outputs = sums(6, m, partial=False)
    assert_same_result(s, inputs, outputs, debug=True)


def test_a_sum_over_threads_of_symbolic_sizes() -> None:
    s, (A,), (B,) = sums(te.var("n"), te.var("m"), 8)
    kernel = tewb.build(s, [A, B], debug=True)
    for shape in ((9, 30), (1, 1), (4, 8), (0, 3)):
        a, b = np.random.rand(*shape).astype("float32"), np.zeros(shape[0], "float32")
        kernel(a, b)
        np.testing.assert_allclose(b, a.sum(1), rtol=1e-5)


@pytest.mark.parametrize("store", [True, False])
@pytest.mark.parametrize("n", [0, te.var("n")])
def test_without_terms_the_result_is_what_a_reduction_begins_with(n: Any, store: bool) -> None:
    A = te.placeholder((n,), name="A")
    k, tx = te.reduce_axis((0, n), name="k"), te.thread_axis("threadIdx.x")
    B = te.compute((3,), lambda i: te.max(A[k], axis=k), name="B")
    s = te.create_schedule(B.op)
    s[B].bind(k, tx)
    if store:
        s[B].set_store_predicate(tx.var.equal(0))
    kernel = tewb.build(s, [A, B])
    for m in (0,) if isinstance(n, int) else (0, 1, 5):
        b = np.full(3, 7, "float32")
        kernel(np.arange(m, dtype="float32"), b)
        assert b.tolist() == [m - 1.0 if m else -np.inf] * 3


def test_terms_that_are_the_same_for_all_threads_are_all_added() -> None:
    A = te.placeholder((3,), name="A")
    k = te.reduce_axis((0, 5), name="k")
    B = te.compute((3,), lambda i: te.sum(A[i], axis=k), name="B")
    s = te.create_schedule(B.op)
    s[B].bind("k", te.thread_axis("threadIdx.x"))
    assert_same_result(s, [A], [B], debug=True)


def test_a_tuple_is_reduced_over_threads() -> None:
    inputs, outputs = argmax()
    s = schedule_for(outputs)
    stage = s[outputs[0]]
    stage.bind(stage.op.reduce_axis[0], te.thread_axis("threadIdx.x"))
    assert_same_result(s, inputs, outputs, debug=True)


def test_two_reduce_axes_on_two_kinds_of_threads() -> None:
    A = te.placeholder((3, 4, 5), name="A")
    k, l = te.reduce_axis((0, 4), "k"), te.reduce_axis((0, 5), "l")  # noqa: E741
    B = te.compute((3,), lambda i: te.max(A[i, k, l], axis=[k, l]), name="B")
    s = te.create_schedule(B.op)
    s[B].bind(k, te.thread_axis("threadIdx.y"))
    s[B].bind(l, te.thread_axis("threadIdx.x"))
    assert_same_result(s, [A], [B], debug=True)


def softmax(scope: str | None) -> Scheduled:
    """A maximum and a sum of each row over the threads that then share them."""
    A = te.placeholder((3, 10), name="A")
    k, l = te.reduce_axis((0, 10), "k"), te.reduce_axis((0, 10), "l")  # noqa: E741
    M = te.compute((3,), lambda i: te.max(A[i, k], axis=k), name="M")
    E = te.compute((3, 10), lambda i, j: te.exp(A[i, j] - M[i]), name="E")
    S = te.compute((3,), lambda i: te.sum(E[i, l], axis=l), name="S")
    C = te.compute((3, 10), lambda i, j: E[i, j] / S[i], name="C")
    s = te.create_schedule(C.op)
    tx = te.thread_axis((0, 5), "threadIdx.x")
    row, column = s[C].op.axis
    s[C].bind(row, te.thread_axis("blockIdx.x"))
    place = row
    if scope is not None:  # inside of the threads
        place, inner = s[C].split(column, nparts=5)
        s[C].bind(place, tx)
    else:
        s[C].bind(s[C].split(column, nparts=5)[0], tx)
    for stage in (S, E, M):
        s[stage].compute_at(s[C], place)
        if scope is not None:
            s[stage].set_scope(scope)
    for stage in (M, S):
        term = s.rfactor(stage, s[stage].split(s[stage].op.reduce_axis[0], nparts=5)[0])
        s[stage].bind(s[stage].op.reduce_axis[0], tx)
        s[term].compute_at(s[stage], s[stage].op.reduce_axis[0])
        s[stage].set_store_predicate(tx.var.equal(0))
    s[E].bind(s[E].split(E.op.axis[1], nparts=5)[0], tx)
    return s, [A], [C]


@pytest.mark.parametrize("scope", [None, "shared"])
def test_softmax_by_the_threads_of_a_block(scope: str | None) -> None:
    s, inputs, outputs = softmax(scope)
    assert ("tvm_storage_sync" in script(tewb.lower(s, inputs + outputs))) == (scope is not None)
    assert_same_result(s, inputs, outputs, debug=True)


def mixed() -> Scheduled:
    inputs, outputs = rows()
    s = schedule_for(outputs)
    stage = next(st for st in s.stages if st.op.reduce_axis)
    inner = stage.split(stage.op.reduce_axis[0], factor=4)[1]
    stage.bind(inner, te.thread_axis("threadIdx.x"))
    return s, inputs, outputs


def of_some_terms() -> Scheduled:
    A = te.placeholder((6, 6), name="A")

    def sum_so_far(i: Any) -> Any:
        k = te.reduce_axis((0, i + 1), name="k")
        return te.sum(A[i, k], axis=k)

    B = te.compute((6,), sum_so_far, name="B")
    s = te.create_schedule(B.op)
    s[B].bind(s[B].split("i", factor=3)[1], te.thread_axis("threadIdx.x"))
    s[B].bind(B.op.reduce_axis[0], te.thread_axis("threadIdx.y"))
    return s, [A], [B]


def not_innermost() -> Scheduled:
    s, inputs, outputs = sums(4, 8, store=False, partial=False)
    s["B"].reorder("k", "i.inner")
    return s, inputs, outputs


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (mixed, "reduces over k.inner, which is bound to threads, and over k.outer, which is not"),
        (not_innermost, "loop i.inner of B is inside of k, over whose threads it reduces"),
        (of_some_terms, r"loop k of B has .* iterations, which is not the same number everywhere"),
    ],
)
def test_what_would_not_be_a_sum_is_refused(make: Callable[[], Scheduled], said: str) -> None:
    s, inputs, outputs = make()
    with pytest.raises(LowerError, match=said) as e:
        tewb.lower(s, inputs + outputs)
    assert e.value.loops and e.value.hint
