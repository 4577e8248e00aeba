"""Rules for connectives and `likely`."""

from __future__ import annotations

from tests.arith.one_rule import apply
from tewb.base import BOOL
from tewb.ir import And, Call, Expr, Not, Or, Var, const

p, q = Var("p", BOOL), Var("q", BOOL)
TRUE, FALSE = const(True), const(False)


def likely(e: Expr) -> Expr:
    return Call("likely", (e,), BOOL)


def test_and_with_a_constant_on_either_side() -> None:
    for a, b in ((p, TRUE), (TRUE, p)):
        assert apply("and_with_a_constant", And(a, b, BOOL)) is p
    for a, b in ((p, FALSE), (FALSE, p), (TRUE, FALSE), (FALSE, FALSE)):
        assert str(apply("and_with_a_constant", And(a, b, BOOL))) == "T.bool(False)"
    assert str(apply("and_with_a_constant", And(TRUE, TRUE, BOOL))) == "T.bool(True)"
    assert apply("and_with_a_constant", And(p, q, BOOL)) is None
    assert apply("and_with_a_constant", And(p, p, BOOL)) is None


def test_or_with_a_constant_on_either_side() -> None:
    for a, b in ((p, FALSE), (FALSE, p)):
        assert apply("or_with_a_constant", Or(a, b, BOOL)) is p
    for a, b in ((p, TRUE), (TRUE, p), (TRUE, FALSE), (TRUE, TRUE)):
        assert str(apply("or_with_a_constant", Or(a, b, BOOL))) == "T.bool(True)"
    assert str(apply("or_with_a_constant", Or(FALSE, FALSE, BOOL))) == "T.bool(False)"
    assert apply("or_with_a_constant", Or(p, q, BOOL)) is None


def test_negations() -> None:
    assert str(apply("not_of_a_constant", Not(TRUE, BOOL))) == "T.bool(False)"
    assert str(apply("not_of_a_constant", Not(FALSE, BOOL))) == "T.bool(True)"
    assert apply("not_of_a_constant", Not(p, BOOL)) is None
    assert apply("double_negation", Not(Not(p, BOOL), BOOL)) is p
    assert apply("double_negation", Not(p, BOOL)) is None
    assert apply("double_negation", Not(likely(Not(p, BOOL)), BOOL)) is None


def test_hints() -> None:
    for truth in (TRUE, FALSE):
        assert apply("likely_of_a_constant", likely(truth)) is truth
    assert apply("likely_of_a_constant", likely(p)) is None
    once = likely(p)
    assert apply("likely_of_likely", likely(once)) is once
    assert apply("likely_of_likely", once) is None
    other = Call("f", (once,), BOOL)
    assert (
        apply("likely_of_likely", other) is None
        and apply("likely_of_a_constant", Call("f", (TRUE,), BOOL)) is None
    )
