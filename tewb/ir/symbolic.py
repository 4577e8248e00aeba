"""Symbolic: what Python cannot take for a number or a list, since its values are known in a kernel only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tewb.base import ExpressionError, TewbError, TruthError, brief, here

NO_NUMBER = "has no number in Python: it gets one when a kernel runs"
CONVERT = "x.astype('int32') converts, te.floor(x) rounds, an axis of te.compute or te.reduce_axis makes a loop, {x} is text"


class Equality:
    """What `a == b` of expressions says in an `if`: in classic TE, whether they are the same object. That is silently
    false in the function of an element, where the question is one of values, and so it is refused there."""

    is_identity = False
    elements = 0  # functions of elements that run now


def compare_identity(on: bool) -> None:
    """Whether `a == b` has a truth value outside of the functions of elements."""
    Equality.is_identity = on


@contextmanager
def element_function() -> Iterator[None]:
    """While the function of an element runs."""
    Equality.elements += 1
    try:
        yield
    finally:
        Equality.elements -= 1


class Elementwise:
    """What arithmetic applies to element by element: tensors, which say what `x + A` is for an expression x."""

    __slots__ = ()


class Symbolic:
    """Expressions, axes and tensors. Python's questions for a value raise TewbError (mostly ExpressionError, which
    is a TypeError), and say what to write instead."""

    __slots__ = ()

    def same_as(self, other: object) -> bool:
        """Whether `other` is this very object. (`a == b` builds a comparison.)"""
        return self is other

    def __bool__(self) -> bool:
        hint = "write te.if_then_else(c, a, b) for a choice, te.all(a, b) for `and`, te.any(a, b) for `or`"
        refused = _refused(self, "has no truth value: it stands for all the values a loop gives it", hint)
        raise TruthError(refused.message, hint=refused.hint, span=refused.span)

    def __index__(self) -> int:
        raise _refused(self, NO_NUMBER, CONVERT)

    def __int__(self) -> int:
        # No TypeError: "%d" % x would put a text of its own in its place.
        refused = _refused(self, NO_NUMBER, CONVERT)
        raise TewbError(refused.message, hint=refused.hint, span=refused.span)

    def __len__(self) -> int:
        raise _refused(self, "has no length in Python", "the sizes of a tensor are A.shape")

    def __iter__(self) -> Iterator[Any]:
        hint = "write te.compute((n,), lambda i: A[i]) to go through elements, for i in range(3) to write three of them"
        raise _refused(self, "is not iterable", hint)

    def __contains__(self, what: object) -> bool:
        raise _refused(self, "is nothing to look in", "write te.any(x == 1, x == 2)")

    def __setitem__(self, index: Any, value: Any) -> None:
        hint = (
            "te.compute defines all elements, te.hybrid.script and tewb.tir.ir_builder can store single ones"
        )
        raise _refused(self, "cannot be changed", hint)

    def __delitem__(self, index: Any) -> None:
        raise _refused(self, "cannot be changed", "te.compute defines a tensor with other elements")

    def __matmul__(self, other: Any) -> Any:
        hint = "te.compute((n, m), lambda i, j: te.sum(A[i, k] * B[k, j], axis=k)) with k = te.reduce_axis((0, l))"
        raise _refused(self, "has no product @", hint)

    __rmatmul__ = __matmul__

    def __format__(self, spec: str) -> str:
        try:
            return format(str(self), spec)
        except ValueError:
            raise _refused(
                self, f"is no number that can be shown as :{spec}", "show it as text, {x}"
            ) from None


def _refused(x: Symbolic, why: str, hint: str) -> ExpressionError:
    name = getattr(x, "name", None)
    shown = name if isinstance(name, str) else f"the expression {brief(repr(x), 80)}"
    return ExpressionError(f"{shown} {why}", hint=hint, span=here())
