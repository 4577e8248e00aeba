"""Floats of 16 bits: float16 as LLVM's half, bfloat16 as the upper half of a float32 in an i16.

Arithmetic is done in float32 and rounded to 16 bits after each operation, which for + - * / and square roots gives the
nearest number (float32 has more than twice their digits). Where a processor has instructions for halves, LLVM takes
them instead: it knows that the result is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tewb.base import FLOAT32, FLOAT64, INT32, DType
from tewb.codegen.types import float_constant, int_constant, splat_constant, value_type
from tewb.ir import Binary, Call, Cast, Expr, replace

if TYPE_CHECKING:
    from tewb.codegen.function import Function


def is_narrow(d: DType) -> bool:
    """Whether values of a dtype are floats of 16 bits."""
    return d.bits == 16 and d.is_float


def widened(e: Binary) -> Expr:
    """An operation on two floats of 16 bits, done in float32."""
    d = e.a.dtype
    wide = FLOAT32.with_lanes(d.lanes)
    a, b = Cast(e.a, wide), Cast(e.b, wide)
    if e.dtype.is_bool:
        return replace(e, a=a, b=b)
    return Cast(replace(e, a=a, b=b, dtype=wide), d)


def widened_call(e: Call) -> Expr:
    """An intrinsic of floats of 16 bits, computed in float32; that of three, fma, in float64, which rounds once."""
    d = e.args[0].dtype
    wide = (FLOAT64 if e.op == "fma" else FLOAT32).with_lanes(d.lanes)
    args = tuple(Cast(a, wide) for a in e.args)
    if e.dtype.is_bool:
        return replace(e, args=args)
    return Cast(replace(e, args=args, dtype=wide), d)


# ---------------------------------------------------------------- conversion


def to_float32(f: Function, x: str, d: DType) -> str:
    """The value of 16 bits as float32, which holds all of them."""
    bits = _Bits(f, d.lanes)
    if d.kind == "bfloat":
        return bits.as_float(bits.ins("shl", bits.ins_to("zext", x, value_type(d)), 16))
    if has_halves(f):
        return f.ins(f"fpext {value_type(d)} {x} to {bits.floats}")
    half = bits.ins_to("zext", f.ins(f"bitcast {value_type(d)} {x} to {bits.shorts}"), bits.shorts)
    size = bits.ins("shl", bits.ins("and", half, 0x7FFF), 13)
    scaled = bits.of_float(f.ins(f"fmul {bits.floats} {bits.as_float(size)}, {bits.real(2.0**112)}"))
    is_infinite = bits.compare("uge", size, 0x7C00 << 13)
    size = bits.choose(is_infinite, bits.ins("or", size, 0x7F800000), scaled)
    return bits.as_float(bits.both("or", size, bits.ins("shl", bits.ins("and", half, 0x8000), 16)))


def from_float32(f: Function, x: str, d: DType) -> str:
    """The nearest value of 16 bits; of two the one with an even last digit. NaN stays NaN."""
    bits = _Bits(f, d.lanes)
    if d.kind == "bfloat":
        word = bits.of_float(x)
        last = bits.ins("and", bits.ins("lshr", word, 16), 1)
        rounded = bits.ins("lshr", bits.both("add", bits.ins("add", word, 0x7FFF), last), 16)
        is_nan = f.ins(f"fcmp uno {bits.floats} {x}, {x}")
        quiet = bits.ins("or", bits.ins("lshr", word, 16), 0x40)
        return f.ins(f"trunc {bits.words} {bits.choose(is_nan, quiet, rounded)} to {value_type(d)}")
    if has_halves(f):
        return f.ins(f"fptrunc {bits.floats} {x} to {value_type(d)}")
    word = bits.of_float(x)
    sign = bits.ins("and", bits.ins("lshr", word, 16), 0x8000)
    size = bits.ins("and", word, 0x7FFFFFFF)
    last = bits.ins("and", bits.ins("lshr", size, 13), 1)
    normal = bits.ins("lshr", bits.both("add", bits.ins("add", size, 0xC8000FFF), last), 13)
    # Adding 0.5 rounds a subnormal number to the 24th digit behind the point, the last that a half has.
    half = f.ins(f"fadd {bits.floats} {bits.as_float(size)}, {bits.real(0.5)}")
    subnormal = bits.ins("sub", bits.of_float(half), 0x3F000000)
    result = bits.choose(bits.compare("ult", size, 0x38800000), subnormal, normal)
    result = bits.choose(bits.compare("uge", size, 0x477FF000), bits.number(0x7C00), result)
    result = bits.choose(bits.compare("ugt", size, 0x7F800000), bits.number(0x7E00), result)
    short = f.ins(f"trunc {bits.words} {bits.both('or', result, sign)} to {bits.shorts}")
    return f.ins(f"bitcast {bits.shorts} {short} to {value_type(d)}")


def round_to_odd(f: Function, x: str, lanes: int) -> str:
    """A float64 as a float32 from which rounding to 16 bits gives what rounding once would: the numbers that float32
    does not hold get an odd last digit, so none of them is halfway between two halves."""
    bits = _Bits(f, lanes)
    doubles = value_type(FLOAT64.with_lanes(lanes))
    near = f.ins(f"fptrunc {doubles} {x} to {bits.floats}")
    back = f.ins(f"fpext {bits.floats} {near} to {doubles}")
    size = [_absolute(f, v, doubles) for v in (back, x)]
    is_above = f.ins(f"fcmp ogt {doubles} {size[0]}, {size[1]}")
    is_inexact = f.ins(f"fcmp une {doubles} {back}, {x}")
    word = bits.of_float(near)
    toward_zero = bits.choose(is_above, bits.ins("sub", word, 1), word)
    return bits.as_float(bits.choose(is_inexact, bits.ins("or", toward_zero, 1), word))


def _absolute(f: Function, x: str, t: str) -> str:
    name = "llvm.fabs.f64" if t == "double" else f"llvm.fabs.v{t[1:].split()[0]}f64"
    f.module.declare(name, f"{t} @{name}({t})")
    return f.ins(f"call {t} @{name}({t} {x})")


def has_halves(f: Function) -> bool:
    """Whether the processor converts float16 by itself; LLVM would call a function of a C library otherwise."""
    target = f.module.target
    return target.arch == "aarch64" or target.has("f16c") or target.has("avx512fp16")


class _Bits:
    """Instructions on the bits of float32s, in all lanes."""

    def __init__(self, f: Function, lanes: int) -> None:
        self.f = f
        self.d = INT32.with_lanes(lanes)
        self.words, self.floats = value_type(self.d), value_type(FLOAT32.with_lanes(lanes))
        self.shorts = value_type(DType("int16").with_lanes(lanes))

    def number(self, value: int) -> str:
        """An integer in all lanes."""
        text = int_constant(value, INT32)
        return text if self.d.lanes == 1 else splat_constant(text, self.d)

    def real(self, value: float) -> str:
        """A float in all lanes."""
        text = float_constant(value, FLOAT32)
        return text if self.d.lanes == 1 else splat_constant(text, FLOAT32.with_lanes(self.d.lanes))

    def ins(self, op: str, x: str, value: int) -> str:
        return self.f.ins(f"{op} {self.words} {x}, {self.number(value)}")

    def both(self, op: str, x: str, y: str) -> str:
        return self.f.ins(f"{op} {self.words} {x}, {y}")

    def ins_to(self, op: str, x: str, source: str) -> str:
        """`x` of another type as words."""
        return self.f.ins(f"{op} {source} {x} to {self.words}")

    def compare(self, predicate: str, x: str, value: int) -> str:
        return self.f.ins(f"icmp {predicate} {self.words} {x}, {self.number(value)}")

    def choose(self, condition: str, x: str, y: str) -> str:
        booleans = value_type(DType("bool").with_lanes(self.d.lanes))
        return self.f.ins(f"select {booleans} {condition}, {self.words} {x}, {self.words} {y}")

    def of_float(self, x: str) -> str:
        return self.f.ins(f"bitcast {self.floats} {x} to {self.words}")

    def as_float(self, x: str) -> str:
        return self.f.ins(f"bitcast {self.words} {x} to {self.floats}")
