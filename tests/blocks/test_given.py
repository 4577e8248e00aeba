"""Sizes come from arrays and numbers, and a program with them has constants only."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tewb import te
from tewb.base import ArgumentError
from tewb.blocks.given import data_axis, given_to, rebuilt, with_sizes
from tewb.ir import const_int, free_vars
from tewb.schedule import operations_in_order, read_graph


def chunked(x: Any) -> Any:
    return x


def test_sizes_are_found_in_shapes() -> None:
    n, m = te.var("n"), te.var("m")
    A, B = te.placeholder((n, m), name="A"), te.placeholder((m, 2 * n), name="B")
    arrays = [np.zeros((3, 4), "float32"), np.zeros((4, 6), "float32")]
    found = given_to("f", [A, B], arrays, chunked)
    assert found.numbers == {n: 3, m: 4}
    with pytest.raises(
        ArgumentError, match=r"B has size 6 in dimension 1, and the kernel takes 8 \(n \* 2\)|8 \(2 \* n\)"
    ):
        given_to("f", [A, B], [np.zeros((4, 4), "float32"), arrays[1]], chunked)


def test_sizes_that_no_shape_says_are_arguments() -> None:
    n = te.var("n")
    A = te.placeholder((n * n + n,), name="A")
    with pytest.raises(
        ArgumentError, match=r"does not say what its variables are[\s\S]*give these as arguments"
    ):
        given_to("f", [A], [np.zeros(6, "float32")], chunked)
    assert given_to("f", [n, A], [2, np.zeros(6, "float32")], chunked).numbers == {n: 2}


@pytest.mark.parametrize(
    ("value", "said"), [(2.5, "a whole number, not 2.5"), (1 << 40, "does not fit int32"), ([], "a number")]
)
def test_numbers_fit_their_variables(value: Any, said: str) -> None:
    with pytest.raises(ArgumentError, match=f"argument 1, n, .*{said}"):
        given_to("f", [te.var("n")], [value], chunked)


def test_a_program_with_sizes_has_no_variables_left() -> None:
    n, alpha = te.var("n"), te.var("alpha", "float32")
    A = te.placeholder((n, n), name="A")

    def row(i: Any) -> Any:
        k = te.reduce_axis((0, i + n), name="k")
        return te.sum(A[i, k % n] * alpha, axis=k, init=te.const(1.0))

    B = te.compute((n,), row, name="B")
    C = te.compute((n,), lambda i: B[n - 1 - i] + 1.0, name="C")
    sized = with_sizes(operations_in_order([C], read_graph([C])), {n: te.const(5)})
    assert [const_int(s) for s in sized[A].shape] == [5, 5]
    body = sized[C].op.body[0]
    assert str(body) == "B[4 - i] + 1.0" or "B[" in str(body)
    assert n not in {v for t in (sized[B], sized[C]) for e in t.op.exprs() for v in free_vars(e)}
    assert sized[C].op.inputs == (sized[B],)
    assert sized[B].op.domains


def test_rebuilt_shares_one_reduction_among_outputs() -> None:
    A, k = te.placeholder((4, 6), name="A"), te.reduce_axis((0, 6), name="k")
    both = te.comm_reducer(
        lambda x, y: (x[0] + y[0], te.max(x[1], y[1])),
        lambda a, b: (te.const(0, a), te.min_value(b)),
        name="both",
    )
    S, _ = te.compute((4,), lambda i: both((A[i, k], A[i, k]), axis=k), name="T")
    new = data_axis("k", 3, k, k.kind)
    first, second = rebuilt(S.op.body, {k: new}, lambda e: e, init=False)
    assert first.combiner is second.combiner
    assert [(e.axes, e.index) for e in (first, second)] == [((new,), 0), ((new,), 1)]
