"""Which iterations of a compute read an element: indices of every kind, against differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.gradients import assert_gradient, loops, placeholder
from tewb import te
from tewb.arith import Analyzer
from tewb.ir import const
from tewb.tensor.gradient.equations import Unknown
from tewb.tensor.gradient.terms import Term, cases

V, A, B = placeholder(6, name="V"), placeholder(3, 6, name="A"), placeholder(2, 3, 4, name="B")
ZERO = te.const(0.0, "float64")


def square(e: Any) -> Any:
    return e * e


# The shape, the element, what it reads, and the loops of the derivative.
INDICES: dict[str, tuple[Any, Any, Any, list[tuple[str, int]]]] = {
    "shifted": ((4,), lambda i: square(V[i + 2]), V, []),
    "neighbours": ((4,), lambda i: V[i] * V[i + 1] * V[i + 2], V, []),
    "reversed": ((6,), lambda i: square(V[5 - i]), V, []),
    "every other": ((3,), lambda i: square(V[i * 2 + 1]), V, []),
    "one": ((3,), lambda i: V[2] * V[i], V, []),
    "padded": ((9,), lambda i: te.if_then_else(te.all(i >= 2, i < 8), square(V[i - 2]), ZERO), V, []),
    "padded by select": ((9,), lambda i: te.select(te.all(i >= 2, i < 8), square(V[i - 2]), ZERO), V, []),
    "with zeros between": ((11,), lambda i: te.select(i % 2 == 0, square(V[i // 2]), ZERO), V, []),
    "repeated": ((12,), lambda i: square(V[i // 2]), V, [("i", 2)]),
    "tiled": ((15,), lambda i: square(V[i % 6]), V, [("i", 3)]),
    "transposed": ((6, 3), lambda i, j: square(A[j, i]), A, []),
    "diagonal": ((3,), lambda i: square(A[i, i]), A, []),
    "diagonal of a matrix": ((3, 6), lambda i, j: te.select(i == j, square(A[i, j]), ZERO), A, []),
    "flat": ((18,), lambda i: square(A[i // 6, i % 6]), A, []),
    "reshaped": ((9, 2), lambda i, j: square(A[(i * 2 + j) // 6, (i * 2 + j) % 6]), A, []),
    "three dimensions": (
        (6, 4), lambda i, j: square(B[(i * 4 + j) // 12, (i * 4 + j) // 4 % 3, (i * 4 + j) % 4]), B, [],
    ),
    "of flat": ((2, 3), lambda i, j: square(V[i * 3 + j]), V, []),
    "clamped": ((9,), lambda i: square(V[te.max(te.min(i - 2, 5), 0)]), V, None),
    "mirrored": ((10,), lambda i: V[te.select(i < 2, 2 - i, te.select(i < 8, i - 2, 12 - i))] * 2.0, V, []),
    "wide": ((4,), lambda i: square(V[i.astype("int64") + 1]), V, []),
    "toward zero": ((12,), lambda i: square(V[te.truncdiv(i, 2)]), V, [("i", 2)]),
    "a product": ((3, 2), lambda i, j: square(V[i * j]), V, [("i", 3), ("j", 2)]),
    "groups": ((4, 3), lambda i, j: square(A[j, i // 2 * 2 + i % 2]), A, []),
    "into depth": ((4, 3), lambda i, j: square(B[i // 2, j, i % 2 * 2]), B, []),
    "lower triangle": ((3, 6), lambda i, j: te.select(j <= i, square(A[i, j]), ZERO), A, []),
}  # fmt: skip


@pytest.mark.parametrize("name", INDICES)
def test_indices(name: str) -> None:
    shape, element, read, want = INDICES[name]
    (result,) = assert_gradient(te.compute(shape, element, name="Y"), [read])
    if want is not None:
        assert loops(result) == want


@pytest.mark.parametrize("stride, dilation, size, iterations", [
    (1, 1, 3, 3), (2, 1, 3, 2), (1, 2, 3, 3), (2, 2, 3, 3), (3, 2, 3, 1), (2, 3, 2, 1), (3, 1, 2, 1), (4, 6, 3, 2),
])  # fmt: skip
def test_windows(stride: int, dilation: int, size: int, iterations: int) -> None:
    x, w, r = placeholder(18, name="x"), placeholder(size, name="w"), te.reduce_axis((0, size), name="r")
    n = (18 - dilation * (size - 1) - 1) // stride + 1
    y = te.compute((n,), lambda i: te.sum(x[stride * i + dilation * r] * w[r], axis=r), name="y")
    of_x, of_w = assert_gradient(y, [x, w])
    assert np.prod([n for _, n in loops(of_x)]) <= iterations
    assert loops(of_w) == [("i", n)]


@pytest.mark.parametrize("size", [1, 5])
def test_gathered_elements(size: int) -> None:
    at = te.placeholder((size,), "int32", name="at")
    y = te.compute((size, 6), lambda i, j: square(A[at[i], j]) * V[j], name="y")
    (of_a, of_v) = assert_gradient(y, [A, V], {at: np.arange(size, dtype="int32") % 2})
    assert loops(of_a) == loops(of_v) == ([("i", size)] if size > 1 else [])


def test_sizes_that_are_not_known() -> None:
    n, m = te.var("n"), te.var("m")
    C, D = te.placeholder((n, m), name="C"), te.placeholder((m, n), name="D")
    k = te.reduce_axis((0, m), name="k")
    E = te.compute((n, n), lambda i, j: te.sum(C[i, k] * D[k, j], axis=k), name="E")
    of_c, of_d = te.gradient(E, [C, D], te.placeholder((n, n), name="head"))
    assert str(of_c.op.body[0]) == "T.sum(head[i, j] * D[k, j], axis=[j])"
    assert str(of_d.op.body[0]) == "T.sum(head[i, j] * C[i, k], axis=[i])"


def test_conditions_that_hold_anyway_are_left_out() -> None:
    k = te.reduce_axis((0, 3), name="k")  # two groups, of two outputs and three inputs each
    grouped = te.compute((3, 4), lambda n, f: te.sum(A[n, f // 2 * 3 + k], axis=k), name="grouped")
    (of_a,) = te.gradient(grouped, [A], placeholder(3, 4, name="head"))
    assert str(of_a.op.body[0]) == "T.sum(head[ax0, ax1 // 3 * 2 + f], axis=[f])"
    y = te.compute((4,), lambda i: V[i + 1] * 2.0, name="y")
    (of_v,) = te.gradient(y, [V], placeholder(4, name="head"))
    assert str(of_v.op.body[0]) == (
        "T.if_then_else(ax0 >= 1 and ax0 < 5, head[ax0 - 1] * T.float64(2.0), T.float64(0.0))"
    )


def test_choices_in_indices_become_cases_where_these_are_sums() -> None:
    i = te.var("i")
    unknowns = (Unknown(i, const(0), const(9)),)
    clamped = Term(unknowns, (te.max(i - 1, 0),), (), V[i])
    assert [(str(t.index[0]), [str(c) for c in t.conditions]) for t in cases(clamped)] == [
        ("i - 1", ["i - 1 >= 0"]),
        ("0", ["i - 1 < 0"]),
    ]
    at = te.placeholder((9,), "int32", name="at")
    gathered = Term(unknowns, (te.max(at[i], 0),), (), V[i])
    assert cases(gathered) == [gathered]
    many = Term(unknowns, tuple(te.min(i + n, 5) for n in range(6)), (), V[i])
    assert len(cases(many)) == 16
    assert Analyzer().can_prove(cases(many)[0].index[0] - i == 0)
