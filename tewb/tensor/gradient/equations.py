"""Systems of linear equations of integers: which unknowns are given by the others.

    i + r = x  gives  i = x - r,    2 * i + 4 * j = x  gives  i = x // 2 - 2 * j  where  x % 2 == 0

An unknown with the coefficient 1 is replaced by the rest of its equation; where there is none, the others are reduced
modulo the smallest coefficient, as Euclid did.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tewb.arith import Analyzer
from tewb.ir import Expr, IntImm, Var, const, const_int, ops
from tewb.tensor.gradient.forms import Form, number, unknown


@dataclass(frozen=True, slots=True, eq=False)
class Unknown:
    """A variable and its range; without `extent` that is not known. The range of one that is `fixed` depends on other
    unknowns: nothing is moved along it. That of one that is `implied` follows from the ranges of others. `rank` is higher
    for those that should go, of equally long ranges."""

    var: Var
    low: Expr
    extent: Expr | None
    fixed: bool = False
    rank: int = 0
    implied: bool = False

    @property
    def length(self) -> float:
        """How many values there are, as far as that is known."""
        n = None if self.extent is None else const_int(self.extent)
        return float("inf") if n is None else n


class NoSolution(Exception):
    """The equations contradict each other."""


def _is_zero(e: Expr, analyzer: Analyzer) -> Expr:
    """The condition that a sum is zero: its terms with a plus equal those with a minus."""
    sums = {True: const(0, e.dtype), False: const(0, e.dtype)}
    total = analyzer.linear.of(e)
    for t in total.terms.values():
        term: Expr = const(abs(t.coeff), e.dtype)
        for atom in t.atoms:
            term = ops.mul(term, atom)
        sums[t.coeff > 0] = ops.add(sums[t.coeff > 0], term)
    sums[total.const > 0] = ops.add(sums[total.const > 0], const(abs(total.const), e.dtype))
    left, right = sums[True], sums[False]
    return ops.equal(right, left) if isinstance(left, IntImm) else ops.equal(left, right)


def _simple(form: Form, analyzer: Analyzer) -> Form:
    return Form(form.coefficients, analyzer.simplify(form.rest))


@dataclass(slots=True)
class System:
    """Forms that are zero, over some unknowns, of which ranges depend on those that are `kept`: these go last. `given` are
    the unknowns that go, in terms of those that stay; there is a solution where the `conditions` hold."""

    unknowns: dict[Var, Unknown]
    equations: list[Form]
    analyzer: Analyzer
    kept: frozenset[Var]
    given: dict[Var, Form] = field(default_factory=dict)
    conditions: list[Expr] = field(default_factory=list)

    def eliminate(self) -> None:
        """Use up the equations, the shortest first. Raises NoSolution."""
        self.equations = [_simple(e, self.analyzer) for e in self.equations]
        while self.equations:
            equation = min(self.equations, key=lambda e: len(e.coefficients))
            self.equations.remove(equation)
            self._use(equation)

    def _use(self, e: Form) -> None:
        units = [v for v, c in e.coefficients.items() if abs(c) == 1]
        if not e.coefficients:
            self._require(_is_zero(e.rest, self.analyzer))
        elif units:
            v = max(units, key=self._preference)
            self._give(v, number(0).plus(e.without(v), -e.coefficients[v]))
        elif len(e.coefficients) == 1:
            ((v, c),) = e.coefficients.items()
            d = const(abs(c), e.rest.dtype)
            opposite = e.rest if c < 0 else ops.sub(const(0, e.rest.dtype), e.rest)
            self._require(ops.equal(ops.floormod(opposite, d), const(0, e.rest.dtype)))
            self._give(v, Form({}, ops.floordiv(opposite, d)))
        else:
            self._reduce(e)

    def _reduce(self, e: Form) -> None:
        """One step of Euclid: v = t - (quotients times the others), for the smallest coefficient and a new unknown."""
        v = min(e.coefficients, key=lambda u: abs(e.coefficients[u]))
        c = e.coefficients[v]
        t = Var(v.name, v.dtype)
        self.unknowns[t] = Unknown(t, const(0, t.dtype), None, implied=True)
        others = {u: -(k // c) for u, k in e.coefficients.items() if u is not v and k // c}
        value = unknown(t).plus(Form(others, const(0)))
        self.equations.append(e.with_value(v, value))
        self._give(v, value)

    def _preference(self, v: Var) -> tuple[bool, bool, float, int]:
        u = self.unknowns[v]
        return v not in self.kept, u.implied, u.length, u.rank

    def _require(self, condition: Expr) -> None:
        condition = self.analyzer.simplify(condition)
        if const_int(condition) == 0:
            raise NoSolution
        if const_int(condition) is None:
            self.conditions.append(condition)

    def _give(self, v: Var, value: Form) -> None:
        value = _simple(value, self.analyzer)
        self.equations = [_simple(e.with_value(v, value), self.analyzer) for e in self.equations]
        self.given = {u: f.with_value(v, value) for u, f in self.given.items()}
        self.given[v] = value
