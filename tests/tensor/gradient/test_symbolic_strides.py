"""Flat and reshaped tensors of sizes that are not known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.gradients import placeholder
from tewb import te
from tewb.arith import Analyzer
from tewb.ir import const, convert, substitute
from tewb.tensor.gradient.symbolic_strides import without_symbolic_strides
from tewb.testing.reference import evaluate

n, m, r = te.var("n"), te.var("m"), te.var("r")
SIZES = {n: 3, m: 4, r: 2}

# The shape that is read, that of the result, and the element.
FLAT: dict[str, tuple[Any, Any, Any]] = {
    "flat": ((n, m), (n * m,), lambda A, i: A[i // m, i % m]),
    "of flat": ((n * m,), (n, m), lambda A, i, j: A[i * m + j]),
    "flat of three": ((n, m, r), (n * m * r,), lambda A, i: A[i // r // m, i // r % m, i % r]),
    "three of flat": ((n * m * r,), (n, m, r), lambda A, i, j, k: A[(i * m + j) * r + k]),
    "with a number": ((n * m * 4,), (n, m, 4), lambda A, i, j, k: A[(i * m + j) * 4 + k]),
    "the last two": ((n, m, r), (n, m * r), lambda A, i, j: A[i, j // r, j % r]),
    "reversed": ((n, m), (n, m), lambda A, i, j: A[i, m - 1 - j]),
}


@pytest.mark.parametrize("name", FLAT)
def test_nothing_is_summed(name: str) -> None:
    read, shape, element = FLAT[name]
    A, head = te.placeholder(read, "float64", name="A"), te.placeholder(shape, "float64", name="head")
    arguments = {
        1: lambda i: element(A, i),
        2: lambda i, j: element(A, i, j),
        3: lambda i, j, k: element(A, i, j, k),
    }
    Y = te.compute(shape, arguments[len(shape)], name="Y")
    (result,) = te.gradient(Y, [A], head)
    assert not result.op.reduce_axis
    h = np.arange(np.prod(numbers(shape)), dtype="float64").reshape(numbers(shape))
    # An element goes where it came from.
    (values,) = evaluate([Y], {A: np.arange(h.size, dtype="float64").reshape(numbers(read))}, SIZES)
    want = np.zeros(h.size)
    want[values.astype("int64").ravel()] = h.ravel()
    (got,) = evaluate([result], {head: h}, SIZES)
    np.testing.assert_array_equal(got.ravel(), want)


def numbers(sizes: Any) -> tuple[int, ...]:
    known = {v: const(c) for v, c in SIZES.items()}
    return tuple(int(Analyzer().simplify(substitute(convert(e), known))) for e in sizes)


def test_what_cannot_be_taken_apart_stays() -> None:
    i, j, x = te.var("i"), te.var("j"), te.var("x")
    facts = Analyzer()
    facts.bind(j, 0, 9)
    wide = [(i * m + j, x)]  # j may be more than m
    assert without_symbolic_strides(wide, [i, j], facts) == wide
    other = [(i // m, x), (i % n, x)]
    assert without_symbolic_strides(other, [i], facts) == other


def test_what_stays_is_summed_over_all() -> None:
    A, head = te.placeholder((n, m), "float64", name="A"), te.placeholder((m, n), "float64", name="head")
    Y = te.compute((m, n), lambda i, j: A[(i * n + j) // m, (i * n + j) % m], name="Y")
    (result,) = te.gradient(Y, [A], head)
    h = np.arange(12.0).reshape(4, 3)
    (got,) = evaluate([result], {head: h}, {n: 3, m: 4})
    np.testing.assert_array_equal(got, h.reshape(3, 4))


def test_windows_of_sizes_that_are_not_known() -> None:
    A, W = te.placeholder((n,), "float64", name="A"), placeholder(3, name="W")
    k = te.reduce_axis((0, 3), name="k")
    Y = te.compute((n - 2,), lambda i: te.sum(A[i + k] * W[k], axis=k), name="Y")
    head = te.placeholder((n - 2,), "float64", name="head")
    of_a, of_w = te.gradient(Y, [A, W], head)
    assert [iv.name for iv in of_a.op.reduce_axis] == ["k"] and [iv.name for iv in of_w.op.reduce_axis] == [
        "i"
    ]
    a, w, h = np.arange(5.0), np.array([1.0, 2, 3]), np.array([1.0, 10, 100])
    first, second = evaluate([of_a, of_w], {A: a, W: w, head: h})
    np.testing.assert_array_equal(first, np.convolve(h, w))
    np.testing.assert_array_equal(second, [h @ a[k : k + 3] for k in range(3)])
