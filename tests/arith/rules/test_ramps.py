"""Rules for vectors whose lanes grow evenly, compared lane by lane."""

from __future__ import annotations

from typing import Any

import pytest

from tests.arith.grid import Ranges, on_grid, within
from tests.arith.one_rule import apply
from tewb.arith import Analyzer
from tewb.base import BOOL, INT32, DType
from tewb.ir import (
    EQ,
    GE,
    GT,
    LE,
    LT,
    NE,
    Add,
    Broadcast,
    Buffer,
    Expr,
    FloorDiv,
    FloorMod,
    Mul,
    Ramp,
    Sub,
    Var,
    const,
    load,
    ops,
    script,
)

x, y = Var("x", INT32), Var("y", INT32)
LANES = 4
RANGES: Ranges = {x: (0, 20), y: (-3, 3)}


def ramp(base: Any, stride: Any) -> Expr:
    return ops.ramp(base, stride, LANES)


def same(e: Any) -> Expr:
    return ops.broadcast(e, LANES)


def lane(e: Expr, number: int) -> Expr:
    match e:
        case Ramp(base, stride, _):
            return ops.add(base, ops.mul(stride, number))
        case Broadcast(value):
            return value
    return type(e)(lane(e.a, number), lane(e.b, number), e.dtype.element)  # type: ignore[attr-defined, no-any-return]


def becomes(name: str, e: Expr, ranges: Ranges = RANGES) -> str | None:
    """The result of a rule as text; each of its lanes must have the value that it had."""
    after = apply(name, e, within(ranges))
    if after is None:
        return None
    everywhere = ops.mul(ops.add(x, y), 0)
    for number in range(LANES):
        before, now = (lane(v, number) for v in (e, after))
        if e.dtype.is_int:
            before, now = (ops.add(v, everywhere) for v in (before, now))
        assert (on_grid(before, ranges) == on_grid(now, ranges)).all(), number
    return script(after)


@pytest.mark.parametrize(
    ("e", "after"),
    [
        (ramp(x, 2) + same(y), ramp(x + y, 2)),
        (same(y) + ramp(x, 2), ramp(y + x, 2)),
        (ramp(x, 2) + ramp(y, 3), Ramp(x + y, const(2) + const(3), LANES, INT32.with_lanes(LANES))),
        (ramp(x, 2) - same(y), ramp(x - y, 2)),
        (same(y) - ramp(x, 2), None),
        (ramp(x, 2) - ramp(y, 3), None),
    ],
    ids=str,
)  # fmt: skip
def test_sums(e: Expr, after: Expr | None) -> None:
    assert type(e) in (Add, Sub)
    assert becomes("sum_of_ramps", e) == (None if after is None else script(after))


def test_products() -> None:
    wanted = script(Ramp(x * y, ops.mul(const(2), y), LANES, INT32.with_lanes(LANES)))
    assert becomes("product_of_a_ramp", Mul(ramp(x, 2), same(y), ramp(x, 2).dtype)) == wanted
    assert becomes("product_of_a_ramp", Mul(same(const(3)), ramp(x, 2), ramp(x, 2).dtype)) is not None
    assert becomes("product_of_a_ramp", Mul(ramp(x, 2), ramp(y, 1), ramp(x, 2).dtype)) is None


@pytest.mark.parametrize(
    ("base", "stride", "c", "quotient", "remainder"),
    [
        (x, 8, 4, "ramp", "same"),
        (x, 0, 4, "ramp", "same"),
        (x, -4, 4, "ramp", "same"),
        (x, 6, 4, None, None),
        (x, 8, -4, None, None),
        (x, 8, 0, None, None),
    ],
)
def test_steps_that_are_multiples_of_a_divisor(
    base: Expr, stride: int, c: int, quotient: str | None, remainder: str | None
) -> None:
    divided = becomes(
        "quotient_of_even_steps", FloorDiv(ramp(base, stride), same(c), ramp(base, stride).dtype)
    )
    rest = becomes("remainder_of_even_steps", FloorMod(ramp(base, stride), same(c), ramp(base, stride).dtype))
    assert (divided is None) == (quotient is None) and (rest is None) == (remainder is None)
    if divided is not None and rest is not None:
        assert divided == script(ramp(x // c, stride // c)) and rest == script(same(x % c))


@pytest.mark.parametrize(
    ("base", "c", "is_shared"),
    [(x * 4, 4, True), (x * 8 + 4, 8, True), (x * 4 + 1, 4, False), (x, 4, False), (x * 3, 3, False)],
)
def test_lanes_that_share_a_quotient(base: Expr, c: int, is_shared: bool) -> None:
    e = ramp(base, 1)
    quotient = becomes("quotient_of_all_lanes", FloorDiv(e, same(c), e.dtype))
    remainder = becomes("remainder_of_one_quotient", FloorMod(e, same(c), e.dtype))
    assert (quotient is not None) == (remainder is not None) == is_shared


@pytest.mark.parametrize(
    ("kind", "truth"), [(LT, True), (LE, True), (NE, True), (GT, False), (GE, False), (EQ, False)]
)
def test_comparisons_that_the_ends_decide(kind: type, truth: bool) -> None:
    bools = BOOL.with_lanes(LANES)
    for e in (kind(ramp(x, 1), same(24), bools), kind(ramp(x, -1), same(21), bools)):
        assert becomes("comparison_of_all_lanes", e) == script(Broadcast(const(truth), LANES, bools))
    is_open = kind not in (LE, GT)  # 23 may be reached
    assert (becomes("comparison_of_all_lanes", kind(ramp(x, 1), same(23), bools)) is None) is is_open
    assert (becomes("comparison_of_all_lanes", kind(ramp(y, 1), same(y + 3), bools)) is None) is is_open


def test_data_and_other_dtypes_are_left_alone() -> None:
    data = load(Buffer("A", INT32, (const(9),)), (x,))
    u = Var("u", DType("uint32"))
    assert apply("sum_of_ramps", ramp(data, 1) + same(y)) is None
    assert apply("sum_of_ramps", Add(ramp(u, ops.const(1, "uint32")), same(u), DType("uint32x4"))) is None
    e = FloorDiv(ramp(x * 4, 4), same(4), ramp(x, 4).dtype)
    a = Analyzer()
    with a.values():
        assert apply("quotient_of_even_steps", e, a) is None  # x * 4 may wrap
    assert apply("quotient_of_even_steps", e, a) is not None
