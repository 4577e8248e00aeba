"""dtypes and constants as LLVM writes them."""

from __future__ import annotations

import struct

from tewb.base import DType, InternalError, nearest


def value_type(d: DType) -> str:
    """The type of a value in a register: booleans are i1, and an int4 is i4."""
    return _shaped(_scalar(d), d.lanes)


def memory_type(d: DType) -> str:
    """The type of a value in memory: what has less than 8 bits takes a byte."""
    return _shaped("i8" if d.is_sub_byte else _scalar(d), d.lanes)


def _scalar(d: DType) -> str:
    match d.kind:
        case "float":
            return {16: "half", 32: "float", 64: "double"}[d.bits]
        case "bfloat":
            return "i16"
        case "int" | "uint" | "bool":
            return f"i{d.bits}"
        case "handle":
            return "ptr"
    raise InternalError(f"no LLVM type for {d}")


def _shaped(scalar: str, lanes: int) -> str:
    return scalar if lanes == 1 else f"<{lanes} x {scalar}>"


def suffix(d: DType) -> str:
    """How an overloaded intrinsic names a type: f32, i64, v8f32."""
    letter = "f" if d.kind == "float" else "i"
    return f"{letter}{d.bits}" if d.lanes == 1 else f"v{d.lanes}{letter}{d.bits}"


def float_constant(value: float, d: DType) -> str:
    """A float literal, exact: LLVM writes float32 and float64 as the bits of a double."""
    value = nearest(value, d)
    if d.kind == "bfloat":
        return str(struct.unpack("<I", struct.pack("<f", value))[0] >> 16)
    if d.bits == 16:
        return f"0xH{struct.unpack('<H', struct.pack('<e', value))[0]:04X}"
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


def int_constant(value: int, d: DType) -> str:
    """An integer literal."""
    return ("true" if value else "false") if d.is_bool else str(value)


def splat_constant(literal: str, d: DType) -> str:
    """A vector literal whose lanes are all `literal`."""
    scalar = _scalar(d)
    return "<" + ", ".join([f"{scalar} {literal}"] * d.lanes) + ">"
