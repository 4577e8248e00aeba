"""pow: exp(y * log(x)), the logarithm to more digits than the result has.

Where x is positive and normal and the result neither overflows nor is subnormal, log(x) is the sum of two
floats: it may be large, and its error is that of the result. A vector with any other lane takes the slow path,
which handles signs, zeros and the ends of the range; infinities and NaN go to the C library from there.
The coefficients come from tests/codegen/fit_polynomials.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from tewb.base import FLOAT64, DType
from tewb.codegen.function import Function
from tewb.codegen.vector_math.build import Math, Scaled
from tewb.codegen.vector_math.exp import EXP2, LN2, LOG2E, reduced_exp, scaled_exp
from tewb.codegen.vector_math.log import BINARY, not_normal, split
from tewb.codegen.vector_math.rare import Rule, choose
from tewb.codegen.vector_math.reciprocals import logarithms, near_reciprocal
from tewb.codegen.vector_math.wide import has_wide_instructions, lookup

# log((1+s)/(1-s)) = 2s + s*z*p(z), z = s*s; exp(r) = 1 + r + r*r*q(r): for float32
LOG_SHORT = (0.6666666564364196, 0.4000033563835833, 0.2853727455608452, 0.23582908117790893)
EXP_SHORT = (
    0.4999999341478333,
    0.1666652014128032,
    0.041668393694019805,
    0.00836877870801579,
    0.0013814508166732444,
)
# 2/3 in two floats, and the rest: p(z) = 2/3 + z*t(z)
TWO_THIRDS = (0.6666666666666666, 3.700743415417188e-17)
LOG_REST = (
    0.3999999999999998,
    0.2857142857144385,
    0.2222222221778529,
    0.18181818844688125,
    0.1538455837364937,
    0.13336266830347837,
    0.11675729849361534,
    0.11982201137942369,
)

# log2((1+s)/(1-s)) = s*(2/ln2 + z*p(z))
TWO_LOG2E = (2.885390043258667, 3.851925624428077e-08)
LOG2 = (0.9617967009544373, 0.5770788192749023, 0.4119272232055664, 0.33649200201034546)

# Where a table has the rest: log2(1+r) = log2(e)*r + r*r*p(r), for float64 log(1+r) = r - r*r/2 + r**3*p(r)
SHORT_32 = (-0.7213475108146667, 0.48089832067489624, -0.36079517006874084, 0.28867682814598083)
SHORT_64 = (
    0.3333333333333333,
    -0.24999999999998102,
    0.2000000000001956,
    -0.16666666679447084,
    0.14285714229843355,
    -0.12499971463562404,
    0.11111164893371694,
    -0.10025999485612698,
    0.09083242220375343,
)
TABLE_DIGITS = {32: 15, 64: 41}  # of log2(c) after the point, so that its sum with an exponent is exact

Pair = tuple[str, str]


def power(exact: Rule) -> Rule:
    """pow(x, y), at most 3 ulp for float32 and 2 for float64; `exact` is called for vectors with an infinity or NaN in either."""

    def any_power(f: Function, d: DType, args: Sequence[str]) -> str:
        m = Math(f, d)
        strange = [m.compare("uge", m.call("fabs", a), float("inf")) for a in args]
        return choose(f, d, m.logic("or", *strange), args, lambda: _finite(m, *args), "exact.pow", exact)

    def usual_power(f: Function, d: DType, args: Sequence[str]) -> str:
        m = Math(f, d)
        x, y = args
        if d.bits == 64 and not has_wide_instructions(m):
            largest = 708.0
            value, exponent = _exp(m, y, *_logarithm(m, *split(m, x, subnormal=False)))
        else:
            largest = m.bias - 1.0
            log2 = _log2_32 if d.bits == 32 else _log2_64
            value, exponent = _exp2(
                m, y, *(log2(m, x) if has_wide_instructions(m) else _log2_by_division(m, x))
            )
        outside = m.compare("uge", m.call("fabs", exponent), largest)  # the result may not be normal
        rare = m.logic("or", not_normal(m, args[0]), outside)
        return choose(f, d, rare, args, lambda: value, "pow", any_power)

    return usual_power


def _log2_32(m: Math, x: str) -> Pair:
    """log2(x) for positive normal x: e - log2(c) + log2(1 + r)."""
    e, r, index = near_reciprocal(m, x)
    first, low = (lookup(m, part, index) for part in logarithms(32, 2, TABLE_DIGITS[32]))
    scale, scale_low = BINARY.scale[32]
    high = m.mul(r, scale)
    low = m.add(low, m.fma(r, scale, m.neg(high)))
    return _sum_pair(m, m.fma(e.value, e.unit, first), high, m.fma(r, m.poly(r, (scale_low, *SHORT_32)), low))


def _log2_64(m: Math, x: str) -> Pair:
    """log2(x) for positive normal x: e - log2(c) + log2(1 + r), where r - r*r/2 too has two parts."""
    e, r, index = near_reciprocal(m, x)
    first, low = (lookup(m, part, index) for part in logarithms(64, 2, TABLE_DIGITS[64]))
    half = m.mul(r, -0.5)
    near = m.fma(r, half, r)
    rest = m.fma(r, half, m.sub(r, near))
    rest = m.fma(m.mul(m.mul(r, r), r), m.poly(r, SHORT_64), rest)
    scale, scale_low = BINARY.scale[64]
    high = m.mul(near, scale)
    rest = m.fma(rest, scale, m.fma(near, scale_low, m.fma(near, scale, m.neg(high))))
    return _sum_pair(m, m.fma(e.value, e.unit, first), high, m.add(rest, low))


def _log2_by_division(m: Math, x: str) -> Pair:
    """log2(x) for positive normal x of float32."""
    e, mantissa = split(m, x, subnormal=False)
    s, s_low = _quotient_pair(m, mantissa)
    z = m.mul(s, s)
    high = m.mul(s, TWO_LOG2E[0])
    # The slope at s is 2/ln2 / (1 - z), about 2/ln2 * (1 + z).
    slope = m.fma(z, TWO_LOG2E[0], TWO_LOG2E[0])
    low = m.fma(s_low, slope, m.fma(s, TWO_LOG2E[0], m.neg(high)))
    # The series stays in the low part, up to a hundredth of the high one.
    return _sum_pair(m, m.mul(e.value, e.unit), high, m.fma(s, m.poly(z, (TWO_LOG2E[1], *LOG2)), low))


def _exp2(m: Math, y: str, high: str, low: str) -> Pair:
    """2**p and p, for p = y * (high + low) and normal results."""
    low = m.mul(y, low)
    p = m.fma(y, high, low)  # both parts decide about n
    n, bits = m.rounded(p, 1.0)
    r = m.add(m.fma(y, high, m.neg(n)), low)
    return m.times_power_of_two(m.fma(r, m.poly(r, EXP2[m.d.bits]), 1.0), bits), p


def _exp(m: Math, y: str, high: str, low: str) -> Pair:
    """e**p and p, for p = y * (high + low) and normal results."""
    p = m.mul(y, high)
    _, bits, less_one = reduced_exp(m, p, m.fma(y, low, m.fma(y, high, m.neg(p))))
    return m.times_power_of_two(m.add(less_one, 1.0), bits), p


def _finite(m: Math, x: str, y: str) -> str:
    """pow of finite numbers: that of |x|, then zeros and negative x."""
    size = m.call("fabs", x)
    value = _short(m, size, y) if m.d.bits == 32 else _long(m, size, y)
    at_zero = m.select(m.compare("olt", y, 0.0), float("inf"), 0.0)
    is_zero = m.logic("and", m.compare("oeq", x, 0.0), m.compare("une", y, 0.0))
    value = m.select(is_zero, at_zero, value)
    half = m.mul(y, 0.5)
    is_odd = m.logic("and", _is_whole(m, y), m.compare("une", m.call("trunc", half), half))
    value = m.select(is_odd, m.call("copysign", value, x), value)
    no_result = m.logic("and", m.compare("olt", x, 0.0), m.compare("une", m.call("trunc", y), y))
    return m.select(no_result, float("nan"), value)


def _is_whole(m: Math, y: str) -> str:
    return m.compare("oeq", m.call("trunc", y), y)


def _short(m: Math, x: str, y: str) -> str:
    """float32: in float64, to about 30 digits."""
    f = m.f
    w = Math(f, FLOAT64.with_lanes(m.d.lanes))
    x, y = (f.ins(f"fpext {m.t} {a} to {w.t}") for a in (x, y))
    e, mantissa = split(w, x)
    part = w.sub(mantissa, 1.0)
    s = w.div(part, w.add(part, 2.0))
    z = w.mul(s, s)
    logarithm = w.fma(
        s, w.fma(z, w.poly(z, LOG_SHORT), 2.0), w.mul(e.value, (LN2[64][0] + LN2[64][1]) * e.unit)
    )
    product = w.at_most(w.at_least(w.mul(y, logarithm), -200.0), 200.0)
    n, bits = w.rounded(product, LOG2E)
    r = w.fma(n, -(LN2[64][0] + LN2[64][1]), product)
    value = w.add(w.fma(w.mul(r, r), w.poly(r, EXP_SHORT), r), 1.0)
    return f.ins(f"fptrunc {w.t} {w.mul(value, w.power_of_two(bits))} to {m.t}")


def _long(m: Math, x: str, y: str) -> str:
    """float64: the logarithm and its product with y in two floats."""
    high, low = _logarithm(m, *split(m, x))
    y = m.at_most(m.at_least(y, -(2.0**1000)), 2.0**1000)
    product = m.mul(y, high)
    rest = m.fma(y, low, m.fma(y, high, m.neg(product)))
    product = m.at_most(m.at_least(product, -747.0), 711.0)
    # Beyond the range the rest means nothing; within, it is far below a half.
    return scaled_exp(m, product, m.at_most(m.at_least(rest, -0.5), 0.5))


def _quotient_pair(m: Math, x: str) -> Pair:
    """(x - 1) / (x + 1) as the sum of two floats."""
    f = m.sub(x, 1.0)
    inverse = m.div(m.number(1.0), m.add(f, 2.0))
    s = m.mul(f, inverse)
    # f - s*(f + 2), where f - 2s is exact as 2s is near f
    missing = m.fma(m.neg(s), f, m.fma(s, -2.0, f))
    return s, m.mul(missing, inverse)


def _logarithm(m: Math, e: Scaled, mantissa: str) -> Pair:
    """e*ln2 + log(mantissa) as the sum of two floats."""
    s2 = _quotient_pair(m, mantissa)
    z = _product_pair(m, s2, s2)
    tail = m.mul(z[0], m.poly(z[0], LOG_REST))
    series = _sum_pair(m, m.number(TWO_THIRDS[0]), tail, m.number(TWO_THIRDS[1]))
    product = _product_pair(m, z, series)
    value = _product_pair(m, s2, _sum_pair(m, m.number(2.0), *product))
    high, low = (part * e.unit for part in LN2[64])
    return _sum_pair(m, m.mul(e.value, high), value[0], m.fma(e.value, low, value[1]))


def _product_pair(m: Math, a: Pair, b: Pair) -> Pair:
    """The product of two sums, but for that of the low parts."""
    high = m.mul(a[0], b[0])
    rest = m.fma(a[0], b[0], m.neg(high))
    return high, m.fma(a[0], b[1], m.fma(a[1], b[0], rest))


def _sum_pair(m: Math, a: str, b: str, low: str | None = None) -> Pair:
    """a + b + low for |a| >= |b| or a = 0: what the sum a + b loses goes to the low part."""
    high = m.add(a, b)
    lost = m.add(m.sub(a, high), b)
    return high, lost if low is None else m.add(lost, low)
