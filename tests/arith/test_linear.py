"""Canonical linear sums, and the expressions that they stand for."""

from __future__ import annotations

import pytest

from tests.arith.grid import on_grid
from tewb.arith import Analyzer
from tewb.arith.linear import Linear, in_range
from tewb.base import INT32, DType
from tewb.ir import Expr, Var, const, ops, script

m, n, x, y = (Var(name, INT32) for name in "mnxy")
SMALL = {x: (-4, 4), y: (-3, 3), m: (0, 2)}


def canonical(e: Expr) -> str:
    a = Analyzer()
    return script(a.linear.expr(a.linear.of(e), e.dtype))


@pytest.mark.parametrize(
    ("e", "text"),
    [
        (x + x - y * 2 + 3 - 1, "x * 2 + 2 - y * 2"),
        ((x + 1) * (y - 1), "x * y + y - x - 1"),
        (x - x, "0"),
        (0 - x, "x * (-1)"),
        (const(3) - x, "3 - x"),
        (x * y - y * x + 4, "4"),
        ((x + y) * 0, "0"),
        (x // 4 * 4 + x % 4, "x"),
        ((x // 4 * 4 + x % 4) * 3, "x * 3"),
        (x % 4 * 2 + x // 4 * 8 + y, "y + x * 2"),
    ],
    ids=str,
)
def test_sums_have_one_form_of_the_same_value(e: Expr, text: str) -> None:
    assert canonical(e) == text
    a = Analyzer()
    assert (
        on_grid(a.linear.expr(a.linear.of(e), e.dtype) + (x + y + m) * 0, SMALL)
        == on_grid(e + (x + y + m) * 0, SMALL)
    ).all()


def test_a_quotient_and_another_remainder_are_not_joined() -> None:
    for e in (x // 4 * 4 + x % 3, x // 4 * 3 + x % 4, x // 4 * 4 + y % 4, x // m * m + x % m):
        a = Analyzer()
        assert len(a.linear.of(e).terms) == 2 and not a.linear.joined(e)[1]
    a = Analyzer()
    a.bind(m, 1, None)
    assert canonical(x // 4 * 4 + x % 4) == "x" and a.linear.joined(x // m * m + x % m)[1]


def test_terms_that_cancel_are_gone_and_sums_are_scaled() -> None:
    a = Analyzer()
    s = a.linear.of(x * 2 + y + 3)
    assert s.copy().add(a.linear.of(x * 2 + 1), -1).const == 2 and len(s.terms) == 2
    assert s.scaled(0).is_const and s.scaled(1) is s and s.scaled(-2).const == -6
    assert a.linear.of(x * 4 + 7).divided(2).const == 3
    assert Linear(5).is_const and not s.is_const


def test_factors_stand_in_an_order_that_every_process_has() -> None:
    """The machine code of another process is found by its text."""
    kept = []
    for _ in range(20):
        pair = [Var(name, INT32) for name in "nm"]
        kept += pair if len(kept) % 4 else reversed(pair)  # some lie above each other in memory, some below
        assert script(Analyzer().simplify(ops.mul(*pair))) == "m * n"


def test_long_products_and_high_powers_stay_as_they_are() -> None:
    long = x + y + m + n
    assert len(Analyzer().linear.of(long * long).terms) == 1
    power: Expr = x
    for _ in range(20):
        power = ops.mul(power, power)
    assert len(Analyzer().linear.of(power).terms) == 1


def test_numbers_beyond_the_dtype_wrap_and_are_told() -> None:
    d, a = DType("int32"), Analyzer()
    s = a.linear.of(x * (2**20)).scaled(2**12)
    assert not in_range(s, d) and a.linear.expr(s, d) is not None
    assert script(a.linear.expr(Linear(2**31 + 5).add(a.linear.of(x)), d)) == "x - 2147483643"
    assert in_range(Linear(2**31 - 1), d) and not in_range(Linear(-(2**31)), d)


def test_the_smallest_number_has_no_opposite() -> None:
    a, d = Analyzer(), DType("int32")
    s = a.linear.of(x).add(Linear(-(2**31)))
    assert script(a.linear.expr(s, d)) == "x + (-2147483648)"
    s = a.linear.of(y).add(a.linear.of(x), -(2**31))
    assert "y + x *" in script(a.linear.expr(s, d))


def test_a_shared_sum_is_worked_out_once() -> None:
    e: Expr = x
    for _ in range(200):
        e = ops.sub(ops.add(e, e), e)
    s = Analyzer().linear.of(e)
    assert len(s.terms) == 1 and s.const == 0
