"""Vector math as polynomials in LLVM IR: the same code for every vector width and processor.

`exp` reduces x to n*ln2 + r with |r| <= ln2/2 (Cody and Waite's two-part ln2), takes a minimax polynomial
of exp(r), and scales by 2**n in two steps, so that subnormal results and the largest floats are right.
"""

from __future__ import annotations

from collections.abc import Callable

from tewb.base import BOOL, INT32, DType
from tewb.codegen.function import Function
from tewb.codegen.types import float_constant, splat_constant, suffix, value_type

LOG2E = 1.4426950408889634
LN2_HIGH = 0.693145751953125  # 11 trailing zero bits: n * LN2_HIGH is exact for |n| < 2**11
LN2_LOW = 1.4286068203094172e-06
# exp(r) = 1 + r + r*r*p(r) on |r| <= 0.3466: p fitted in float64 to a relative error below 2e-9
# (tests/codegen/fit_exp.py does the fit).
EXP = (0.5, 0.16666666, 0.041666012, 0.0083334, 0.0013933, 0.00019875)


class _Math:
    """Short names for building float code of one dtype."""

    def __init__(self, f: Function, d: DType) -> None:
        self.f, self.d, self.t = f, d, value_type(d)
        self.i = INT32.with_lanes(d.lanes)

    def number(self, value: float) -> str:
        literal = float_constant(value, self.d)
        return literal if self.d.lanes == 1 else splat_constant(literal, self.d)

    def integer(self, value: int) -> str:
        return str(value) if self.d.lanes == 1 else splat_constant(str(value), self.i)

    def fma(self, a: str, b: str, c: str) -> str:
        name = f"llvm.fma.{suffix(self.d)}"
        self.f.module.declare(name, f"{self.t} @{name}({self.t}, {self.t}, {self.t})")
        return self.f.ins(f"call {self.t} @{name}({self.t} {a}, {self.t} {b}, {self.t} {c})")

    def call(self, op: str, *args: str) -> str:
        name = f"llvm.{op}.{suffix(self.d)}"
        self.f.module.declare(name, f"{self.t} @{name}({', '.join([self.t] * len(args))})")
        return self.f.ins(f"call {self.t} @{name}({', '.join(f'{self.t} {a}' for a in args)})")

    def op(self, name: str, a: str, b: str) -> str:
        return self.f.ins(f"{name} {self.t} {a}, {b}")

    def int_op(self, name: str, a: str, b: str) -> str:
        return self.f.ins(f"{name} {value_type(self.i)} {a}, {b}")

    def power_of_two(self, n: str) -> str:
        """2**n as a float, for integers n from -126 to 127: n put into the exponent bits."""
        biased = self.int_op("add", n, self.integer(127))
        bits = self.int_op("shl", biased, self.integer(23))
        return self.f.ins(f"bitcast {value_type(self.i)} {bits} to {self.t}")

    def select(self, cond: str, a: str, b: str) -> str:
        b1 = value_type(BOOL.with_lanes(self.d.lanes))
        return self.f.ins(f"select {b1} {cond}, {self.t} {a}, {self.t} {b}")

    def compare(self, predicate: str, a: str, b: str) -> str:
        return self.f.ins(f"fcmp {predicate} {self.t} {a}, {b}")

    def poly(self, x: str, coefficients: tuple[float, ...]) -> str:
        """Horner's rule, lowest coefficient first."""
        value = self.number(coefficients[-1])
        for c in reversed(coefficients[:-1]):
            value = self.fma(value, x, self.number(c))
        return value


def exp(f: Function, d: DType, x: str) -> str:
    """exp(x) for float32, at most 1 ulp; 0 below -104, infinity above 88.73, NaN for NaN."""
    m = _Math(f, d)
    low = m.call("minnum", m.call("maxnum", x, m.number(-104.0)), m.number(89.0))
    n = m.call("roundeven", m.op("fmul", low, m.number(LOG2E)))
    r = m.fma(n, m.number(-LN2_HIGH), low)
    r = m.fma(n, m.number(-LN2_LOW), r)
    square = m.op("fmul", r, r)
    value = m.op("fadd", m.fma(square, m.poly(r, EXP), r), m.number(1.0))
    whole = f.ins(f"fptosi {m.t} {n} to {value_type(m.i)}")
    half = m.int_op("ashr", whole, m.integer(1))
    rest = m.int_op("sub", whole, half)
    scaled = m.op("fmul", m.op("fmul", value, m.power_of_two(half)), m.power_of_two(rest))
    return m.select(m.compare("uno", x, x), x, scaled)


POLYNOMIALS: dict[str, Callable[[Function, DType, str], str]] = {"exp": exp}
