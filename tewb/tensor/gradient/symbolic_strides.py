"""Equations with sizes that are not known: flat and reshaped tensors of m columns.

    i * m + j = x                  for 0 <= j < m    is    i = x // m  and  j = x % m
    i // m = x  and  i % m = y     for 0 <= y < m    is    i = x * m + y

With numbers in the place of m these are linear, and need nothing of this.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

from tewb.arith import Analyzer, detect_linear
from tewb.ir import Expr, FloorDiv, FloorMod, Var, const, const_int, ops, structural_equal, uses

Equation = tuple[Expr, Expr]  # of unknowns, and without any


def without_symbolic_strides(
    equations: Sequence[Equation], unknowns: Sequence[Var], analyzer: Analyzer
) -> list[Equation]:
    """Equations that say the same, as far as they can be without a quotient, a remainder or a multiple by what is no
    number."""
    left = _joined(list(equations), unknowns, analyzer)
    done: list[Equation] = []
    while left:
        e = left.pop()
        parts = _split(e, unknowns, analyzer)
        if parts is None:
            done.append(e)
        else:
            left += parts
    return done[::-1]


def _joined(equations: list[Equation], unknowns: Sequence[Var], analyzer: Analyzer) -> list[Equation]:
    """Quotients with their remainders put together."""
    for first, second in permutations(equations, 2):
        joined = _join(first, second, unknowns, analyzer)
        if joined is not None:
            others = [e for e in equations if e is not first and e is not second]
            return _joined([*others, joined], unknowns, analyzer)
    return equations


def _join(a: Equation, b: Equation, unknowns: Sequence[Var], analyzer: Analyzer) -> Equation | None:
    match a[0], b[0]:
        case FloorDiv(x, c), FloorMod(y, d) if const_int(d) is None and not uses(d, unknowns):
            pass
        case _:
            return None
    inside = ops.less(b[1], d), ops.greater_equal(b[1], const(0, b[1].dtype))
    if not all(analyzer.can_prove(holds) for holds in inside):
        return None
    value = ops.add(ops.mul(a[1], d), b[1])
    if structural_equal(x, y) and structural_equal(c, d):
        return x, value
    match y:  # x // (c * d) and x // c % d
        case FloorDiv(z, e) if structural_equal(x, z) and analyzer.can_prove(ops.equal(c, ops.mul(d, e))):
            return y, value
    return None


def _split(equation: Equation, unknowns: Sequence[Var], analyzer: Analyzer) -> list[Equation] | None:
    """An equation as one of the multiples of a size, and one of the rest, which is less than it."""
    found = detect_linear(analyzer.simplify(equation[0]), unknowns)
    if found is None:
        return None
    coefficients, rest = found
    for size in coefficients.values():
        if const_int(size) is not None:
            continue
        multiples = {v: q for v, c in coefficients.items() if (q := _quotient(c, size, analyzer)) is not None}
        others = {v: c for v, c in coefficients.items() if v not in multiples}
        below = analyzer.simplify(_sum(others, rest))
        positive = analyzer.can_prove(ops.greater_equal(below, const(0, below.dtype)))
        if positive and analyzer.can_prove(ops.less(below, size)):
            whole = _sum(multiples, const(0, rest.dtype))
            right = equation[1]
            return [(below, ops.floormod(right, size)), (whole, ops.floordiv(right, size))]
    return None


def _sum(coefficients: dict[Var, Expr], rest: Expr) -> Expr:
    total = rest
    for v, c in coefficients.items():
        total = ops.add(total, ops.mul(v, c))
    return total


def _quotient(a: Expr, b: Expr, analyzer: Analyzer) -> Expr | None:
    """a / b for products of sizes, or None when b is no factor of a."""
    if analyzer.can_prove(ops.equal(a, b)):
        return const(1, a.dtype)
    (x, y) = ([*analyzer.linear.of(e).terms.values()] for e in (a, b))
    if len(x) != 1 or len(y) != 1 or analyzer.linear.of(a).const or analyzer.linear.of(b).const:
        return None
    atoms = list(x[0].atoms)
    for atom in y[0].atoms:
        same = next((n for n, e in enumerate(atoms) if structural_equal(e, atom)), None)
        if same is None:
            return None
        del atoms[same]
    if x[0].coeff % y[0].coeff:
        return None
    quotient: Expr = const(x[0].coeff // y[0].coeff, a.dtype)
    for e in atoms:
        quotient = ops.mul(quotient, e)
    return quotient
