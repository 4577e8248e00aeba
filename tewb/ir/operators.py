"""Operators: what expressions, axes and elements of tensors share, so that Python's arithmetic builds expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tewb.base import DTypeError, ExpressionError, here
from tewb.ir.symbolic import Elementwise, Symbolic

if TYPE_CHECKING:
    from tewb.ir.expressions import Expr


class Operators(Symbolic):
    """Arithmetic and comparison operators that build expressions (for Expr, IterVar and tensor elements)."""

    __slots__ = ()

    def __add__(self, other: Any) -> Expr:
        return NotImplemented if isinstance(other, Elementwise) else ops.add(self, other)

    def __radd__(self, other: Any) -> Expr:
        return ops.add(other, self)

    def __sub__(self, other: Any) -> Expr:
        return NotImplemented if isinstance(other, Elementwise) else ops.sub(self, other)

    def __rsub__(self, other: Any) -> Expr:
        return ops.sub(other, self)

    def __mul__(self, other: Any) -> Expr:
        return NotImplemented if isinstance(other, Elementwise) else ops.mul(self, other)

    def __rmul__(self, other: Any) -> Expr:
        return ops.mul(other, self)

    def __truediv__(self, other: Any) -> Expr:
        return NotImplemented if isinstance(other, Elementwise) else ops.div(self, other)

    def __rtruediv__(self, other: Any) -> Expr:
        return ops.div(other, self)

    def __floordiv__(self, other: Any) -> Expr:
        return ops.floordiv(self, other)

    def __rfloordiv__(self, other: Any) -> Expr:
        return ops.floordiv(other, self)

    def __mod__(self, other: Any) -> Expr:
        return ops.floormod(self, other)

    def __rmod__(self, other: Any) -> Expr:
        return ops.floormod(other, self)

    def __divmod__(self, other: Any) -> tuple[Expr, Expr]:
        return ops.floordiv(self, other), ops.floormod(self, other)

    def __rdivmod__(self, other: Any) -> tuple[Expr, Expr]:
        return ops.floordiv(other, self), ops.floormod(other, self)

    def __pow__(self, other: Any, modulus: Any = None) -> Expr:
        power = ops.power(self, other)
        return power if modulus is None else ops.floormod(power, modulus)

    def __rpow__(self, other: Any) -> Expr:
        return ops.power(other, self)

    def __neg__(self) -> Expr:
        return ops.neg(self)

    def equal(self, other: Any) -> Expr:
        """self == other, element by element, as an expression."""
        return ops.equal(self, other)

    def __pos__(self) -> Expr:
        return ops.convert(self)

    def __abs__(self) -> Expr:
        return ops.absolute(self)

    def __round__(self, digits: int | None = None) -> Expr:
        if digits is not None:
            raise ExpressionError(
                f"round(x, {digits!r}): expressions are rounded to whole numbers",
                hint="scale them, as in te.round(x * 100) / 100",
                span=here(),
            )
        return intrinsics.round(self)

    def __floor__(self) -> Expr:
        return intrinsics.floor(self)

    def __ceil__(self) -> Expr:
        return intrinsics.ceil(self)

    def __trunc__(self) -> Expr:
        return intrinsics.trunc(self)

    def __lshift__(self, other: Any) -> Expr:
        return ops.shift_left(self, other)

    def __rshift__(self, other: Any) -> Expr:
        return ops.shift_right(self, other)

    def __rlshift__(self, other: Any) -> Expr:
        return ops.shift_left(other, self)

    def __rrshift__(self, other: Any) -> Expr:
        return ops.shift_right(other, self)

    def __and__(self, other: Any) -> Expr:
        return ops.bitwise_and(self, other)

    def __rand__(self, other: Any) -> Expr:
        return ops.bitwise_and(other, self)

    def __or__(self, other: Any) -> Expr:
        return ops.bitwise_or(self, other)

    def __ror__(self, other: Any) -> Expr:
        return ops.bitwise_or(other, self)

    def __xor__(self, other: Any) -> Expr:
        return ops.bitwise_xor(self, other)

    def __rxor__(self, other: Any) -> Expr:
        return ops.bitwise_xor(other, self)

    def __invert__(self) -> Expr:
        return ops.bitwise_not(self)

    def __lt__(self, other: Any) -> Expr:
        return ops.less(self, other)

    def __le__(self, other: Any) -> Expr:
        return ops.less_equal(self, other)

    def __gt__(self, other: Any) -> Expr:
        return ops.greater(self, other)

    def __ge__(self, other: Any) -> Expr:
        return ops.greater_equal(self, other)

    def __eq__(self, other: object) -> Expr:  # type: ignore[override]
        """A comparison of values. Nothing is None, which is known at once."""
        return ops.const(False) if other is None else ops.equal(self, other)

    def __ne__(self, other: object) -> Expr:  # type: ignore[override]
        """A comparison of values. Everything is other than None, which is known at once."""
        return ops.const(True) if other is None else ops.not_equal(self, other)

    __hash__ = object.__hash__

    def astype(self, dtype: str) -> Expr:
        """This value converted to `dtype`."""
        return ops.cast(self, dtype)

    def __getitem__(self, index: Any) -> Any:
        raise ExpressionError(
            f"{self!r} is one number, which has no elements",
            hint="index a tensor, as in A[i, j]",
            span=here(),
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """What numpy's functions mean: np.exp(A[i]) is te.exp(A[i]), and np.int64(2) * x is x * np.int64(2)."""
        name = ufunc.__name__
        if name != "matmul" and any(isinstance(x, np.ndarray) and x.ndim for x in inputs):
            objects = [np.asarray(x, object) for x in inputs]  # the result is an array of expressions
            return getattr(ufunc, method)(*objects, **options)
        function = getattr(ops, _NUMPY.get(name, name), None) or getattr(
            intrinsics, _NUMPY.get(name, name), None
        )
        numbers = [x.value if isinstance(x, IntImm) else x for x in inputs]
        if name in intrinsics.UNARY_FLOAT and not isinstance(numbers[0], Operators):
            return getattr(ufunc, method)(*numbers, **options)  # a number of Python, as math.sqrt gives
        if function is None or method != "__call__" or options:
            raise DTypeError(
                f"np.{name} does not take an expression",
                hint="the functions of te do, as te.exp(x)",
                span=here(),
            )
        return function(*[x[()] if isinstance(x, np.ndarray) else x for x in inputs])


# What numpy calls functions that have another name in `ops` or `intrinsics`.
_NUMPY = {
    "subtract": "sub", "multiply": "mul", "divide": "div", "true_divide": "div", "floor_divide": "floordiv",
    "remainder": "floormod", "mod": "floormod", "negative": "neg", "positive": "convert", "invert": "bitwise_not",
    "left_shift": "shift_left", "right_shift": "shift_right", "rint": "round", "arcsin": "asin", "arccos": "acos",
    "arctan": "atan", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "arctan2": "atan2", "bitwise_count": "popcount", "fabs": "absolute",
}  # fmt: skip


# The constructors build expressions, which have these operators.
from tewb.ir import ops  # noqa: E402  # isort: skip
from tewb.ir import intrinsics  # noqa: E402  # isort: skip
from tewb.ir.expressions import IntImm  # noqa: E402  # isort: skip
