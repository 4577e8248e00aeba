"""Operators: what expressions, axes and elements of tensors share, so that Python's arithmetic builds expressions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tewb.base import TewbError

if TYPE_CHECKING:
    from tewb.ir.expressions import Expr


class Operators:
    """Arithmetic and comparison operators that build expressions (for Expr, IterVar and tensor elements)."""

    __slots__ = ()

    def __add__(self, other: Any) -> Expr:
        return ops.add(self, other)

    def __radd__(self, other: Any) -> Expr:
        return ops.add(other, self)

    def __sub__(self, other: Any) -> Expr:
        return ops.sub(self, other)

    def __rsub__(self, other: Any) -> Expr:
        return ops.sub(other, self)

    def __mul__(self, other: Any) -> Expr:
        return ops.mul(self, other)

    def __rmul__(self, other: Any) -> Expr:
        return ops.mul(other, self)

    def __truediv__(self, other: Any) -> Expr:
        return ops.div(self, other)

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

    def __pow__(self, other: Any) -> Expr:
        return ops.power(self, other)

    def __rpow__(self, other: Any) -> Expr:
        return ops.power(other, self)

    def __neg__(self) -> Expr:
        return ops.neg(self)

    def __abs__(self) -> Expr:
        return ops.absolute(self)

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
        return ops.equal(self, other)

    def __ne__(self, other: object) -> Expr:  # type: ignore[override]
        return ops.not_equal(self, other)

    __hash__ = object.__hash__

    def astype(self, dtype: str) -> Expr:
        """This value converted to `dtype`."""
        return ops.cast(self, dtype)

    def __bool__(self) -> bool:
        raise TewbError(
            "an expression has no truth value: it stands for all the values a loop gives it",
            hint="write te.if_then_else(c, a, b) for a choice, te.all(a, b) for `and`, te.any(a, b) for `or`",
        )

    def __iter__(self) -> Iterator[Any]:
        raise TypeError(f"{type(self).__name__} is not iterable")


from tewb.ir import ops  # noqa: E402  (the constructors build expressions, which have these operators)
