"""The program that a schedule computes: its operations after inlining."""

from __future__ import annotations

from collections.abc import Callable

from tewb.ir import Expr, ProducerLoad, rewriter, substitute
from tewb.schedule.schedule import Schedule
from tewb.schedule.stage import Stage
from tewb.tensor import ComputeOp, Operation
from tewb.tensor.access_check import check_accesses


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
    def load(n: ProducerLoad) -> Expr:
        indices = tuple(rewrite(i) for i in n.indices)
        producer = schedule.stage_of(n.producer)
        if not producer.is_inlined:
            return ProducerLoad(n.producer, indices, n.dtype)
        source = done[producer]
        assert isinstance(source, ComputeOp)
        values = {iv.var: i for iv, i in zip(source.axis, indices, strict=True)}
        body: Expr = substitute(source.body[n.producer.value_index], values)
        return body

    rewrite: Callable[[Expr], Expr] = rewriter({ProducerLoad: load})
    body, domains = tuple(rewrite(e) for e in op.body), op.mapped_domains(rewrite)
    made = ComputeOp(op.name, op.axis, body, op.tag, check=False, domains=domains)
    made.span = op.span
    sources = [done[schedule.stage_of(t)] for t in op.inputs]
    if op.unproved or any(isinstance(s, ComputeOp) and s.unproved for s in sources):
        made.unproved = check_accesses(made, refuse=False)
    return made
