"""Schedules of reductions and of what goes row by row: softmax, norms.

Sums and maxima run in the lanes of vectors, which are joined at the end of a row. A row stays in the cache while all stages
of it are computed.
"""

from __future__ import annotations

from typing import Any

from tewb.base import DType
from tewb.ir import walk
from tewb.schedule import Schedule
from tewb.tensor import Tensor
from tewb.topi.generic.stages import (
    extent_of,
    follows,
    graph,
    inline_all,
    is_injective,
    is_ragged,
    loads,
    read_by_reductions,
    schedule_of,
)
from tewb.topi.x86.injective import share, vectorize_and_share
from tewb.topi.x86.machine import is_streamed, is_worth_threads, vector_lanes

PAGE = 4096  # bytes, at whose end processors stop to fetch ahead by themselves
SUMMED = 4  # vectors of a reduction: each addition waits for the last one of its lane


def schedule_reduce(outs: Any) -> Schedule:
    """Reductions along the last axis in lanes; along another, of whole vectors of results. Threads share the results."""
    s, tensors = schedule_of(outs)
    inline_all(s, tensors)
    for t in graph(tensors):
        if t.op.reduce_axis:
            reduce_in_vectors(s, t)
        elif t.op in s.outputs:
            vectorize_and_share(s, t)
    return s


def reduce_in_vectors(s: Schedule, t: Tensor, threads: bool = True) -> None:
    """The loops of one reduction."""
    if is_ragged(t):
        return
    axes, over = list(s[t].op.axis), list(s[t].op.reduce_axis)
    inner = _runs_along(t)
    if inner is not None:
        lanes = SUMMED * vector_lanes(_value_dtype(t))
        size = extent_of(over[inner])
        if size is not None and size <= vector_lanes(_value_dtype(t)):
            s[t].unroll(over[inner])
        else:
            blocks, lane = s[t].split(over[inner], min(lanes, _floor_power(size or lanes)))
            s[t].vectorize(lane)
            _fetch_ahead(s, t, blocks, lanes)
        if threads and axes and is_worth_threads(t, _work(over)):
            share(s, t, axes)
        return
    if not axes:
        return
    *outer, last = axes
    lanes = SUMMED * vector_lanes(t.dtype)
    size = extent_of(last)
    if size is None or size > lanes:
        rest, last = s[t].split(last, lanes)
        outer.append(rest)
    s[t].reorder(*outer, *over, last)
    s[t].vectorize(last)
    if threads and outer and is_worth_threads(t, _work(over)):
        share(s, t, outer)


def _value_dtype(t: Tensor) -> str:
    return str(t.op.outputs[-1].dtype)


def _work(over: list[Any]) -> int:
    work = 1
    for k in over:
        work *= extent_of(k) or 64
    return work


def _floor_power(n: int) -> int:
    return 1 << max(n.bit_length() - 1, 0)


def _runs_along(t: Tensor) -> int | None:
    """Which reduce axis runs along the last dimension of an input, so that its neighbours are neighbours in memory."""
    for n in loads(t):
        if n.indices:
            used = {id(v) for v in walk(n.indices[-1])}
            for d, k in enumerate(t.op.reduce_axis):
                if id(k.var) in used:
                    return d
    return None


def _fetch_ahead(s: Schedule, t: Tensor, outer: Any, lanes: int) -> None:
    """Fetch the beginning of the next page of a long row."""
    inputs = [x for x in t.op.input_tensors if not isinstance(x.op, type(t.op)) and x.ndim]
    nbytes = DType(_value_dtype(t)).nbytes
    if len(inputs) == 1 and is_streamed(inputs[0]) and t.op in s.outputs:
        s[t].prefetch(inputs[0], outer, PAGE // (nbytes * lanes))


def schedule_rows(outs: Any) -> Schedule:
    """Softmax, norms and the like: all stages of a row of the result where that row is computed. Where the operator goes
    over the leading dimension there are no rows, and stages are computed one after the other."""
    s, tensors = schedule_of(outs)
    many = read_by_reductions(tensors)
    stages = [t for t in graph(tensors) if not is_injective(t) or t.op in many or t.op in s.outputs]
    inline_all(s, tensors, keep=lambda t: t in stages)
    out = tensors[0]
    rows = _rows(out)
    if not rows or len(s.outputs) > 1:
        _one_after_the_other(s, stages)
        return s
    loops = [s[out].op.axis[d] for d in rows]
    at = s[out].fuse(*loops) if len(loops) > 1 else loops[0]
    for t in stages:
        if t is not out:
            s[t].compute_at(s[out], at)
        if t.op.reduce_axis:
            reduce_in_vectors(s, t, threads=False)
        elif t.ndim > len(rows):
            _vectorize_last(s, t)
    if is_streamed(out):
        s[out].nontemporal()
    if is_worth_threads(out):
        s[out].parallel(at)
    return s


schedule_softmax = schedule_fast_softmax = schedule_layer_norm = schedule_rms_norm = schedule_l2_normalize = (
    schedule_rows
)
schedule_instance_norm = schedule_group_norm = schedule_rows
schedule_batch_norm = schedule_reduce


def _one_after_the_other(s: Schedule, stages: list[Tensor]) -> None:
    for t in stages:
        if t.op.reduce_axis:
            reduce_in_vectors(s, t)
        elif t.ndim:
            vectorize_and_share(s, t)


def _vectorize_last(s: Schedule, t: Tensor) -> None:
    last = s[t].op.axis[-1]
    lanes, size = 2 * vector_lanes(t.dtype), extent_of(last)
    s[t].vectorize(last if size is not None and size <= lanes else s[t].split(last, lanes)[1])


def _rows(out: Tensor) -> list[int]:
    """The leading dimensions of the result in front of those that the operator goes over; none when that is not known."""
    for t in graph([out]):
        axes: Any = t.op.attrs.get("norm_axes", t.op.attrs.get("axis"))
        if axes is not None:
            several = [axes] if isinstance(axes, int) else list(axes)
            return list(range(min(several))) if follows(out, t) else []
    return []
