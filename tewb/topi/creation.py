"""Tensors that are made from numbers or from the shape of others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tewb import te
from tewb.base import DType, ShapeError, TewbError, here
from tewb.ir import Expr, convert, ops
from tewb.tensor import Tensor
from tewb.topi import tag
from tewb.topi.checks import axis_of, integers_of, one_of, tensor_of, whole


def _cast_to(value: Any, dtype: DType) -> Any:
    """A number or an expression in `dtype`."""
    if isinstance(value, Tensor):
        value = value()
    return te.cast(value, dtype) if isinstance(value, Expr) else te.const(value, dtype)


def full(shape: Any, dtype: str, fill_value: Any) -> Any:
    """A tensor of `shape` whose elements are all `fill_value`."""
    value = _cast_to(fill_value, DType(dtype))
    return te.compute(shape, lambda *_: value, name="T_full", tag=tag.ELEMWISE)


def full_like(x: Tensor, fill_value: Any) -> Any:
    """A tensor of the shape and dtype of `x` whose elements are all `fill_value`."""
    t = tensor_of("full_like", x)
    value = _cast_to(fill_value, t.dtype)
    return te.compute(t.shape, lambda *_: value, name="T_full_like", tag=tag.ELEMWISE)


def ones(shape: Any, dtype: str = "float32") -> Any:
    """A tensor of ones."""
    return full(shape, dtype, 1)


def zeros(shape: Any, dtype: str = "float32") -> Any:
    """A tensor of zeros."""
    return full(shape, dtype, 0)


def ones_like(x: Tensor) -> Any:
    """Ones, in the shape and dtype of `x`."""
    return full_like(x, 1)


def zeros_like(x: Tensor) -> Any:
    """Zeros, in the shape and dtype of `x`."""
    return full_like(x, 0)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: str = "float32") -> Any:
    """The numbers from `start` up to `stop`, which is left out, by `step`. With one number, those from 0 to it."""
    if stop is None:
        start, stop = 0, start
    d = DType(dtype)
    if not isinstance(step, Expr) and step == 0:
        raise TewbError("arange: a step of 0 leads nowhere", hint="step=1", span=here())
    first, by = _cast_to(start, d), _cast_to(step, d)
    count = _count(start, stop, step)
    return te.compute((count,), lambda i: first + by * te.cast(i, d), name="T_arange", tag=tag.INJECTIVE)


def _count(start: Any, stop: Any, step: Any) -> Any:
    """ceil((stop - start) / step), and 0 when that is negative."""
    if not any(isinstance(x, Expr) for x in (start, stop, step)):
        return max(0, math.ceil((stop - start) / step))
    span = convert(stop) - start
    if not span.dtype.is_int or not convert(step).dtype.is_int:
        return te.cast(te.ceil(te.div(te.cast(span, "float32"), te.cast(step, "float32"))), "int32")
    return te.max(
        -te.floordiv(-span, step), te.const(0)
    )  # ceil(a / b) is -floor(-a / b), for either sign of b


def meshgrid(a_tuple: Sequence[Tensor], indexing: str) -> Any:
    """A grid for each vector, with its values along one axis. With indexing="xy" the first two axes change places."""
    vectors = [tensor_of("meshgrid", t, (0, 1)) for t in a_tuple]
    one_of("meshgrid", "indexing", indexing, ("ij", "xy"))
    order = list(range(len(vectors)))
    if indexing == "xy" and len(order) > 1:
        order[:2] = [1, 0]
    shape = [vectors[n].shape[0] if vectors[n].ndim else 1 for n in order]

    def grid(n: int) -> Any:
        place = order.index(n)
        vector = vectors[n]

        def element(*i: Any) -> Any:
            return vector(i[place]) if vector.ndim else vector()

        return te.compute(shape, element, name="T_meshgrid", tag=tag.INJECTIVE)

    return tuple(grid(n) for n in range(len(vectors)))


def ndarray_size(array: Tensor, dtype: str = "int32") -> Any:
    """How many elements a tensor has, as a tensor without dimensions."""
    total: Any = te.const(1, "int64")
    for n in tensor_of("ndarray_size", array).shape:
        total = total * te.cast(n, "int64")
    return te.compute((), lambda: te.cast(total, dtype), name="ndarray_size", tag=tag.INJECTIVE)


def shape(array: Tensor, dtype: str = "int32") -> Any:
    """The sizes of a tensor, as a vector."""
    extents = tensor_of("shape", array).shape
    if not extents:
        raise ShapeError(
            f"shape: {array.name} has no dimensions, and a vector of none has no elements",
            hint="array.ndim is 0",
            span=here(),
        )

    def size(i: Any) -> Any:
        chosen = te.cast(extents[0], dtype)
        for d, n in enumerate(extents[1:], 1):
            chosen = te.select(ops.equal(i, d), te.cast(n, dtype), chosen)
        return chosen

    return te.compute((len(extents),), size, name="T_shape", tag=tag.INJECTIVE)


def one_hot(indices: Tensor, on_value: Any, off_value: Any, depth: int, axis: int, dtype: str) -> Any:
    """A new axis of `depth`, with `on_value` at the place that `indices` names and `off_value` elsewhere."""
    t = integers_of("one_hot", indices)
    place = axis_of("one_hot", axis, t.ndim + 1)
    d = DType(dtype)
    on, off = _cast_to(on_value, d), _cast_to(off_value, d)
    extents = [*t.shape[:place], whole("one_hot", "depth", depth), *t.shape[place:]]

    def element(*i: Any) -> Any:
        chosen = t(*i[:place], *i[place + 1 :])
        return te.select(ops.equal(chosen, i[place]), on, off)

    return te.compute(extents, element, name="T_one_hot", tag=tag.INJECTIVE)
