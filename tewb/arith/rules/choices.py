"""Choices whose condition is decided, of scalars and of vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tewb.arith.rules.declare import rule
from tewb.ir import Broadcast, Call, Expr, IntImm, Select, intrinsics, walk

if TYPE_CHECKING:
    from tewb.arith.analyzer import Analyzer


@rule(Select, Call)
def decided_choice(e: Select | Call, facts: Analyzer) -> Expr | None:
    """select(True, a, b)  ->  a     and select(False, a, b) -> b; if_then_else likewise"""
    match e:
        case Select(IntImm(c), a, b) | Call("if_then_else", (IntImm(c), a, b)):
            return a if c else b
    return None


@rule(Select, Call)
def choice_of_equals(e: Select | Call, facts: Analyzer) -> Expr | None:
    """select(c, a, a)  ->  a     when c has no effect; if_then_else likewise"""
    match e:
        case Select(c, a, b) | Call("if_then_else", (c, a, b)) if a.__class__ is b.__class__:
            has_effect = any(isinstance(n, Call) and n.op not in intrinsics.PURE for n in walk(c))
            return a if not has_effect and facts.keys(a) == facts.keys(b) else None
    return None


@rule(Select, Call, lanes=True)
def decided_choice_of_all_lanes(e: Select | Call, facts: Analyzer) -> Expr | None:
    """select(broadcast(True), a, b)  ->  a     and select(broadcast(False), a, b) -> b"""
    match e:
        case Select(Broadcast(IntImm(c)), a, b) | Call("if_then_else", (Broadcast(IntImm(c)), a, b)):
            return a if c else b
    return None
