"""Systems of linear equations over the integers.

    solve_linear_equations([x + y == 20, x - y == 10], [x, y])      x = 15, y = 5
    solve_linear_equations([x + y == 0], [x, y])                    x = n0, y = n0 * (-1)

The columns of the system are combined until each equation has one unknown more than those before it. What is left free
are the new variables. The combinations can be undone (they are unimodular), so each solution is found once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tewb.arith.analyzer import Analyzer
from tewb.arith.detect_linear import detect_linear
from tewb.arith.int_sets import as_set
from tewb.base import ExpressionError, here
from tewb.ir import EQ, Expr, IntImm, IterVar, Range, Var, const, const_int, free_vars, ops


class IntConstraints:
    """What integer variables may be: their ranges, as far as they have some, and relations between them."""

    def __init__(
        self,
        variables: Sequence[Var] | None = None,
        ranges: Mapping[Var, Range] | None = None,
        relations: Sequence[Expr] | None = None,
    ) -> None:
        self.variables = list(variables or ())
        self.ranges = dict(ranges or {})
        self.relations = list(relations or ())

    def __repr__(self) -> str:
        return f"IntConstraints({self.variables!r}, {self.ranges!r}, {self.relations!r})"


class IntConstraintsTransform:
    """Constraints `src` in other variables, `dst`: what each variable of one is in those of the other."""

    def __init__(
        self,
        src: IntConstraints,
        dst: IntConstraints,
        src_to_dst: Mapping[Var, Expr],
        dst_to_src: Mapping[Var, Expr],
    ) -> None:
        self.src, self.dst = src, dst
        self.src_to_dst, self.dst_to_src = dict(src_to_dst), dict(dst_to_src)

    def __repr__(self) -> str:
        return f"IntConstraintsTransform({self.src_to_dst!r}, {self.dst!r})"


def solve_linear_equations(
    equations: Any, variables: Sequence[Any] | None = None, ranges: Mapping[Any, Any] | None = None
) -> IntConstraintsTransform:
    """All integer solutions of equations, in as few new variables as they take. Without `variables`, all that occur are
    unknown. Equations that are not linear with constant coefficients stay relations, as do the ends of `ranges` that do
    not follow from the ranges of the new variables.

    Where there is no solution, the relation is False. Raises ExpressionError for what is no equation of integers.
    """
    if isinstance(equations, IntConstraints):
        equations, variables, ranges = equations.relations, equations.variables, equations.ranges
    listed = list(equations) if isinstance(equations, list | tuple) else [equations]
    for e in listed:
        is_known = isinstance(e, bool) or (isinstance(e, IntImm) and e.dtype.is_bool)
        if not is_known and (not isinstance(e, EQ) or not e.a.dtype.is_int):
            raise ExpressionError(
                f"{e!r} is no equation of integers", hint="solve_linear_equations([x + y == 20], [x, y])", span=here()
            )  # fmt: skip
    unknown = [v.var if isinstance(v, IterVar) else v for v in variables or ()]
    if not variables:
        unknown = list(dict.fromkeys(v for e in listed for v in free_vars(e)))
    within = {v.var if isinstance(v, IterVar) else v: r for v, r in (ranges or {}).items()}
    return _System(listed, unknown, within).solved()


class _System:
    """Equations under solution: `forward` are the unknowns as sums of the new unknowns, `backward` the opposite."""

    def __init__(self, equations: list[Any], unknown: list[Var], ranges: Mapping[Var, Any]) -> None:
        n = len(unknown)
        self.src = IntConstraints(unknown, ranges, equations)
        self.unknown, self.ranges = unknown, ranges
        self.forward = [[int(i == j) for j in range(n)] for i in range(n)]
        self.backward = [[int(i == j) for j in range(n)] for i in range(n)]
        self.analyzer = Analyzer()
        self.relations: list[Expr] = []
        self.values: list[Expr] = []  # of the new unknowns that the equations determine

    def solved(self) -> IntConstraintsTransform:
        for equation in self.src.relations:
            row = self.row(equation) if isinstance(equation, EQ) else None
            if row is not None:
                is_possible = self.solve(*row)
            elif isinstance(equation, EQ):
                self.relations.append(equation)
                is_possible = True
            else:
                is_possible = bool(equation)
            if not is_possible:
                impossible = IntConstraints([], {}, [const(False)])
                return IntConstraintsTransform(self.src, impossible, {}, {})
        return self.transform()

    def row(self, equation: Any) -> tuple[list[int], Expr] | None:
        """The coefficients of the new unknowns, and the other side; None for what is not linear."""
        found = detect_linear(ops.sub(equation.a, equation.b), self.unknown)
        if found is None:
            return None
        own = [const_int(found[0][v]) if v in found[0] else 0 for v in self.unknown]
        if None in own:
            return None
        numbers = [c for c in own if c is not None]
        columns = range(len(self.unknown))
        combined = [sum(numbers[i] * self.forward[i][j] for i in columns) for j in columns]
        return combined, ops.sub(0, found[1])

    def solve(self, row: list[int], other: Expr) -> bool:
        """Let one new unknown more be determined, by an equation. False if it cannot hold."""
        pivot = len(self.values)
        while True:
            left = [j for j in range(pivot, len(row)) if row[j]]
            if len(left) <= 1:
                break
            least = min(reversed(left), key=lambda j: abs(row[j]))
            for j in left:
                if j != least:
                    self.subtract(row, j, least, row[j] // row[least])
        rest = other
        for j in range(pivot):
            rest = ops.sub(rest, ops.mul(self.values[j], row[j]))
        rest = self.analyzer.simplify(rest)
        if not left:
            return self.holds(ops.equal(rest, 0))
        self.exchange(pivot, left[0])
        divisor = row[left[0]]
        if not self.holds(ops.equal(ops.floormod(rest, abs(divisor)), 0)):
            return False
        value = ops.floordiv(rest, abs(divisor))
        self.values.append(self.analyzer.simplify(value if divisor > 0 else ops.sub(0, value)))
        return True

    def holds(self, condition: Expr) -> bool:
        """Keep a condition as a relation, unless it is certain. False if it certainly does not hold."""
        simple = self.analyzer.simplify(condition)
        known = const_int(simple)
        if known is None:
            self.relations.append(simple)
        return known != 0

    def subtract(self, row: list[int], j: int, other: int, times: int) -> None:
        """Take a column from another one, a number of times."""
        row[j] -= times * row[other]
        for line in self.forward:
            line[j] -= times * line[other]
        self.backward[other] = [
            x + times * y for x, y in zip(self.backward[other], self.backward[j], strict=True)
        ]

    def exchange(self, i: int, j: int) -> None:
        for line in self.forward:
            line[i], line[j] = line[j], line[i]
        self.backward[i], self.backward[j] = self.backward[j], self.backward[i]

    def transform(self) -> IntConstraintsTransform:
        found, n = len(self.values), len(self.unknown)
        dtype = self.unknown[0].dtype if self.unknown else "int32"
        free = [Var(f"n{k}", dtype) for k in range(n - found)]  # type: ignore[arg-type]
        new: list[Expr] = [*self.values, *free]
        src_to_dst = {v: self.total(self.forward[i], new) for i, v in enumerate(self.unknown)}
        dst_to_src = {v: self.total(self.backward[found + k], self.unknown) for k, v in enumerate(free)}
        ranges = self.new_ranges(free, src_to_dst)
        return IntConstraintsTransform(
            self.src, IntConstraints(free, ranges, self.relations), src_to_dst, dst_to_src
        )

    def total(self, coefficients: Sequence[int], values: Sequence[Expr]) -> Expr:
        result: Expr = const(0, values[0].dtype) if values else const(0)
        for c, x in zip(coefficients, values, strict=True):
            result = ops.add(result, ops.mul(x, c)) if c else result
        return self.analyzer.simplify(result)

    def new_ranges(self, free: Sequence[Var], src_to_dst: Mapping[Var, Expr]) -> dict[Var, Range]:
        """The ranges of the new variables that those of the unknowns tell; what they do not tell becomes relations."""
        ends: dict[Var, list[Expr | None]] = {v: [None, None] for v in free}
        told: list[tuple[Expr, Expr | None, Expr | None]] = []
        for v, given in self.ranges.items():
            if v not in src_to_dst:
                continue
            lo, hi = as_set(given).ends
            told.append((src_to_dst[v], lo, hi))
            found = detect_linear(src_to_dst[v], free)
            if found is None or len(found[0]) != 1:
                continue
            ((n, c),) = found[0].items()
            factor = const_int(c)
            if factor in (1, -1) and lo is not None and hi is not None:
                low, high = ops.sub(lo, found[1]), ops.sub(hi, found[1])
                if factor == -1:
                    low, high = ops.sub(0, high), ops.sub(0, low)
                before = ends[n]
                ends[n] = [
                    low if before[0] is None else ops.maximum(before[0], low),
                    high if before[1] is None else ops.minimum(before[1], high),
                ]
        ranges: dict[Var, Range] = {}
        for n, (least, most) in ends.items():
            if least is not None and most is not None:
                low, high = self.analyzer.simplify(least), self.analyzer.simplify(most)
                extent = self.analyzer.simplify(ops.maximum(ops.add(ops.sub(high, low), 1), 0))
                ranges[n] = Range(low, extent)
                self.analyzer.bind(n, low, high)
        for e, lo, hi in told:
            conditions = [ops.less_equal(lo, e)] if lo is not None else []
            conditions += [ops.less_equal(e, hi)] if hi is not None else []
            self.relations += [c for c in conditions if not self.analyzer.can_prove(c)]
        return ranges


__all__ = ["IntConstraints", "IntConstraintsTransform", "solve_linear_equations"]
