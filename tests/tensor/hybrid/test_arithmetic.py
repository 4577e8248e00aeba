"""Arithmetic of values that are known and of elements: what each operator takes, and in which dtype."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest

from tests.tensor.hybrid.translate import evaluate, parsed, translation
from tewb.base import BOOL, FLOAT32, INT32, DType, HybridError
from tewb.ir import Buffer, BufferLoad, Var, const, const_int, ops, structural_equal
from tewb.tensor.hybrid.arithmetic import Arithmetic
from tewb.tensor.hybrid.values import Slice

i, x, p = Var("i", INT32), Var("x", FLOAT32), Var("p", BOOL)
A = Buffer("a", FLOAT32, (const(8),))
NODE = parsed("0")


def arithmetic() -> Arithmetic:
    return Arithmetic(translation())


def test_numbers_become_constants_and_expressions_stay() -> None:
    m = arithmetic()
    assert m.convert(i, NODE) is i
    assert [m.convert(v, NODE).dtype for v in (3, 0.5, True, np.int8(3))] == [
        "int32",
        "float32",
        "bool",
        "int8",
    ]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (A, "a, a tensor, is no number or element"),
        ((1, 2), "a tuple is no number"),
        ("x", "a string is no number"),
    ],
)
def test_what_is_no_number(value: Any, said: str) -> None:
    with pytest.raises(HybridError, match=said):
        arithmetic().convert(value, NODE)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64"])
def test_numbers_that_are_stored_must_fit(dtype: str) -> None:
    d, m = DType(dtype), arithmetic()
    for value in d.ends:
        stored = m.convert_to(value, d, NODE)
        assert stored.dtype is d and const_int(stored) == value
    for value in (d.ends[0] - 1, d.ends[1] + 1):
        with pytest.raises(HybridError) as e:
            m.convert_to(value, d, NODE)
        assert e.value.hint == f"{dtype}({value}) wraps"
    assert m.convert_to(i, d, NODE).dtype is d


def test_known_numbers_are_computed_now_and_elements_later() -> None:
    assert evaluate("7 // 2 + 7 % 4 * 2 - (1 << 3)") == 1 and evaluate("2 ** -1") == 0.5
    assert structural_equal(evaluate("i * 2 + 1", i=i), i * 2 + 1)
    assert evaluate("i / 2.0", i=i).dtype == "float32"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 // 0", "integer division or modulo by zero|division by zero"),
        ("2 ** 10000", "the exponent 10000 is too large"),
        ("'a' + 1", "a string is no number"),
        ("a + 1", "a is a tensor"),
        ("(1, 2) * 3", "a tuple is no number"),
        ("range(3) + 1", r"range\(...\) is no number"),
        ("i @ i", "the operator @ is not part of the hybrid language"),
        ("i & 0.5", "takes integers|bitwise_and"),
    ],
)
def test_mistakes_are_told_where_they_stand(text: str, said: str) -> None:
    with pytest.raises(HybridError, match=said):
        evaluate(text, a=A, i=i)


def test_truth() -> None:
    m = arithmetic()
    assert m.truth(2, NODE) is True and m.truth(const(0), NODE) is False and m.truth(p, NODE) is p
    assert structural_equal(m.truth(i, NODE), ops.not_equal(i, 0))
    for value in (A, Slice((const(8),), lambda at: x)):
        with pytest.raises(HybridError, match="a is a tensor|a slice is neither true nor false"):
            m.truth(value, NODE)


def test_slices_are_computed_element_by_element() -> None:
    row = Slice((const(8),), lambda at: BufferLoad(A, tuple(at), A.dtype))
    total = arithmetic().binary(NODE, ast.Add(), row, 1.0)
    assert isinstance(total, Slice) and total.dtype == "float32"
    assert str(total.element([i])) == "a[i] + T.float32(1.0)"
