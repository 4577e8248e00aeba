"""Expressions: known or computed later, and evaluated only where they decide."""

# ruff: noqa: F821
from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest

from tests.tensor.hybrid.translate import evaluate, expressions, parsed, translation
from tests.tensor.hybrid.ways import three_ways
from tests.tensor.test_hybrid import compiled, floats
from tewb import te
from tewb.base import BOOL, FLOAT32, INT32, HybridError
from tewb.ir import Buffer, Var, const, ops, structural_equal
from tewb.tensor.hybrid.expressions import ExpressionTranslator

script = te.hybrid.script


def test_ternaries_do_not_evaluate_the_guarded_side() -> None:
    @script
    def f(a):
        b = output_tensor((8,), "float32")
        for i in range(8):
            left = a[i - 1] if i > 0 else 0.0
            right = a[i + 1] if i < 7 else 0.0
            far = a[i + 3] if i + 3 < a.shape[0] and a[i + 3] > 0.0 else -1.0
            b[i] = left + right * far
        return b

    three_ways(f, floats(8))

    @script
    def shifted(a):
        b = output_tensor((8,), "float32")
        for i in range(8):
            b[i] = a[i - 1] if i > 0 else 0.0
        return b

    def vectorized(s: Any, t: Any) -> None:
        s[t].vectorize(s[t].op.axis[0])

    np.testing.assert_array_equal(compiled(shifted, [floats(8)], vectorized)[0], shifted(floats(8)))


def test_expressions_need_no_statements() -> None:
    t = translation()
    i = Var("i", INT32)
    t.names.set("i", i)
    expressions = ExpressionTranslator(t)

    def evaluate(text: str) -> Any:
        return expressions.evaluate(ast.parse(text, mode="eval").body)

    assert evaluate("2 * 3 + 1") == 7
    assert structural_equal(evaluate("i * 2"), ops.mul(i, 2))
    assert evaluate("max(1, 2) < 3") is True


A = Buffer("a", FLOAT32, (const(8),))
i, p = Var("i", INT32), Var("p", BOOL)


@pytest.mark.parametrize(
    ("text", "ir"),
    [
        ("i < 3 < 4", "i < 3"),
        ("1 < i < 3", "1 < i and i < 3"),
        ("p and i > 2 or not p", "p and i > 2 or not p"),
        ("i > 2 and False", "T.bool(False)"),
        ("-i", "0 - i"),
        ("+i", "i"),
        ("~i", "T.bitwise_not(i)"),
        ("i if p else 2", "T.if_then_else(p, i, 2)"),
        ("i if 1 < 2 else nothing", "i"),
        ("not i", "not i != 0"),
    ],
)
def test_operators(text: str, ir: str) -> None:
    assert str(evaluate(text, i=i, p=p)) == ir


def test_what_was_asked_before_proves_what_comes_after() -> None:
    for text in (
        "i >= 0 and i < 8 and a[i] > 0.0",
        "a[i] if 0 <= i < 8 else 0.0",
        "not (0 <= i < 8) or a[i] > 0.0",
    ):
        e = expressions(i=i, a=A)
        e.evaluate(parsed(text))
        assert e.translation.pending == []
    e = expressions(i=i, a=A)
    e.evaluate(parsed("a[i] > 0.0 and i < 8"))
    assert len(e.translation.pending) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("i and p", "and, or take conditions, not int32"),
        ("p or 2", "and, or take conditions, not 2"),
        ("None", "None is no number"),
        ("b'x'", "b'x' is no number"),
        ("i in (1, 2)", "the operator in is not part of the hybrid language"),
        ("a[:] if p else a[:]", "a slice cannot be chosen"),
        ("a if p else a", "a tensor cannot be chosen"),
        ("0.0 < a[:] < 1.0", "a chain of comparisons takes no slices"),
        ("f'{i}'", "an f-string is not part"),
        ("lambda: i", "lambda is not part"),
    ],
)
def test_expressions_that_are_refused(text: str, said: str) -> None:
    with pytest.raises(HybridError, match=said):
        evaluate(text, i=i, p=p, a=A)
