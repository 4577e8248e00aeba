"""The graph of operations, and what schedules of whole programs begin with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tewb.ir import IterVar, ProducerLoad, walk
from tewb.schedule.journal import Step
from tewb.schedule.places import enclosing
from tewb.schedule.schedule import Schedule
from tewb.schedule.stage import Stage
from tewb.tensor import ComputeOp, Operation, Tensor, producers_first

ReadGraph = dict[Operation, list[Tensor]]


def read_graph(ops: Iterable[Operation | Tensor]) -> ReadGraph:
    """Of each operation that `ops` need, themselves included: the tensors that it reads."""
    graph: ReadGraph = {}
    pending = [_operation(o) for o in ops]
    while pending:
        op = pending.pop()
        if op not in graph:
            graph[op] = list(op.inputs)
            pending += [t.op for t in op.inputs]
    return graph


def feed_graph(graph: Mapping[Operation, Sequence[Tensor]]) -> dict[Tensor, list[Operation]]:
    """The operations that read each tensor of a read graph."""
    readers: dict[Tensor, list[Operation]] = {}
    for op, inputs in graph.items():
        for t in inputs:
            readers.setdefault(t, []).append(op)
    return readers


def operations_in_order(
    ops: Iterable[Operation | Tensor], graph: Mapping[Operation, Sequence[Tensor]]
) -> list[Operation]:
    """The operations of a read graph that `ops` need, each after those that it reads."""
    return producers_first(map(_operation, ops), lambda op: [t.op for t in graph[op]])


def attach_paths(schedule: Schedule) -> dict[Operation, list[IterVar]]:
    """Of each operation: the loops around the place where it is computed, innermost first."""
    return {s.op: [iv for _, iv in enclosing(s)] for s in schedule.stages}


def _operation(given: Any) -> Operation:
    return given.op if isinstance(given, Tensor) else given


# ---------------------------------------------------------------- what is inlined by rule


def inline_elementwise(schedule: Schedule) -> None:
    """Compute inline, where it is read, what has one value for each element of its inputs: B[i, j] = f(A[i, j])."""
    _inline(schedule, _is_elementwise)


def inline_broadcasts(schedule: Schedule) -> None:
    """Compute inline, where it is read, what is tagged as a broadcast."""
    _inline(schedule, lambda op: not op.reduce_axis and op.tag == "broadcast")


def inline_injective(schedule: Schedule) -> None:
    """Compute inline, where it is read, all that reduces nothing."""
    _inline(schedule, lambda op: not op.reduce_axis)


def _inline(schedule: Schedule, fits: Callable[[ComputeOp], bool]) -> None:
    """Stages that nothing was said of, and that are no outputs, are inlined if they fit and can be."""
    for stage in schedule.stages:
        if isinstance(stage.op, ComputeOp) and not _is_scheduled(stage) and fits(stage.op):
            step = Step("compute_inline", stage.name)
            if schedule.why_not(step) is None:
                stage.compute_inline()


def _is_scheduled(stage: Stage) -> bool:
    axes = [*stage.op.axis, *stage.op.reduce_axis]
    return bool(stage.relations) or stage.attach is not None or not stage.leaf_iter_vars.same_as(axes)


def _is_elementwise(op: ComputeOp) -> bool:
    axes = [iv.var for iv in op.axis]
    reads = [n for e in op.body for n in walk(e) if isinstance(n, ProducerLoad)]
    return not op.reduce_axis and all(
        len(n.indices) == len(axes) and all(i is v for i, v in zip(n.indices, axes, strict=True))
        for n in reads
    )
