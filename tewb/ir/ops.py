"""Smart constructors: they convert Python values, match dtypes as classic TE does, and fold constants."""

from __future__ import annotations

import math
import operator
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tewb.base import (
    BOOL,
    FLOAT32,
    FLOAT64,
    INT32,
    INT64,
    UINT64,
    DType,
    DTypeError,
    ShapeError,
    TewbWarning,
    here,
    nearest,
    with_article,
)
from tewb.ir import expressions as ir
from tewb.ir.axes import IterVar
from tewb.ir.buffers import Buffer, BufferLoad
from tewb.ir.expressions import Broadcast, Expr, FloatImm, IntImm, StringImm

_LARGEST_FLOAT32 = float(np.finfo("float32").max)
ROUND = "x.astype('int32') makes an integer of a float"

# ---------------------------------------------------------------- constants and conversion


def const(value: Any, dtype: str | None = None, span: Any = None) -> Expr:
    """`value` as a constant of `dtype`; when not given, of int32, float32 or bool, or a wider one that it needs."""
    if dtype is None:
        return convert(value)
    d = dtype if dtype.__class__ is DType else DType(dtype)
    if d.lanes > 1:
        return Broadcast(const(value, d.element), d.lanes, d)
    if d.is_int and value.__class__ is int and d.ends[0] <= value <= d.ends[1]:  # most of them
        return IntImm(value, d)
    if isinstance(value, np.generic):
        value = value.item()
    if not isinstance(value, int | float):
        try:
            value = operator.index(value)
        except TypeError:
            raise DTypeError(
                f"{with_article(type(value).__name__)} cannot be a constant of dtype {d}",
                hint="a constant is a number; x.astype(dtype) converts an expression",
            ) from None
    if d.is_float:
        try:
            return FloatImm(float(value), d)
        except OverflowError:
            raise DTypeError(
                f"a number of {value.bit_length()} bits does not fit {d}",
                hint="float64 and uint64 are the widest dtypes",
            ) from None
    if d.is_bool:
        return IntImm(int(bool(value)), d)
    if d.kind not in ("int", "uint"):
        raise DTypeError(f"{value!r} cannot be a constant of dtype {d}")
    if isinstance(value, float) and not value.is_integer():
        raise DTypeError(
            f"{value!r} is not an integer, so it cannot be a constant of dtype {d}",
            hint='te.const(x, "float32") keeps the fraction; int(x) drops it',
        )
    v = int(value)
    if not d.min_value() <= v <= d.max_value():
        shown = f"a number of {v.bit_length()} bits" if v.bit_length() > 128 else v
        raise DTypeError(
            f"{shown} does not fit {d} ({d.min_value()} to {d.max_value()})",
            hint='use a wider dtype, or cast the other side: x.astype("int64")',
        )
    return IntImm(v, d)


def convert(value: Any) -> Expr:
    """A Python or numpy scalar, an axis or a tensor element as an expression.

    Python's integers become int32, floats float32 and booleans bool. What does not fit goes into int64 (then uint64)
    and float64; infinity and NaN fit float32. A numpy scalar keeps its dtype.
    """
    if isinstance(value, Expr):
        return value
    if value.__class__ is int and -(1 << 31) <= value < 1 << 31:  # most of them
        return IntImm(value, INT32)
    if isinstance(value, IterVar):
        return value.var
    as_expr = getattr(value, "as_expr", None)
    if as_expr is not None:
        expression: Expr = as_expr()
        return expression
    if isinstance(value, bool | np.bool_):
        return IntImm(int(value), BOOL)
    if isinstance(value, np.integer | np.floating):
        return const(value.item(), DType(value.dtype.name))
    if isinstance(value, int):
        if -(1 << 31) <= value < 1 << 31:
            return IntImm(value, INT32)
        return const(value, INT64 if value < 1 << 63 else UINT64)
    if isinstance(value, float):
        return FloatImm(value, FLOAT64 if _LARGEST_FLOAT32 < abs(value) < math.inf else FLOAT32)
    if isinstance(value, str):
        return StringImm(value)
    hint = "expressions are made of numbers, axes and elements of tensors"
    if isinstance(value, slice):
        hint = "an element has one index for each axis: A[2:5] is te.compute((3,), lambda i: A[i + 2])"
    elif hasattr(value, "shape"):
        hint = "index a tensor to get an element: A[i, j]"
    raise DTypeError(
        f"{with_article(type(value).__name__)} cannot be part of an expression", hint=hint, span=here()
    )


def whole(value: Any) -> Any:
    """`value`, where a float that is a whole number, such as the 4.0 of 8 / 2, becomes that integer: for what counts."""
    number = value.value if isinstance(value, FloatImm) else value
    return int(number) if isinstance(number, float) and number.is_integer() else value


def is_const(e: Expr, value: float | None = None) -> bool:
    """Whether `e` is a numeric constant (equal to `value`, when given)."""
    if isinstance(e, IntImm | FloatImm):
        return value is None or e.value == value
    return isinstance(e, Broadcast) and is_const(e.value, value)


def const_int(e: Expr) -> int | None:
    """The value of an integer constant, or None."""
    return e.value if isinstance(e, IntImm) else None


def match(a: Any, b: Any) -> tuple[Expr, Expr]:
    """`a` and `b` as expressions of their common dtype: a Python number is a constant of int32, float32 or bool, and
    a scalar is broadcast to the other side's lanes. (A number that becomes a float64 keeps all its digits.)"""
    x, y = convert(a), convert(b)
    if x.dtype is y.dtype:
        return x, y
    common = common_dtype(x.dtype, y.dtype)
    return _brought_to(common, a, x), _brought_to(common, b, y)


def _brought_to(dtype: DType, value: Any, e: Expr) -> Expr:
    return const(value, dtype) if value.__class__ in (int, float) else cast(e, dtype)


def common_dtype(a: DType, b: DType) -> DType:
    """The dtype that two operands are brought to, as in classic TE: a float wins over an integer, the wider over the
    narrower, and unsigned over signed of the same width."""
    lanes = max(a.lanes, b.lanes)
    if a.lanes != b.lanes and min(a.lanes, b.lanes) != 1:
        raise DTypeError(
            f"vectors of {a.lanes} and {b.lanes} lanes do not go together",
            hint="both have the same lanes, or one is a scalar",
        )
    x, y = a.element, b.element
    if "handle" in (x.kind, y.kind):
        raise DTypeError(
            f"{x} and {y} do not go together in arithmetic",
            hint="a handle is text or an address; compute with numbers, axes and elements of tensors",
            span=here(),
        )
    if x.is_float or y.is_float:
        winner = max((d for d in (x, y) if d.is_float), key=lambda d: d.bits)
    elif x.bits != y.bits:
        winner = max(x, y, key=lambda d: d.bits)
    else:
        winner = y if x.kind == "int" else x
    return winner.with_lanes(lanes)


def _numeric(a: Any, b: Any) -> tuple[Expr, Expr]:
    """Operands of arithmetic: two booleans count as int32."""
    x, y = match(a, b)
    if x.dtype.is_bool:
        d = INT32.with_lanes(x.dtype.lanes)
        return cast(x, d), cast(y, d)
    return x, y


def wrap(value: int, dtype: DType) -> int:
    """`value` modulo 2**bits, in the range of the integer dtype."""
    if dtype.min_value() <= value <= dtype.max_value():
        return value
    value &= (1 << dtype.bits) - 1
    return value - (1 << dtype.bits) if dtype.kind == "int" and value >> (dtype.bits - 1) else value


def _fold(e: type[Expr], a: Expr, b: Expr, f: Callable[[Any, Any], Any]) -> Expr | None:
    """The constant that `f` gives for two scalar constants, rounded or wrapped to their dtype; else None."""
    if isinstance(a, IntImm) and isinstance(b, IntImm):
        return IntImm(wrap(f(a.value, b.value), a.dtype), a.dtype)
    if isinstance(a, FloatImm) and isinstance(b, FloatImm):
        # float32 holds the exact result of + - * on floats of 16 bits, or enough of it to be rounded again.
        kind = np.float64 if a.dtype.bits == 64 else np.float32
        x, y = kind(nearest(a.value, a.dtype)), kind(nearest(b.value, b.dtype))
        with np.errstate(all="ignore"):
            return FloatImm(nearest(float(f(x, y)), a.dtype), a.dtype)
    return None


# ---------------------------------------------------------------- arithmetic


def add(a: Any, b: Any) -> Expr:
    """a + b"""
    x, y = _numeric(a, b)
    folded = _fold(ir.Add, x, y, lambda p, q: p + q)
    if folded is not None:
        return folded
    if x.dtype.is_int and is_const(y, 0):
        return x
    if x.dtype.is_int and is_const(x, 0):
        return y
    return ir.Add(x, y, x.dtype)


def sub(a: Any, b: Any) -> Expr:
    """a - b"""
    x, y = _numeric(a, b)
    folded = _fold(ir.Sub, x, y, lambda p, q: p - q)
    if folded is not None:
        return folded
    if x.dtype.is_int and is_const(y, 0):
        return x
    return ir.Sub(x, y, x.dtype)


def mul(a: Any, b: Any) -> Expr:
    """a * b"""
    x, y = _numeric(a, b)
    folded = _fold(ir.Mul, x, y, lambda p, q: p * q)
    if folded is not None:
        return folded
    if is_const(y, 1):
        return x
    if is_const(x, 1):
        return y
    if x.dtype.is_int and (is_const(x, 0) or is_const(y, 0)):
        return const(0, x.dtype)
    return ir.Mul(x, y, x.dtype)


def as_index(e: Expr) -> Expr:
    """An integer as an index. Wide unsigned ones become int64: in int32, the dtype of sizes, a value that is too
    large would become negative, and so less than every size."""
    return cast(e, INT64) if e.dtype.kind == "uint" and e.dtype.bits >= 32 else e


def size_product(a: Expr, b: Expr) -> Expr:
    """a * b for sizes, in a dtype that holds it: that of the wider one, or int64 where the product may exceed it."""
    x, y = const_int(a), const_int(b)
    if x == 1 or y == 1:
        return b if x == 1 else a
    dtype = common_dtype(a.dtype, b.dtype)
    fits = x is not None and y is not None and abs(x * y) <= dtype.max_value()
    wide = dtype if fits or 0 in (x, y) else INT64
    return mul(cast(a, wide), cast(b, wide))


def neg(a: Any) -> Expr:
    """-a, which wraps (for floats -0.0 - a, so that the sign of zero is right)"""
    x = convert(a)
    if isinstance(x, FloatImm):
        return FloatImm(-x.value, x.dtype)
    return sub(const(-0.0 if x.dtype.is_float else 0, x.dtype), x)


_divides_integers = False


def divide_integers(allowed: bool) -> None:
    """Let i / j of integers round toward zero, as until v0.6 of tvm, with a warning; or refuse it."""
    global _divides_integers
    _divides_integers = allowed


def div(a: Any, b: Any) -> Expr:
    """a / b on floats. Integers are refused, since the direction of rounding must be stated: see `divide_integers`."""
    x, y = _numeric(a, b)
    if _divides_integers and x.dtype.is_int:
        said = f"i / j on {x.dtype} rounds toward zero, as until v0.6: write i // j, or te.truncdiv"
        warnings.warn(said, TewbWarning, stacklevel=3)
        return truncdiv(x, y)
    if not x.dtype.is_float:
        raise DTypeError(
            f"a / b on {x.dtype} does not say how to round",
            hint="use a // b or te.floordiv (down), te.truncdiv (toward zero), te.indexdiv (both >= 0), or cast",
        )
    folded = None if is_const(y, 0) else _fold(ir.Div, x, y, lambda p, q: p / q)
    return folded if folded is not None else ir.Div(x, y, x.dtype)


def _integers(op: str, a: Any, b: Any) -> tuple[Expr, Expr]:
    x, y = _numeric(a, b)
    if not x.dtype.is_int:
        raise DTypeError(f"{op} takes integers, not {x.dtype}", hint=ROUND, span=here())
    if is_const(y, 0):
        raise DTypeError(
            f"{op}: division by zero",
            hint="the divisor is the constant 0: was another one meant?",
            span=here(),
        )
    return x, y


def c_div(a: Any, b: Any, span: Any = None) -> Expr:
    """a / b as C has it: integers round toward zero. (The operator / takes floats only.)"""
    x, y = _numeric(a, b)
    return truncdiv(x, y) if x.dtype.is_int else div(x, y)


def floordiv(a: Any, b: Any) -> Expr:
    """a // b, rounding down, and 0 where b is 0; on floats floor(a / b)"""
    x, y = _numeric(a, b)
    if x.dtype.is_float:
        return ir.Call("floor", (div(x, y),), x.dtype)
    x, y = _integers("floordiv", x, y)
    folded = _fold(ir.FloorDiv, x, y, lambda p, q: p // q)
    if folded is not None:
        return folded
    return x if is_const(y, 1) else ir.FloorDiv(x, y, x.dtype)


def floormod(a: Any, b: Any) -> Expr:
    """a % b with the sign of b, and 0 where b is 0; on floats as Python's %"""
    x, y = _numeric(a, b)
    if x.dtype.is_float:
        return sub(x, mul(floordiv(x, y), y))
    x, y = _integers("floormod", x, y)
    folded = _fold(ir.FloorMod, x, y, lambda p, q: p % q)
    if folded is not None:
        return folded
    return const(0, x.dtype) if is_const(y, 1) else ir.FloorMod(x, y, x.dtype)


def truncdiv(a: Any, b: Any) -> Expr:
    """a / b on integers, rounding toward zero, and 0 where b is 0"""
    x, y = _integers("truncdiv", a, b)
    folded = _fold(ir.Div, x, y, lambda p, q: abs(p) // abs(q) * (1 if (p < 0) == (q < 0) else -1))
    if folded is not None:
        return folded
    return x if is_const(y, 1) else ir.Div(x, y, x.dtype)


def truncmod(a: Any, b: Any) -> Expr:
    """Remainder of `truncdiv`: the sign of a, and 0 where b is 0"""
    x, y = _integers("truncmod", a, b)
    folded = _fold(ir.Mod, x, y, lambda p, q: abs(p) % abs(q) * (-1 if p < 0 else 1))
    return folded if folded is not None else ir.Mod(x, y, x.dtype)


def indexdiv(a: Any, b: Any) -> Expr:
    """a // b for a, b >= 0"""
    return floordiv(a, b)


def indexmod(a: Any, b: Any) -> Expr:
    """a % b for a, b >= 0"""
    return floormod(a, b)


def minimum(a: Any, b: Any) -> Expr:
    """The smaller; NaN if either is NaN"""
    x, y = _numeric(a, b)
    folded = None if x.dtype.is_float else _fold(ir.Min, x, y, min)
    if folded is not None:
        return folded
    return x if x is y else ir.Min(x, y, x.dtype)


def maximum(a: Any, b: Any) -> Expr:
    """The larger; NaN if either is NaN"""
    x, y = _numeric(a, b)
    folded = None if x.dtype.is_float else _fold(ir.Max, x, y, max)
    if folded is not None:
        return folded
    return x if x is y else ir.Max(x, y, x.dtype)


def cast(value: Any, dtype: str) -> Expr:
    """`value` converted to `dtype`; a scalar becomes a vector when `dtype` has lanes."""
    x, d = convert(value), DType(dtype)
    if x.dtype is d:
        return x
    if x.dtype.lanes != d.lanes:
        if x.dtype.lanes != 1:
            raise DTypeError(f"{x.dtype} has {x.dtype.lanes} lanes and cannot become {d}")
        return Broadcast(cast(x, d.element), d.lanes, d)
    if isinstance(x, Broadcast):
        return Broadcast(cast(x.value, d.element), d.lanes, d)
    if d.kind == "handle" or x.dtype.kind == "handle":
        raise DTypeError(f"{x.dtype} cannot become {d}", hint="addresses and text are no numbers")
    if isinstance(x, IntImm):
        return FloatImm(nearest(x.value, d), d) if d.is_float else _int_constant(x.value, d)
    if isinstance(x, FloatImm):
        value = _held(x)
        if d.is_float:
            return FloatImm(nearest(value, d), d)
        if math.isfinite(value) and (d.is_bool or d.min_value() <= int(value) <= d.max_value()):
            return _int_constant(int(bool(value)) if d.is_bool else int(value), d)
    return ir.Cast(x, d)


def _held(x: IntImm | FloatImm) -> float:
    """The value that a register holds for a constant: 0.1 as float32 is 0.100000001490116."""
    return nearest(x.value, x.dtype) if isinstance(x, FloatImm) else x.value


def _int_constant(value: int, dtype: DType) -> Expr:
    return IntImm(int(bool(value)) if dtype.is_bool else wrap(value, dtype), dtype)


def power(a: Any, b: Any) -> Expr:
    """a ** b on floats; an integer base takes a constant exponent from 0 to 8 and multiplies"""
    x, y = _numeric(a, b)
    times = const_int(convert(b))
    if times is not None and 0 <= times <= 8:
        product = cast(1, x.dtype)
        for _ in range(times):
            product = mul(product, x)
        return product
    if not x.dtype.is_float:
        raise DTypeError(
            f"{x.dtype} ** {y!r} needs a constant exponent from 0 to 8", hint="cast to float first"
        )
    return ir.Call("pow", (x, y), x.dtype)


def absolute(a: Any) -> Expr:
    """|a|; that of the smallest signed integer wraps to itself, as in numpy"""
    x = convert(a)
    if isinstance(x, FloatImm):
        return FloatImm(abs(x.value), x.dtype)
    if x.dtype.kind in ("uint", "bool"):
        return x
    if isinstance(x, IntImm):
        return IntImm(wrap(abs(x.value), x.dtype), x.dtype)
    return ir.Call("abs", (x,), x.dtype)


# ---------------------------------------------------------------- comparison and logic


def _compare(cls: Any, a: Any, b: Any, f: Callable[[Any, Any], bool]) -> Expr:
    x, y = match(a, b)
    if x is y and x.dtype.is_int and x.dtype.lanes == 1:
        return IntImm(int(f(0, 0)), BOOL)
    if isinstance(x, IntImm | FloatImm) and isinstance(y, IntImm | FloatImm):
        return IntImm(int(f(_held(x), _held(y))), BOOL)
    comparison: Expr = cls(x, y, BOOL.with_lanes(x.dtype.lanes))
    return comparison


def equal(a: Any, b: Any) -> Expr:
    """a == b"""
    return _compare(ir.EQ, a, b, lambda p, q: p == q)


def not_equal(a: Any, b: Any) -> Expr:
    """a != b"""
    return _compare(ir.NE, a, b, lambda p, q: p != q)


def less(a: Any, b: Any) -> Expr:
    """a < b"""
    return _compare(ir.LT, a, b, lambda p, q: p < q)


def less_equal(a: Any, b: Any) -> Expr:
    """a <= b"""
    return _compare(ir.LE, a, b, lambda p, q: p <= q)


def greater(a: Any, b: Any) -> Expr:
    """a > b"""
    return _compare(ir.GT, a, b, lambda p, q: p > q)


def greater_equal(a: Any, b: Any) -> Expr:
    """a >= b"""
    return _compare(ir.GE, a, b, lambda p, q: p >= q)


def _booleans(op: str, *values: Any) -> list[Expr]:
    conditions = [convert(v) for v in values]
    for e in conditions:
        if not e.dtype.is_bool:
            raise DTypeError(f"{op} takes conditions, not {e.dtype}", hint="compare with something: x != 0")
    lanes = max(e.dtype.lanes for e in conditions)
    return [cast(e, BOOL.with_lanes(lanes)) for e in conditions]


def logical_and(a: Any, b: Any) -> Expr:
    """a and b"""
    x, y = _booleans("logical_and", a, b)
    if is_const(x):
        return y if is_const(x, 1) else x
    if is_const(y):
        return x if is_const(y, 1) else y
    return ir.And(x, y, x.dtype)


def logical_or(a: Any, b: Any) -> Expr:
    """a or b"""
    x, y = _booleans("logical_or", a, b)
    if is_const(x):
        return x if is_const(x, 1) else y
    if is_const(y):
        return y if is_const(y, 1) else x
    return ir.Or(x, y, x.dtype)


def logical_not(a: Any) -> Expr:
    """not a"""
    (x,) = _booleans("logical_not", a)
    if isinstance(x, IntImm):
        return IntImm(1 - x.value, BOOL)
    return x.a if isinstance(x, ir.Not) else ir.Not(x, x.dtype)


def all_of(*conditions: Any) -> Expr:
    """Whether all conditions hold"""
    conjunction: Expr = IntImm(1, BOOL)
    for c in conditions:
        conjunction = logical_and(conjunction, c)
    return conjunction


def any_of(*conditions: Any) -> Expr:
    """Whether any condition holds"""
    disjunction: Expr = IntImm(0, BOOL)
    for c in conditions:
        disjunction = logical_or(disjunction, c)
    return disjunction


def select(cond: Any, then: Any, other: Any) -> Expr:
    """`then` where cond holds, else `other`; both are evaluated, but an element of a tensor that te.compute reads in one
    of them only where it is chosen, when it could not be read otherwise"""
    (c,) = _booleans("select", cond)
    x, y = match(then, other)
    if isinstance(c, IntImm):
        return x if c.value else y
    lanes = max(c.dtype.lanes, x.dtype.lanes)
    d = x.dtype.with_lanes(lanes)
    return ir.Select(cast(c, BOOL.with_lanes(lanes)), cast(x, d), cast(y, d), d)


def if_then_else(cond: Any, then: Any, other: Any) -> Expr:
    """`then` when cond holds, else `other`; only that one is evaluated, so it may guard an access"""
    (c,) = _booleans("if_then_else", cond)
    x, y = match(then, other)
    if isinstance(c, IntImm):
        return x if c.value else y
    if c.dtype.lanes > 1:
        raise DTypeError("if_then_else takes a scalar condition", hint="te.select chooses lane by lane")
    return ir.Call("if_then_else", (c, x, y), x.dtype)


def likely(cond: Any) -> Expr:
    """A guard that holds except at edges; loop partition looks for it"""
    c = convert(cond)
    if is_const(c) or (isinstance(c, ir.Call) and c.op == "likely"):
        return c
    return ir.Call("likely", (c,), c.dtype)


# ---------------------------------------------------------------- bits


def _bit_operands(a: Any, b: Any) -> tuple[Expr, Expr]:
    """`match`, where a number of Python has the dtype of the other side, as in classic TE, when that has the number."""
    if a.__class__ is int:
        y, x = _bit_operands(b, a)
        return x, y
    x = convert(a)
    d = x.dtype
    fits = b.__class__ is int and d.is_int and d.min_value() <= b <= d.max_value()
    return match(x, const(b, d) if fits else b)


def _bits(op: str, a: Any, b: Any, f: Callable[[int, int], int]) -> Expr:
    x, y = _bit_operands(a, b)
    if x.dtype.is_float:
        raise DTypeError(f"{op} takes integers, not {x.dtype}", hint=ROUND, span=here())
    folded = _fold(ir.Call, x, y, f)
    return folded if folded is not None else ir.Call(op, (x, y), x.dtype)


def bitwise_and(a: Any, b: Any) -> Expr:
    """a & b; on conditions `and`"""
    x, y = _bit_operands(a, b)
    return logical_and(x, y) if x.dtype.is_bool else _bits("bitwise_and", x, y, lambda p, q: p & q)


def bitwise_or(a: Any, b: Any) -> Expr:
    """a | b; on conditions `or`"""
    x, y = _bit_operands(a, b)
    return logical_or(x, y) if x.dtype.is_bool else _bits("bitwise_or", x, y, lambda p, q: p | q)


def bitwise_xor(a: Any, b: Any) -> Expr:
    """a ^ b"""
    return _bits("bitwise_xor", a, b, lambda p, q: p ^ q)


def bitwise_not(a: Any) -> Expr:
    """~a; on conditions `not`"""
    x = convert(a)
    if x.dtype.is_bool:
        return logical_not(x)
    if x.dtype.is_float:
        raise DTypeError(f"bitwise_not takes integers, not {x.dtype}", hint=ROUND, span=here())
    return (
        IntImm(wrap(~x.value, x.dtype), x.dtype)
        if isinstance(x, IntImm)
        else ir.Call("bitwise_not", (x,), x.dtype)
    )


def shift_left(a: Any, b: Any) -> Expr:
    """a << b; 0 where b is not from 0 to bits - 1, as in numpy. Two booleans count as int32."""
    return _bits("shift_left", *_shifted(a, b), lambda p, q: p << q)


def shift_right(a: Any, b: Any) -> Expr:
    """a >> b, keeping the sign of signed integers; 0 or -1 where b is not from 0 to bits - 1, as in numpy"""
    return _bits("shift_right", *_shifted(a, b), lambda p, q: p >> q)


def _shifted(a: Any, b: Any) -> tuple[Expr, Expr]:
    x, y = _numeric(*_bit_operands(a, b))
    if isinstance(y, IntImm) and not 0 <= y.value < x.dtype.bits:
        raise DTypeError(
            f"shift of {x.dtype} by {y.value}; it must be from 0 to {x.dtype.bits - 1}",
            hint="cast to a wider dtype first, as in x.astype('int64') << 40",
            span=here(),
        )
    return x, y


# ---------------------------------------------------------------- memory


def load(buffer: Buffer, indices: Any) -> Expr:
    """The element of `buffer` at `indices` (int32 or int64 scalars, one per dimension; a vector index
    makes a vector)."""
    index = tuple(convert(i) for i in (indices if isinstance(indices, tuple | list) else (indices,)))
    if len(index) != len(buffer.shape):
        raise ShapeError(
            f"{buffer.name} has {len(buffer.shape)} dimensions, not {len(index)}",
            hint=f"its shape is ({', '.join(map(repr, buffer.shape))})",
        )
    for i in index:
        if not i.dtype.is_int:
            raise DTypeError(
                f"{buffer.name} is indexed with {i!r} of dtype {i.dtype}", hint="indices are integers"
            )
    lanes = max((i.dtype.lanes for i in index), default=1)
    return BufferLoad(buffer, index, buffer.dtype.with_lanes(lanes))


def ramp(base: Any, stride: Any, lanes: int) -> Expr:
    """The vector base, base+stride, ...; one lane is the base itself"""
    x, y = match(base, stride)
    return x if lanes == 1 else ir.Ramp(x, y, lanes, x.dtype.with_lanes(lanes))


def broadcast(value: Any, lanes: int) -> Expr:
    """`value` repeated; one lane is the value itself"""
    x = convert(value)
    return x if lanes == 1 else Broadcast(x, lanes, x.dtype.with_lanes(lanes))


def shuffle(vectors: Sequence[Expr], indices: Sequence[int]) -> Expr:
    """The lanes `indices` of `vectors`, counted through all of them one after the other."""
    total = sum(v.dtype.lanes for v in vectors)
    element = vectors[0].dtype.element if vectors else None
    if element is None or not indices:
        raise ShapeError("a shuffle takes at least one vector and gives at least one lane")
    for v in vectors:
        if v.dtype.element is not element:
            raise DTypeError(f"lanes of {element} and of {v.dtype.element} do not go into one vector")
    for i in indices:
        if not 0 <= i < total:
            raise ShapeError(f"there is no lane {i} among the {total} lanes of the vectors")
    return ir.Shuffle(tuple(vectors), tuple(indices), element.with_lanes(len(indices)))
