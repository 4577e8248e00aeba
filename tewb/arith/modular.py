"""Remainders: what is known of an integer expression modulo a number, from what is known of its variables.

x * 4 + 1                 1 modulo 4
(x * 4 + 2) // 2          1 modulo 2
min(x * 3, y * 9)         0 modulo 3
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from tewb.ir import (
    EQ,
    Add,
    And,
    Call,
    Cast,
    Div,
    Expr,
    FloorDiv,
    FloorMod,
    IntImm,
    Let,
    Max,
    Min,
    Mod,
    Mul,
    Select,
    Sub,
    Var,
    const,
    const_int,
    rewriter,
    substitute,
)


class ModularSet(NamedTuple):
    """The integers `coeff * k + base`; a constant has the coefficient 0."""

    coeff: int
    base: int


UNKNOWN = ModularSet(1, 0)


class Facts(Protocol):
    """What remainders are worked out from (an Analyzer has it)."""

    modular: dict[Var, ModularSet]

    def const_bounds(self, e: Expr) -> tuple[int | None, int | None]: ...


def normal(coeff: int, base: int) -> ModularSet:
    """The set with a base from 0 to the coefficient."""
    coeff = abs(coeff)
    return ModularSet(coeff, base % coeff if coeff else base)


def either(x: ModularSet, y: ModularSet) -> ModularSet:
    """A set that has the integers of both."""
    return normal(math.gcd(x.coeff, y.coeff, x.base - y.base), x.base)


def both(x: ModularSet, y: ModularSet) -> ModularSet | None:
    """The integers that are in two sets; None where there are none.

    1 modulo 4 and 2 modulo 3 is 5 modulo 12.
    """
    if x.coeff == 0 or y.coeff == 0:
        number, other = (x, y) if x.coeff == 0 else (y, x)
        is_in = normal(other.coeff, number.base).base == other.base if other.coeff else number == other
        return number if is_in else None
    divisor = math.gcd(x.coeff, y.coeff)
    if (y.base - x.base) % divisor:
        return None
    whole = x.coeff // divisor * y.coeff
    step = y.coeff // divisor
    k = (y.base - x.base) // divisor * pow(x.coeff // divisor, -1, step) if step > 1 else 0
    return normal(whole, x.base + x.coeff * (k % step))


def modular_set(facts: Facts, e: Expr) -> ModularSet:
    """What is known of the remainders of `e`, which does not overflow."""
    memo: dict[Expr, ModularSet] = {}

    def part(x: Expr) -> ModularSet:
        if x not in memo:
            memo[x] = _modular(facts, x, part)
        return memo[x]

    return part(e)


def _modular(facts: Facts, e: Expr, part: Any) -> ModularSet:
    match e:
        case IntImm(value, _):
            return ModularSet(0, value)
        case Var():
            return facts.modular.get(e, UNKNOWN)
        case Add(a, b):
            x, y = part(a), part(b)
            return normal(math.gcd(x.coeff, y.coeff), x.base + y.base)
        case Sub(a, b):
            x, y = part(a), part(b)
            return normal(math.gcd(x.coeff, y.coeff), x.base - y.base)
        case Mul(a, b):
            x, y = part(a), part(b)
            step = math.gcd(x.coeff * y.coeff, x.coeff * y.base, y.coeff * x.base)
            return normal(step, x.base * y.base)
        case Min(a, b) | Max(a, b) | Select(_, a, b) | Call("if_then_else", (_, a, b)):
            return either(part(a), part(b))
        case FloorDiv(a, b):
            return _quotient(part(a), const_int(b))
        case Div(a, b) if e.dtype.is_int and _is_natural(facts, a):
            return _quotient(part(a), const_int(b))
        case FloorMod(a, b):
            return _remainder(part(a), const_int(b))
        case Mod(a, b) if e.dtype.is_int and _is_natural(facts, a):
            return _remainder(part(a), const_int(b))
        case Call("likely", (a,)):
            return part(a)  # type: ignore[no-any-return]
        case Cast(a, dtype) if a.dtype.is_int and dtype.is_int:
            return part(a)  # type: ignore[no-any-return]
        case Let(v, value, body):
            return part(substitute(body, {v: value}))  # type: ignore[no-any-return]
    return UNKNOWN


def _is_natural(facts: Facts, e: Expr) -> bool:
    lo = facts.const_bounds(e)[0]
    return lo is not None and lo >= 0


def _quotient(x: ModularSet, divisor: int | None) -> ModularSet:
    """floor(x / divisor): whole multiples of the divisor come out."""
    if not divisor:
        return UNKNOWN
    if x.coeff % divisor == 0:
        return normal(x.coeff // divisor, x.base // divisor)
    return UNKNOWN


def _remainder(x: ModularSet, divisor: int | None) -> ModularSet:
    if not divisor:
        return UNKNOWN
    if x.coeff % divisor == 0:
        return ModularSet(0, x.base % divisor)
    return normal(math.gcd(x.coeff, divisor), x.base)


# ---------------------------------------------------------------- using them


def remainders_said(cond: Expr) -> Iterator[tuple[Var, ModularSet]]:
    """What a condition says of the remainders of variables: x % 4 == 1."""
    match cond:
        case And(a, b):
            yield from remainders_said(a)
            yield from remainders_said(b)
        case Call("likely", (a,)):
            yield from remainders_said(a)
        case EQ(FloorMod(Var() as v, IntImm(c)), IntImm(b)) | EQ(IntImm(b), FloorMod(Var() as v, IntImm(c))):
            if c > 0 and 0 <= b < c:
                yield v, ModularSet(c, b)


def narrowed(known: Mapping[Var, ModularSet], cond: Expr) -> dict[Var, ModularSet]:
    """What is known where a condition holds, too."""
    result = dict(known)
    for v, said in remainders_said(cond):
        result[v] = both(result.get(v, UNKNOWN), said) or said
    return result


def without_known_remainders(facts: Facts, e: Expr) -> Expr:
    """`e` with the numbers that remainders certainly are."""

    def remainder(n: FloorMod) -> Expr:
        n = n.map_children(rewrite)
        found = modular_set(facts, n) if isinstance(n, FloorMod) and n.dtype.is_int else UNKNOWN
        return const(found.base, n.dtype) if found.coeff == 0 and n.dtype.lanes == 1 else n

    rewrite = rewriter({FloorMod: remainder})
    return rewrite(e)
