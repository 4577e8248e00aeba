"""Sorting, by numpy: externs that call packed functions on whole tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tewb import te
from tewb.base import ShapeError, here
from tewb.runtime import register_func
from tewb.tensor import Tensor
from tewb.topi.checks import axis_of, check_same_size, integers_of, known, one_of, tensor_of, whole


def _order(x: Any, axis: int, is_ascend: int) -> Any:
    """The places of the elements in order, those that are equal as they stand."""
    if is_ascend:
        return np.argsort(x, axis=axis, kind="stable")
    # Descending and stable: sort the reversed axis ascending and read it backwards.
    back = np.argsort(np.flip(x, axis), axis=axis, kind="stable")
    return x.shape[axis] - 1 - np.flip(back, axis)


def _sort(x: Any, out: Any, axis: int, is_ascend: int) -> None:
    ordered = np.sort(x, axis=axis)
    out[...] = ordered if is_ascend else np.flip(ordered, axis)


def _argsort(x: Any, out: Any, axis: int, is_ascend: int) -> None:
    out[...] = _order(x, axis, is_ascend)


def _argsort_valid(x: Any, valid: Any, out: Any, axis: int, is_ascend: int) -> None:
    for place in np.ndindex(*valid.shape):
        n = int(valid[place])
        row = x[place]
        out[place] = np.arange(row.shape[axis - len(place)]).reshape(
            [-1 if d == axis - len(place) else 1 for d in range(row.ndim)]
        )
        head = (slice(None),) * (axis - len(place)) + (slice(0, n),)
        out[place][head] = _order(row[head], axis - len(place), is_ascend)


def _topk(x: Any, *rest: Any) -> None:
    *outputs, axis, is_ascend, both = rest
    k = outputs[0].shape[axis]
    order = np.take(_order(x, axis, is_ascend), range(k), axis=axis)
    values = np.take_along_axis(x, order, axis=axis)
    results = [values, order] if both == 2 else [order] if both else [values]
    for out, result in zip(outputs, results, strict=True):
        out[...] = result


def _searchsorted(sequence: Any, values: Any, out: Any, right: int) -> None:
    side: Any = "right" if right else "left"
    if sequence.ndim == 1:
        out[...] = np.searchsorted(sequence, values, side)
        return
    for place in np.ndindex(*sequence.shape[:-1]):
        out[place] = np.searchsorted(sequence[place], values[place], side)


_PACKED: dict[str, Callable[..., None]] = {
    "tewb.topi.sort": _sort,
    "tewb.topi.argsort": _argsort,
    "tewb.topi.argsort_valid": _argsort_valid,
    "tewb.topi.topk": _topk,
    "tewb.topi.searchsorted": _searchsorted,
}
for _name, _function in _PACKED.items():
    register_func(_name, _function, override=True)


def sort(data: Tensor, axis: int = -1, is_ascend: bool = True) -> Any:
    """The elements along `axis` in order; what is no number comes last when ascending."""
    x = tensor_of("sort", data)
    d = axis_of("sort", axis, x.ndim)

    def call(ins: Any, outs: Any) -> Any:
        return te.call_packed("tewb.topi.sort", ins[0], outs[0], d, int(bool(is_ascend)))

    return te.extern(x.shape, [x], call, name="sort_cpu", dtype=x.dtype, tag="sort_cpu")


def argsort(
    data: Tensor,
    valid_count: Tensor | None = None,
    axis: int = -1,
    is_ascend: bool = True,
    dtype: str = "float32",
) -> Any:
    """The places of the elements along `axis` in order, those of equal ones as they stand. With `valid_count`, only so many
    of the first elements are sorted, and the places of the others follow as they are."""
    x = tensor_of("argsort", data)
    d = axis_of("argsort", axis, x.ndim)
    up = int(bool(is_ascend))
    if valid_count is None:
        return te.extern(
            x.shape,
            [x],
            lambda ins, outs: te.call_packed("tewb.topi.argsort", ins[0], outs[0], d, up),
            name="argsort_cpu",
            dtype=dtype,
            tag="argsort_cpu",
        )
    valid = integers_of("argsort", valid_count)
    if valid.ndim > d:
        raise ShapeError(
            f"argsort: {valid.name} has {valid.ndim} dimensions, which are not in front of axis {d}",
            hint="a count for each place in front of the axis",
            span=here(),
        )
    return te.extern(
        x.shape,
        [x, valid],
        lambda ins, outs: te.call_packed("tewb.topi.argsort_valid", *ins, outs[0], d, up),
        name="argsort_nms_cpu",
        dtype=dtype,
        tag="argsort_nms_cpu",
    )


RETURNED = {"values": 0, "indices": 1, "both": 2}


def topk(
    data: Tensor,
    k: Any = 1,
    axis: int = -1,
    ret_type: str = "both",
    is_ascend: bool = False,
    dtype: str = "int64",
) -> Any:
    """The first k elements along `axis` in order, the largest first unless `is_ascend`: values, indices, or both in a list.
    k below 1 means all."""
    x = tensor_of("topk", data)
    d = axis_of("topk", axis, x.ndim)
    count = whole("topk", "k", k)
    size = known(x.shape[d])
    if size is not None and count > size:
        raise ShapeError(
            f"topk: axis {d} of {x.name} has {size} elements, not {count}",
            hint="k=-1 takes all",
            span=here(),
        )
    word = one_of("topk", "ret_type", ret_type, RETURNED)
    shape = [*x.shape[:d], count if count > 0 else x.shape[d], *x.shape[d + 1 :]]
    dtypes = {"values": [str(x.dtype)], "indices": [dtype], "both": [str(x.dtype), dtype]}[word]

    def call(ins: Any, outs: Any) -> Any:
        return te.call_packed("tewb.topi.topk", ins[0], *outs, d, int(bool(is_ascend)), RETURNED[word])

    outputs = te.extern([shape] * len(dtypes), [x], call, name="topk_cpu", dtype=dtypes, tag="topk_cpu")
    return list(outputs) if word == "both" else outputs


def searchsorted(
    sorted_sequence: Tensor, values: Tensor, right: bool = False, out_dtype: str = "int64"
) -> Any:
    """Where each value goes into the sorted last axis: in front of equal elements, or behind them with `right`."""
    s, v = tensor_of("searchsorted", sorted_sequence), tensor_of("searchsorted", values)
    if s.ndim != 1:
        if s.ndim != v.ndim:
            raise ShapeError(
                f"searchsorted: {s.name} has {s.ndim} dimensions and {v.name} has {v.ndim}",
                hint="a vector is for all values; else all but the last dimension are common",
                span=here(),
            )
        for n in range(s.ndim - 1):
            check_same_size("searchsorted", s.shape[n], v.shape[n], f"the sizes of axis {n}")

    def call(ins: Any, outs: Any) -> Any:
        return te.call_packed("tewb.topi.searchsorted", *ins, outs[0], int(right))

    return te.extern(v.shape, [s, v], call, name="searchsorted", dtype=out_dtype, tag="searchsorted")
