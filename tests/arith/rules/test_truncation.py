"""Rules for division that rounds toward zero."""

from __future__ import annotations

import pytest

from tests.arith.one_rule import apply, becomes
from tewb.arith import Analyzer
from tewb.base import INT32, DType
from tewb.ir import Div, FloorDiv, FloorMod, Mod, Var, const

x, y = Var("x", INT32), Var("y", INT32)


@pytest.mark.parametrize(("kind", "floor"), [(Div, FloorDiv), (Mod, FloorMod)])
@pytest.mark.parametrize(
    ("low", "divisor", "applies"),
    [(0, 1, True), (5, 3, True), (-1, 1, False), (0, 0, False), (0, -2, False), (None, 1, False)],
)
def test_it_is_floor_division_where_nothing_is_negative(
    kind: type, floor: type, low: int | None, divisor: int, applies: bool
) -> None:
    a = Analyzer()
    a.bind(x, low, 40)
    a.bind(y, divisor, 7)
    after = apply("truncation_of_no_negative", kind(x, y, INT32), a)
    assert (type(after) is floor) == applies and (after is None) != applies


def test_the_numbers_are_the_same() -> None:
    for numerator in range(9):
        for divisor in range(1, 5):
            a = Analyzer()
            a.bind(x, numerator, numerator)
            assert a.simplify(Div(x, const(divisor), INT32)) is not None
            after = apply("truncation_of_no_negative", Div(x, const(divisor), INT32), a)
            assert after is not None and a.const_bounds(after) == (numerator // divisor,) * 2


def test_other_dtypes_stay() -> None:
    u, f = Var("u", DType("uint8")), Var("f", DType("float32"))
    assert becomes("truncation_of_no_negative", Div(u, const(2, "uint8"), u.dtype)) is None
    assert becomes("truncation_of_no_negative", Div(f, const(2.0), f.dtype)) is None
