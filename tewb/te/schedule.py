"""`te.schedule`: the classic names of schedules, of their parts, and of the steps from a schedule to loops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tewb.base import Map
from tewb.ir import Buffer, IterVar, PrimFunc, Range, Stmt
from tewb.lowering import postprocessed, schedule_to_module, scheduled_loops, whole_arguments
from tewb.schedule import (
    Fuse,
    Rebase,
    ScanFixPointAnalysis,
    ScanGetBody,
    Schedule,
    Singleton,
    Split,
    Stage,
    create_schedule,
)
from tewb.schedule import attach_paths as CreateAttachPath
from tewb.schedule import feed_graph as CreateFeedGraph
from tewb.schedule import inline_broadcasts as AutoInlineBroadcast
from tewb.schedule import inline_elementwise as AutoInlineElemWise
from tewb.schedule import inline_injective as AutoInlineInjective
from tewb.schedule import operations_in_order as PostDFSOrder
from tewb.schedule import read_graph as CreateReadGraph
from tewb.schedule.bounds import infer_bounds
from tewb.tensor import Tensor

__all__ = [
    "AutoInlineBroadcast", "AutoInlineElemWise", "AutoInlineInjective", "Buffer", "CreateAttachPath", "CreateFeedGraph", "CreateReadGraph", "Fuse",
    "InferBound", "IterVar", "PostDFSOrder", "Rebase", "ScanFixPointAnalysis", "ScanGetBody", "Schedule", "ScheduleOps", "SchedulePostProcToPrimFunc", "Singleton",
    "Split", "Stage", "create_schedule", "schedule_to_module",
]  # fmt: skip


def InferBound(sch: Schedule) -> Map:
    """The range of every axis and loop: what is computed of its stage where that stands, with simplified extents. Loops
    are counted from 0."""
    bounds = infer_bounds(sch)
    simplify = bounds.analyzer.simplify
    ranges: dict[IterVar, Range] = {}
    for own in bounds.stages.values():
        for iv, n in own.extents.items():
            r = own.ranges.get(iv, Range(n - n, n))
            ranges[iv] = Range(simplify(r.min), simplify(r.extent))
    return Map(ranges)


def ScheduleOps(
    sch: Schedule, dom_map: Mapping[IterVar, Range] | None = None, debug_keep_trivial_loop: bool = False
) -> Stmt:
    """The loops of a schedule, with the buffers of its inputs and outputs free. The bounds `dom_map` are those of
    `InferBound`, which are known here; loops of one iteration always stay. Variables that no size gives a value stay free."""
    return scheduled_loops(sch, whole_arguments(sch), for_looking=True).body


def SchedulePostProcToPrimFunc(
    arg_list: Sequence[Any], body: Stmt, extern_buffer: Mapping[Tensor, Buffer] | None = None
) -> PrimFunc:
    """The function with the parameters `arg_list` and the loops `body` of `ScheduleOps`."""
    return postprocessed(arg_list, body, extern_buffer)
