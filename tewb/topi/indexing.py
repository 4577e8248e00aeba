"""Elements that are chosen by slices or by tensors of indices, and some that are replaced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tewb import te
from tewb.base import DTypeError, ShapeError, TewbError, here
from tewb.ir import Expr, convert
from tewb.tensor import Tensor
from tewb.topi import tag
from tewb.topi.broadcast import broadcast_shapes, element_of
from tewb.topi.checks import (
    axis_of,
    check_same_size,
    integers_of,
    known,
    one_of,
    tensor_of,
    whole,
)
from tewb.topi.utils import make_idx, prod, unravel_index, within_index

MODES = ("clip", "wrap", "fast")


def take(a: Tensor, indices: Tensor, axis: int | None = None, batch_dims: Any = 0, mode: str = "clip") -> Any:
    """The elements of `a` at `indices` along `axis`, or of the flat tensor.

    `mode` says what an index outside does: "clip" goes to the nearest end, "wrap" goes around, "fast" promises that there
    is none (the kernel checks). The first `batch_dims` dimensions are common to both tensors.
    """
    if isinstance(batch_dims, str):  # old programs have mode in the fourth place
        batch_dims, mode = 0, batch_dims
    x, at = tensor_of("take", a), integers_of("take", indices)
    one_of("take", "mode", mode, MODES)
    if axis is None:
        size = prod(x.shape)

        def flat(*i: Any) -> Any:
            return x(*unravel_index(_inside(at(*i), size, mode), x.shape))

        return te.compute(at.shape, flat, name="T_take", tag=tag.INJECTIVE)
    d = axis_of("take", axis, x.ndim)
    batch = whole("take", "batch_dims", batch_dims)
    if not 0 <= batch <= min(d, at.ndim):
        raise ShapeError(
            f"take: batch_dims is {batch}, of {at.ndim} dimensions of {at.name} and axis {d}",
            hint="batch dimensions come first, in front of the axis",
            span=here(),
        )
    for n in range(batch):
        check_same_size("take", x.shape[n], at.shape[n], f"the sizes of batch dimension {n}")
    width = at.ndim - batch

    def element(*i: Any) -> Any:
        where = at(*i[:batch], *i[d : d + width])
        return x(*i[:d], _inside(where, x.shape[d], mode), *i[d + width :])

    shape = [*x.shape[:d], *at.shape[batch:], *x.shape[d + 1 :]]
    return te.compute(shape, element, name="T_take", tag=tag.INJECTIVE)


def _inside(index: Any, size: Any, mode: str) -> Any:
    """The index, brought into 0 to size - 1 as the mode says."""
    i = _signed(index)
    if mode == "clip":
        return te.max(te.min(i, te.cast(convert(size) - 1, i.dtype)), te.const(0, i.dtype))
    return te.floormod(i, te.cast(size, i.dtype)) if mode == "wrap" else i


def _signed(index: Any) -> Any:
    """The index in int32 or int64, where sizes fit and differences are right; a float rounded toward zero."""
    if index.dtype.kind == "int" and index.dtype.bits >= 32:
        return index
    wide = index.dtype.is_int and index.dtype.bits >= 32
    return te.cast(index, "int64" if wide else "int32")


def gather(data: Tensor, axis: int, indices: Tensor) -> Any:
    """out[i, j, k] = data[i, indices[i, j, k], k], here along axis 1."""
    x, at = tensor_of("gather", data), integers_of("gather", indices)
    d = axis_of("gather", axis, x.ndim)
    if at.ndim != x.ndim:
        raise ShapeError(
            f"gather: {x.name} has {x.ndim} dimensions and {at.name} has {at.ndim}",
            hint="the indices have the dimensions of the data; topi.take joins shapes",
            span=here(),
        )
    for n in range(x.ndim):
        if n != d:
            check_same_size("gather", x.shape[n], at.shape[n], f"the sizes of axis {n}")

    def element(*i: Any) -> Any:
        return x(*i[:d], _signed(at(*i)), *i[d + 1 :])

    return te.compute(at.shape, element, name="T_gather", tag=tag.INJECTIVE)


def gather_nd(a: Tensor, indices: Tensor, batch_dims: int = 0) -> Any:
    """out[y...] = a[indices[0, y...], indices[1, y...], ...]; dimensions of `a` that have no index stay whole. Indices that are
    floats are rounded toward zero."""
    x, at = tensor_of("gather_nd", a), tensor_of("gather_nd", indices)
    if not at.ndim:
        raise ShapeError("gather_nd: the indices have no dimensions", hint="shape (m, ...)", span=here())
    depth = whole("gather_nd", "the first size of the indices", at.shape[0])
    if not 0 <= batch_dims <= at.ndim - 1 or depth + batch_dims > x.ndim:
        raise ShapeError(
            f"gather_nd: {depth} indices and {batch_dims} batch dimensions for the {x.ndim} dimensions of {x.name}",
            hint="the first dimension of the indices counts the dimensions that they choose from",
            span=here(),
        )
    width = at.ndim - 1

    def element(*i: Any) -> Any:
        chosen = [_signed(at(n, *i[:width])) for n in range(depth)]
        return x(*i[:batch_dims], *chosen, *i[width:])

    shape = [*at.shape[1:], *x.shape[batch_dims + depth :]]
    return te.compute(shape, element, name="T_gather_nd", tag=tag.INJECTIVE)


def adv_index(data: Tensor, indices: Sequence[Tensor]) -> Any:
    """data[indices[0], indices[1], ...] as numpy has it: the index tensors are broadcast, and negative ones count from
    the end."""
    x = tensor_of("adv_index", data)
    at = [integers_of("adv_index", t) for t in indices]
    if not at or len(at) > x.ndim:
        raise ShapeError(
            f"adv_index: {len(at)} index tensors for the {x.ndim} dimensions of {x.name}",
            hint="one for each of the first dimensions",
            span=here(),
        )
    joined = broadcast_shapes("adv_index", [t.shape for t in at])

    def element(*i: Any) -> Any:
        chosen = []
        for n, t in enumerate(at):
            j = _signed(element_of(t, i[: len(joined)]))
            chosen.append(te.select(j < 0, j + te.cast(x.shape[n], j.dtype), j))
        return x(*chosen, *i[len(joined) :])

    shape = [*joined, *x.shape[len(at) :]]
    return te.compute(shape, element, name="T_adv_index", tag=tag.INJECTIVE)


def strided_slice(
    a: Tensor,
    begin: Any,
    end: Any,
    strides: Any = None,
    axes: Any = None,
    slice_mode: str = "end",
    assume_inbound: bool = True,
) -> Any:
    """a[begin:end:strides] for the first axes, or for `axes`, as Python slices; None leaves an end open.

    With slice_mode="size", `end` counts elements, -1 takes all that are left, and strides are 1. Ends that are expressions
    are taken for being inside of the axis.
    """
    x = tensor_of("strided_slice", a)
    if isinstance(axes, str):  # old programs have slice_mode in the fifth place
        axes, slice_mode = None, axes
    one_of("strided_slice", "slice_mode", slice_mode, ("end", "size"))
    if any(isinstance(v, Tensor) for v in (begin, end, strides)):
        raise TewbError(
            "strided_slice: the ends are tensors, and the shape of the result would depend on data",
            hint="topi.dynamic_strided_slice(A, begin, end, strides, output_shape) is told the shape",
            span=here(),
        )
    first, last = list(begin), list(end)
    chosen = list(range(len(first))) if axes is None else [axis_of("strided_slice", d, x.ndim) for d in axes]
    steps = [1] * len(first) if not strides or slice_mode == "size" else list(strides)
    steps += [1] * (len(first) - len(steps))
    if not len(first) == len(last) == len(steps) == len(chosen) <= x.ndim:
        raise ShapeError(
            f"strided_slice: {len(first)} begins, {len(last)} ends and {len(steps)} strides for {len(chosen)} axes of "
            f"{x.name}, which has {x.ndim}",
            hint="one each for every axis that is cut",
            span=here(),
        )
    cut = {
        d: _slice(x, d, b, e, s, slice_mode) for d, b, e, s in zip(chosen, first, last, steps, strict=True)
    }
    shape = [cut[d][2] if d in cut else n for d, n in enumerate(x.shape)]

    def element(*i: Any) -> Any:
        return x(*[cut[d][0] + j * cut[d][1] if d in cut else j for d, j in enumerate(i)])

    return te.compute(shape, element, name="T_strided_slice", tag=tag.INJECTIVE)


def _slice(x: Tensor, d: int, begin: Any, end: Any, stride: Any, mode: str) -> tuple[Any, int, Any]:
    """Where a slice of axis `d` begins, its step, and how many elements it has."""
    step = whole("strided_slice", "a stride", stride)
    if step == 0:
        raise TewbError("strided_slice: a stride of 0 leads nowhere", hint="a stride of 1", span=here())
    size, first = known(x.shape[d]), None if begin is None else known(begin)
    if mode == "size":
        start = first or 0 if begin is None or first is not None else begin
        if known(end) == -1:
            return start, 1, x.shape[d] - start
        return start, 1, end
    last = None if end is None else known(end)
    if size is not None and (begin is None or first is not None) and (end is None or last is not None):
        start, stop, _ = slice(first, last, step).indices(size)
        return start, step, len(range(start, stop, step))
    return _symbolic_slice(x.shape[d], begin, end, step)


def _symbolic_slice(size: Any, begin: Any, end: Any, step: int) -> tuple[Any, int, Any]:
    """A slice whose ends or whose axis are expressions. Numbers below 0 count from the end, large ones mean it."""
    up = step > 0
    start = (0 if up else size - 1) if begin is None else _from_end(begin, size)
    if end is None:
        count = size - start if up else start + 1
    else:
        stop = (
            te.min(_from_end(end, size), size) if up and not isinstance(end, Expr) else _from_end(end, size)
        )
        count = stop - start if up else start - stop
    steps = abs(step)
    return start, step, te.max(te.indexdiv(convert(count) + (steps - 1), te.const(steps)), te.const(0))


def _from_end(place: Any, size: Any) -> Any:
    n = known(place)
    return size + n if n is not None and n < 0 else place


def dynamic_strided_slice(a: Tensor, begin: Tensor, end: Tensor, strides: Tensor, output_shape: Any) -> Any:
    """a[begin:end:strides] with ends that are known when the kernel runs; the caller says which shape comes out."""
    x = tensor_of("dynamic_strided_slice", a)
    first, step = (integers_of("dynamic_strided_slice", t) for t in (begin, strides))
    shape = tuple(output_shape)
    if len(shape) != x.ndim:
        raise ShapeError(
            f"dynamic_strided_slice: the output has {len(shape)} dimensions and {x.name} has {x.ndim}",
            hint="a slice has the dimensions of its tensor",
            span=here(),
        )
    count = whole("dynamic_strided_slice", "the size of begin", first.shape[0])

    def element(*i: Any) -> Any:
        at: list[Any] = []
        for d, j in enumerate(i):
            if d < count:
                b = _signed(first(d))
                n = te.cast(x.shape[d], b.dtype)
                b = te.select(b < 0, b + n, b)
                j = te.min(b, n) + j * step(d)
            at.append(j)
        return x(*at)

    return te.compute(shape, element, name="T_dynamic_strided_slice", tag=tag.INJECTIVE)


def strided_set(a: Tensor, v: Tensor, begin: Tensor, end: Tensor, strides: Tensor | None = None) -> Any:
    """`a` with the elements of `v` in the places that the slice takes. Ends and strides are vectors of int32; axes that they
    do not reach are taken whole."""
    x, values = tensor_of("strided_set", a), tensor_of("strided_set", v)
    if values.ndim != x.ndim:
        raise ShapeError(
            f"strided_set: {values.name} has {values.ndim} dimensions and {x.name} has {x.ndim}",
            hint="the values have the dimensions of the tensor",
            span=here(),
        )
    for name, t in (("begin", begin), ("end", end), ("strides", strides)):
        if t is None:
            continue
        if tensor_of("strided_set", t, 1).dtype != "int32":
            raise DTypeError(f"strided_set: {name} is {t.dtype}", hint="it is int32", span=here())

    def at(t: Tensor | None, d: int, missing: Any) -> Any:
        return missing if t is None or d >= (known(t.shape[0]) or 0) else t(d)

    def element(*i: Any) -> Any:
        taken, chosen = [], []
        for d, j in enumerate(i):
            size = x.shape[d]
            step = at(strides, d, te.const(1))
            up = step > te.const(0)
            low, high = te.select(up, 0, -1), te.select(up, size, size - 1)
            b = _clamped(at(begin, d, te.select(up, 0, size)), size, low, high)
            e = _clamped(at(end, d, te.select(up, size, -size - 1)), size, low, high)
            taken.append(within_index(b, e, step, j))
            place = make_idx(b, e, step, size, j)
            chosen.append(te.max(te.min(place, values.shape[d] - 1), te.const(0)))
        return te.if_then_else(te.all(*taken), values(*chosen), x(*i))

    return te.compute(x.shape, element, name="strided_set", tag=f"{tag.INJECTIVE},strided_set")


def _clamped(place: Any, size: Any, low: Any, high: Any) -> Any:
    """An end of a slice as Python reads it: below 0 from the end, and then not outside."""
    p = te.select(convert(place) < 0, place + size, place)
    return te.max(te.min(p, high), low)
