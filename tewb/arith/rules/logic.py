"""Connectives of conditions, and `likely`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tewb.arith.rules.declare import rule
from tewb.ir import And, Call, Expr, IntImm, Not, Or, ops

if TYPE_CHECKING:
    from tewb.arith.analyzer import Analyzer


@rule(And)
def and_with_a_constant(e: And, facts: Analyzer) -> Expr | None:
    """c and True  ->  c     and c and False -> False"""
    for x, other in ((e.a, e.b), (e.b, e.a)):
        if isinstance(x, IntImm):
            return other if x.value else x
    return None


@rule(Or)
def or_with_a_constant(e: Or, facts: Analyzer) -> Expr | None:
    """c or False  ->  c     and c or True -> True"""
    for x, other in ((e.a, e.b), (e.b, e.a)):
        if isinstance(x, IntImm):
            return x if x.value else other
    return None


@rule(Not)
def not_of_a_constant(e: Not, facts: Analyzer) -> Expr | None:
    """not True  ->  False"""
    return ops.logical_not(e.a) if isinstance(e.a, IntImm) else None


@rule(Not)
def double_negation(e: Not, facts: Analyzer) -> Expr | None:
    """not not c  ->  c"""
    return e.a.a if isinstance(e.a, Not) else None


@rule(Call)
def likely_of_a_constant(e: Call, facts: Analyzer) -> Expr | None:
    """likely(True)  ->  True     and likely(False) -> False"""
    return e.args[0] if e.op == "likely" and isinstance(e.args[0], IntImm) else None


@rule(Call)
def likely_of_likely(e: Call, facts: Analyzer) -> Expr | None:
    """likely(likely(c))  ->  likely(c)"""
    match e:
        case Call("likely", (Call("likely") as marked,)):
            return marked
    return None
