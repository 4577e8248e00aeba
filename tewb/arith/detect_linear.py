"""Linear detection: an index as coefficients of some variables, and the rest."""

from __future__ import annotations

from collections.abc import Sequence

from tewb.arith.analyzer import Analyzer
from tewb.ir import Expr, Var, const, ops, uses


def detect_linear(e: Expr, variables: Sequence[Var]) -> tuple[dict[Var, Expr], Expr] | None:
    """Coefficients c and rest r with e = c[v]*v + ... + r, where neither holds a variable of `variables`.

    Variables that do not occur have no coefficient. None when `e` is not linear in them, or when a number in its sum
    does not fit its dtype.
    """
    if e.dtype.kind != "int" or e.dtype.bits < 32:
        return None
    analyzer = Analyzer()
    s = analyzer.linear.of(e)
    least, most = e.dtype.min_value(), e.dtype.max_value()
    if not all([least <= c <= most for c in (s.const, *[t.coeff for t in s.terms.values()])]):
        return None
    wanted = {id(v): v for v in variables}
    coefficients: dict[Var, Expr] = {}
    rest: Expr = const(s.const, e.dtype)
    for t in s.terms.values():
        mine = [a for a in t.atoms if id(a) in wanted]
        others = [a for a in t.atoms if id(a) not in wanted]
        if len(mine) > 1 or any(uses(a, variables) for a in others):
            return None
        product: Expr = const(t.coeff, e.dtype)
        for a in others:
            product = ops.mul(product, a)
        if mine:
            v = wanted[id(mine[0])]
            coefficients[v] = ops.add(coefficients[v], product) if v in coefficients else product
        else:
            rest = ops.add(rest, product)
    return coefficients, rest
