"""Schedules of injective operators: vectors along the last axis, threads along the first."""

from __future__ import annotations

from typing import Any

from tewb.schedule import Schedule
from tewb.tensor import Tensor
from tewb.topi.checks import known
from tewb.topi.generic.stages import extent_of, inline_all, outputs_of, schedule_of
from tewb.topi.x86.machine import is_streamed, is_worth_threads, vector_lanes

VECTORS = 4  # in one iteration, so that their loads overlap


def schedule_injective(outs: Any) -> Schedule:
    """All that is injective in one nest for each output, in vectors and threads; results larger than the caches go past
    them, and transposed ones are moved in tiles."""
    s, tensors = schedule_of(outs)
    inline_all(s, tensors)
    for t in tensors:
        schedule_injective_from_existing(s, t)
    return s


schedule_elemwise = schedule_broadcast = schedule_reorg = schedule_injective


def schedule_injective_from_existing(sch: Schedule, out: Tensor) -> Schedule:
    """The loops of one output in vectors and threads."""
    if is_transposed(out):
        _move_tiles(sch, out)
    else:
        vectorize_and_share(sch, out)
    return sch


def vectorize_and_share(s: Schedule, t: Tensor, lanes: int | None = None, threads: bool = True) -> None:
    """Vectors along the last axis of a stage, and its outer loops as one for threads."""
    axes = list(s[t].op.axis)
    if not axes:
        return
    lanes = lanes or VECTORS * vector_lanes(t.dtype)
    *outer, last = axes
    if extent_of(last) == 1 and outer:
        *outer, last = outer
    size = extent_of(last)
    whole_of_it = size is not None and size <= lanes
    if whole_of_it:
        s[t].vectorize(last)
    else:
        last, inner = s[t].split(last, lanes)
        s[t].vectorize(inner)
        outer.append(last)
    if is_streamed(t) and t.op in s.outputs:
        s[t].nontemporal()
    if threads and outer and is_worth_threads(t):
        share(s, t, outer)


def share(s: Schedule, t: Tensor, outer: list[Any], most: int = 2) -> None:
    """The first of the outer loops, a few of them fused, in threads."""
    fused = [outer[0]]
    for axis in outer[1:most]:
        if _count(s, fused) >= 64:
            break
        fused.append(axis)
    s[t].parallel(s[t].fuse(*fused) if len(fused) > 1 else fused[0])


def _count(s: Schedule, axes: list[Any]) -> int:
    count = 1
    for a in axes:
        count *= extent_of(a) or 64
    return count


def is_transposed(t: Tensor) -> bool:
    """Whether a tensor is a transposition that moves the last axis, with sides of more than a tile."""
    if t.op.name not in ("T_transpose", "Wh_turned") or t.ndim < 2:
        return False
    (source,) = t.op.input_tensors
    last = source.shape[-1]
    moved = t.shape[-1] is not last
    return moved and min(known(t.shape[-1]) or 0, known(last) or 0) >= 64 and t.ndim == 2


def _move_tiles(s: Schedule, t: Tensor, rows: int = 512, columns: int = 32) -> None:
    """Blocks for the cache, and in them tiles of 8 x 16 that are transposed in registers."""
    i, j = s[t].op.axis
    io, jo, i, j = s[t].tile(i, j, rows, columns)
    im, ii = s[t].split(i, factor=8)
    jm, ji = s[t].split(j, factor=16)
    s[t].reorder(io, jo, jm, im, ii, ji)
    s[t].transpose(ii, ji)
    if is_worth_threads(t):
        s[t].parallel(s[t].fuse(io, jo))


def schedule_concatenate(outs: Any) -> Schedule:
    """A nest in vectors and threads; which part an element comes from is known outside of most of its loops."""
    s, tensors = schedule_of(outs)
    inline_all(s, tensors)
    for t in outputs_of(outs):
        vectorize_and_share(s, t)
    return s
