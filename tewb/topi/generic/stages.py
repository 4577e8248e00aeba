"""What schedules ask of a graph: its outputs, the operation that is the work, and what is computed where it is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tewb import te
from tewb.base import ScheduleError, here
from tewb.ir import ProducerLoad, walk
from tewb.schedule import Schedule
from tewb.tensor import ComputeOp, Tensor
from tewb.topi import tag
from tewb.topi.checks import known, same_size


def outputs_of(outs: Any) -> list[Tensor]:
    """The tensors of a schedule function's argument: one, or several. Raises ScheduleError for anything else."""
    several = list(outs) if isinstance(outs, list | tuple) else [outs]
    if not several or not all(isinstance(t, Tensor) for t in several):
        raise ScheduleError(
            f"a schedule is made for the outputs of a graph, not for {outs!r}",
            hint="topi.generic.schedule_injective([B])",
            span=here(),
        )
    return several


def schedule_of(outs: Any) -> tuple[Schedule, list[Tensor]]:
    """A new schedule of the graph that leads to the outputs, and these."""
    several = outputs_of(outs)
    return te.create_schedule(list(dict.fromkeys(t.op for t in several))), several


def producers(t: Tensor) -> list[Tensor]:
    """The tensors that `t` is computed from, and that are computed themselves."""
    return [x for x in t.op.input_tensors if isinstance(x.op, ComputeOp)]


def graph(outs: list[Tensor]) -> list[Tensor]:
    """All tensors that are computed on the way to the outputs, each once and behind all that read it."""
    order: dict[Any, Tensor] = {}
    waiting = [(t, False) for t in outs]
    while waiting:
        t, ready = waiting.pop()
        if t.op in order or not isinstance(t.op, ComputeOp):
            continue
        if ready:
            order[t.op] = t
        else:
            waiting += [(t, True), *((x, False) for x in producers(t))]
    return list(reversed(order.values()))


def is_injective(t: Tensor) -> bool:
    """Whether each element comes from one element of each input."""
    return isinstance(t.op, ComputeOp) and not t.op.reduce_axis and tag.is_injective(t.op.tag)


def anchor_of(out: Tensor, is_work: Callable[[Tensor], bool]) -> Tensor | None:
    """The nearest tensor on the way to `out` that is the work, reached through injective operations only."""
    waiting, seen = [out], set()
    while waiting:
        t = waiting.pop(0)
        if is_work(t):
            return t
        if t.op not in seen and is_injective(t):
            seen.add(t.op)
            waiting += producers(t)
    return None


def is_tagged(*words: str) -> Callable[[Tensor], bool]:
    """Whether the tag of a tensor's operation begins with one of the words."""
    return lambda t: t.op.tag.startswith(words)


def follows(out: Tensor, anchor: Tensor) -> bool:
    """Whether `out` is elementwise of `anchor`, which can then be computed in tiles of it."""
    if out is anchor:
        return True
    if out.ndim != anchor.ndim or not all(map(same_size, out.shape, anchor.shape)):
        return False
    between = [t for t in graph([out]) if t is not anchor and reaches(t, anchor)]
    return all(tag.is_broadcast(t.op.tag) for t in between)


def reaches(t: Tensor, other: Tensor) -> bool:
    """Whether `t` is computed from `other`."""
    return t is not other and any(x.op is other.op for x in graph([t]))


def inline_all(s: Schedule, outs: list[Tensor], keep: Callable[[Tensor], bool] = lambda _: False) -> None:
    """Compute what is injective where it is used: outputs stay, what an extern reads, and what `keep` says."""
    whole = {x.op for stage in s.stages if not isinstance(stage.op, ComputeOp) for x in stage.op.inputs}
    for t in graph(outs):
        if t.op not in s.outputs and t.op not in whole and is_injective(t) and not keep(t):
            s[t].compute_inline()


def read_by_reductions(outs: list[Tensor]) -> set[Any]:
    """The operations that a reduction reads: elements of theirs are read many times."""
    return {x.op for t in graph(outs) if t.op.reduce_axis for x in producers(t)}


def elements(t: Tensor) -> int:
    """How many elements a tensor has; 0 when that is known later only."""
    count = 1
    for n in t.shape:
        count *= known(n) or 0
    return count


def is_ragged(t: Tensor) -> bool:
    """Whether the range of a reduction depends on the place of its result: its loop stays inside of the others."""
    return isinstance(t.op, ComputeOp) and bool(t.op.domains)


def extent_of(axis: Any) -> int | None:
    """The number of iterations of a loop, when it is known now."""
    return known(axis.dom.extent) if axis.dom is not None else None


def loads(t: Tensor) -> list[ProducerLoad]:
    """The reads of tensors in the expression of a computed tensor."""
    assert isinstance(t.op, ComputeOp)
    return [n for e in t.op.exprs() for n in walk(e) if isinstance(n, ProducerLoad)]
