"""The work of a schedule, loop by loop: how often each body runs, its operations, and the bytes that it loads and stores.

Counted from the loops as they are scheduled, before any pass, so that each loop is one that a person made. Guards of parts
that are not full are taken to hold, rows that are kept are made once, and a range that depends on other loops counts as it
is in their middle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tewb.base import readable
from tewb.ir import (
    AttrStmt,
    BufferLoad,
    BufferStore,
    Expr,
    ExternRegion,
    For,
    IfThenElse,
    Node,
    Or,
    Stmt,
    Var,
    const_int,
    walk,
)
from tewb.lowering import body_in_view
from tewb.workbench.measure.counts import Sizes, count_operations, value_at
from tewb.workbench.measure.holds import share_that_holds
from tewb.workbench.session_view import SessionView


@readable
@dataclass(frozen=True, slots=True)
class Cost:
    """What one loop, or one stage, does in a call of the kernel, with all that is inside of it: iterations of its body,
    operations on elements, bytes loaded and stored (each access counted, whatever a cache holds). `calls` are those of
    packed functions and of C, whose work nobody sees."""

    iterations: float = 0.0
    operations: float = 0.0
    loaded: float = 0.0
    stored: float = 0.0
    calls: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.iterations + other.iterations,
            self.operations + other.operations,
            self.loaded + other.loaded,
            self.stored + other.stored,
            self.calls + other.calls,
        )


Key = tuple[str, str | None]  # a stage, and one of its loops; None is the stage itself


def costs(program: SessionView) -> dict[Key, Cost]:
    """The cost of every stage and loop. Raises what keeps the schedule from being lowered."""
    if program.problem is not None and not program.passes:
        raise program.problem
    f = body_in_view(program.schedule, program.passes[0][1])
    counter = _Counter(program.sizes)
    counter.visit(f.body, (), {}, 1.0, None)
    return counter.found


class _Counter:
    """Goes through a body; `found` has what it counted."""

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = sizes
        self.found: dict[Key, Cost] = {}
        self.ranges: dict[Var, tuple[float, float]] = {}

    def visit(
        self, s: Node, around: tuple[Key, ...], middle: Mapping[Var, Any], times: float, stage: str | None
    ) -> None:
        origin = getattr(s, "origin", None)
        stage = origin.stage if origin is not None else stage
        match s:
            case For():
                count = self.trips(s, middle)
                inside = around
                if stage is not None:
                    axis = origin.axis if origin is not None else None
                    inside = tuple(dict.fromkeys([*around, (stage, None), (stage, axis)]))
                    self.add(((stage, axis),), Cost(iterations=times * count))
                first = self.value(s.min, middle) or 0.0
                self.ranges[s.var] = first, count
                self.visit(s.body, inside, {**middle, s.var: first + (count - 1) / 2}, times * count, stage)
            case BufferStore():
                keys = (*around, (stage, None)) if stage is not None else around
                self.add(dict.fromkeys(keys), _of_store(s, times))
            case AttrStmt() if isinstance(s.node, ExternRegion):
                keys = (*around, (stage, None)) if stage is not None else around
                self.add(dict.fromkeys(keys), Cost(calls=times))
            case IfThenElse() if s.other is not None:  # the one that runs in the middle of the loops
                chosen = s.other if self.value(s.cond, middle) == 0 else s.then
                self.visit(chosen, around, middle, times, stage)
            case IfThenElse() if _is_of_kept_rows(s.cond):
                share = share_that_holds(s.cond, self.ranges, self.sizes)
                self.visit(s.then, around, middle, times * share, stage)
            case Stmt():
                for child in s.children():
                    self.visit(child, around, middle, times, stage)

    def trips(self, s: For, middle: Mapping[Var, Any]) -> float:
        known = const_int(s.extent)
        return float(known) if known is not None else max(self.value(s.extent, middle) or 0.0, 0.0)

    def value(self, e: Expr, middle: Mapping[Var, Any]) -> float | None:
        value = value_at(e, middle, self.sizes)
        return None if value is None else float(value)

    def add(self, keys: Any, cost: Cost) -> None:
        for key in keys:
            self.found[key] = self.found.get(key, Cost()) + cost


def _is_of_kept_rows(condition: Expr) -> bool:
    """Whether a condition is that of a rolling buffer: the first iteration makes all rows, each further one a new one."""
    return any(isinstance(n, Or) for n in walk(condition))


def _of_store(s: BufferStore, times: float) -> Cost:
    loads = {n for n in walk(s.value) if isinstance(n, BufferLoad)}
    loaded = sum(n.buffer.dtype.nbytes for n in loads)
    operations = count_operations((s.value,), set())
    return Cost(0.0, times * operations, times * loaded, times * s.buffer.dtype.nbytes)
