"""Math functions on expressions, and the table of every call that codegen knows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tewb.base import BOOL, HANDLE, INT32, DType, DTypeError
from tewb.ir.buffers import BufferLoad
from tewb.ir.expressions import Call, Expr, FloatImm
from tewb.ir.fixed_point import q_multiply_shift, q_multiply_shift_per_axis
from tewb.ir.ops import const, convert, match

UNARY_FLOAT = (
    "exp", "exp2", "log", "log2", "log10", "log1p", "sqrt", "rsqrt", "tanh", "sigmoid", "sin", "cos", "tan",
    "asin", "acos", "atan", "sinh", "cosh", "erf", "exp10", "asinh", "acosh", "atanh",
)  # fmt: skip
ROUNDING = ("floor", "ceil", "round", "trunc", "nearbyint")
PREDICATES = ("isnan", "isinf", "isfinite")
BINARY_FLOAT = ("pow", "fmod", "atan2", "hypot", "copysign", "nextafter")
BITS = (
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "bitwise_not",
    "shift_left",
    "shift_right",
    "popcount",
    "clz",
)
OTHER = ("if_then_else", "likely", "abs", "fma", "reinterpret", "ldexp", "assume")

PURE = frozenset((*UNARY_FLOAT, *ROUNDING, *PREDICATES, *BINARY_FLOAT, *BITS, *OTHER))

# Arguments of packed and native functions that live on the stack or point to memory, and calls that have an
# effect.
STACK = ("tvm_stack_make_shape", "tvm_stack_make_array", "tvm_tuple", "by_reference", "address_of")
EFFECTS = ("tvm_call_packed", "call_extern", "call_llvm_intrin", "prefetch", "tvm_storage_sync")
PURE_CALLS = (
    "call_pure_extern",
    "call_llvm_pure_intrin",
)  # of functions elsewhere, declared to have no effect
ADDRESSES = ("is_aligned",)  # is_aligned(address_of(A[i]), n): whether the address is a multiple of n bytes

# Sums of products of neighbours, and the bits of an operand (see `dot`).
DOTS = {"dot4": 8, "dot2": 16}

CALLS = PURE.union(STACK, EFFECTS, PURE_CALLS, ADDRESSES, DOTS)

# Calls that may be made once where the lanes of a vector would make the same one each.
REPEATABLE = CALLS.difference(EFFECTS)


def implied_dtype(op: str, args: Sequence[Expr]) -> DType | None:
    """The dtype that the text of a call need not say: that of its last argument (of a dot product the first), that of
    arrays on the stack, bool for a question about an address, or int32 for a barrier."""
    if op in STACK:
        return HANDLE
    if op in ADDRESSES:
        return BOOL
    if op == "tvm_storage_sync":
        return INT32
    if op in DOTS:
        return args[0].dtype if args else None
    return args[-1].dtype if args else None


def _unary(name: str) -> Callable[[Any], Expr]:
    def intrinsic(x: Any) -> Expr:
        e = convert(x)
        if not e.dtype.is_float:
            raise DTypeError(f"{name} takes floats, not {e.dtype}", hint=f"{name}(x.astype('float32'))")
        return Call(name, (e,), e.dtype)

    intrinsic.__name__ = intrinsic.__qualname__ = name
    intrinsic.__doc__ = f"{name}(x), element by element, for float32 and float64."
    return intrinsic


def _rounding(name: str) -> Callable[[Any], Expr]:
    of_number = getattr(np, {"round": "rint", "nearbyint": "rint"}.get(name, name))

    def intrinsic(x: Any) -> Expr:
        e = convert(x)
        if isinstance(e, FloatImm):
            return FloatImm(float(of_number(e.value)), e.dtype)
        return Call(name, (e,), e.dtype) if e.dtype.is_float else e

    intrinsic.__name__ = intrinsic.__qualname__ = name
    intrinsic.__doc__ = f"{name}(x); an integer is returned as it is. `round` takes halves to even, as numpy."
    return intrinsic


def _predicate(name: str) -> Callable[[Any], Expr]:
    def intrinsic(x: Any) -> Expr:
        e = convert(x)
        if e.dtype.is_int or e.dtype.is_bool:
            return const(name == "isfinite", BOOL.with_lanes(e.dtype.lanes))
        if isinstance(e, FloatImm):
            return const(bool(getattr(np, name)(e.value)))
        if not e.dtype.is_float:
            raise DTypeError(f"{name} takes numbers, not {e.dtype}", hint=f"{name}(x), of an element")
        return Call(name, (e,), BOOL.with_lanes(e.dtype.lanes))

    intrinsic.__name__ = intrinsic.__qualname__ = name
    intrinsic.__doc__ = f"{name}(x) as a condition. (Integers are always finite.)"
    return intrinsic


def _binary(name: str) -> Callable[[Any, Any], Expr]:
    def intrinsic(x: Any, y: Any) -> Expr:
        a, b = match(x, y)
        if not a.dtype.is_float:
            raise DTypeError(f"{name} takes floats, not {a.dtype}", hint="cast with .astype('float32')")
        return Call(name, (a, b), a.dtype)

    intrinsic.__name__ = intrinsic.__qualname__ = name
    intrinsic.__doc__ = f"{name}(x, y), element by element, for float32 and float64."
    return intrinsic


exp, exp2, log, log2, log10, log1p, sqrt, rsqrt, tanh, sigmoid = map(_unary, UNARY_FLOAT[:10])
sin, cos, tan, asin, acos, atan, sinh, cosh, erf = map(_unary, UNARY_FLOAT[10:19])
exp10, asinh, acosh, atanh = map(_unary, UNARY_FLOAT[19:])
floor, ceil, round, trunc, nearbyint = map(_rounding, ROUNDING)
isnan, isinf, isfinite = map(_predicate, PREDICATES)
pow, fmod, atan2, hypot, copysign, nextafter = map(_binary, BINARY_FLOAT)


def fma(a: Any, b: Any, c: Any) -> Expr:
    """a * b + c rounded once, on floats."""
    x, y = match(a, b)
    x, z = match(x, c)
    y, z = match(y, z)
    if not x.dtype.is_float:
        raise DTypeError(f"fma takes floats, not {x.dtype}", hint="cast with .astype('float32')")
    return Call("fma", (x, y, z), x.dtype)


def dot(total: Expr, a: Expr, b: Expr) -> Expr:
    """`total` plus the products of neighbours: dot4 of 8-bit integers, dot2 of 16-bit ones.

        dot4(total, a, b)[l]  =  total[l] + sum(int32(a[4*l + q]) * int32(b[4*l + q]) for q in range(4))

    `total` is int32 of any lanes, and the sum wraps as int32 does, whatever the operands. These have 4 (or 2)
    elements for each lane of `total`, signed or not; one with only 4 (or 2) is used in every lane. Raises DTypeError.
    """
    bits = a.dtype.bits
    group, lanes = 32 // max(bits, 1), total.dtype.lanes
    for x in (a, b):
        if not (x.dtype.is_int and bits in (8, 16) and x.dtype.bits == bits):
            raise DTypeError(
                f"dot products are of two 8-bit or two 16-bit integers, not of {a.dtype} and {b.dtype}"
            )
        if x.dtype.lanes not in (group, group * lanes):
            raise DTypeError(
                f"dot{group} on {lanes} lanes takes operands of {group * lanes} or {group} lanes, not {x.dtype}"
            )
    if total.dtype.element != "int32":
        raise DTypeError(f"dot products add to int32, not to {total.dtype}")
    return Call(f"dot{group}", (total, a, b), total.dtype)


def popcount(x: Any) -> Expr:
    """Number of bits set in an integer."""
    e = convert(x)
    if not e.dtype.is_int:
        raise DTypeError(
            f"popcount takes integers, not {e.dtype}", hint="x.astype('int32') makes an integer of a float"
        )
    return Call("popcount", (e,), e.dtype)


def clz(x: Any) -> Expr:
    """Number of zero bits above the highest bit that is set, as int32; all bits of 0 are such."""
    e = convert(x)
    if not e.dtype.is_int or e.dtype.is_bool:
        raise DTypeError(f"clz takes integers, not {e.dtype}", hint="clz(x.astype('int32'))")
    return Call("clz", (e,), INT32.with_lanes(e.dtype.lanes))


def ldexp(x1: Any, x2: Any) -> Expr:
    """x1 * 2**x2 for a float and an integer, rounded once."""
    x, n = convert(x1), convert(x2)
    if not x.dtype.is_float or not n.dtype.is_int or n.dtype.is_bool:
        raise DTypeError(
            f"ldexp takes a float and an integer, not {x.dtype} and {n.dtype}",
            hint="ldexp(x.astype('float32'), n.astype('int32'))",
        )
    return Call("ldexp", (x, n), x.dtype)


def infinity(dtype: str, span: Any = None) -> Expr:
    """The infinity of a float dtype."""
    if not DType(dtype).is_float:
        raise DTypeError(
            f"{dtype} has no infinity", hint=f"te.max_value({str(dtype)!r}) is its largest number"
        )
    return const(math.inf, dtype)


def reinterpret(dtype: str, value: Any, span: Any = None) -> Expr:
    """The number of `dtype` that has the bits of `value`. Both have the same size."""
    e, d = convert(value), DType(dtype)
    if d is e.dtype:
        return e
    plain = all((t.is_int and not t.is_bool) or t.is_float for t in (d, e.dtype))
    if not plain or (d.bits, d.lanes) != (e.dtype.bits, e.dtype.lanes):
        raise DTypeError(
            f"the bits of {e.dtype} are no number of {d}",
            hint="reinterpret keeps the bits, of numbers of one size; x.astype(dtype) converts the number",
        )
    return Call("reinterpret", (e,), d)


def assume(cond: Any = None) -> Expr:
    """A statement that `cond` holds, for programs that say so: nothing is concluded from it, and nothing computed."""
    e = convert(cond)
    if not e.dtype.is_bool:
        raise DTypeError(f"assume takes a condition, not {e.dtype}", hint="assume(n > 0)")
    return Call("assume", (e,), e.dtype)


def undef() -> Expr:
    """An arbitrary int32: 0 here, so that programs give the same numbers each time."""
    return const(0, "int32")


def is_aligned(element: BufferLoad, multiple: int) -> Expr:
    """Whether the address of an element is a multiple of so many bytes, a power of two. The element is not read."""
    return Call("is_aligned", (Call("address_of", (element,), HANDLE), const(multiple)), BOOL)


def call_intrin(dtype: str, name: str, *args: Any) -> Expr:
    """A call of the builtin `name` (classic names begin with "tir.") with a result of `dtype`."""
    op = name.removeprefix("tir.")
    if op in _WRITTEN:
        return _WRITTEN[op](*args)
    return Call(op, tuple(convert(a) for a in args), DType(dtype))


# Intrinsics that are other operations from the beginning.
_WRITTEN: dict[str, Callable[..., Expr]] = {
    "q_multiply_shift": q_multiply_shift,
    "q_multiply_shift_per_axis": q_multiply_shift_per_axis,
    "undef": undef,
}
