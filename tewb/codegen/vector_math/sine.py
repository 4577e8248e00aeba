"""sin, cos and tan: x = n*pi + r with |r| <= pi/2, so that one polynomial suffices, and the sign is that of n.

cos(x) is sin(x + pi/2): its n are halves. pi in three parts is enough for |x| below LIMIT; the first product
cancels exactly. Vectors with a larger lane go to the C library, in a function of their own.
The coefficients come from tests/codegen/fit_polynomials.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tewb.base import DType
from tewb.codegen.function import Function
from tewb.codegen.vector_math.build import Math
from tewb.codegen.vector_math.rare import Rule, choose

LIMIT = {32: 2.0**17, 64: 2.0**28}
PI = {
    32: (3.1415927410125732, -8.742277657347586e-08, -3.4302490200117637e-15),
    64: (3.141592653589793, 1.2246467991473532e-16, -2.9947698097183397e-33),
}
INVERSE_PI = 0.3183098861837907
# sin(r) = r + r*z*p(z), z = r*r
SIN = {
    32: (-0.16666659712791443, 0.008333069272339344, -0.00019809776858892292, 2.606098178148386e-06),
    64: (
        -0.16666666666666666,
        0.008333333333333207,
        -0.0001984126984121248,
        2.755731921156934e-06,
        -2.5052106904378073e-08,
        1.605894099757328e-10,
        -7.643019164149525e-13,
        2.7214163061430948e-15,
    ),
}
# cos(r) = 1 - z/2 + z*z*p(z) for |r| <= pi/4
COS = {
    32: (0.04166664555668831, -0.00138873013202101, 2.4430661142105237e-05),
    64: (
        0.0416666666666666,
        -0.001388888888887447,
        2.4801587289666922e-05,
        -2.7557314399276025e-07,
        2.087572899598401e-09,
        -1.1359917403197899e-11,
    ),
}


def _small(m: Math, x: str, is_cos: bool) -> str:
    """sin or cos of |x| < LIMIT; NaN for infinity and NaN."""
    if is_cos:
        # x = (k + 1/2)*pi + r: k is the integer next to x/pi - 1/2.
        k, bits = m.rounded(m.fma(x, INVERSE_PI, -0.5), 1.0)
        n = m.add(k, 0.5)
        bits = m.int_op("xor", bits, 1)  # sin(r + (k + 1/2)*pi + pi/2) = -sin(r) for even k
    else:
        n, bits = m.rounded(x, INVERSE_PI)
    r, z, value = _near_zero(m, x, n, 1.0)
    sign = m.int_op("shl", bits, m.d.bits - 1)
    value = m.floating(m.int_op("xor", m.bits(value), sign))
    return value if is_cos else m.select(m.compare("oeq", x, 0.0), x, value)  # -0 has lost its sign


def _near_zero(m: Math, x: str, n: str, unit: float) -> tuple[str, str, str]:
    """r = x - n*pi*unit, its square and its sine."""
    r = x
    for part in PI[m.d.bits]:
        r = m.fma(n, -part * unit, r)
    z = m.mul(r, r)
    return r, z, m.fma(m.mul(r, z), m.poly(z, SIN[m.d.bits]), r)


def _small_tan(m: Math, x: str) -> str:
    """tan of |x| < LIMIT: x = n*pi/2 + r, sin(r) / cos(r) for even n and -cos(r) / sin(r) for odd ones."""
    n, bits = m.rounded(x, 2 * INVERSE_PI)
    _, z, sine = _near_zero(m, x, n, 0.5)
    cosine = m.fma(z, m.fma(z, m.poly(z, COS[m.d.bits]), -0.5), 1.0)
    odd = m.int_compare("ne", m.int_op("and", bits, 1), 0)
    value = m.div(m.select(odd, m.neg(cosine), sine), m.select(odd, sine, cosine))
    return m.select(m.compare("oeq", x, 0.0), x, value)  # -0 has lost its sign


def sine(exact: Rule) -> Rule:
    """sin(x), at most 2 ulp; `exact` is called for vectors in which a finite lane is beyond LIMIT."""
    return lambda f, d, args: _within_limit(f, d, args, "sin", exact, lambda m, x: _small(m, x, False))


def cosine(exact: Rule) -> Rule:
    """cos(x), at most 2 ulp; `exact` is called for vectors in which a finite lane is beyond LIMIT."""
    return lambda f, d, args: _within_limit(f, d, args, "cos", exact, lambda m, x: _small(m, x, True))


def tangent(exact: Rule) -> Rule:
    """tan(x), at most 3 ulp; `exact` is called for vectors in which a finite lane is beyond LIMIT."""
    return lambda f, d, args: _within_limit(f, d, args, "tan", exact, _small_tan)


def _within_limit(
    f: Function, d: DType, args: Sequence[str], name: str, exact: Rule, small: Callable[[Math, str], str]
) -> str:
    m = Math(f, d)
    (x,) = args
    size = m.call("fabs", x)
    far = m.logic("and", m.compare("oge", size, LIMIT[d.bits]), m.compare("olt", size, float("inf")))
    return choose(f, d, far, args, lambda: small(m, x), name, exact)
