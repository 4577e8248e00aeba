"""The fits behind tewb/codegen/vector_math: `python -m tests.codegen.fit_polynomials` prints every table.

Remez' exchange with 60 digits: on degree + 2 points the weighted error is made equal with alternating
signs, the points move to where the error is largest, and so on. The coefficients are rounded to the dtype
from the lowest on, and those above are fitted again around each that has been rounded.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Sequence

from mpmath import mp, mpf

mp.dps = 60
Real = Callable[[mpf], mpf]


def remez(f: Real, weight: Real, lo: float, hi: float, powers: Sequence[int]) -> tuple[list[mpf], mpf]:
    """Coefficients of the polynomial in `powers` with the least maximum of |weight * (f - p)|, and that maximum."""
    n = len(powers) + 1
    middle, half = (mpf(lo) + mpf(hi)) / 2, (mpf(hi) - mpf(lo)) / 2
    grid = [middle - half * mp.cos(mp.pi * i / 501) for i in range(502)]
    grid = [x for x in grid if abs(weight(x)) > mpf(10) ** -40]
    values, weights = [f(x) for x in grid], [abs(weight(x)) for x in grid]
    chosen = [round((len(grid) - 1) * (1 - float(mp.cos(mp.pi * k / (n - 1)))) / 2) for k in range(n)]
    coefficients: list[mpf] = []
    for _ in range(40):
        a = mp.matrix(n, n)
        b = mp.matrix(n, 1)
        for row, i in enumerate(chosen):
            for column, p in enumerate(powers):
                a[row, column] = grid[i] ** p
            a[row, n - 1] = (-1) ** row / weights[i]
            b[row] = values[i]
        solved = mp.lu_solve(a, b)
        coefficients, level = list(solved[: n - 1]), abs(solved[n - 1])
        errors = [
            w * (v - sum(c * x**p for c, p in zip(coefficients, powers, strict=True)))
            for x, v, w in zip(grid, values, weights, strict=True)
        ]
        worst = max(abs(e) for e in errors)
        chosen = _extremes(errors, n)
        if len(chosen) < n or worst < level * mpf("1.01"):
            break
    return coefficients, worst


def _extremes(errors: list[mpf], n: int) -> list[int]:
    """The places of the largest errors of alternating sign."""
    found: list[int] = []
    for i, e in enumerate(errors):
        if found and (e > 0) == (errors[found[-1]] > 0):
            if abs(e) > abs(errors[found[-1]]):
                found[-1] = i
        else:
            found.append(i)
    while len(found) > n:
        if len(found) == n + 1:
            found.pop(0 if abs(errors[found[0]]) < abs(errors[found[-1]]) else -1)
            break
        weakest = min(range(len(found)), key=lambda k: abs(errors[found[k]]))
        # An inner one goes with a neighbour, or the signs would no longer alternate.
        at_end = weakest in (0, len(found) - 1)
        first = weakest if at_end else weakest - 1
        del found[first : first + (1 if at_end else 2)]
    return found


def rounded(x: mpf, bits: int) -> float:
    return struct.unpack("<f", struct.pack("<f", float(x)))[0] if bits == 32 else float(x)


def fit(
    name: str, bits: int, f: Real, weight: Real, lo: float, hi: float, count: int, keep: int = 4
) -> list[float]:
    """Print the table `name`: `count` coefficients, the lowest first."""
    fixed: list[float] = []
    while len(fixed) < count:
        known = list(fixed)

        def rest(x: mpf, known: list[float] = known) -> mpf:
            return f(x) - sum(mpf(c) * x**k for k, c in enumerate(known))

        found, worst = remez(rest, weight, lo, hi, range(len(fixed), count))
        if not fixed:
            print(f"# relative error 2**{float(mp.log(worst, 2)):.1f} before rounding")
        # What follows the first few is so small in the sum that it can be rounded as it is.
        fixed += [rounded(c, bits) for c in (found[:1] if len(fixed) < keep else found)]
    print(f"{name} = {tuple(fixed)}\n")
    return fixed


def log_series(z: mpf) -> mpf:
    """((log((1+s)/(1-s)) - 2s) / s**3 for z = s*s."""
    if z < mpf(10) ** -12:
        return mpf(2) / 3 + 2 * z / 5 + 2 * z * z / 7
    s = mp.sqrt(z)
    return (mp.log((1 + s) / (1 - s)) - 2 * s) / (s * z)


def exp_rest(r: mpf) -> mpf:
    return (mp.exp(r) - 1 - r) / (r * r) if abs(r) > mpf(10) ** -20 else mpf(1) / 2


def sin_rest(z: mpf) -> mpf:
    r = mp.sqrt(z)
    return (mp.sin(r) - r) / (r * z) if z > mpf(10) ** -20 else -mpf(1) / 6


def erf_rest(z: mpf) -> mpf:
    x = mp.sqrt(z)
    return mp.erf(x) / x - 1 if z > mpf(10) ** -20 else 2 / mp.sqrt(mp.pi) - 1


def log_rest(f: mpf) -> mpf:
    return (mp.log1p(f) - f + f * f / 2) / f**3 if abs(f) > mpf(10) ** -15 else mpf(1) / 3


def erfc_log(x: mpf) -> mpf:
    return -mp.log(mp.erfc(x))


def log_tail(z: mpf) -> mpf:
    return (log_series(z) - mpf(2) / 3) / z if z > mpf(10) ** -12 else mpf(2) / 5


def sine_part(z: mpf) -> mpf:
    r = mp.sqrt(z)
    return z * r / mp.sin(r) if z else z


def erf_part(z: mpf) -> mpf:
    x = mp.sqrt(z)
    return x / mp.erf(x) if z else mpf(1)


def parts(value: mpf, bits: int, count: int, first: int = 0) -> tuple[float, ...]:
    """Floats whose sum is `value`; the last digits of the first are zero if it may have fewer."""
    found = []
    for k in range(count):
        unit = mpf(2) ** (int(mp.floor(mp.log(abs(value), 2))) + 1 - first)
        found.append(float(mp.floor(value / unit) * unit) if first and not k else rounded(value, bits))
        value -= mpf(found[-1])
    return tuple(found)


def exp2_part(r: mpf) -> mpf:
    return (mp.power(2, r) - 1) / r if abs(r) > mpf(10) ** -20 else mp.log(2)


def cos_rest(z: mpf) -> mpf:
    return (mp.cos(mp.sqrt(z)) - 1 + z / 2) / (z * z) if z > mpf(10) ** -15 else mpf(1) / 24


def atan_rest(z: mpf) -> mpf:
    t = mp.sqrt(z)
    return (mp.atan(t) - t) / (t * z) if z > mpf(10) ** -20 else -mpf(1) / 3


def asin_rest(z: mpf) -> mpf:
    s = mp.sqrt(z)
    return (mp.asin(s) - s) / (s * z) if z > mpf(10) ** -20 else mpf(1) / 6


def log_square(r: mpf) -> mpf:
    return (mp.log1p(r) - r) / (r * r) if abs(r) > mpf(10) ** -20 else -mpf(1) / 2


def log2_square(r: mpf) -> mpf:
    return log_square(r) / mp.log(2)


def from_table(near: float, power: int) -> Real:
    """The weight of r**power where log(c) is added, which is 0 for |r| up to `near`: errors are a part of the sum."""
    return lambda r: abs(r) ** power / abs(mp.log1p(r) if abs(r) < near else near) if r else abs(r)


def of_arc(f: Real) -> Real:
    """The weight of z in f(x)/x for z = x*x: errors are a part of f(x)."""
    return lambda z: z * mp.sqrt(z) / f(mp.sqrt(z)) if z else z


# Of the table of reciprocals: the end of the interval around 1, and the largest |r|.
NEAR, WIDE = {32: 0.0157, 64: 0.0313}, {32: 0.0199, 64: 0.0343}
R = 0.3469  # a little more than ln2 / 2, as n is rounded
FITS: dict[str, Callable[[], object]] = {
    # exp(r) = 1 + r + r*r*p(r), to a part of exp(r) - 1
    "EXP_F32": lambda: fit("EXP_F32", 32, exp_rest, lambda r: r * r / mp.expm1(r), -R, R, 5),
    "EXP_F64": lambda: fit("EXP_F64", 64, exp_rest, lambda r: r * r / mp.expm1(r), -R, R, 10),
    # log(1+f) = f - f*f/2 + f*f*f*p(f); log((1+s)/(1-s)) = 2s + s*z*p(z), z = s*s
    "LOG_F32": lambda: fit("LOG_F32", 32, log_rest, lambda f: f**3 / mp.log1p(f), -0.2929, 0.4143, 8),
    "LOG_F64": lambda: fit("LOG_F64", 64, log_series, lambda z: z, 0, 0.02945, 7),
    # sin(r) = r + r*z*p(z), z = r*r
    "SIN_F32": lambda: fit("SIN_F32", 32, sin_rest, sine_part, 0, 2.4675, 4),
    "SIN_F64": lambda: fit("SIN_F64", 64, sin_rest, sine_part, 0, 2.4675, 8),
    # erf(x) = x + x*p(x*x) for x below 1, 1 - exp(-p(x)) from 1 on
    "ERF_SMALL_F32": lambda: fit("ERF_SMALL_F32", 32, erf_rest, erf_part, 0, 1, 7),
    "ERF_SMALL_F64": lambda: fit("ERF_SMALL_F64", 64, erf_rest, erf_part, 0, 1, 12),
    "ERF_LARGE_F32": lambda: fit("ERF_LARGE_F32", 32, erfc_log, lambda x: mp.erfc(x) / mp.erf(x), 1, 4, 7, 7),
    "ERF_LARGE_F64": lambda: fit(
        "ERF_LARGE_F64", 64, erfc_log, lambda x: mp.erfc(x) / mp.erf(x), 1, 6, 17, 1
    ),
    # pow of float32 in float64, and the tail of the logarithm for float64: 2/3 + z*p(z)
    "LOG_SHORT": lambda: fit("LOG_SHORT", 64, log_series, lambda z: z, 0, 0.02945, 4),
    "EXP_SHORT": lambda: fit("EXP_SHORT", 64, exp_rest, lambda r: r * r / mp.exp(r), -R, R, 5),
    "LOG_REST": lambda: fit("LOG_REST", 64, log_tail, lambda z: z * z, 0, 0.02945, 8),
    # log2((1+s)/(1-s)) = s*(2/ln2 + z*p(z)) and 2**r = 1 + r*q(r), for float32
    "LOG2": lambda: fit("LOG2", 32, lambda z: log_series(z) / mp.log(2), lambda z: z, 0, 0.02945, 4),
    "EXP2": lambda: fit("EXP2", 32, exp2_part, lambda r: r / mp.power(2, r), -0.51, 0.51, 6),
    "EXP2_F64": lambda: fit("EXP2_F64", 64, exp2_part, lambda r: r / mp.power(2, r), -0.5, 0.5, 11),
    # log(1+r) = r + r*r*p(r), log2(1+r) = log2(e)*r + r*r*p(r) and log(1+r) = r - r*r/2 + r**3*p(r), near reciprocals
    "SHORT": lambda: fit("SHORT", 32, log_square, from_table(NEAR[32], 2), -WIDE[32], WIDE[32], 3),
    "SHORT_32": lambda: fit("SHORT_32", 32, log2_square, from_table(NEAR[32], 2), -WIDE[32], WIDE[32], 4, 0),
    "SHORT_64": lambda: fit("SHORT_64", 64, log_rest, from_table(NEAR[64], 3), -WIDE[64], WIDE[64], 9),
    # cos(r) = 1 - z/2 + z*z*p(z), for tan: |r| <= pi/4
    "COS_F32": lambda: fit("COS_F32", 32, cos_rest, lambda z: z * z, 0, 0.617, 3),
    "COS_F64": lambda: fit("COS_F64", 64, cos_rest, lambda z: z * z, 0, 0.617, 6),
    # atan(t) = t + t*z*p(z) and asin(t) the same, z = t*t
    "ATAN_F32": lambda: fit("ATAN_F32", 32, atan_rest, of_arc(mp.atan), 0, 1, 8),
    "ATAN_F64": lambda: fit("ATAN_F64", 64, atan_rest, of_arc(mp.atan), 0, 1, 19),
    "ASIN_F32": lambda: fit("ASIN_F32", 32, asin_rest, of_arc(mp.asin), 0, 0.25, 5),
    "ASIN_F64": lambda: fit("ASIN_F64", 64, asin_rest, of_arc(mp.asin), 0, 0.25, 12),
    "constants": lambda: (
        print("LN2", parts(mp.log(2), 32, 2, 15), parts(mp.log(2), 64, 2, 40)),
        print("PI", parts(mp.pi, 32, 3), parts(mp.pi, 64, 3), "INVERSE_PI", float(1 / mp.pi)),
        print("LOG2E", parts(1 / mp.log(2), 32, 2), parts(1 / mp.log(2), 64, 2)),
        print("LOG10E", parts(1 / mp.log(10), 32, 2), parts(1 / mp.log(10), 64, 2)),
        print("LOG10_2", parts(mp.log10(2), 32, 2, 15), parts(mp.log10(2), 64, 2, 40)),
        print("TWO_THIRDS", parts(mpf(2) / 3, 64, 2), "TWO_LOG2E", parts(2 / mp.log(2), 32, 2)),
    ),
}

if __name__ == "__main__":
    for name in sys.argv[1:] or FITS:
        FITS[name]()
