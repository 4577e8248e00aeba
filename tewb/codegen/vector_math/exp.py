"""exp and functions computed with it: exp2, sigmoid, tanh, sinh and cosh.

x = n*ln2 + r with |r| <= ln2/2 (Cody and Waite's ln2 in two parts), exp(r) - 1 is a minimax polynomial, and
2**n goes into the exponent: for `exp` by an instruction of AVX-512 or in two steps, so that subnormal results and the
largest floats are right.
The coefficients come from tests/codegen/fit_polynomials.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from tewb.base import DType
from tewb.codegen.function import Function
from tewb.codegen.vector_math.build import Math
from tewb.codegen.vector_math.wide import has_wide_instructions, scaled

LOG2E = 1.4426950408889634
# ln2 = high + low; n * high is exact, as its last digits are zero.
LN2 = {
    32: (0.693145751953125, 1.428606765330187e-06),
    64: (0.6931471805592082, 7.371002565167799e-13),
}
# exp(r) = 1 + r + r*r*p(r) for |r| <= 0.3469
EXP = {
    32: (
        0.4999999701976776,
        0.16666539013385773,
        0.041667744517326355,
        0.00836707092821598,
        0.0013838966842740774,
    ),
    64: (
        0.5000000000000006,
        0.16666666666665558,
        0.04166666666656528,
        0.008333333334235925,
        0.0013888888936113924,
        0.0001984126756622696,
        2.4801499445540903e-05,
        2.7559559687093718e-06,
        2.7628398172612865e-07,
        2.4313653296181134e-08,
    ),
}
# 2**r = 1 + r*q(r) for |r| <= 1/2
EXP2 = {
    32: (
        0.6931471824645996,
        0.2402258962392807,
        0.05550363287329674,
        0.009625714272260666,
        0.0013389814412221313,
        0.0001334155967924744,
    ),
    64: (
        0.6931471805599453,
        0.24022650695910172,
        0.055504108664824574,
        0.009618129107577079,
        0.0013333558145567515,
        0.00015403530478843848,
        1.5252734737935028e-05,
        1.3215424487259697e-06,
        1.0177656105659625e-07,
        7.075616304254049e-09,
        4.519312956070546e-10,
    ),
}
# exp is 0 below and infinity above.
RANGE = {32: (-104.0, 89.0), 64: (-746.0, 710.0)}


def reduced_exp(m: Math, x: str, low: str | None = None) -> tuple[str, str, str]:
    """n as a float, bits that end in n, and exp(r) - 1, where x + low = n*ln2 + r."""
    n, bits = m.rounded(x, LOG2E)
    high, rest = LN2[m.d.bits]
    r = m.fma(n, -rest, m.fma(n, -high, x))
    if low is not None:
        r = m.add(r, low)
    return n, bits, m.fma(m.mul(r, r), m.poly(r, EXP[m.d.bits]), r)


def scaled_exp(m: Math, x: str, low: str | None = None) -> str:
    """exp(x + low) for x within RANGE; `low` is a correction of at most 1/2."""
    n, bits, less_one = reduced_exp(m, x, low)
    return _times_power_of_two(m, m.add(less_one, 1.0), n, bits)


def _times_power_of_two(m: Math, value: str, n: str, bits: str) -> str:
    """value * 2**n for the integer n, which is in the lowest of `bits` too: at once, or in two steps, each with a
    normal factor."""
    if has_wide_instructions(m):
        return scaled(m, value, n)
    _, half = m.rounded(n, 0.5)
    value = m.mul(value, m.power_of_two(half))
    return m.mul(value, m.power_of_two(m.int_op("sub", bits, half)))


def exp(f: Function, d: DType, args: Sequence[str]) -> str:
    """exp(x), about 1 ulp: 0 and infinity out of range, subnormal results included, NaN for NaN."""
    m = Math(f, d)
    lowest, highest = RANGE[d.bits]
    return scaled_exp(m, m.at_most(m.at_least(args[0], lowest), highest))


def exp2(f: Function, d: DType, args: Sequence[str]) -> str:
    """2**x, about 1 ulp; whole x are exact."""
    m = Math(f, d)
    lowest, highest = (-151.0, 129.0) if d.bits == 32 else (-1076.0, 1025.0)
    x = m.at_most(m.at_least(args[0], lowest), highest)
    n, bits = m.rounded(x, 1.0)
    r = m.sub(x, n)
    return _times_power_of_two(m, m.fma(r, m.poly(r, EXP2[d.bits]), 1.0), n, bits)


def sigmoid(f: Function, d: DType, args: Sequence[str]) -> str:
    """1 / (1 + exp(-x)), about 2 ulp: as e / (1 + e) with e = exp(x) for negative x, which keeps the digits
    of small results."""
    m = Math(f, d)
    (x,) = args
    e = scaled_exp(m, m.at_least(m.neg(m.call("fabs", x)), RANGE[d.bits][0]))
    return m.div(m.select(m.compare("olt", x, 0.0), e, 1.0), m.add(e, 1.0))


def tanh(f: Function, d: DType, args: Sequence[str]) -> str:
    """(exp(2x) - 1) / (exp(2x) + 1) on |x|, at most 3 ulp; the sign is x's, that of zero too."""
    m = Math(f, d)
    (x,) = args
    # tanh is 1 to the last digit from here on.
    size = m.at_most(m.call("fabs", x), 9.1 if d.bits == 32 else 19.1)
    _, bits, less_one = reduced_exp(m, m.add(size, size))
    power = m.power_of_two(bits)
    e = m.fma(power, less_one, m.sub(power, 1.0))  # exp(2x) - 1
    return m.call("copysign", m.div(e, m.add(e, 2.0)), x)


def _quarters(m: Math, x: str) -> tuple[str, str]:
    """exp(|x|) / 4 and (exp(|x|) - 1) / 4, which neither is subnormal nor overflows before cosh and sinh do."""
    size = m.at_most(m.call("fabs", x), 89.5 if m.d.bits == 32 else 710.6)
    _, bits, less_one = reduced_exp(m, size)
    power = m.power_of_two(m.int_op("sub", bits, 2))
    return m.fma(power, less_one, power), m.fma(power, less_one, m.sub(power, 0.25))


def sinh(f: Function, d: DType, args: Sequence[str]) -> str:
    """(e + e / (e + 1)) / 2 with e = exp(|x|) - 1, at most 3 ulp; the sign is x's, that of zero too."""
    m = Math(f, d)
    _, e = _quarters(m, args[0])
    whole = m.fma(e, 4.0, 1.0)
    half = m.add(e, m.div(e, whole))
    return m.call("copysign", m.add(half, half), args[0])


def cosh(f: Function, d: DType, args: Sequence[str]) -> str:
    """(exp(|x|) + exp(-|x|)) / 2, at most 2 ulp."""
    m = Math(f, d)
    e, _ = _quarters(m, args[0])
    return m.fma(e, 2.0, m.div(m.number(0.125), e))
