"""Indices: proved to lie inside, checked when the function runs, or refused."""

from __future__ import annotations

import ast

import pytest

from tests.tensor.hybrid.translate import expressions, loops, parsed, translation
from tewb import te
from tewb.base import FLOAT32, INT32, BoundError, HybridError
from tewb.ir import Buffer, Var, const
from tewb.tensor.hybrid.arithmetic import Arithmetic
from tewb.tensor.hybrid.emitted import joined
from tewb.tensor.hybrid.indices import IndexTranslator

A = Buffer("a", FLOAT32, (const(8),))


def subscript(text: str) -> ast.Subscript:
    node = parsed(text)
    assert isinstance(node, ast.Subscript)
    return node


def test_an_index_is_proved_checked_or_refused() -> None:
    t = translation()
    i, n = Var("i", INT32), Var("n", INT32)
    t.analyzer.bind_extent(i, const(0), const(8))
    values = {"i": i, "n": n, "9": 9}
    translator = IndexTranslator(t, Arithmetic(t), lambda node: values[ast.unparse(node)])
    assert translator.indices(subscript("a[i]"), A) == (i,)
    assert t.pending == []
    translator.indices(subscript("a[n]"), A)
    assert "f leaves a in dimension 0" in str(joined(t.take_pending()))
    with pytest.raises(BoundError, match="outside of a"):
        translator.indices(subscript("a[9]"), A)


@pytest.mark.parametrize(
    ("text", "ir"),
    [
        ("a[3]", "a[3]"),
        ("a[-1]", "a[7]"),
        ("a[i]", "a[i]"),
        ("a[7 - i]", "a[7 - i]"),
        ("a[i // 2]", "a[i // 2]"),
    ],
)
def test_indices_that_are_proved(text: str, ir: str) -> None:
    e = expressions(a=A, i=(i := Var("i", INT32)))
    e.translation.analyzer.bind_extent(i, const(0), const(8))
    assert str(e.evaluate(parsed(text))) == ir and e.translation.pending == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("b[0] = a[8]", "outside of A: in dimension 0 the index runs from 8 to 8, and the size is 8"),
        ("b[0] = a[-9]", "outside of A: the index -9 of dimension 0 counts from the end"),
        ("for i in range(9):\n    b[i] = 1.0", "outside of b: in dimension 0 the index runs from 0 to 8"),
        ("b[0] = a[0, 0]", "A has 1 dimensions, not 2"),
        ("b[0] = a[True]", "an index is an integer, not bool"),
        ("b[0] = a[a[:]]", "a slice cannot be an index"),
    ],
)
def test_indices_that_are_refused(body: str, said: str) -> None:
    with pytest.raises((BoundError, HybridError), match=said) as e:
        loops(body)
    assert e.value.hint


def test_a_guard_makes_a_check_of_what_could_be_refused() -> None:
    text = loops("for i in range(9):\n    if a[0] > 0.0:\n        b[i] = 1.0")
    assert (
        "assert i < 8, 'f leaves b in dimension 0 (f.py, line 5): i'" in text
        or "f leaves b in dimension 0" in text
    )


def test_rank_hints_show_a_whole_row() -> None:
    M = te.placeholder((4, 5, 6), name="M")
    with pytest.raises(HybridError) as e:
        loops("b[0] = a[0]", M)
    assert e.value.hint == "M[i0, :, :]"


def test_symbolic_sizes_prove_indices_below_them() -> None:
    n = te.var("n")
    body = "for i in range(a.shape[0]):\n    b[0] += a[i]"
    assert "assert" not in loops(body, te.placeholder((n,), name="A"))


def test_empty_tensors_have_no_elements() -> None:
    with pytest.raises(BoundError, match="the size is 0"):
        loops("b[0] = a[0]", te.placeholder((0,), name="A"))
