"""Proofs of conditions. For a comparison these are tried in turn: the bounds of the difference, the branches of a min
or max in it, and the symbolic bounds of its variables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tewb.arith.comparisons import as_nonpositive, negated
from tewb.arith.linear import Linear
from tewb.ir import (
    EQ,
    GE,
    LE,
    NE,
    And,
    Broadcast,
    Call,
    Expr,
    FloorDiv,
    FloorMod,
    IntImm,
    Max,
    Min,
    Not,
    Or,
    const_int,
    ops,
)

if TYPE_CHECKING:
    from tewb.arith.analyzer import Analyzer


def can_prove(facts: Analyzer, cond: Expr) -> bool:
    """Whether `cond` certainly holds for all values that the facts allow."""
    return _can_prove(facts, cond, {})


def _can_prove(facts: Analyzer, cond: Expr, answers: dict[Expr, bool]) -> bool:
    """`can_prove`; `answers` holds those for parts of the condition."""
    match cond:
        case IntImm(value):
            return value == 1
        case Broadcast(value):
            return _can_prove(facts, value, answers)
        case And(a, b) | Or(a, b):
            if cond not in answers:
                first = _can_prove(facts, a, answers)
                decided = isinstance(cond, Or) == first
                answers[cond] = first if decided else _can_prove(facts, b, answers)
            return answers[cond]
        case Call("likely", (a,)):
            return _can_prove(facts, a, answers)
        case Not(a):
            opposite = negated(a)
            return opposite is not None and _can_prove(facts, opposite, answers)
    if facts.known_true and facts.keys(cond) in facts.known_true:
        return True
    wanted = as_nonpositive(cond)
    if wanted:
        return _in_order(facts, cond, wanted) or _ordered_quotients(facts, cond)
    if isinstance(cond, NE) and cond.a.dtype.is_int:
        lo, hi = facts.const_bounds(ops.sub(cond.a, cond.b))
        return (lo is not None and lo > 0) or (hi is not None and hi < 0)
    return False


def _in_order(facts: Analyzer, cond: Any, wanted: list[Expr]) -> bool:
    """Whether a comparison holds because all of `wanted` are at most 0."""
    if not all(_nonpositive(facts, w, 3) for w in wanted):
        return False
    if facts.is_exact(cond.a) and facts.is_exact(cond.b):
        return True
    # Two expressions with the same sum are equal, wrapped or not.
    return isinstance(cond, EQ) and const_int(facts.simplify(wanted[0])) == 0


def _ordered_quotients(facts: Analyzer, cond: Expr) -> bool:
    """a // c <= b // c when a <= b, for c > 0."""
    match cond:
        case LE(FloorDiv(a, IntImm(c)), FloorDiv(b, IntImm(d))) if c == d > 0:
            return facts.can_prove(ops.less_equal(a, b))
        case GE(FloorDiv(a, IntImm(c)), FloorDiv(b, IntImm(d))) if c == d > 0:
            return facts.can_prove(ops.greater_equal(a, b))
    return False


def _nonpositive(facts: Analyzer, e: Expr, depth: int) -> bool:
    """Whether e <= 0."""
    if e.dtype.kind != "int" or e.dtype.bits < 32:
        return False
    return _linear_nonpositive(facts, facts.linear.of(e), depth)


def _linear_nonpositive(facts: Analyzer, s: Linear, depth: int) -> bool:
    hi = facts.linear_bounds(s)[1]
    if hi is not None:
        return hi <= 0 or (depth > 0 and _by_branches(facts, s, depth))
    return depth > 0 and (
        _by_branches(facts, s, depth)
        or _by_remainders(facts, s, depth)
        or _by_symbolic_bounds(facts, s, depth)
    )


def _by_branches(facts: Analyzer, s: Linear, depth: int) -> bool:
    """A sum with a min or max is at most 0 when the branches that matter are."""
    for key, t in s.terms.items():
        if len(t.atoms) != 1 or not isinstance(t.atoms[0], Min | Max):
            continue
        atom = t.atoms[0]
        proofs = []
        for branch in (atom.a, atom.b):
            if not facts.is_exact(branch):
                proofs.append(False)
                continue
            other = s.copy()
            del other.terms[key]
            other.add(facts.linear.of(branch), t.coeff)
            proofs.append(_linear_nonpositive(facts, other, depth - 1))
        either = isinstance(atom, Min) == (t.coeff > 0)  # the smaller one: any branch will do
        return any(proofs) if either else all(proofs)
    return False


def _by_remainders(facts: Analyzer, s: Linear, depth: int) -> bool:
    """Put the bound of a remainder by a positive symbol in its place: x % n is from 0 to n - 1."""
    for key, t in s.terms.items():
        match t.atoms:
            case (FloorMod(_, divisor),) if const_int(divisor) is None:
                lo = facts.const_bounds(divisor)[0]
                if lo is not None and lo > 0:
                    other = s.copy()
                    del other.terms[key]
                    if t.coeff > 0:
                        other.add(facts.linear.of(ops.sub(divisor, 1)), t.coeff)
                    return _linear_nonpositive(facts, other, depth - 1)
    return False


def upper_bound(facts: Analyzer, e: Expr) -> int | None:
    """A constant that `e` never passes, also where only the symbolic ends of its variables tell one."""
    return _upper_bound(facts, facts.linear.of(e), 3)


def _upper_bound(facts: Analyzer, s: Linear, depth: int) -> int | None:
    most = facts.linear_bounds(s)[1]
    if most is not None or not depth:
        return most
    for other in _with_symbolic_bounds(facts, s):
        most = _upper_bound(facts, other, depth - 1)
        if most is not None:
            return most
    return _upper_bound_without_quotient(facts, s, depth)


def _upper_bound_without_quotient(facts: Analyzer, s: Linear, depth: int) -> int | None:
    """A bound from that of the dividend of a quotient: k*(x // c) is at most k*x/c."""
    for key, t in s.terms.items():
        match t.atoms:
            case (FloorDiv(x, IntImm(c)),) if c > 0 and t.coeff > 0 and facts.is_exact(x):
                other = s.copy()
                del other.terms[key]
                most = _upper_bound(facts, other.scaled(c).copy().add(facts.linear.of(x), t.coeff), depth - 1)
                if most is not None:
                    return most // c
    return None


def _by_symbolic_bounds(facts: Analyzer, s: Linear, depth: int) -> bool:
    """Replace a variable by its bound, which is an expression."""
    return any(
        _linear_nonpositive(facts, other, depth - 1 if depth < 2 else depth)
        for other in _with_symbolic_bounds(facts, s)
    )


def _with_symbolic_bounds(facts: Analyzer, s: Linear) -> Iterator[Linear]:
    """Sums that are at least `s`, each with the bound of a variable, which is an expression, in its place."""
    for v in reversed(facts.symbolic):
        t = s.terms.get((id(v),))
        if t is None:
            continue
        lo, hi = facts.symbolic[v]
        bound = hi if t.coeff > 0 else lo
        if bound is None:
            continue
        other = s.copy()
        del other.terms[(id(v),)]
        other.add(facts.linear.of(bound), t.coeff)
        facts.linear.join(other)
        yield other
