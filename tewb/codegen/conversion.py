"""Conversion of values between dtypes, and between registers and memory."""

from __future__ import annotations

from tewb.base import FLOAT32, DType
from tewb.codegen.function import Function
from tewb.codegen.narrow_floats import from_float32, is_narrow, round_to_odd, to_float32
from tewb.codegen.types import float_constant, memory_type, suffix, value_type


def convert(f: Function, x: str, source: DType, target: DType) -> str:
    """`x` as `target`: floats round toward zero and stop at the ends of an integer's range (NaN is 0)."""
    if source is target:
        return x
    if is_narrow(source):
        return convert(f, to_float32(f, x, source), FLOAT32.with_lanes(source.lanes), target)
    if is_narrow(target):
        wide = FLOAT32.with_lanes(target.lanes)
        is_double = source.is_float and source.bits == 64
        near = round_to_odd(f, x, target.lanes) if is_double else convert(f, x, source, wide)
        return from_float32(f, near, target)
    s, t = value_type(source), value_type(target)
    if target.is_bool:
        zero = (
            "zeroinitializer"
            if source.lanes > 1
            else (float_constant(0.0, source) if source.is_float else "0")
        )
        return f.ins(f"fcmp une {s} {x}, {zero}" if source.is_float else f"icmp ne {s} {x}, {zero}")
    if source.is_bool and target.bits == 1:
        return x
    if source.is_bool:
        return f.ins(f"{'uitofp' if target.is_float else 'zext'} {s} {x} to {t}")
    if source.is_float and target.is_float:
        return f.ins(f"{'fptrunc' if target.bits < source.bits else 'fpext'} {s} {x} to {t}")
    if target.is_float:
        return f.ins(f"{'sitofp' if source.kind == 'int' else 'uitofp'} {s} {x} to {t}")
    if source.is_float:
        name = f"llvm.fpto{'si' if target.kind == 'int' else 'ui'}.sat.{suffix(target)}.{suffix(source)}"
        f.module.declare(name, f"{t} @{name}({s})")
        return f.ins(f"call {t} @{name}({s} {x})")
    if target.bits == source.bits:
        return x
    if target.bits < source.bits:
        return f.ins(f"trunc {s} {x} to {t}")
    return f.ins(f"{'sext' if source.kind == 'int' else 'zext'} {s} {x} to {t}")


def from_memory_type(f: Function, x: str, d: DType) -> str:
    """A value as it was read from memory in a register: any byte but 0 is true, and the lowest bits of it are an int4."""
    if not d.is_sub_byte:
        return x
    if d.is_bool:
        return f.ins(f"icmp ne {memory_type(d)} {x}, {'zeroinitializer' if d.lanes > 1 else '0'}")
    return f.ins(f"trunc {memory_type(d)} {x} to {value_type(d)}")


def to_memory_type(f: Function, x: str, d: DType) -> str:
    """A value as it is kept in memory: less than 8 bits are extended to a byte."""
    if not d.is_sub_byte:
        return x
    return f.ins(f"{'sext' if d.kind == 'int' else 'zext'} {value_type(d)} {x} to {memory_type(d)}")
