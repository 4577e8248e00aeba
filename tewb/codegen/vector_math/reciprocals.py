"""Logarithms from a short table: x = 2**e * (1 + r) / c, with c from the table and r so small that a short
polynomial suffices.

The intervals have equal width in the bits of x, so that the upper bits are the index of c. 1 is in the middle of its
interval, with c = 1: near it, r is x - 1 and the logarithm keeps its digits.
"""

from __future__ import annotations

import math
import struct
from decimal import Context, Decimal, localcontext
from functools import cache
from itertools import pairwise

from tewb.codegen.vector_math.build import Math, Scaled
from tewb.codegen.vector_math.wide import lookup, table_bits

DIGITS = {32: 24, 64: 53}  # of a float, with the leading 1
ONE = {32: 0x3F800000, 64: 0x3FF0000000000000}  # its bits
# Half an interval and this many whole ones are below 1: from about 0.7 to 1.4.
BELOW = {32: 19, 64: 9}


def _step(bits: int) -> int:
    """The width of an interval, in bits of floats: it is 2**-5 or 2**-4 from 1 on, half of that below."""
    return 1 << (DIGITS[bits] - 1 - table_bits(bits))


def _first_bits(bits: int) -> int:
    """The bits of the float where the first interval begins."""
    return ONE[bits] - BELOW[bits] * _step(bits) - _step(bits) // 2


def interval_ends(bits: int) -> list[float]:
    """Where the intervals meet, from the lowest m to the double of it."""
    return [_float(_first_bits(bits) + k * _step(bits), bits) for k in range(2 ** table_bits(bits) + 1)]


@cache
def reciprocals(bits: int) -> tuple[float, ...]:
    """The c of each interval, with so few digits that m*c - 1 is exact for every m in it."""
    return tuple(_reciprocal(lo, hi, DIGITS[bits]) for lo, hi in pairwise(interval_ends(bits)))


def _float(pattern: int, bits: int) -> float:
    """The float with these bits."""
    (value,) = struct.unpack("<f" if bits == 32 else "<d", pattern.to_bytes(bits // 8, "little"))
    return float(value)


def _reciprocal(lo: float, hi: float, digits: int) -> float:
    """The c for which m*c is nearest to 1 and m*c - 1 exact, for all m of so many digits from lo to hi."""
    if lo < 1 < hi:
        return 1.0
    unit = math.ldexp(1, -digits if hi <= 1 else 1 - digits)  # of m

    def worst(c: float) -> float:
        return max(abs(lo * c - 1), abs(hi * c - 1))

    candidates: list[float] = []
    for k in range(3, 9):
        below = int(2 / (lo + hi) * 2**k)
        # m*c - 1 is a multiple of unit * 2**-k: a float has room for so many.
        candidates += [c / 2**k for c in (below, below + 1) if worst(c / 2**k) < math.ldexp(unit, digits - k)]
    return min(candidates, key=worst)


@cache
def logarithms(
    bits: int, base: int, digits: int | None = None
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """-log_base(c) of each c: a first part, with `digits` binary digits after the point if given, and the rest."""
    firsts, rests = [], []
    with localcontext(Context(prec=50)):
        for c in reciprocals(bits):
            exact = -Decimal(c).ln() / Decimal(base).ln()
            first = (
                _nearest_float(exact, bits)
                if digits is None
                else float(round(exact * 2**digits)) / 2.0**digits
            )
            firsts.append(first)
            rests.append(float(exact - Decimal(first)))
    return tuple(firsts), tuple(rests)


def _nearest_float(value: Decimal, bits: int) -> float:
    """The float next to a number."""
    return float(struct.unpack("<f", struct.pack("<f", value))[0]) if bits == 32 else float(value)


def near_reciprocal(m: Math, x: str) -> tuple[Scaled, str, str]:
    """e, r, and the index into the tables, for positive normal x."""
    offset = m.int_op("sub", m.bits(x), _first_bits(m.d.bits))
    index = m.int_op("lshr", offset, m.digits - table_bits(m.d.bits))
    power = m.int_op("and", offset, -1 << m.digits)
    mantissa = m.floating(m.int_op("sub", m.bits(x), power))
    r = m.fma(mantissa, lookup(m, reciprocals(m.d.bits), index), -1.0)
    return m.exponent(power), r, index
