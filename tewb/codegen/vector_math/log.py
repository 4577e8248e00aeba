"""log: x = 2**e * m with m from sqrt(1/2) to sqrt(2), e by the exponent's bits and log(m) by a polynomial.

The coefficients come from tests/codegen/fit_polynomials.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from tewb.base import DType
from tewb.codegen.function import Function
from tewb.codegen.vector_math.build import Math
from tewb.codegen.vector_math.exp import LN2
from tewb.codegen.vector_math.rare import choose

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


def split(m: Math, x: str, subnormal: bool = True) -> tuple[str, str]:
    """e as a float and m, for positive finite x; where x may be `subnormal`, it is scaled up first."""
    digits = m.digits
    small = ""
    if subnormal:
        small = m.compare("olt", x, SMALLEST_NORMAL[m.d.bits])
        x = m.select(small, m.mul(x, 2.0**digits), x)
    # Counted from sqrt(1/2), the exponent's bits are e and the others those of m.
    offset = m.int_op("sub", m.bits(x), ROOT_HALF[m.d.bits])
    e = _exponent(m, offset)
    power = m.int_op("and", offset, -1 << digits)
    mantissa = m.floating(m.int_op("sub", m.bits(x), power))
    if subnormal:
        e = m.sub(e, m.select(small, float(digits), 0.0))
    return e, mantissa


def _exponent(m: Math, offset: str) -> str:
    """The exponent's bits of a difference, as a float."""
    if m.d.bits == 32:
        return m.f.ins(f"sitofp {m.it} {m.int_op('ashr', offset, m.digits)} to {m.t}")
    # Few processors shift and convert 64 bits with their sign. Below the leading 1 of 2**52, the bits
    # (with a bias that keeps them positive) are those of a float.
    positive = m.int_op("add", offset, m.bias << m.digits)
    bits = m.int_op("or", m.int_op("lshr", positive, m.digits), (m.bias + m.digits) << m.digits)
    return m.sub(m.floating(bits), 2.0**m.digits + m.bias)


def log(f: Function, d: DType, args: Sequence[str]) -> str:
    """log(x), about 1 ulp: -infinity for zeros, NaN for negative numbers, subnormal x included."""
    if d.lanes == 1:
        return _any_log(f, d, args)
    m = Math(f, d)
    (x,) = args
    return choose(
        f, d, not_normal(m, x), args, lambda: _log(m, *split(m, x, subnormal=False)), "log", _any_log
    )


def not_normal(m: Math, x: str) -> str:
    """Where x is not a positive normal number."""
    lowest = m.int_op("sub", m.bits(x), 1 << m.digits)  # wraps for what is below
    return m.f.ins(f"icmp uge {m.it} {lowest}, {m.integer(2 * m.bias << m.digits)}")


def _any_log(f: Function, d: DType, args: Sequence[str]) -> str:
    m = Math(f, d)
    (x,) = args
    value = _log(m, *split(m, x))
    # infinity and NaN stay, zero goes to -infinity, what is below to NaN
    value = m.select(m.compare("olt", x, float("inf")), value, x)
    below = m.select(m.compare("oeq", x, 0.0), float("-inf"), float("nan"))
    return m.select(m.compare("ugt", x, 0.0), value, below)


def _log(m: Math, e: str, mantissa: str) -> str:
    """e*ln2 + log(mantissa)"""
    part = m.sub(mantissa, 1.0)
    high, low = LN2[m.d.bits]
    square = m.mul(part, part)
    if m.d.bits == 32:
        rest = m.fma(square, m.fma(part, m.poly(part, LOG_F32), -0.5), m.mul(e, low))
    else:
        s = m.div(part, m.add(part, 2.0))
        z = m.mul(s, s)
        # 2s = f - f*f/2 + s*f*f/2 keeps the leading f exact.
        half = m.mul(square, 0.5)
        rest = m.sub(m.fma(s, m.fma(z, m.poly(z, LOG_F64), half), m.mul(e, low)), half)
    return m.fma(e, high, m.add(part, rest))
