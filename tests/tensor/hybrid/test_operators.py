"""The operators of the language, on numbers that are known and on elements."""

# ruff: noqa: F821
from __future__ import annotations

import ast
from typing import Any

import pytest

from tests.tensor.hybrid.ways import ints, three_ways
from tewb import te
from tewb.base import INT32
from tewb.ir import Var, const, const_int
from tewb.tensor.hybrid.operators import BINARY, BUILD, COMPARE

script = te.hybrid.script


def test_operators() -> None:
    @script
    def f(a):
        b = output_tensor((8, 10), "int32")
        for i in range(8):
            x = a[i]
            b[i, 0] = x**3 - x**0
            b[i, 1] = (x << 2) + (x >> 1)
            b[i, 2] = (x & 6) | (x ^ 3)
            b[i, 3] = ~x + -x
            b[i, 4] = 1 if 1 <= x < 6 != i else 0
            b[i, 5] = 1 if not (x > 2 or i % 2 == 0) else 2
            b[i, 6] = x // 3 + x % 3
            b[i, 7] = x // -3 + x % -3
            b[i, 8] = abs(x) + min(x, 2, i) * max(x, 3)
            b[i, -1] = int32(float32(x) * 1.5) + 2**3
        return b

    three_ways(f, ints(8, low=-7))


@pytest.mark.parametrize("op", [ast.Mult(), ast.LShift(), ast.Pow()])
@pytest.mark.parametrize("a", [3, -3, 1 << 200])
def test_known_numbers_do_not_grow_without_end(op: ast.operator, a: int) -> None:
    with pytest.raises(ValueError, match="too large"):
        BINARY[type(op)](a, {ast.Mult: 1 << 512}.get(type(op), 600))


def test_known_numbers() -> None:
    found = {
        type(op).__name__: BINARY[type(op)](7, 3)
        for op in (
            ast.Add(),
            ast.Sub(),
            ast.Mult(),
            ast.Div(),
            ast.FloorDiv(),
            ast.Mod(),
            ast.Pow(),
            ast.LShift(),
            ast.RShift(),
            ast.BitAnd(),
            ast.BitOr(),
            ast.BitXor(),
        )
    }
    assert found == {
        "Add": 10,
        "Sub": 4,
        "Mult": 21,
        "Div": 7 / 3,
        "FloorDiv": 2,
        "Mod": 1,
        "Pow": 343,
        "LShift": 56,
        "RShift": 0,
        "BitAnd": 3,
        "BitOr": 7,
        "BitXor": 4,
    }
    assert BINARY[ast.Pow](2, 64) == 1 << 64 and BINARY[ast.LShift](1, 64) == 1 << 64


def test_elements_and_numbers_have_the_same_operators() -> None:
    assert set(BUILD) == set(BINARY)
    i = Var("i", INT32)
    assert str(BUILD[ast.LShift](i, 3)) == "T.shift_left(i, 3)" and str(BUILD[ast.Sub](i, 3)) == "i - 3"


@pytest.mark.parametrize("op", list(COMPARE))
def test_comparisons_of_numbers_and_of_elements_agree(op: Any) -> None:
    of_numbers, of_elements = COMPARE[op]
    for a in (1, 2, 3):
        assert const_int(of_elements(const(a), const(2))) == int(of_numbers(a, 2))
