"""Math functions: LLVM's own, polynomials (vector_math), or else the C library's, vectors lane by lane."""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any

from tewb.base import BOOL, INT32, CodegenError, DType
from tewb.codegen import vector_math
from tewb.codegen.conversion import convert
from tewb.codegen.function import Function
from tewb.codegen.types import float_constant, int_constant, splat_constant, suffix, value_type
from tewb.runtime import register_symbol

Rule = Callable[[Function, DType, Sequence[str]], str]

WRITTEN_OUT = 16  # lanes


def _llvm(op: str, count: int) -> Rule:
    def rule(f: Function, d: DType, args: Sequence[str]) -> str:
        t = value_type(d)
        name = f"llvm.{op}.{suffix(d)}"
        f.module.declare(name, f"{t} @{name}({', '.join([t] * count)})")
        return f.ins(f"call {t} @{name}({', '.join(f'{t} {a}' for a in args)})")

    return rule


@lru_cache(maxsize=1)
def _libm() -> Any:
    """The C math library."""
    for name in (ctypes.util.find_library("m"), "libm.so.6", "libSystem.dylib", "ucrtbase"):
        try:
            if name:
                return ctypes.CDLL(name)
        except OSError:
            continue
    return ctypes.CDLL(None)


_OWN = "tewb_libm_"


def provide_library(symbols: Sequence[str]) -> None:
    """Register the functions of the C library that are among `symbols`: code from the cache was made by another
    process."""
    for symbol in symbols:
        if symbol.startswith(_OWN):
            _symbol(symbol.removeprefix(_OWN))


@cache
def _symbol(name: str) -> str:
    """Register a function of the C library for generated code; returns our name for it."""
    try:
        function = getattr(_libm(), name)
    except AttributeError:
        raise CodegenError(f"this machine's C library has no function {name}") from None
    own = f"{_OWN}{name}"
    register_symbol(own, ctypes.cast(function, ctypes.c_void_p).value or 0)
    return own


def _library(name: str, count: int = 1) -> Rule:
    def rule(f: Function, d: DType, args: Sequence[str]) -> str:
        scalar = value_type(d.element)
        symbol = _symbol(f"{name}f" if d.bits == 32 else name)
        f.module.declare(symbol, f"{scalar} @{symbol}({', '.join([scalar] * count)}) nounwind memory(none)")
        if d.lanes == 1:
            return f.ins(f"call {scalar} @{symbol}({', '.join(f'{scalar} {a}' for a in args)})")
        return _each_lane(f, d, f"call {scalar} @{symbol}", args)

    return rule


def _each_lane(f: Function, d: DType, call: str, args: Sequence[str]) -> str:
    """A scalar call for every lane: written out for short vectors, a loop for long ones."""
    t, scalar = value_type(d), value_type(d.element)

    def one(lane: object) -> str:
        lanes = [f.ins(f"extractelement {t} {a}, i64 {lane}") for a in args]
        return f.ins(f"{call}({', '.join(f'{scalar} {a}' for a in lanes)})")

    if d.lanes <= WRITTEN_OUT:
        result = "poison"
        for lane in range(d.lanes):
            result = f.ins(f"insertelement {t} {result}, {scalar} {one(lane)}, i64 {lane}")
        return result
    slot = f.stack(scalar, d.lanes)
    for number in f.each(d.lanes):
        place = f.ins(f"getelementptr {scalar}, ptr {slot}, i64 {number}")
        f.do(f"store {scalar} {one(number)}, ptr {place}")
    return f.ins(f"load {t}, ptr {slot}, align {d.element.nbytes}")


def number(value: float, d: DType) -> str:
    """A float constant in all lanes."""
    literal = float_constant(value, d)
    return literal if d.lanes == 1 else splat_constant(literal, d)


def _rsqrt(f: Function, d: DType, args: Sequence[str]) -> str:
    root = _llvm("sqrt", 1)(f, d, args)
    return f.ins(f"fdiv {value_type(d)} {number(1.0, d)}, {root}")


def _absolute(f: Function, d: DType, args: Sequence[str]) -> str:
    if d.is_float:
        return _llvm("fabs", 1)(f, d, args)
    t = value_type(d)
    zero = "0" if d.lanes == 1 else "zeroinitializer"
    negative = f.ins(f"icmp slt {t} {args[0]}, {zero}")
    opposite = f.ins(f"sub {t} {zero}, {args[0]}")
    return f.ins(f"select {value_type(BOOL.with_lanes(d.lanes))} {negative}, {t} {opposite}, {t} {args[0]}")


def _isnan(f: Function, d: DType, args: Sequence[str]) -> str:
    return f.ins(f"fcmp uno {value_type(d)} {args[0]}, {args[0]}")


def _against_infinity(predicate: str) -> Rule:
    def rule(f: Function, d: DType, args: Sequence[str]) -> str:
        size = _llvm("fabs", 1)(f, d, args)
        return f.ins(f"fcmp {predicate} {value_type(d)} {size}, {number(float('inf'), d)}")

    return rule


def _bits(op: str) -> Rule:
    def rule(f: Function, d: DType, args: Sequence[str]) -> str:
        return f.ins(f"{op} {value_type(d)} {args[0]}, {args[1]}")

    return rule


def _not(f: Function, d: DType, args: Sequence[str]) -> str:
    ones = "-1" if d.lanes == 1 else splat_constant("-1", d)
    return f.ins(f"xor {value_type(d)} {args[0]}, {ones}")


def _shift(left: bool) -> Rule:
    """Shifts by the width or more give 0, or the sign, instead of an undefined value."""

    def rule(f: Function, d: DType, args: Sequence[str]) -> str:
        t, b1 = value_type(d), value_type(BOOL.with_lanes(d.lanes))

        def literal(v: int) -> str:
            text = int_constant(v, d.element)
            return text if d.lanes == 1 else splat_constant(text, d)

        x, by = args
        inside = f.ins(f"icmp ult {t} {by}, {literal(d.bits)}")
        if not left and d.kind == "int":
            most = f.ins(f"select {b1} {inside}, {t} {by}, {t} {literal(d.bits - 1)}")
            return f.ins(f"ashr {t} {x}, {most}")
        safe = f.ins(f"select {b1} {inside}, {t} {by}, {t} {literal(0)}")
        moved = f.ins(f"{'shl' if left else 'lshr'} {t} {x}, {safe}")
        return f.ins(f"select {b1} {inside}, {t} {moved}, {t} {literal(0)}")

    return rule


def _leading_zeros(f: Function, d: DType, args: Sequence[str]) -> str:
    t = value_type(d)
    name = f"llvm.ctlz.{suffix(d)}"
    f.module.declare(name, f"{t} @{name}({t}, i1)")
    count = f.ins(f"call {t} @{name}({t} {args[0]}, i1 false)")
    return convert(f, count, DType(f"uint{d.bits}").with_lanes(d.lanes), INT32.with_lanes(d.lanes))


INTRINSICS: dict[str, Rule] = {
    **{op: _llvm(op, 1) for op in ("sqrt", "floor", "ceil", "trunc")},
    "round": _llvm("roundeven", 1),
    "nearbyint": _llvm("roundeven", 1),
    "fma": _llvm("fma", 3),
    "copysign": _llvm("copysign", 2),
    "popcount": _llvm("ctpop", 1),
    "clz": _leading_zeros,
    "abs": _absolute,
    "rsqrt": _rsqrt,
    "isnan": _isnan,
    "isinf": _against_infinity("oeq"),
    "isfinite": _against_infinity("olt"),
    "bitwise_and": _bits("and"),
    "bitwise_or": _bits("or"),
    "bitwise_xor": _bits("xor"),
    "bitwise_not": _not,
    "shift_left": _shift(True),
    "shift_right": _shift(False),
    **{
        name: getattr(vector_math, name)
        for name in (
            "acos",
            "asin",
            "atan",
            "atan2",
            "cosh",
            "erf",
            "exp",
            "exp2",
            "log",
            "log10",
            "log1p",
            "log2",
            "sigmoid",
            "sinh",
            "tanh",
        )
    },
    "sin": vector_math.sine(_library("sin")),
    "cos": vector_math.cosine(_library("cos")),
    "tan": vector_math.tangent(_library("tan")),
    "pow": vector_math.power(_library("pow", 2)),
    **{name: _library(name, 2) for name in ("fmod", "hypot")},
    **{name: _library(name) for name in ("acosh", "asinh", "atanh")},
}
