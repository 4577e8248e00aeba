"""Reductions over one axis, several or all: sums, products, extremes and their places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tewb import te
from tewb.base import ShapeError, here
from tewb.ir import ops
from tewb.tensor import Tensor
from tewb.topi import tag
from tewb.topi.checks import axes_of, known, tensor_of
from tewb.topi.utils import ravel_index

Axes = int | Sequence[int] | None


def reduced_shape(shape: Sequence[Any], axes: Sequence[int], keepdims: bool) -> tuple[Any, ...]:
    """The shape without the axes, or with a 1 in place of each."""
    if keepdims:
        return tuple(1 if d in axes else n for d, n in enumerate(shape))
    return tuple(n for d, n in enumerate(shape) if d not in axes)


def reduce_axes(shape: Sequence[Any], axes: Sequence[int]) -> list[Any]:
    """A reduce axis for each of the axes, named k0, k1, ..."""
    return [te.reduce_axis((0, shape[d]), name=f"k{n}") for n, d in enumerate(axes)]


def read_at(
    indices: Sequence[Any], axes: Sequence[int], over: Sequence[Any], rank: int, keepdims: bool
) -> list[Any]:
    """The indices of the input: reduce axes `over` in the places of `axes`, those of the output elsewhere."""
    kept = iter([i for d, i in enumerate(indices) if d not in axes] if keepdims else indices)
    reduced = dict(zip(axes, over, strict=True))
    return [reduced[d].var if d in reduced else next(kept) for d in range(rank)]


def _reduction(name: str, reducer: Callable[..., Any], data: Any, axis: Axes, keepdims: bool) -> Any:
    x = tensor_of(name, data)
    axes = axes_of(name, axis, x.ndim)
    if not axes:  # of a tensor without dimensions, or over none of them
        return te.compute(x.shape, lambda *i: _alone(name, x(*i)), name=f"{x.name}_red", tag=tag.ELEMWISE)
    over = reduce_axes(x.shape, axes)

    def element(*indices: Any) -> Any:
        value = x(*read_at(indices, axes, over, x.ndim, keepdims))
        return reducer(_as_condition(value) if name in ("all", "any") else value, axis=over)

    return te.compute(
        reduced_shape(x.shape, axes, keepdims), element, name=f"{x.name}_red", tag=tag.COMM_REDUCE
    )


def _alone(name: str, value: Any) -> Any:
    return _as_condition(value) if name in ("all", "any") else value


def _as_condition(value: Any) -> Any:
    return value if value.dtype.is_bool else ops.not_equal(value, te.const(0, value.dtype))


_all = te.comm_reducer(lambda x, y: te.all(x, y), lambda dtype: te.const(True, dtype), name="all")
_any = te.comm_reducer(lambda x, y: te.any(x, y), lambda dtype: te.const(False, dtype), name="any")


def sum(data: Tensor, axis: Axes = None, keepdims: bool = False) -> Any:
    """The sum over the axes, in the dtype of the tensor."""
    return _reduction("sum", te.sum, data, axis, keepdims)


def prod(data: Tensor, axis: Axes = None, keepdims: bool = False) -> Any:
    """The product over the axes, in the dtype of the tensor."""
    return _reduction("prod", te.prod, data, axis, keepdims)


def max(data: Tensor, axis: Axes = None, keepdims: bool = False) -> Any:
    """The largest element over the axes."""
    return _reduction("max", te.max, data, axis, keepdims)


def min(data: Tensor, axis: Axes = None, keepdims: bool = False) -> Any:
    """The smallest element over the axes."""
    return _reduction("min", te.min, data, axis, keepdims)


def all(data: Tensor, axis: Axes = None, keepdims: bool = False) -> Any:
    """Whether all elements over the axes hold (are not 0)."""
    return _reduction("all", _all, data, axis, keepdims)


def any(data: Tensor, axis: Axes = None, keepdims: bool = False) -> Any:
    """Whether any element over the axes holds (is not 0)."""
    return _reduction("any", _any, data, axis, keepdims)


def argmax(data: Tensor, axis: Axes = None, keepdims: bool = False, select_last_index: bool = False) -> Any:
    """The place of the largest element, as int32: of equal ones the first, or the last. Over several axes the place is
    counted row by row. Where an element is no number, the place is any."""
    return _place("argmax", ops.greater, te.min_value, data, axis, keepdims, select_last_index)


def argmin(data: Tensor, axis: Axes = None, keepdims: bool = False, select_last_index: bool = False) -> Any:
    """The place of the smallest element, as `argmax` has it."""
    return _place("argmin", ops.less, te.max_value, data, axis, keepdims, select_last_index)


_LAST_INT32 = 2**31 - 1


def _place(
    name: str,
    better: Callable[[Any, Any], Any],
    worst: Callable[[str], Any],
    data: Any,
    axis: Axes,
    keepdims: bool,
    last: bool,
) -> Any:
    x = tensor_of(name, data)
    axes = axes_of(name, axis, x.ndim)
    extents = [x.shape[d] for d in axes]
    for d, n in zip(axes, extents, strict=True):
        if known(n) == 0:
            raise ShapeError(
                f"{name}: axis {d} of {x.name} has no elements, and no largest or smallest",
                hint="reduce over an axis of 1 or more",
                span=here(),
            )
    if not axes:
        return te.compute(x.shape, lambda *_: te.const(0), name=f"{x.name}_red", tag=tag.INJECTIVE)
    reducer = _place_reducer(name, better, worst, last)
    over = reduce_axes(x.shape, axes)

    def pair(*indices: Any) -> Any:
        place = ravel_index([k.var for k in over], extents)
        return reducer(
            (te.cast(place, "int32"), x(*read_at(indices, axes, over, x.ndim, keepdims))), axis=over
        )

    shape = reduced_shape(x.shape, axes, keepdims)
    places, _ = te.compute(shape, pair, name=f"{x.name}_red_temp", tag=tag.COMM_REDUCE_IDX)
    return te.compute(shape, lambda *i: places(*i), name=f"{x.name}_red", tag=tag.COMM_REDUCE_IDX)


def _place_reducer(name: str, better: Any, worst: Any, last: bool) -> Callable[..., Any]:
    """Of two pairs of place and value, the better value, and of equal ones the earlier (or later) place."""

    def combine(x: Any, y: Any) -> Any:
        earlier = x[0] >= y[0] if last else x[0] <= y[0]
        first = te.any(better(x[1], y[1]), te.all(ops.equal(x[1], y[1]), earlier))
        return te.select(first, x[0], y[0]), te.select(first, x[1], y[1])

    nowhere = -1 if last else _LAST_INT32
    return te.comm_reducer(combine, lambda t0, t1: (te.const(nowhere, t0), worst(t1)), name=name)
