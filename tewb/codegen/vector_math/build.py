"""A builder of float code for one dtype: the same text for scalars and for vectors of any width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tewb.base import BOOL, INT32, INT64, DType
from tewb.codegen.function import Function
from tewb.codegen.types import float_constant, splat_constant, suffix, value_type


class Scaled(NamedTuple):
    """A number as value * unit, where constants can absorb the unit."""

    value: str
    unit: float


class Math:
    """Writes float instructions of dtype `d` into `f`. Values are SSA names or literals; `integer` values
    have as many bits as the floats."""

    def __init__(self, f: Function, d: DType) -> None:
        self.f, self.d, self.t = f, d, value_type(d)
        self.i = (INT32 if d.bits == 32 else INT64).with_lanes(d.lanes)
        self.it = value_type(self.i)
        self.b1 = value_type(BOOL.with_lanes(d.lanes))
        self.digits = 23 if d.bits == 32 else 52  # of the mantissa, after the leading 1
        self.bias = 127 if d.bits == 32 else 1023

    # ---- constants

    def number(self, value: float) -> str:
        literal = float_constant(value, self.d)
        return literal if self.d.lanes == 1 else splat_constant(literal, self.d)

    def integer(self, value: int) -> str:
        return str(value) if self.d.lanes == 1 else splat_constant(str(value), self.i)

    # ---- floats

    def op(self, name: str, a: str, b: str | float) -> str:
        return self.f.ins(f"{name} {self.t} {a}, {self._operand(b)}")

    def add(self, a: str, b: str | float) -> str:
        return self.op("fadd", a, b)

    def sub(self, a: str, b: str | float) -> str:
        return self.op("fsub", a, b)

    def mul(self, a: str, b: str | float) -> str:
        return self.op("fmul", a, b)

    def div(self, a: str, b: str | float) -> str:
        return self.op("fdiv", a, b)

    def neg(self, a: str) -> str:
        return self.f.ins(f"fneg {self.t} {a}")

    def fma(self, a: str, b: str | float, c: str | float) -> str:
        """a * b + c, rounded once."""
        return self.call("fma", a, b, c)

    def call(self, op: str, *args: str | float) -> str:
        name = f"llvm.{op}.{suffix(self.d)}"
        self.f.module.declare(name, f"{self.t} @{name}({', '.join([self.t] * len(args))})")
        return self.f.ins(f"call {self.t} @{name}({', '.join(f'{self.t} {self._operand(a)}' for a in args)})")

    def poly(self, x: str, coefficients: Sequence[float]) -> str:
        """Horner's rule, lowest coefficient first."""
        value: str | float = coefficients[-1]
        for c in reversed(coefficients[:-1]):
            value = self.fma(x, value, c)
        return self._operand(value)

    def at_least(self, x: str, low: float) -> str:
        """The larger of x and `low`; NaN stays (in this order it is one instruction on x86)."""
        return self.select(self.compare("ogt", self.number(low), x), low, x)

    def at_most(self, x: str, high: float) -> str:
        """The smaller of x and `high`; NaN stays."""
        return self.select(self.compare("olt", self.number(high), x), high, x)

    def compare(self, predicate: str, a: str, b: str | float) -> str:
        return self.f.ins(f"fcmp {predicate} {self.t} {a}, {self._operand(b)}")

    def select(self, cond: str, a: str | float, b: str | float) -> str:
        a, b = self._operand(a), self._operand(b)
        return self.f.ins(f"select {self.b1} {cond}, {self.t} {a}, {self.t} {b}")

    def logic(self, op: str, a: str, b: str) -> str:
        """`and`, `or` of conditions."""
        return self.f.ins(f"{op} {self.b1} {a}, {b}")

    def _operand(self, x: str | float) -> str:
        return x if isinstance(x, str) else self.number(x)

    # ---- bits

    def int_op(self, name: str, a: str, b: str | int) -> str:
        return self.f.ins(f"{name} {self.it} {a}, {b if isinstance(b, str) else self.integer(b)}")

    def int_compare(self, predicate: str, a: str, b: str | int) -> str:
        return self.f.ins(f"icmp {predicate} {self.it} {a}, {b if isinstance(b, str) else self.integer(b)}")

    def int_select(self, cond: str, a: str, b: str) -> str:
        return self.f.ins(f"select {self.b1} {cond}, {self.it} {a}, {self.it} {b}")

    def bits(self, x: str) -> str:
        return self.f.ins(f"bitcast {self.t} {x} to {self.it}")

    def floating(self, bits: str) -> str:
        return self.f.ins(f"bitcast {self.it} {bits} to {self.t}")

    def rounded(self, x: str, scale: float) -> tuple[str, str]:
        """n, the integer next to x * scale, as a float, and bits whose lowest are n's.

        1.5 * 2**digits has room for an integer in the lowest digits of its sum with x * scale, which the
        fma rounds to even: no conversions. For |n| < 2**(digits - 1).
        """
        magic = 1.5 * 2.0**self.digits
        shifted = self.add(x, magic) if scale == 1.0 else self.fma(x, scale, magic)
        return self.sub(shifted, magic), self.bits(shifted)

    def power_of_two(self, n: str) -> str:
        """2**n as a float for the integer in the lowest bits of `n`: n put into the exponent."""
        return self.floating(self.int_op("add", self.int_op("shl", n, self.digits), self.bias << self.digits))

    def times_power_of_two(self, x: str, n: str) -> str:
        """x * 2**n for the integer in the lowest bits of `n`, where x and the result are normal."""
        return self.floating(self.int_op("add", self.bits(x), self.int_op("shl", n, self.digits)))

    def exponent(self, power: str) -> Scaled:
        """e as a float, for bits that are e * 2**digits."""
        target = self.f.module.target
        if self.d.bits == 32 or (self.d.lanes > 1 and (target.has("avx512dq") or target.arch == "aarch64")):
            # Converted in place: the digits below are zero, and no shift is needed.
            return Scaled(self.f.ins(f"sitofp {self.it} {power} to {self.t}"), 2.0**-self.digits)
        # Other processors do not convert 64 bits. Below the leading 1 of 2**52, the bits (with a bias that keeps
        # them positive) are those of a float.
        positive = self.int_op("add", power, self.bias << self.digits)
        bits = self.int_op(
            "or", self.int_op("lshr", positive, self.digits), (self.bias + self.digits) << self.digits
        )
        return Scaled(self.sub(self.floating(bits), 2.0**self.digits + self.bias), 1.0)
