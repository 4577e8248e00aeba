"""Indices as sums: integers times unknowns, and a rest. A quotient and a remainder are unknowns of their own.

i * 4 + j - n         {i: 4, j: 1}, rest -n
i // 8, i % 8         {q: 1} and {m: 1}, with the equation 8 * q + m - i = 0 and 0 <= m < 8
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tewb.arith import Analyzer, Key
from tewb.ir import (
    Add,
    Call,
    Cast,
    Div,
    Expr,
    FloorDiv,
    FloorMod,
    IntImm,
    Mod,
    Mul,
    Sub,
    Var,
    const,
    const_int,
    ops,
    uses,
)


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """coefficients[v] * v + ... + rest; no coefficient is zero, and no unknown is in the rest."""

    coefficients: Mapping[Var, int]
    rest: Expr

    def plus(self, other: Form, scale: int = 1) -> Form:
        """This and `scale` times another one."""
        coefficients = dict(self.coefficients)
        for v, c in other.coefficients.items():
            coefficients[v] = coefficients.get(v, 0) + scale * c
        rest = ops.add(self.rest, _times(other.rest, scale))
        return Form({v: c for v, c in coefficients.items() if c}, rest)

    def without(self, v: Var) -> Form:
        return Form({u: c for u, c in self.coefficients.items() if u is not v}, self.rest)

    def with_value(self, v: Var, value: Form) -> Form:
        """This with a value in the place of an unknown."""
        c = self.coefficients.get(v, 0)
        return self.without(v).plus(value, c) if c else self

    @property
    def constant(self) -> int | None:
        """The rest, when it is a number."""
        return const_int(self.rest)


def _times(e: Expr, by: int) -> Expr:
    return e if by == 1 else ops.mul(e, const(by, e.dtype))


def number(value: int) -> Form:
    return Form({}, const(value))


def unknown(v: Var) -> Form:
    return Form({v: 1}, const(0, v.dtype))


@dataclass(slots=True)
class Forms:
    """Makes forms over some unknowns; `ranges` are the first and the last value of quotients and remainders, None where
    they are not known; those of `quotients` follow from their dividends. `equations` are forms that are zero."""

    unknowns: set[Var]
    analyzer: Analyzer
    ranges: dict[Var, tuple[int | None, int | None]] = field(default_factory=dict)
    quotients: set[Var] = field(default_factory=set)
    equations: list[Form] = field(default_factory=list)
    _divided: dict[tuple[Key, int], tuple[Var, Var]] = field(default_factory=dict)

    def of(self, e: Expr) -> Form | None:
        """The form of `e`, or None when it is no such sum."""
        match e:
            case Var() if e in self.unknowns:
                return unknown(e)
            case Add(a, b):
                return _sum(self.of(a), self.of(b), 1)
            case Sub(a, b):
                return _sum(self.of(a), self.of(b), -1)
            case Mul(a, IntImm(c)) | Mul(IntImm(c), a):
                form = self.of(a)
                return None if form is None else number(0).plus(form, c)
            case Cast(a, dtype) if _is_wide(a) and dtype.is_int and dtype.bits >= a.dtype.bits:
                return self.of(a)
            case Call("likely", (a,)):
                return self.of(a)
            case FloorDiv(a, IntImm(c)) if c > 0 and self._holds_unknowns(e):
                return self._part(a, c, 0)
            case FloorMod(a, IntImm(c)) if c > 0 and self._holds_unknowns(e):
                return self._part(a, c, 1)
            case Div(a, IntImm(c)) if c > 0 and self._holds_unknowns(e) and self._is_natural(a):
                return self._part(a, c, 0)
            case Mod(a, IntImm(c)) if c > 0 and self._holds_unknowns(e) and self._is_natural(a):
                return self._part(a, c, 1)
        return None if self._holds_unknowns(e) or not _is_wide(e) else Form({}, e)

    def _holds_unknowns(self, e: Expr) -> bool:
        return uses(e, self.unknowns)

    def _is_natural(self, e: Expr) -> bool:
        """Whether an integer is certainly not negative: then all ways of rounding a quotient are one."""
        low = self.analyzer.const_bounds(e)[0]
        return low is not None and low >= 0

    def _part(self, a: Expr, divisor: int, which: int) -> Form | None:
        """The quotient, or the remainder, of a division."""
        key = (self.analyzer.keys(a), divisor)
        if key not in self._divided:
            dividend = self.of(a)
            if dividend is None:
                return None
            name = next(iter(dividend.coefficients)).name if dividend.coefficients else "q"
            q, m = Var(name, a.dtype), Var(name, a.dtype)
            self.quotients.add(q)
            self.unknowns |= {q, m}
            quotient = FloorDiv(a, const(divisor, a.dtype), a.dtype)
            self.ranges |= {q: self.analyzer.const_bounds(quotient), m: (0, divisor - 1)}
            self.equations.append(Form({q: divisor, m: 1}, const(0)).plus(dividend, -1))
            self._divided[key] = q, m
        return unknown(self._divided[key][which])


def _sum(a: Form | None, b: Form | None, scale: int) -> Form | None:
    return None if a is None or b is None else a.plus(b, scale)


def _is_wide(e: Expr) -> bool:
    """Whether an integer counts as an index, which does not wrap."""
    return e.dtype.kind == "int" and e.dtype.bits >= 32 and e.dtype.lanes == 1
