"""Floats of 16 bits: float16 as LLVM's half, bfloat16 as the upper half of a float32 in an i16.

Arithmetic is done in float32 and rounded to 16 bits after each operation, which for + - * / and square roots gives the
nearest number (float32 has more than twice their digits). Where a processor has instructions for halves, LLVM takes
them instead: it knows that the result is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tewb.base import FLOAT32, FLOAT64, DType
from tewb.codegen.types import value_type
from tewb.codegen.vector_math.build import Math
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
    m = _floats(f, d.lanes)
    if d.kind == "bfloat":
        return m.floating(m.int_op("shl", _widened_bits(m, x, value_type(d)), 16))
    if has_halves(f):
        return f.ins(f"fpext {value_type(d)} {x} to {m.t}")
    half = _widened_bits(m, f.ins(f"bitcast {value_type(d)} {x} to {_shorts(d)}"), _shorts(d))
    size = m.int_op("shl", m.int_op("and", half, 0x7FFF), 13)
    scaled = m.bits(m.mul(m.floating(size), 2.0**112))
    is_infinite = m.int_compare("uge", size, 0x7C00 << 13)
    size = m.int_select(is_infinite, m.int_op("or", size, 0x7F800000), scaled)
    return m.floating(m.int_op("or", size, m.int_op("shl", m.int_op("and", half, 0x8000), 16)))


def from_float32(f: Function, x: str, d: DType) -> str:
    """The nearest value of 16 bits; of two the one with an even last digit. NaN stays NaN."""
    m = _floats(f, d.lanes)
    if d.kind == "bfloat":
        word = m.bits(x)
        last = m.int_op("and", m.int_op("lshr", word, 16), 1)
        rounded = m.int_op("lshr", m.int_op("add", m.int_op("add", word, 0x7FFF), last), 16)
        is_nan = m.compare("uno", x, x)
        quiet = m.int_op("or", m.int_op("lshr", word, 16), 0x40)
        return f.ins(f"trunc {m.it} {m.int_select(is_nan, quiet, rounded)} to {value_type(d)}")
    if has_halves(f):
        return f.ins(f"fptrunc {m.t} {x} to {value_type(d)}")
    word = m.bits(x)
    sign = m.int_op("and", m.int_op("lshr", word, 16), 0x8000)
    size = m.int_op("and", word, 0x7FFFFFFF)
    last = m.int_op("and", m.int_op("lshr", size, 13), 1)
    normal = m.int_op("lshr", m.int_op("add", m.int_op("add", size, 0xC8000FFF), last), 13)
    # Adding 0.5 rounds a subnormal number to the 24th digit behind the point, the last that a half has.
    subnormal = m.int_op("sub", m.bits(m.add(m.floating(size), 0.5)), 0x3F000000)
    result = m.int_select(m.int_compare("ult", size, 0x38800000), subnormal, normal)
    result = m.int_select(m.int_compare("uge", size, 0x477FF000), m.integer(0x7C00), result)
    result = m.int_select(m.int_compare("ugt", size, 0x7F800000), m.integer(0x7E00), result)
    short = f.ins(f"trunc {m.it} {m.int_op('or', result, sign)} to {_shorts(d)}")
    return f.ins(f"bitcast {_shorts(d)} {short} to {value_type(d)}")


def round_to_odd(f: Function, x: str, lanes: int) -> str:
    """A float64 as a float32 from which rounding to 16 bits gives what rounding once would: the numbers that float32
    does not hold get an odd last digit, so none of them is halfway between two halves."""
    m = _floats(f, lanes)
    wide = Math(f, FLOAT64.with_lanes(lanes))
    near = f.ins(f"fptrunc {wide.t} {x} to {m.t}")
    back = f.ins(f"fpext {m.t} {near} to {wide.t}")
    is_above = wide.compare("ogt", wide.call("fabs", back), wide.call("fabs", x))
    is_inexact = wide.compare("une", back, x)
    word = m.bits(near)
    toward_zero = m.int_select(is_above, m.int_op("sub", word, 1), word)
    return m.floating(m.int_select(is_inexact, m.int_op("or", toward_zero, 1), word))


def has_halves(f: Function) -> bool:
    """Whether the processor converts float16 by itself; LLVM would call a function of a C library otherwise."""
    target = f.module.target
    return target.arch == "aarch64" or target.has("f16c") or target.has("avx512fp16")


def _floats(f: Function, lanes: int) -> Math:
    """Writes instructions on float32s, and on their bits."""
    return Math(f, FLOAT32.with_lanes(lanes))


def _shorts(d: DType) -> str:
    """The type of the bits of floats of 16 bits."""
    return value_type(DType("int16").with_lanes(d.lanes))


def _widened_bits(m: Math, x: str, source: str) -> str:
    """Bits of the type `source` with zeros above them, as many as a float32 has."""
    return m.f.ins(f"zext {source} {x} to {m.it}")
