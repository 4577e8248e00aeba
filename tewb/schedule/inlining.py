"""The program that a schedule computes: its operations after inlining."""

from __future__ import annotations

from collections.abc import Callable

from tewb.arith import Analyzer, Key
from tewb.base import LowerError, any_depth
from tewb.ir import Expr, ProducerLoad, Var, at_axes, rewriter, walk
from tewb.schedule.schedule import Schedule
from tewb.schedule.stage import Stage
from tewb.tensor import ComputeOp, Operation, check_accesses, element_in_index, known_ranges

MOST_NODES = (
    75_000  # of a stage and what is inlined into it; half of them are shared, and these take 8 s to build
)


@any_depth
def inlined_operations(schedule: Schedule) -> dict[Stage, Operation]:
    """The operation of every stage that is computed, with the expressions of inlined stages put where they are
    read. Inlined stages keep their own."""
    return {s: s.op if s.is_inlined else _inlined(schedule, s.op) for s in schedule.stages}


def _inlined(schedule: Schedule, op: Operation) -> Operation:
    inline = _inlined_below(schedule, op) if isinstance(op, ComputeOp) else []
    if not isinstance(op, ComputeOp) or not inline:
        return op
    key = ("inline", id(op), tuple([id(o) for o in inline]))
    return schedule.result_cache.once(key, (op, *inline), lambda: _inline(schedule, op, inline))


def _inlined_below(schedule: Schedule, op: Operation) -> list[Operation]:
    """The operations of the stages that are inlined into `op`, directly or through each other."""
    inlined: dict[Operation, None] = {}
    pending = [op]
    while pending:
        for t in pending.pop().inputs:
            producer = schedule.stage_of(t)
            if producer.is_inlined and producer.op not in inlined:
                inlined[producer.op] = None
                pending.append(producer.op)
    return list(inlined)


def _inline(schedule: Schedule, op: ComputeOp, inline: list[Operation]) -> Operation:
    """`op` with the expressions of the operations `inline` in it."""
    elements: dict[tuple[Key, ...], Expr] = {}
    analyzer = Analyzer()
    sizes = {o: _size(o) for o in (op, *inline) if isinstance(o, ComputeOp)}
    most = max(
        MOST_NODES, 4 * sum(sizes.values())
    )  # long programs are long; these have elements over and over
    size = 0

    def load(n: ProducerLoad) -> Expr:
        indices = tuple([rewrite_index(i) for i in n.indices])
        producer = schedule.stage_of(n.producer)
        if not producer.is_inlined:
            return ProducerLoad(n.producer, indices, n.dtype)
        # An element that is read several times is one expression, however often its index is written: a chain of
        # stages that each read their input twice would be twice as long with every stage.
        place = [i if isinstance(i, Var) else analyzer.simplify(i) for i in indices]
        key = (id(n.producer), *[analyzer.keys(i) for i in place])
        if key not in elements:
            nonlocal size
            source = producer.op
            assert isinstance(source, ComputeOp)
            size += sizes[source]
            if size > most:
                raise _too_large(op, source, most)
            values = {iv.var: i for iv, i in zip(source.axis, indices, strict=True)}
            elements[key] = rewrite(at_axes(values)(source.body[n.producer.value_index]))
        return elements[key]

    def load_in_index(n: ProducerLoad) -> Expr:
        element = load(n)
        return element_in_index(element, ranges) if schedule.stage_of(n.producer).is_inlined else element

    ranges = known_ranges(op.axis, op.inputs)
    rewrite: Callable[[Expr], Expr] = rewriter({ProducerLoad: load})
    rewrite_index: Callable[[Expr], Expr] = rewriter({ProducerLoad: load_in_index})
    body, domains = tuple([rewrite(e) for e in op.body]), op.mapped_domains(rewrite_index)
    inlined = ComputeOp(op.name, op.axis, body, op.tag, False, domains, op.first_step)
    inlined.span = op.span
    if any(isinstance(o, ComputeOp) and o.unproved for o in (op, *inline)):
        inlined.unproved = check_accesses(inlined, refuse=False)
    return inlined


def _size(op: ComputeOp) -> int:
    """How many nodes the expressions of an operation have."""
    return sum(1 for e in op.body for _ in walk(e))


def _too_large(op: ComputeOp, source: ComputeOp, most: int) -> LowerError:
    return LowerError(
        f"compute_inline: the expression of {op.name} becomes more than {most:,} nodes with all elements of the "
        f"inlined stages that it reads, of {source.name} among them",
        hint="give a stage between the two loops of its own, with compute_at or compute_root",
        span=op.span,
    )
