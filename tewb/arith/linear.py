"""Canonical linear sums: c0 + c1*t1 + c2*t2 + ..., where each term is a product of opaque atoms.

A sum of integers equals the expression that it came from, and a sum of values that wrap equals it modulo 2**bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tewb.arith.keys import Key, Keys
from tewb.base import DType
from tewb.ir import Add, Expr, FloorDiv, FloorMod, IntImm, Mul, Sub, Var, const, free_vars, ops
from tewb.ir.ops import wrap

Monomial = tuple[Key, ...]
_MOST_TERMS = 12  # products of longer sums stay as they are
_MOST_FACTORS = 8  # so do products of more factors: squaring twenty times would make a million of them
_SUMS = frozenset((Add, Sub, Mul))
_SMALL = 6  # sums that nest no deeper are computed again where they are shared


@dataclass(slots=True)
class Term:
    """coeff * the product of atoms"""

    coeff: int
    atoms: tuple[Expr, ...]


@dataclass(slots=True)
class Linear:
    """A sum of terms in order of first appearance, and a constant. Terms are found by their atoms' keys."""

    const: int = 0
    terms: dict[Monomial, Term] = field(default_factory=dict)

    def add(self, other: Linear, scale: int = 1) -> Linear:
        """Add scale * other to this sum."""
        self.const += scale * other.const
        for key, t in other.terms.items():
            self.add_term(key, t.atoms, scale * t.coeff)
        return self

    def add_term(self, key: Monomial, atoms: tuple[Expr, ...], coeff: int) -> None:
        """Add coeff * atoms to this sum."""
        own = self.terms.get(key)
        if own is None:
            if coeff:
                self.terms[key] = Term(coeff, atoms)
        elif own.coeff + coeff:
            self.terms[key] = Term(own.coeff + coeff, own.atoms)
        else:
            del self.terms[key]

    def copy(self) -> Linear:
        return Linear(self.const, dict(self.terms))

    def scaled(self, by: int) -> Linear:
        """The sum times a number; this sum itself when that is 1."""
        if by == 1:
            return self
        if by == 0:
            return Linear()
        return Linear(self.const * by, {key: Term(t.coeff * by, t.atoms) for key, t in self.terms.items()})

    def divided(self, by: int) -> Linear:
        """The sum of the terms divided by their common factor `by`, and of the constant's floor quotient."""
        return Linear(self.const // by, {key: Term(t.coeff // by, t.atoms) for key, t in self.terms.items()})

    @property
    def is_const(self) -> bool:
        return not self.terms


class Linearizer:
    """Turns integer expressions into linear sums; atoms are simplified by `simplify` first. Joining a quotient and its
    remainder requires a divisor that `is_never_zero` and a dividend that `is_exact`: it does not wrap."""

    def __init__(
        self,
        keys: Keys,
        simplify: Callable[[Expr], Expr],
        is_never_zero: Callable[[Expr], bool],
        is_exact: Callable[[Expr], bool],
    ) -> None:
        self.keys, self.simplify = keys, simplify
        self.is_never_zero, self.is_exact = is_never_zero, is_exact
        self._ranks: dict[Key, tuple[str, list[str], str]] = {}

    def of(self, e: Expr) -> Linear:
        """`e` as a linear sum, with quotients and remainders that belong together joined."""
        return self.joined(e)[0]

    def joined(self, e: Expr) -> tuple[Linear, bool]:
        """`e` as a linear sum, and whether a quotient and its remainder were joined in it."""
        s = self._raw(e, 0, {})
        return s, self.join(s)

    def _raw(self, e: Expr, depth: int, shared: dict[Expr, Linear]) -> Linear:
        """The sum of `e`, which the caller may change. `shared` holds the sums of shared parts."""
        kind = e.__class__
        if kind is IntImm:
            return Linear(e.value)  # type: ignore[attr-defined]
        if kind is Var:
            return Linear(0, {(id(e),): Term(1, (e,))})
        if kind in _SUMS:
            if depth < _SMALL:
                return self._arithmetic(e, depth, shared)
            if e not in shared:
                shared[e] = self._arithmetic(e, depth, shared)
            return shared[e].copy()
        s = self.simplify(e)
        if s is not e and isinstance(s, IntImm | Var | Add | Sub | Mul):
            return self._raw(s, depth + 1, shared)
        return Linear(0, {(self.keys(s),): Term(1, (s,))})

    def _arithmetic(self, e: Any, depth: int, shared: dict[Expr, Linear]) -> Linear:
        x, y = self._raw(e.a, depth + 1, shared), self._raw(e.b, depth + 1, shared)
        if e.__class__ is Mul:
            return self._product(x, y, e)
        return x.add(y, 1 if e.__class__ is Add else -1)

    def _product(self, x: Linear, y: Linear, e: Mul) -> Linear:
        if not x.terms:
            return y.scaled(x.const)
        if not y.terms:
            return x.scaled(y.const)
        factors = max(len(t.atoms) for t in x.terms.values()) + max(len(t.atoms) for t in y.terms.values())
        if (len(x.terms) + 1) * (len(y.terms) + 1) > _MOST_TERMS or factors > _MOST_FACTORS:
            atom = ops.mul(self.simplify(e.a), self.simplify(e.b))
            if not isinstance(atom, Mul):
                return self._raw(atom, 0, {})
            return Linear(0, {(self.keys(atom),): Term(1, (atom,))})
        product = Linear(x.const * y.const)
        for t in x.terms.values():
            for u in y.terms.values():
                atoms = tuple(sorted((*t.atoms, *u.atoms), key=self._rank))
                product.add_term(tuple(self.keys(a) for a in atoms), atoms, t.coeff * u.coeff)
        for t in x.terms.values():
            product.add_term(tuple(self.keys(a) for a in t.atoms), t.atoms, t.coeff * y.const)
        for u in y.terms.values():
            product.add_term(tuple(self.keys(a) for a in u.atoms), u.atoms, u.coeff * x.const)
        return product

    def _rank(self, atom: Expr) -> tuple[str, list[str], str]:
        """The sort key of factors: names first, which are the same in every process, as the object cache requires.
        Keys depend on identities and only order factors with the same names."""
        if isinstance(atom, Var):
            return "Var", [atom.name], repr(id(atom))
        key = self.keys(atom)
        if key not in self._ranks:
            self._ranks[key] = type(atom).__name__, [v.name for v in free_vars(atom)], repr(key)
        return self._ranks[key]

    def join(self, s: Linear) -> bool:
        """Change (x // c)*c*k + (x % c)*k to x*k in a sum, when c is not 0 and x does not wrap. Returns whether there
        was such a pair."""
        for t in list(s.terms.values()):
            if t.atoms[0].__class__ is not FloorMod or len(t.atoms) > 1:
                continue
            match t.atoms:
                case (FloorMod(x, IntImm(c)),) if c != 0:
                    quotient = FloorDiv(x, const(c, x.dtype), x.dtype)
                    key: Monomial = (self.keys(quotient),)
                    factor = c
                case (FloorMod(x, d),):
                    quotient = FloorDiv(x, d, x.dtype)
                    both = tuple(sorted((quotient, d), key=self._rank))
                    key, factor = tuple(self.keys(a) for a in both), 1
                case _:
                    continue
            other = s.terms.get(key)
            if other is None or other.coeff != t.coeff * factor:
                continue
            if self.is_exact(x) and self.is_never_zero(t.atoms[0].b):
                whole = self._raw(x, 0, {})
                del s.terms[key]
                del s.terms[(self.keys(t.atoms[0]),)]
                self.join(s.add(whole, t.coeff))
                return True
        return False

    def expr(self, s: Linear, dtype: DType) -> Expr:
        """The sum as an expression of `dtype`: terms in order, those with a minus after the first with a plus."""
        s = _wrapped(s, dtype)
        positive = [t for t in s.terms.values() if t.coeff > 0]
        negative = [t for t in s.terms.values() if t.coeff < 0]
        total: Expr | None = None
        for t in positive:
            product = self._term(t.atoms, t.coeff, dtype)
            total = product if total is None else Add(total, product, dtype)
        if total is None and (s.const or not negative):
            total = const(s.const, dtype)
        elif s.const > 0 and total is not None:
            total = Add(total, const(s.const, dtype), dtype)
        for t in negative:
            if total is None:
                total = self._term(t.atoms, t.coeff, dtype)
            else:
                total = self._less(total, t, dtype)
        if s.const < 0 and positive and total is not None:
            total = _minus(total, s.const, dtype)
        assert total is not None
        return total

    def _less(self, total: Expr, t: Term, dtype: DType) -> Expr:
        """A sum and one more term with a minus."""
        if -t.coeff > dtype.max_value():  # the smallest number has no opposite
            return Add(total, self._term(t.atoms, t.coeff, dtype), dtype)
        return Sub(total, self._term(t.atoms, -t.coeff, dtype), dtype)

    def _term(self, atoms: tuple[Expr, ...], coeff: int, dtype: DType) -> Expr:
        product = atoms[0]
        for a in atoms[1:]:
            product = Mul(product, a, dtype)
        return product if coeff == 1 else Mul(product, const(coeff, dtype), dtype)


def _minus(total: Expr, c: int, dtype: DType) -> Expr:
    """A sum and a negative constant."""
    if -c > dtype.max_value():  # the smallest number has no opposite
        return Add(total, const(c, dtype), dtype)
    return Sub(total, const(-c, dtype), dtype)


def in_range(s: Linear, dtype: DType) -> bool:
    """Whether the numbers in a sum are in the range of `dtype`, without the smallest, which has no opposite."""
    most = dtype.max_value()
    return -most <= s.const <= most and all([-most <= t.coeff <= most for t in s.terms.values()])


def _wrapped(s: Linear, dtype: DType) -> Linear:
    """The sum with its numbers in the range of `dtype`, which is the same sum modulo 2**bits."""
    if in_range(s, dtype):
        return s
    wrapped = Linear(wrap(s.const, dtype))
    for key, t in s.terms.items():
        wrapped.add_term(key, t.atoms, wrap(t.coeff, dtype))
    return wrapped
