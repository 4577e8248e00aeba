"""Calls inside of expressions: words, casts, min and max, len, and who cannot be called."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.tensor.hybrid.translate import evaluate, expressions, parsed
from tewb.base import FLOAT32, INT32, INT64, DType, HybridError
from tewb.ir import Buffer, Var, const
from tewb.tensor.hybrid.values import CountedRange

i, x = Var("i", INT32), Var("x", FLOAT32)
wide, double = Var("w", INT64), Var("d", DType("float64"))
A = Buffer("a", FLOAT32, (const(8), i))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("min(3, 1, 2)", 1),
        ("max(0.5, 2)", 2),
        ("len((1, 2, 3))", 3),
        ("len(a)", 8),
        ("enumerate((5, 6))", ((0, 5), (1, 6))),
        ("zip((1, 2), (3, 4, 5))", ((1, 3), (2, 4))),
    ],
)
def test_known_values(text: str, value: Any) -> None:
    assert evaluate(text, a=A) == value


@pytest.mark.parametrize(
    ("text", "ir", "dtype"),
    [
        ("min(i, 3, 2)", "T.min(T.min(i, 3), 2)", "int32"),
        ("max(x, 1)", "T.max(x, T.float32(1.0))", "float32"),
        ("exp(x)", "T.exp(x)", "float32"),
        ("power(x, 2.0)", None, "float32"),
        ("float32(i)", 'T.Cast("float32", i)', "float32"),
        ("int(x)", 'T.Cast("int32", x)', "int32"),
        ("int(w)", "w", "int64"),
        ("float(d)", "d", "float64"),
        ("bool(i)", None, "bool"),
        ("uint8(300)", "T.uint8(44)", "uint8"),
    ],
)
def test_words_and_casts(text: str, ir: str | None, dtype: str) -> None:
    e = evaluate(text, i=i, x=x, w=wide, d=double)
    assert e.dtype == dtype and (ir is None or str(e) == ir)


def test_ranges_keep_their_word_and_numbers() -> None:
    r = evaluate("parallel(1, i, 2)", i=i)
    assert isinstance(r, CountedRange) and r.word == "parallel" and r.bounds == (1, i, 2)


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("sine(x)", "there is no function sine", "there are abs"),
        ("allocate((8,))", "allocate gives its tensor a name", "t = allocate"),
        ("exp(x=1.0)", "exp takes no keyword arguments", "exp(x)"),
        ("max(i)", "max takes two or more values", "max(x, y)"),
        ("int8(1, 2)", "int8 takes one value", "int8(x)"),
        ("exp(a)", "exp: a is a tensor", "a[i]"),
        ("len(i)", "len takes a tensor or a tuple", "a.shape[0]"),
        ("zip(a, a)", r"a loop cannot run over zip\(...\) of this", "tuples of tensors"),
        ("enumerate()", r"a loop cannot run over enumerate\(...\) of this", "tuples"),
        ("i(3)", "i is a number here", "choose another name"),
        ("a[0, 0](3)", "this cannot be called", "by name"),
    ],
)
def test_calls_that_are_refused(text: str, said: str, hint: str) -> None:
    with pytest.raises(HybridError, match=said) as e:
        evaluate(text, a=A, i=i, x=x)
    assert hint in (e.value.hint or "")


def test_names_of_the_code_around_that_are_no_hybrid_functions() -> None:
    outer = {"plain": abs, "table": np.zeros(3)}
    for text, said in (("plain(1)", "plain is plain Python"), ("table(1)", "table is a tensor")):
        with pytest.raises(HybridError, match=said):
            expressions(outer).evaluate(parsed(text))
