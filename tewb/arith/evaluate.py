"""The value of an integer expression, for many values of its variables at once."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from tewb.base import DType, FromParts, memory_dtype, rounded
from tewb.ir import (
    EQ,
    GE,
    GT,
    LE,
    LT,
    NE,
    Add,
    And,
    Call,
    Cast,
    Expr,
    FloorDiv,
    FloorMod,
    IntImm,
    Max,
    Min,
    Mul,
    Not,
    Or,
    Select,
    Sub,
    Var,
)

# The operators of the IR in numpy; division of integers rounds down.
NUMPY_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    Add: np.add, Sub: np.subtract, Mul: np.multiply, FloorDiv: np.floor_divide, FloorMod: np.mod, Min: np.minimum,
    Max: np.maximum, EQ: np.equal, NE: np.not_equal, LT: np.less, LE: np.less_equal, GT: np.greater,
    GE: np.greater_equal, And: np.logical_and, Or: np.logical_or,
}  # fmt: skip


def truncated_quotient(a: Any, b: Any) -> Any:
    """a / b of numpy integers rounded toward zero, and 0 where b is 0."""
    down = np.floor_divide(a, b)
    inexact = np.not_equal(np.multiply(down, b), a)
    return np.where(np.equal(b, 0), 0, down + (inexact & (np.less(a, 0) != np.less(b, 0))))


def converted(a: Any, dtype: str) -> Any:
    """`a` as a kernel converts it: integers wrap, a float loses its fraction and is clamped to the range of the
    dtype, and NaN becomes 0."""
    if "float" in dtype:
        return rounded(a, DType(dtype))
    x, d = np.asarray(a), DType(dtype)
    if x.dtype.kind != "f" or not d.is_int:
        return rounded(x, d)
    held = memory_dtype(d)
    least, most = np.array(d.ends, held)
    whole = np.trunc(x)
    below, above = whole < float(least), whole >= float(most) + (1 if d.bits < 64 else 0)
    kept = np.where(below | above | np.isnan(x), 0, whole).astype(held)
    return np.where(below, least, np.where(above, most, kept))


class _Arithmetic(NamedTuple):
    """Operators on numbers, how a constant and its negation are written, and the choice between two values."""

    operators: Mapping[type, Callable[[Any, Any], Any]]
    number: Callable[[int], Any]
    negated: Callable[[Any], Any]
    chosen: Callable[[Any, Any, Any], Any]


_NUMPY = _Arithmetic(NUMPY_OPERATORS, np.int64, np.logical_not, np.where)
_PYTHON = _Arithmetic(
    {
        Add: operator.add, Sub: operator.sub, Mul: operator.mul, FloorDiv: lambda a, b: a // b if b else 0,
        FloorMod: lambda a, b: a % b if b else 0, Min: min, Max: max, EQ: operator.eq, NE: operator.ne,
        LT: operator.lt, LE: operator.le, GT: operator.gt, GE: operator.ge, And: lambda a, b: bool(a and b),
        Or: lambda a, b: bool(a or b),
    },
    int, operator.not_, lambda cond, a, b: a if cond else b,
)  # fmt: skip


def evaluate_integers(e: Expr, values: Mapping[Var, Any]) -> Any:
    """`e` with numpy integers, or arrays of them, for its variables; 64 bits wide, and 0 where it divides by 0. None
    when a variable has no value, or when a part of `e` is not integer arithmetic."""
    with np.errstate(all="ignore"):
        return _evaluated(e, values.get, _NUMPY)


def evaluate_number(e: Expr, value: Callable[[Var], float | None]) -> Any:
    """`e` as a number of Python, with `value(v)` for each variable: an integer, or what lies between two. It is 0 where it
    divides by 0. None when a variable has no value, or when a part of `e` is not integer arithmetic."""
    return _evaluated(e, value, _PYTHON)


def _evaluated(e: Expr, value: Callable[[Var], Any], by: _Arithmetic) -> Any:
    return FromParts[Expr, Any](lambda x, part: _from_parts(x, value, by, part))[e]


def _from_parts(e: Expr, value: Callable[[Var], Any], by: _Arithmetic, part: Callable[[Expr], Any]) -> Any:
    """The value of an expression, from those of its parts."""
    f = by.operators.get(e.__class__)
    if f is not None:
        a, b = part(e.a), part(e.b)  # type: ignore[attr-defined]
        return None if a is None or b is None else f(a, b)
    match e:
        case IntImm(number, _):
            return by.number(number)
        case Var():
            return value(e)
        case Cast(a, _) | Call("likely", (a,)):
            return part(a)
        case Not(a):
            x = part(a)
            return None if x is None else by.negated(x)
        case Select(c, a, b) | Call("if_then_else", (c, a, b)):
            cond, x, y = part(c), part(a), part(b)
            return None if cond is None or x is None or y is None else by.chosen(cond, x, y)
    return None
