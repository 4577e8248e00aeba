"""What classic programs ask of an Analyzer."""

from __future__ import annotations

from typing import Any

import pytest

from tewb import arith, te
from tewb.arith.classic import NEG_INF, POS_INF
from tewb.base import TewbError
from tewb.ir import Range


def test_simplification_by_all_names() -> None:
    x = te.var("x")
    analyzer = arith.Analyzer()
    for simplify in (analyzer.simplify, analyzer.rewrite_simplify, analyzer.canonical_simplify):
        assert str(simplify(x * 4 // 2 - x)) == "x"
    assert int(analyzer.rewrite_simplify(3)) == 3


def test_bounds() -> None:
    x, y = te.var("x"), te.var("y")
    analyzer = arith.Analyzer()
    assert analyzer.const_int_bound(x) == arith.ConstIntBound(NEG_INF, POS_INF)
    analyzer.bind(x, Range.from_min_extent(2, 8))
    assert analyzer.const_int_bound(x * 2 + 1) == arith.ConstIntBound(5, 19)
    analyzer.bind(y, x + 1)
    assert analyzer.const_int_bound(y).max_value == 10
    assert (
        analyzer.can_prove(x >= 2)
        and not analyzer.can_prove(x > 2)
        and analyzer.can_prove_equal(x + x, x * 2)
    )


def test_facts_are_narrowed_or_overridden() -> None:
    x = te.var("x")
    analyzer = arith.Analyzer()
    analyzer.update(x, arith.ConstIntBound(0, 10))
    analyzer.update(x, arith.ConstIntBound(NEG_INF, 20))
    assert analyzer.const_int_bound(x) == arith.ConstIntBound(0, 10)
    analyzer.update(x, arith.ConstIntBound(NEG_INF, 20), override=True)
    assert analyzer.const_int_bound(x) == arith.ConstIntBound(NEG_INF, 20)
    with pytest.raises(TewbError, match="updated with a ConstIntBound or a ModularSet, not 3"):
        analyzer.update(x, 3)


@pytest.mark.parametrize(
    ("coeff", "base", "e"),
    [(4, 1, lambda x, y: x * 4 + 1), (2, 0, lambda x, y: x * 4 + y * 6), (0, 7, lambda x, y: te.const(7)), (1, 0, lambda x, y: x)],
)  # fmt: skip
def test_remainders(coeff: int, base: int, e: object) -> None:
    x, y = te.var("x"), te.var("y")
    assert arith.Analyzer().modular_set(e(x, y)) == arith.ModularSet(coeff, base)  # type: ignore[operator]


def test_remainders_of_what_is_known() -> None:
    x = te.var("x")
    analyzer = arith.Analyzer()
    analyzer.update(x, arith.ModularSet(8, 3))
    assert analyzer.modular_set(x * 2 + 1) == arith.ModularSet(16, 7)


def test_a_constraint_holds_in_its_block() -> None:
    x = te.var("x")
    analyzer = arith.Analyzer()
    with analyzer.constraint_scope(x > 5):
        assert analyzer.can_prove(x >= 6)
    assert not analyzer.can_prove(x >= 6)


def test_numbers_and_axes_are_taken_as_expressions_are() -> None:
    analyzer = arith.Analyzer()
    assert int(analyzer.simplify(3, steps=4)) == 3  # type: ignore[arg-type, call-overload]
    assert analyzer.can_prove(True, arith.ProofStrength.SYMBOLIC_BOUND)  # type: ignore[arg-type]
    k = te.reduce_axis((0, 4), name="k")
    analyzer.bind(k, Range(0, 4), allow_override=True)  # type: ignore[arg-type]
    assert analyzer.can_prove(k < 4)
    analyzer.update(k, arith.ModularSet(2, 0))
    assert analyzer.can_prove(k % 2 == 0)
    assert arith.ConstIntBound.POS_INF == -arith.ConstIntBound.NEG_INF == POS_INF


def test_the_names_of_v06() -> None:
    x = te.var("x")
    old: Any = arith
    assert [str(e) for e in old.DetectLinearEquation(x * 2 + 1, [x])] == ["2", "1"]
    assert (
        str(old.intset_interval(0, 3)) == "IntervalSet[0, 3]"
        and str(old.intset_single_point(2)) == "IntervalSet[2, 2]"
    )
    assert str(old.DeduceBound(x, x < 3, {}, {})) == "IntervalSet[neg_inf, 2]"
