"""atan, atan2, asin and acos: odd polynomials near zero, and identities that bring every argument there.

The coefficients come from tests/codegen/fit_polynomials.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from tewb.base import DType
from tewb.codegen.function import Function
from tewb.codegen.vector_math.build import Math
from tewb.codegen.vector_math.sine import PI

# atan(t) = t + t*z*p(z) for |t| <= 1, z = t*t
ATAN = {
    32: (
        -0.33333152532577515,
        0.19993767142295837,
        -0.14211004972457886,
        0.10665791481733322,
        -0.07551730424165726,
        0.04320589080452919,
        -0.016364164650440216,
        0.002919744234532118,
    ),
    64: (
        -0.3333333333333186,
        0.19999999999755208,
        -0.1428571427133999,
        0.11111110678772965,
        -0.09090901234249275,
        0.07692212905375989,
        -0.06665860101521566,
        0.05877306061048755,
        -0.052392252873201026,
        0.04673924483962018,
        -0.04092577653813358,
        0.034066716317911444,
        -0.025825308709165436,
        0.01697652210333968,
        -0.009183424759829662,
        0.0038553672697485882,
        -0.0011638517460615093,
        0.0002229741689143788,
        -2.0253720797018657e-05,
    ),
}
# asin(t) = t + t*z*p(z) for |t| <= 1/2
ASIN = {
    32: (0.16666752099990845, 0.074953094124794, 0.04546914994716644, 0.02418476901948452, 0.042158342897892),
    64: (
        0.16666666666665408,
        0.07500000000337129,
        0.04464285682823738,
        0.030381959140562863,
        0.022371757968756838,
        0.017359705909870262,
        0.013885225139763686,
        0.012169272177047094,
        0.006527746161827443,
        0.019528803151564897,
        -0.016224962212368063,
        0.03191266894577598,
    ),
}


def _odd(m: Math, t: str, z: str, table: Sequence[float]) -> str:
    return m.fma(m.mul(t, z), m.poly(z, table), t)


def _less(m: Math, value: str, unit: float) -> str:
    """pi*unit - value, with pi in two parts."""
    high, low, _ = PI[m.d.bits]
    return m.sub(m.number(high * unit), m.sub(value, low * unit))


def atan(f: Function, d: DType, args: Sequence[str]) -> str:
    """atan(x), at most 2 ulp: pi/2 - atan(1/x) for x above 1; the sign is x's, that of zero too."""
    m = Math(f, d)
    size = m.call("fabs", args[0])
    large = m.compare("ogt", size, 1.0)
    t = m.select(large, m.div(m.number(1.0), size), size)
    value = _odd(m, t, m.mul(t, t), ATAN[d.bits])
    return m.call("copysign", m.select(large, _less(m, value, 0.5), value), args[0])


def atan2(f: Function, d: DType, args: Sequence[str]) -> str:
    """The angle of the point (x, y), at most 3 ulp, zeros and infinities as C has them."""
    m = Math(f, d)
    y, x = args
    height, width = m.call("fabs", y), m.call("fabs", x)
    steep = m.compare("ogt", height, width)
    t = m.div(m.select(steep, width, height), m.select(steep, height, width))
    same = m.compare("oeq", height, width)  # 0/0 and infinity/infinity are no number
    t = m.select(same, m.select(m.compare("oeq", height, 0.0), 0.0, 1.0), t)
    value = _odd(m, t, m.mul(t, t), ATAN[d.bits])
    value = m.select(steep, _less(m, value, 0.5), value)
    left = m.int_compare("slt", m.bits(x), 0)
    value = m.call("copysign", m.select(left, _less(m, value, 1.0), value), y)
    return m.select(m.compare("uno", x, y), m.add(x, y), value)


def _half_angle(m: Math, x: str) -> tuple[str, str]:
    """Where |x| > 1/2, and asin of |x| there or else of sqrt((1 - |x|)/2); NaN beyond 1."""
    size = m.call("fabs", x)
    large = m.compare("ogt", size, 0.5)
    half = m.fma(size, -0.5, 0.5)
    z = m.select(large, half, m.mul(size, size))
    return large, _odd(m, m.select(large, m.call("sqrt", half), size), z, ASIN[m.d.bits])


def asin(f: Function, d: DType, args: Sequence[str]) -> str:
    """asin(x), at most 3 ulp: pi/2 - 2*asin(sqrt((1-x)/2)) for x above 1/2; the sign is x's."""
    m = Math(f, d)
    large, angle = _half_angle(m, args[0])
    value = m.select(large, _less(m, m.add(angle, angle), 0.5), angle)
    return m.call("copysign", value, args[0])


def acos(f: Function, d: DType, args: Sequence[str]) -> str:
    """acos(x), at most 2 ulp: 2*asin(sqrt((1-x)/2)) for x above 1/2, and pi less that of -x below -1/2."""
    m = Math(f, d)
    (x,) = args
    large, angle = _half_angle(m, x)
    twice = m.add(angle, angle)
    negative = m.compare("olt", x, 0.0)
    far = m.select(negative, _less(m, twice, 1.0), twice)
    near = _less(m, m.call("copysign", angle, x), 0.5)
    return m.select(large, far, near)
