"""Demands: the conditions under which a part of an expression is needed."""

from __future__ import annotations

from collections.abc import Iterable

from tewb.ir import And, Broadcast, Call, Expr, Not, Or


class Demand:
    """The demand that one of several conditions has a given outcome, each evaluated under another demand. Without any
    it is ALWAYS. `lanes` are those of the conditions; `number` distinguishes demands."""

    __slots__ = ("lanes", "number", "terms")
    lanes: int

    def __init__(self, terms: frozenset[Term], number: int = 0) -> None:
        self.terms, self.number = terms, number
        self.lanes = max([1, *[max(before.lanes, cond.dtype.lanes) for before, cond, _ in terms]])


Term = tuple[Demand, Expr, bool]
ALWAYS = Demand(frozenset())


class Demands:
    """Makes demands; equal ones are the same object."""

    def __init__(self) -> None:
        self._by_terms: dict[frozenset[Term], Demand] = {}
        self._under: dict[Term, Demand] = {}

    def any_of(self, demands: Iterable[Demand]) -> Demand:
        """The demand that holds where one of `demands` does: (p and a) or (p and not a) is p, and so is p or (p and a)."""
        terms: set[Term] = set()
        for d in set(demands):
            if d is ALWAYS:
                return ALWAYS
            terms |= d.terms
        while both := [t for t in terms if t[2] and (t[0], t[1], False) in terms]:
            for before, cond, _ in both:
                if before is ALWAYS:
                    return ALWAYS
                terms = (terms - {(before, cond, True), (before, cond, False)}) | before.terms
        answers = {ALWAYS: False}
        return self._of(frozenset([t for t in terms if not _is_one_of(t[0], terms, answers)]))

    def under(self, before: Demand, cond: Expr, holds: bool) -> Demand:
        """The demand that, under `before`, `cond` holds, or that it does not."""
        key = (before, cond, holds)
        demand = self._under.get(key)
        if demand is None:
            demand = self._under[key] = self._find(before, cond, holds)
        return demand

    def _find(self, before: Demand, cond: Expr, holds: bool) -> Demand:
        match cond:
            case Not(a):
                return self.under(before, a, not holds)
            case Call("likely", (a,)) | Broadcast(a):
                return self.under(before, a, holds)
            case And(a, b) | Or(a, b):
                goes_on = isinstance(cond, And)  # the value of `a` where `b` is evaluated
                second = self.under(self.under(before, a, goes_on), b, holds)
                if goes_on == holds:
                    return second
                return self.any_of([self.under(before, a, holds), second])
        return self._of(frozenset([(before, cond, holds)]))

    def _of(self, terms: frozenset[Term]) -> Demand:
        demand = self._by_terms.get(terms)
        if demand is None:
            demand = self._by_terms[terms] = Demand(terms, len(self._by_terms) + 1)
        return demand


def _is_one_of(d: Demand, terms: set[Term], answers: dict[Demand, bool]) -> bool:
    """Whether one of `terms` holds wherever `d` does."""
    if d not in answers:
        answers[d] = all([t in terms or _is_one_of(t[0], terms, answers) for t in d.terms])
    return answers[d]
