"""Sums divided by an expression, such as the size of an array: which of their terms have it as a factor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tewb.arith.linear import Linear
from tewb.arith.rules.conditions import are_exact, stays
from tewb.ir import Expr, const_int

if TYPE_CHECKING:
    from tewb.arith.analyzer import Analyzer


@dataclass(slots=True)
class SymbolicDivision:
    """a // n or a % n, where a is whole*n + rest: integers that do not wrap."""

    a: Expr
    n: Expr
    whole: Linear
    rest: Expr

    @property
    def has_multiples(self) -> bool:
        """Whether a term of `a` is a multiple of n."""
        return bool(self.whole.terms) or self.whole.const != 0


def by_symbol(e: Any, facts: Analyzer) -> SymbolicDivision | None:
    """A division by an expression that is not a number; None where a part of it may wrap."""
    a, n = e.a, e.b
    if const_int(n) is not None or not are_exact(a, n, facts):
        return None
    whole, rest = _multiples(a, n, facts)
    return SymbolicDivision(a, n, whole, facts.canonical(rest, a.dtype)) if stays(rest, a, facts) else None


def _multiples(a: Expr, n: Expr, facts: Analyzer) -> tuple[Linear, Linear]:
    """a = n * first + second, with every term that has the factor n in the first."""
    keys, wanted = facts.keys, facts.keys(n)
    s = facts.linear.of(a)
    first, second = Linear(), Linear(s.const)
    for key, t in s.terms.items():
        position = next((i for i, x in enumerate(t.atoms) if keys(x) == wanted), None)
        if position is None:
            second.add_term(key, t.atoms, t.coeff)
            continue
        atoms = t.atoms[:position] + t.atoms[position + 1 :]
        if atoms:
            first.add_term(tuple(keys(x) for x in atoms), atoms, t.coeff)
        else:
            first.const += t.coeff
    return first, second
