"""Conditions that rules share."""

from __future__ import annotations

import pytest

from tewb.arith import Analyzer
from tewb.arith.rules.conditions import are_exact, is_below, is_index_type, stays
from tewb.base import INT32, DType
from tewb.ir import Buffer, Var, const, load

x, y, n = (Var(name, INT32) for name in "xyn")


@pytest.mark.parametrize(
    ("dtype", "is_index"),
    [
        ("int32", True),
        ("int64", True),
        ("int16", False),
        ("uint32", False),
        ("uint64", False),
        ("float32", False),
    ],
)
def test_indices_are_signed_and_of_32_bits_at_least(dtype: str, is_index: bool) -> None:
    assert is_index_type(Var("v", DType(dtype))) is is_index


def test_both_sides_must_not_wrap() -> None:
    a, data = Analyzer(), load(Buffer("A", INT32, (const(9),)), (x,))
    assert are_exact(x + 1, y * 2, a) and are_exact(data, x, a)
    assert not are_exact(data + 1, x, a) and not are_exact(x, data + 1, a)
    with a.values():
        assert are_exact(x, y, a) and not are_exact(x + 1, y, a)
    assert not are_exact(Var("u", DType("uint8")), x, a)


def test_a_sum_stays_in_range() -> None:
    a = Analyzer()
    a.bind(x, 0, 2**30)
    s = a.linear.of
    assert stays(s(x * 1), x, a) and stays(s(y * 5), y, a)  # as far as is known
    assert stays(s(x + 2**30 - 1), x, a) and not stays(s(x + 2**30), x, a)
    assert not stays(s(y * 1).scaled(2**32), y, a)
    with a.values():
        assert stays(s(x + 5), x, a) and not stays(s(y + 5), y, a) and stays(s(y * 1), y, a)


def test_what_is_below() -> None:
    a = Analyzer()
    a.bind(x, 0, 7)
    a.bind(y, -1, 7)
    a.bind(n, 0, None)
    assert is_below(x, const(8), a) and not is_below(x, const(7), a) and not is_below(y, const(8), a)
    assert not is_below(x, n, a)
    a.bind_extent(x, 0, n)
    assert is_below(x, n, a) and not is_below(x + 1, n, a)
