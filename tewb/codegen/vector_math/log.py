"""log, log2, log10 and log1p: x = 2**e * m with m from sqrt(1/2) to sqrt(2), e by the exponent's bits and log(m) by a polynomial.

The coefficients come from tests/codegen/fit_polynomials.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tewb.base import DType
from tewb.codegen.function import Function
from tewb.codegen.vector_math.build import Math, Scaled
from tewb.codegen.vector_math.exp import LN2
from tewb.codegen.vector_math.rare import Rule, choose
from tewb.codegen.vector_math.reciprocals import logarithms, near_reciprocal
from tewb.codegen.vector_math.wide import has_wide_instructions, lookup

# The bits of sqrt(1/2), rounded up.
ROOT_HALF = {32: 0x3F3504F4, 64: 0x3FE6A09E667F3BCD}
SMALLEST_NORMAL = {32: 2.0**-126, 64: 2.0**-1022}
# log(1+f) = f - f*f/2 + f*f*f*p(f) for f = m - 1
LOG_F32 = (
    0.3333333134651184,
    -0.2500082552433014,
    0.20001263916492462,
    -0.16623222827911377,
    0.14200742542743683,
    -0.1316046416759491,
    0.1276947557926178,
    -0.07644149661064148,
)
# log((1+s)/(1-s)) = 2s + s*z*p(z), z = s*s, where s = f / (2+f)
LOG_F64 = (
    0.6666666666666734,
    0.3999999999941615,
    0.2857142874220832,
    0.2222219858095115,
    0.18183564347947262,
    0.1531404103011863,
    0.147961223203345,
)
# log(1+r) = r + r*r*p(r) for float32, where a table has the rest
SHORT = (-0.5, 0.3334014117717743, -0.25004538893699646)
DIGITS = 15  # of log2(c) after the point, so that its sum with an exponent is exact


@dataclass(frozen=True)
class Base:
    """A base b of logarithms: log_b(e), and log_b(2) with a first part whose product with exponents is exact."""

    scale: Mapping[int, tuple[float, float]]
    two: Mapping[int, tuple[float, float]]
    number: int | None = None  # b, where it is whole


NATURAL = Base({32: (1.0, 0.0), 64: (1.0, 0.0)}, LN2)
BINARY = Base(
    {32: (1.4426950216293335, 1.925963033500011e-08), 64: (1.4426950408889634, 2.0355273740931033e-17)},
    {32: (1.0, 0.0), 64: (1.0, 0.0)},
    2,
)
DECIMAL = Base(
    {32: (0.4342944920063019, -1.0103049952192578e-08), 64: (0.4342944819032518, 1.098319650216765e-17)},
    {32: (0.301025390625, 4.605039066518657e-06), 64: (0.30102999566361177, 3.694239077158931e-13)},
    10,
)


def split(m: Math, x: str, subnormal: bool = True) -> tuple[Scaled, str]:
    """e and m, for positive finite x; where x may be `subnormal`, it is scaled up first."""
    digits = m.digits
    small = ""
    if subnormal:
        small = m.compare("olt", x, SMALLEST_NORMAL[m.d.bits])
        x = m.select(small, m.mul(x, 2.0**digits), x)
    mantissa, power = _power(m, x)
    e, unit = m.exponent(power)
    if subnormal:
        e = m.sub(e, m.select(small, digits / unit, 0.0))
    return Scaled(e, unit), mantissa


def _power(m: Math, x: str) -> tuple[str, str]:
    """m, and e in the place of an exponent's bits."""
    # Counted from sqrt(1/2), the exponent's bits are e and the others those of m.
    offset = m.int_op("sub", m.bits(x), ROOT_HALF[m.d.bits])
    power = m.int_op("and", offset, -1 << m.digits)
    return m.floating(m.int_op("sub", m.bits(x), power)), power


def logarithm(name: str, base: Base) -> Rule:
    """log_b(x), about 1 ulp, for float32 log10 1.4: -infinity for zeros, NaN for negative numbers, subnormal x
    included."""

    def any_x(f: Function, d: DType, args: Sequence[str]) -> str:
        m = Math(f, d)
        e, mantissa = split(m, args[0])
        return _with_ends(m, args[0], _log(m, e, m.sub(mantissa, 1.0), base))

    def usual_x(f: Function, d: DType, args: Sequence[str]) -> str:
        if d.lanes == 1:
            return any_x(f, d, args)
        m = Math(f, d)

        def usual() -> str:
            # Others are no faster with a table: the division of float64 runs beside the rest.
            if has_wide_instructions(m) and d.bits == 32 and base.number is not None:
                return _from_table(m, args[0], base, base.number)
            e, mantissa = split(m, args[0], subnormal=False)
            return _log(m, e, m.sub(mantissa, 1.0), base)

        return choose(f, d, not_normal(m, args[0]), args, usual, name, any_x)

    return usual_x


log = logarithm("log", NATURAL)
log2 = logarithm("log2", BINARY)
log10 = logarithm("log10", DECIMAL)


def log1p(f: Function, d: DType, args: Sequence[str]) -> str:
    """log(1 + x), at most 1 ulp."""
    if d.lanes == 1:
        return _any_log1p(f, d, args)
    m = Math(f, d)
    (x,) = args
    total = m.add(x, 1.0)

    def usual() -> str:
        _, power = _power(m, total)
        shrink = m.floating(m.int_op("sub", m.integer(m.bias << m.digits), power))
        # (1 + x) * 2**-e - 1, rounded once: what the sum has lost is in it. What this rounding takes is given back.
        less = m.sub(shrink, 1.0)
        part = m.fma(x, shrink, less)
        value = _log(m, m.exponent(power), part, NATURAL, m.fma(x, shrink, m.sub(less, part)))
        return m.select(m.compare("oeq", x, 0.0), x, value)  # -0 has lost its sign

    return choose(f, d, not_normal(m, total, largest=m.bias - 2), args, usual, "log1p", _any_log1p)


def _any_log1p(f: Function, d: DType, args: Sequence[str]) -> str:
    """log of the rounded sum, and what the sum has lost as a part of it."""
    m = Math(f, d)
    (x,) = args
    total = m.add(x, 1.0)
    grown = m.sub(total, 1.0)
    lost = m.add(m.sub(m.number(1.0), m.sub(total, grown)), m.sub(x, grown))
    e, mantissa = split(m, total, subnormal=False)
    value = _log(m, e, m.sub(mantissa, 1.0), NATURAL, m.div(lost, total))
    value = m.select(m.compare("oeq", x, 0.0), x, value)  # -0 has lost its sign
    return _with_ends(m, total, value)


def not_normal(m: Math, x: str, largest: int | None = None) -> str:
    """Where x is not a positive normal number, or not below 2**`largest`."""
    lowest = m.int_op("sub", m.bits(x), 1 << m.digits)  # wraps for smaller numbers
    powers = 2 * m.bias if largest is None else largest + m.bias - 1
    return m.int_compare("uge", lowest, powers << m.digits)


def _with_ends(m: Math, x: str, value: str) -> str:
    """`value`, except that infinity and NaN stay, zero gives -infinity and negative numbers give NaN."""
    value = m.select(m.compare("olt", x, float("inf")), value, x)
    below = m.select(m.compare("oeq", x, 0.0), float("-inf"), float("nan"))
    return m.select(m.compare("ugt", x, 0.0), value, below)


def _from_table(m: Math, x: str, base: Base, number: int) -> str:
    """log_b of positive normal x, in float32: e * log_b(2) - log_b(c) + log_b(1 + r)."""
    e, r, index = near_reciprocal(m, x)
    scale, scale_low = base.scale[32]
    two, two_low = (part * e.unit for part in base.two[32])
    series = m.poly(r, (scale_low, *(scale * c for c in SHORT)))
    if number == 2:  # its first parts add up exactly
        first, low = (lookup(m, part, index) for part in logarithms(32, 2, DIGITS))
        return m.add(m.fma(e.value, two, first), m.fma(r, scale, m.fma(r, series, low)))
    # The rest of log_b(c) is left out: a third table would cost more than half a unit of the last place is worth.
    first = lookup(m, logarithms(32, number)[0], index)
    near = m.fma(r, scale, m.fma(r, series, m.mul(e.value, two_low)))
    return m.fma(e.value, two, m.add(first, near))


def _log(m: Math, e: Scaled, part: str, base: Base, lost: str | None = None) -> str:
    """log_b of 2**e * (1 + part) * (1 + lost), where `lost` is at most about an ulp of 1."""
    high, low = base.two[m.d.bits]
    scale, scale_low = base.scale[m.d.bits]
    small = m.mul(e.value, low * e.unit) if low else m.number(0.0)
    if lost is not None:
        small = m.add(small, lost)
    if scale != 1.0:
        small = m.fma(part, scale_low, small) if low else m.mul(part, scale_low)
        value = m.fma(part, scale, m.fma(_rest(m, part, None), scale, small))
    else:
        value = m.add(part, _rest(m, part, small))
    return m.fma(e.value, high * e.unit, value)


def _rest(m: Math, part: str, small: str | None) -> str:
    """log(1 + part) - part + small"""
    square = m.mul(part, part)
    if m.d.bits == 32:
        factor = m.fma(part, m.poly(part, LOG_F32), -0.5)
        return m.mul(square, factor) if small is None else m.fma(square, factor, small)
    s = m.div(part, m.add(part, 2.0))
    z = m.mul(s, s)
    # 2s = f - f*f/2 + s*f*f/2 keeps the leading f exact.
    half = m.mul(square, 0.5)
    series = m.fma(z, m.poly(z, LOG_F64), half)
    return m.sub(m.mul(s, series) if small is None else m.fma(s, series, small), half)
