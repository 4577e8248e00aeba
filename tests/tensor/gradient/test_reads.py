"""What a compute gives to the derivative by its inputs: a term for each element that it reads."""

from __future__ import annotations

from typing import Any

from tests.gradients import placeholder
from tewb import te
from tewb.tensor.gradient.partials import Share
from tewb.tensor.gradient.reads import Reads, roots

A, V = placeholder(4, 6, name="A"), placeholder(6, name="V")


def reads(y: Any, t: Any) -> Reads:
    return Reads(y.op, t, roots(y.op, y.value_index), lambda p, i: [Share((), V[i[0]])], t.dtype)


def indices(y: Any, t: Any) -> list[str]:
    return [", ".join(map(str, term.index)) for term in reads(y, t).terms([])]


def test_an_element_that_is_read_twice_is_one_term() -> None:
    y = te.compute((4,), lambda i: A[i, 0] * A[i, 0] + A[i, 1], name="y")
    assert sorted(indices(y, A)) == ["i, 0", "i, 1"]


def test_parts_of_the_axes_are_terms_of_their_own() -> None:
    zero = te.const(0.0, "float64")
    apart = te.compute((4,), lambda i: te.select(i == 0, V[i], zero) + te.select(i > 2, V[i], zero), name="y")
    assert indices(apart, V) == ["i", "i"]
    together = te.compute((4,), lambda i: te.select(A[i, 0] > 0.0, V[i], V[i] * 0.1), name="y")
    assert indices(together, V) == ["i"]


def test_each_term_has_variables_of_its_own() -> None:
    y = te.compute((4,), lambda i: V[i] * V[i + 1], name="y")
    first, second = reads(y, V).terms([])
    assert first.unknowns[0].var is not second.unknowns[0].var
    assert first.unknowns[0].var is not y.op.axis[0].var


def test_names_of_dimensions_are_those_of_axes() -> None:
    k = te.reduce_axis((0, 6), name="k")
    y = te.compute((4,), lambda i: te.sum(A[i, k] * V[5 - k], axis=k), name="y")
    assert reads(y, A).index_names() == ["i", "k"]
    assert reads(y, V).index_names() is None


def test_the_roots_of_a_reduction() -> None:
    k = te.reduce_axis((0, 6), name="k")
    y = te.compute((4,), lambda i: te.sum(A[i, k], axis=k, where=k > 2, init=V[i]), name="y")
    combined, start = roots(y.op, 0)
    assert [iv.name for iv in combined.axes] == ["i", "k"] and [iv.name for iv in start.axes] == ["i"]
    assert [str(c) for c in combined.share.conditions] == ["k > 2"] and not start.share.conditions
