"""Sums that are at most 0, found by their terms."""

from __future__ import annotations

from tewb.arith import Analyzer
from tewb.arith.known_sums import KnownSums, is_variable, terms_of
from tewb.arith.linear import Linear
from tewb.base import INT32
from tewb.ir import Expr, Var

x, y, z = (Var(name, INT32) for name in "xyz")
facts = Analyzer()


def sum_of(e: Expr) -> Linear:
    return facts.linear.of(e)


def test_of_two_sums_with_the_same_terms_the_stronger_is_kept() -> None:
    for first, second in ((x - y + 3, x - y - 2), (x - y - 2, x - y + 3)):
        known = KnownSums()
        known.add(sum_of(first))
        known.add(sum_of(second))
        (kept,) = known.by_terms.values()
        assert kept.const == 3  # x - y + 3 <= 0 says more


def test_terms_are_the_same_in_any_order_and_not_with_other_signs() -> None:
    assert terms_of(sum_of(x - y)) == terms_of(sum_of(5 - y + x))
    assert terms_of(sum_of(x - y), -1) == terms_of(sum_of(y - x)) != terms_of(sum_of(x - y))
    assert terms_of(sum_of(x * 2)) != terms_of(sum_of(x))


def test_a_copy_learns_by_itself() -> None:
    known = KnownSums()
    known.add(sum_of(x - y))
    copy = known.copy()
    copy.add(sum_of(x - z))
    assert len(known.by_terms) == 1 and len(copy.by_terms) == 2
    assert len(copy.close_to(sum_of(x - z))) == 2


def test_sums_that_differ_by_a_variable_are_close() -> None:
    known = KnownSums()
    known.add(sum_of(x - y + 3))
    assert [s.const for s in known.close_to(sum_of(x - y))] == [3]
    assert [s.const for s in known.close_to(sum_of(x - y - z))] == [3]  # one more
    assert [s.const for s in known.close_to(sum_of(x * 1))] == [3]  # one less
    assert [s.const for s in known.close_to(sum_of(x - z))] == [3]  # another one
    assert known.close_to(sum_of(z * 2)) == []
    assert known.close_to(sum_of(x * 2 - z * 3)) == []


def test_what_a_copy_does_not_know_is_not_close() -> None:
    known = KnownSums()
    other = known.copy()
    other.add(sum_of(x - y))
    assert known.close_to(sum_of(x - y)) == [] and len(other.close_to(sum_of(x - y))) == 1


def test_a_multiple_of_a_variable_and_a_number() -> None:
    assert is_variable(sum_of(x * 3 + 5)) and is_variable(sum_of(x * 1))
    assert not is_variable(sum_of(x + y)) and not is_variable(sum_of(x // 2)) and not is_variable(Linear(4))
