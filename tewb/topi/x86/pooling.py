"""Schedules of pools: windows are small, and vectors run along the last dimension of the result."""

from __future__ import annotations

from typing import Any

from tewb.schedule import Schedule
from tewb.tensor import Tensor
from tewb.topi.generic.stages import (
    extent_of,
    graph,
    inline_all,
    is_injective,
    is_ragged,
    read_by_reductions,
    schedule_of,
)
from tewb.topi.x86.injective import share, vectorize_and_share
from tewb.topi.x86.machine import is_worth_threads, vector_lanes
from tewb.topi.x86.reduction import reduce_in_vectors


def schedule_pool(outs: Any, layout: str = "NCHW") -> Schedule:
    """Pools, their gradients and lrn: sums or maxima of windows for a vector of results at a time. What is padded is made
    in front."""
    s, tensors = schedule_of(outs)
    many = read_by_reductions(tensors)
    inline_all(s, tensors, keep=lambda t: t.op in many)
    for t in graph(tensors):
        if t.op.reduce_axis:
            _windows(s, t)
        elif t.op in many or t.op in s.outputs:
            vectorize_and_share(s, t)
    return s


schedule_lrn = schedule_pool_grad = schedule_pool


def schedule_adaptive_pool(outs: Any, layout: str = "NCHW") -> Schedule:
    """Windows whose size depends on their place: threads share the outer loops."""
    s, tensors = schedule_of(outs)
    inline_all(s, tensors)
    for t in graph(tensors):
        if t.op.reduce_axis and all(extent_of(k) is not None for k in t.op.reduce_axis):
            reduce_in_vectors(s, t)
        elif t.op.reduce_axis and t.ndim > 1 and is_worth_threads(t):
            share(s, t, list(s[t].op.axis)[:2])
        elif not t.op.reduce_axis and not (is_injective(t) and t.op not in s.outputs):
            vectorize_and_share(s, t)
    return s


def _windows(s: Schedule, t: Tensor) -> None:
    """The loops of a sum or a maximum of windows."""
    axes, over = list(s[t].op.axis), list(s[t].op.reduce_axis)
    if not axes or is_ragged(t):
        return
    *outer, last = axes
    lanes = vector_lanes(t.dtype)
    size = extent_of(last)
    if size is None or size > lanes:
        rest, last = s[t].split(last, lanes)
        outer.append(rest)
    s[t].reorder(*outer, *over, last)
    s[t].vectorize(last)
    if outer and is_worth_threads(t):
        share(s, t, outer)
