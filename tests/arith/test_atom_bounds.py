"""Bounds of what sums are made of, compared with all values."""

from __future__ import annotations

import itertools

import pytest

from tests.arith.grid import on_grid, within
from tewb.arith import Analyzer
from tewb.arith.atom_bounds import atom_bounds
from tewb.base import INT32, DType
from tewb.ir import Buffer, Cast, Expr, FloorDiv, FloorMod, Let, Max, Min, Var, const, load, ops

x, y = Var("x", INT32), Var("y", INT32)


@pytest.mark.parametrize("kind", [FloorDiv, FloorMod, Min, Max])
def test_bounds_hold_for_all_values(kind: type) -> None:
    ends = [(-7, -2), (-3, 4), (0, 0), (2, 9)]
    for p, q in itertools.product(ends, ends):
        ranges = {x: p, y: q}
        e = kind(x, y, INT32)
        lo, hi = atom_bounds(within(ranges), e)
        values = on_grid(e, ranges)
        assert lo is None or lo <= values.min(), (p, q)
        assert hi is None or values.max() <= hi, (p, q)


@pytest.mark.parametrize(
    ("e", "bounds"),
    [
        (x // 4, (-2, 2)),
        (x % 4, (0, 3)),
        (y % 40, (0, 12)),
        (ops.truncmod(x, 4), (-3, 3)),
        (ops.truncmod(y, 4), (0, 3)),
        (ops.minimum(x, 3), (-5, 3)),
        (ops.maximum(x, 3), (3, 9)),
        (ops.select(ops.less(x, y), x, y + 20), (-5, 32)),
        (ops.if_then_else(ops.less(x, y), const(1), const(7)), (1, 7)),
        (ops.cast(ops.less(x, y), "int32"), (0, 1)),
        (Cast(x, DType("int64")), (-5, 9)),
        (Cast(y, DType("uint8")), (0, 12)),
        (Cast(x, DType("uint8")), (None, None)),  # -5 is 251
        (Let(Var("t", INT32), x, y + 1, INT32), (1, 13)),
    ],
    ids=str,
)
def test_bounds_are_tight_where_they_can_be(e: Expr, bounds: tuple[int | None, int | None]) -> None:
    assert atom_bounds(within({x: (-5, 9), y: (0, 12)}), e) == bounds


def test_elements_of_narrow_dtypes_have_their_range() -> None:
    a = Analyzer()
    for dtype, bounds in (("int8", (-128, 127)), ("uint16", (0, 65535)), ("int32", (None, None))):
        assert atom_bounds(a, load(Buffer("A", DType(dtype), (const(9),)), (x,))) == bounds


def test_a_half_known_operand_bounds_one_end() -> None:
    a = Analyzer()
    a.bind(x, 3, None)
    assert atom_bounds(a, Min(x, y, INT32)) == (None, None) and atom_bounds(a, Max(x, y, INT32)) == (3, None)
    assert atom_bounds(a, Min(x, const(9), INT32)) == (3, 9)
    assert atom_bounds(a, x // 2) == (1, None) and atom_bounds(a, x % 8) == (0, 7)


def test_a_quotient_by_what_may_be_0_has_no_bounds_but_its_own() -> None:
    a = within({x: (-3, 5), y: (-3, 5)})
    assert a.const_bounds(x // y) == (None, None)
    with a.assume(y >= 1):
        assert a.const_bounds(x // y) == (-3, 5)
