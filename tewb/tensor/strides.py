"""Strides of arguments, to say in conditions: `te.stride(A, 0) == 1`."""

from __future__ import annotations

from typing import Any

from tewb.base import INT32, LowerError, here
from tewb.ir import Var, const_int, node, ops
from tewb.tensor.tensor import Tensor


@node
class StrideVar(Var):
    """The stride of `tensor` in a dimension, in elements, in the array that a call gives."""

    tensor: Any
    dimension: int


def only_in_conditions(v: StrideVar) -> LowerError:
    """The error of a stride that stands where a call does not tell it."""
    return LowerError(
        f"{v.name} is known in conditions of specialize only",
        hint=f"with s.specialize(te.{v.name} == 1): ...",
        span=here(),
    )


def stride(tensor: Tensor, dimension: int) -> Var:
    """How far apart neighbours in a dimension of an argument are in memory, in elements, in the array that a call gives:

        with s.specialize(te.stride(A, 0) == 1): ...    # columns of neighbours: A came transposed

    It has a meaning in conditions of `specialize` only. Raises LowerError for what is no dimension of a tensor.
    """
    if not isinstance(tensor, Tensor):
        raise LowerError(
            f"stride is that of a tensor, not of {tensor!r}", hint="te.stride(A, 0)", span=here()
        )
    try:
        number = const_int(ops.convert(dimension))
    except (TypeError, ValueError):
        number = None
    if isinstance(dimension, bool) or number is None or not -tensor.ndim <= number < tensor.ndim:
        raise LowerError(
            f"{tensor.name} has {tensor.ndim} dimensions, so there is no stride {dimension!r}",
            hint=f"te.stride({tensor.name}, 0)"
            if tensor.ndim
            else "a tensor without dimensions has no strides",
            span=here(),
        )
    d = number % tensor.ndim
    return StrideVar(f"stride({tensor.name}, {d})", INT32, tensor, d)
