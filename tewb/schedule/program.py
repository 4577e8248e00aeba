"""The program that a schedule computes: its operations after inlining."""

from __future__ import annotations

from collections.abc import Callable

from tewb.arith import Analyzer, Key
from tewb.base import any_depth
from tewb.ir import Expr, ProducerLoad, Var, at_axes, rewriter
from tewb.schedule.schedule import Schedule
from tewb.schedule.stage import Stage
from tewb.tensor import ComputeOp, Operation
from tewb.tensor.access_check import check_accesses


@any_depth
def inlined_operations(schedule: Schedule) -> dict[Stage, Operation]:
    """The operation of every stage, with the expressions of inlined stages put where they are read."""
    done: dict[Stage, Operation] = {}
    for stage in schedule.stages:
        done[stage] = _inlined(schedule, stage.op, done)
    return done


def _inlined(schedule: Schedule, op: Operation, done: dict[Stage, Operation]) -> Operation:
    producers = [schedule.stage_of(t) for t in op.inputs]
    if not isinstance(op, ComputeOp) or not any(s.is_inlined for s in producers):
        return op
    inline = [done[s] for s in producers if s.is_inlined]
    key = ("inline", id(op), tuple([s.is_inlined for s in producers]), tuple([id(o) for o in inline]))
    return schedule.memory.once(key, (op, *inline), lambda: _inline(schedule, op, done))


def _inline(schedule: Schedule, op: ComputeOp, done: dict[Stage, Operation]) -> Operation:
    elements: dict[tuple[Key, ...], Expr] = {}
    analyzer = Analyzer()

    def load(n: ProducerLoad) -> Expr:
        indices = tuple([rewrite(i) for i in n.indices])
        producer = schedule.stage_of(n.producer)
        if not producer.is_inlined:
            return ProducerLoad(n.producer, indices, n.dtype)
        # An element that is read several times is one expression, however often its index is written: a chain of
        # stages that each read their input twice would be twice as long with every stage.
        place = [i if isinstance(i, Var) else analyzer.simplify(i) for i in indices]
        key = (id(n.producer), *[analyzer.keys(i) for i in place])
        if key not in elements:
            source = done[producer]
            assert isinstance(source, ComputeOp)
            values = {iv.var: i for iv, i in zip(source.axis, indices, strict=True)}
            elements[key] = at_axes(values)(source.body[n.producer.value_index])
        return elements[key]

    rewrite: Callable[[Expr], Expr] = rewriter({ProducerLoad: load})
    made = ComputeOp(op.name, op.axis, tuple(rewrite(e) for e in op.body), op.tag, check=False)
    made.span = op.span
    sources = [done[schedule.stage_of(t)] for t in op.inputs]
    if op.unproved or any(isinstance(s, ComputeOp) and s.unproved for s in sources):
        made.unproved = check_accesses(made, refuse=False)
    return made
