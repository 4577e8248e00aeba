"""What Python cannot take for a number or a list says so, with what to write instead."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tewb import te
from tewb.base import ExpressionError, TewbError

A = te.placeholder((8,), name="A")
M = te.placeholder((8, 8), name="M")
N = te.placeholder((8,), "int32", name="N")
x = te.var("x")
axis = te.compute((8,), lambda i: A[i]).op.axis[0]

SYMBOLIC = {
    "var": x,
    "element": A[0],
    "integer": N[0],
    "axis": axis,
    "row": M[0],
    "tensor": A,
    "condition": x < 3,
}


MISUSES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "bool": (bool, "no truth value"),
    "and": (lambda e: e and 3, "no truth value"),
    "int": (int, "no number in Python"),
    "float": (float, "no number in Python"),
    "complex": (complex, "no number in Python"),
    "range": (range, "no number in Python"),
    "list index": (lambda e: [1, 2][e], "no number in Python"),
    "%d": (lambda e: "%d" % e, "no number in Python"),  # noqa: UP031
    "%f": (lambda e: "%f" % e, "no number in Python"),  # noqa: UP031
    ":.2f": (lambda e: f"{e:.2f}", "no number that can be shown as :.2f"),
    "math.sqrt": (math.sqrt, "no number in Python"),
    "len": (len, "no length"),
    "iteration": (list, "not iterable"),
    "unpacking": (lambda e: [*e], "not iterable"),
    "in": (lambda e: 3 in e, "nothing to look in"),
    "assignment": (lambda e: e.__setitem__(0, 1), "cannot be changed"),
    "deletion": (lambda e: e.__delitem__(0), "cannot be changed"),
    "@": (lambda e: e @ e, "no product @"),
    "array @": (lambda e: np.ones((2, 2)) @ e, "np.matmul does not take"),
}


@pytest.mark.parametrize("what", SYMBOLIC)
@pytest.mark.parametrize("misuse", MISUSES)
def test_a_question_for_a_value_is_refused_with_a_hint(what: str, misuse: str) -> None:
    f, said = MISUSES[misuse]
    with pytest.raises(TewbError) as e:
        f(SYMBOLIC[what])
    assert said in e.value.message
    assert e.value.hint
    assert e.value.span is not None and e.value.span.file == __file__


def test_what_is_asked_is_shown_and_long_expressions_are_cut() -> None:
    with pytest.raises(ExpressionError, match="^A has no length"):
        len(A)
    long = x
    for _ in range(60):
        long = long + x * 3
    with pytest.raises(ExpressionError, match="the expression .* has no truth value") as e:
        bool(long)
    assert len(e.value.message) < 250


def test_text_formats_of_text_are_fine() -> None:
    assert f"{x:>5}" == "    x" and f"{x + 1}" == "x + 1"
