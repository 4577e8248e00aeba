"""Sums that are known to be at most 0, found by their terms."""

from __future__ import annotations

from tewb.arith.linear import Linear, Monomial
from tewb.ir import Var

Terms = frozenset[tuple[Monomial, int]]


class KnownSums:
    """Sums that are at most 0. Of two with the same terms, the stronger one is kept."""

    def __init__(self) -> None:
        self.by_terms: dict[Terms, Linear] = {}
        # The terms of sums, by all of their terms, and by these without one variable.
        self.by_fewer_terms: dict[Terms, dict[Terms, None]] = {}

    def copy(self) -> KnownSums:
        """A copy; sums that are added to one are not in the other."""
        same = KnownSums()
        same.by_terms, same.by_fewer_terms = dict(self.by_terms), self.by_fewer_terms
        return same

    def add(self, s: Linear) -> None:
        """Remember that `s` is at most 0."""
        terms = terms_of(s)
        other = self.by_terms.get(terms)
        if other is None or other.const < s.const:
            self.by_terms[terms] = s
            for fewer in _with_one_less(s):
                self.by_fewer_terms.setdefault(fewer, {})[terms] = None

    def close_to(self, s: Linear) -> list[Linear]:
        """The sums that may differ from `s` by a variable: after 2,000 checks there are thousands of others."""
        close = {terms for fewer in _with_one_less(s) for terms in self.by_fewer_terms.get(fewer, ())}
        return [self.by_terms[terms] for terms in close if terms in self.by_terms]


def terms_of(s: Linear, sign: int = 1) -> Terms:
    """The terms of a sum without its constant, in any order."""
    return frozenset([(key, sign * t.coeff) for key, t in s.terms.items()])


def _with_one_less(s: Linear) -> list[Terms]:
    """The terms of a sum, and these without each of its variables."""
    terms = terms_of(s)
    alone = [
        (key, t.coeff) for key, t in s.terms.items() if len(t.atoms) == 1 and isinstance(t.atoms[0], Var)
    ]
    return [terms, *[terms - {term} for term in alone]]


def is_variable(s: Linear) -> bool:
    """Whether a sum is a multiple of a variable, and a constant."""
    return len(s.terms) == 1 and all(
        len(t.atoms) == 1 and isinstance(t.atoms[0], Var) for t in s.terms.values()
    )
