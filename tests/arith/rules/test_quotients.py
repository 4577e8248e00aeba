"""Rules for floor division."""

from __future__ import annotations

import pytest

from tests.arith.one_rule import apply, becomes
from tewb.arith import Analyzer
from tewb.base import INT32, DType
from tewb.ir import Div, Expr, FloorDiv, IntImm, Mul, Var, const

x, y, n = (Var(name, INT32) for name in "xyn")
RANGES = {x: (-9, 9), y: (0, 3)}


@pytest.mark.parametrize("dtype", ["int32", "uint8"])
@pytest.mark.parametrize("kind", [FloorDiv, Div])
def test_a_quotient_by_1(kind: type, dtype: str) -> None:
    v = Var("v", DType(dtype))
    assert apply("quotient_by_one", kind(v, IntImm(1, v.dtype), v.dtype)) is v
    assert apply("quotient_by_one", kind(v, IntImm(2, v.dtype), v.dtype)) is None
    f = Var("f", DType("float32"))
    assert apply("quotient_by_one", Div(f, const(1.0), f.dtype)) is None


@pytest.mark.parametrize(
    ("e", "after"),
    [
        ((x * 4 + y) // 4, "x"),
        ((x * 4 + y + 1) // 4, None),  # 1 to 4
        ((x * 4 + y + 4) // 4, "x + 1"),
        ((x * 4 - y) // 4, None),  # -3 to 0
        ((x * 4 - y - 1) // 4, "x - 1"),  # -4 to -1
        (y // 4, "0"),
        ((x * 8 + y) // 4, "x * 2"),
        ((x * 2 + y) // 4, None),
        ((x * 4 + y) // -4, None),
    ],
    ids=str,
)
def test_a_rest_with_one_quotient(e: Expr, after: str | None) -> None:
    assert becomes("quotient_of_a_bounded_rest", e, RANGES) == after


@pytest.mark.parametrize(
    ("e", "after"),
    [
        ((x * 4 + y * 3) // 4, "x + y * 3 // 4"),
        ((x * 4 + y + 9) // 4, "x + 2 + (y + 1) // 4"),
        ((x * 3 + y) // 4, None),
        ((y * 3 + 7) // 4, "1 + (y * 3 + 3) // 4"),
        ((y * 3 + 3) // 4, None),  # as it comes out above
    ],
    ids=str,
)
def test_multiples_are_taken_out(e: Expr, after: str | None) -> None:
    assert becomes("quotient_of_multiples", e, RANGES) == after


@pytest.mark.parametrize(
    ("e", "after"),
    [
        ((x * 6 + y * 4) // 8, "(x * 3 + y * 2) // 4"),
        ((x * 6 + 5) // 8, "(x * 3 + 2) // 4"),
        ((x * 6 - 1) // 8, "(x * 3 - 1) // 4"),
        ((x * 6 + y) // 8, None),
        ((x * 8 + y * 6) // 8, None),  # first its multiples are taken out
        (x // 8, None),
    ],
    ids=str,
)
def test_a_common_factor_is_taken_out(e: Expr, after: str | None) -> None:
    assert becomes("common_factor_of_a_quotient", e, RANGES) == after


@pytest.mark.parametrize(
    ("e", "after"),
    [
        (x // 3 // 4, "x // 12"),
        (x // -3 // 4, None),
        (x // 3 // -4, None),
        (x // 65536 // 32767, "x // 2147418112"),
        (x // 65536 // 32768, None),  # 2**31 is no int32
        ((x // 3 + 1) // 4, None),
    ],
    ids=str,
)
def test_a_quotient_of_a_quotient(e: Expr, after: str | None) -> None:
    assert becomes("quotient_of_a_quotient", e, {x: (-40, 40)}) == after


def test_by_a_symbol_the_rest_must_be_less_than_it() -> None:
    e = FloorDiv(Mul(x, n, INT32) + y, n, INT32)
    assert becomes("quotient_by_a_symbol", e, {**RANGES, n: (4, 9)}) == "x"
    assert becomes("quotient_by_a_symbol", e, {**RANGES, n: (3, 9)}) is None  # y may be 3
    assert becomes("quotient_by_a_symbol", e, {x: (-9, 9), y: (-1, 3), n: (4, 9)}) is None
    a = Analyzer()
    a.bind(n, 0, None)
    a.bind_extent(y, 0, n)
    assert str(apply("quotient_by_a_symbol", e, a)) == "x"


def test_multiples_of_a_symbol_are_taken_out_where_it_is_not_0() -> None:
    e = FloorDiv(Mul(x, n, INT32) + y, n, INT32)
    assert becomes("quotient_of_multiples_of_a_symbol", e, {**RANGES, n: (1, 9)}) == "x + y // n"
    assert becomes("quotient_of_multiples_of_a_symbol", e, {**RANGES, n: (-5, -1)}) == "x + y // n"
    assert becomes("quotient_of_multiples_of_a_symbol", e, {**RANGES, n: (0, 9)}) is None  # x * 0 // 0 is 0
    assert becomes("quotient_of_multiples_of_a_symbol", FloorDiv(y, n, INT32), {y: (0, 3), n: (1, 9)}) is None


def test_values_that_wrap_are_not_divided() -> None:
    for name, e in (
        ("quotient_of_multiples", (x * 4 + y * 3) // 4),
        ("quotient_of_a_bounded_rest", (x * 4 + y) // 4),
        ("common_factor_of_a_quotient", x * 6 // 8),
    ):
        assert becomes(name, e, values=True) is None
        assert becomes(name, e, RANGES, values=True) is not None  # these do not wrap
