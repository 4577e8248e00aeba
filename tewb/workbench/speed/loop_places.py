"""Which loop of the program an innermost loop of the assembly is, by the lines of low-level IR that its instructions
compute, and how often it runs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tewb.ir import (
    BufferLoad,
    BufferStore,
    Expr,
    For,
    ForKind,
    IfThenElse,
    IRModule,
    Node,
    Stmt,
    Var,
    const_int,
    ops,
    script_lines,
    structural_equal,
    walk,
)
from tewb.workbench.measure.counts import Sizes, count_operations, value_at
from tewb.workbench.measure.holds import share_that_holds
from tewb.workbench.speed.inner_loops import InnerLoop
from tewb.workbench.speed.instructions import Instruction

Around = tuple[
    For, ...
]  # the loops around a line of IR, outermost first; its own, where it begins one, comes last


@dataclass(frozen=True, slots=True)
class LoopPlace:
    """A loop of the low-level IR: itself, and those around it, outermost first. `entries` says how often it is entered in
    a call, `trips` how many iterations it has each time. Code that runs once is in no loop, and has no axis. `tasks` are the iterations of the parallel loop around it, which
    threads share; 1 where there is none. `keys` are the stages and loops that it is a part of."""

    loop: For | None
    stage: str | None
    axis: str | None
    entries: float
    trips: float
    tasks: float
    keys: tuple[tuple[str | None, str | None], ...]

    @property
    def is_parallel(self) -> bool:
        return self.tasks > 1

    @property
    def name(self) -> str:
        """As a person calls it: C.k."""
        return ".".join(filter(None, (self.stage, self.axis))) or "the kernel"


def loops_of_lines(module: IRModule) -> list[Around]:
    """The loops around every line of a module's text."""
    found: list[Around] = []
    open_loops: list[tuple[int, For]] = []
    for line in script_lines(module):
        while open_loops and open_loops[-1][0] >= line.depth:
            open_loops.pop()
        if isinstance(line.node, For):
            open_loops.append((line.depth, line.node))
        found.append(tuple(n for _, n in open_loops))
    return found


def conditions_around(module: IRModule) -> dict[For, tuple[Expr, ...]]:
    """The conditions under which each loop of a module is entered."""
    found: dict[For, tuple[Expr, ...]] = {}

    def visit(s: Node, conditions: tuple[Expr, ...]) -> None:
        match s:
            case For():
                found[s] = conditions
                visit(s.body, conditions)
            case IfThenElse():
                visit(s.then, (*conditions, s.cond))
                if s.other is not None:
                    visit(s.other, (*conditions, ops.logical_not(s.cond)))
            case Stmt():
                for child in s.children():
                    visit(child, conditions)

    for f in module.functions.values():
        visit(f.body, ())
    return found


def place_of(
    loop: InnerLoop,
    lines: Sequence[Around],
    sizes: Sizes,
    conditions: Mapping[For, tuple[Expr, ...]] | None = None,
) -> LoopPlace | None:
    """The loop of the IR that a loop of the assembly is; None for one that belongs to no line. `conditions` are those around
    loops, which are entered as often as these hold."""
    around = [lines[r.line - 1] for r in loop.rows if r.line is not None and r.line <= len(lines)]
    around = [a for a in around if a]
    if not around:
        return None
    # The jump back belongs to the loop itself. LLVM may have written out the loops that stand inside of it.
    last = loop.rows[-1].line
    own = lines[last - 1] if last is not None and last <= len(lines) else ()
    if not own:
        own = Counter(around).most_common(1)[0][0]
    origin = own[-1].origin
    stage = None if origin is None else origin.stage
    axis = own[-1].var.name if origin is None or origin.axis is None else origin.axis
    trips = [trips_of(n, own, sizes) for n in own]
    tasks = next((t for n, t in zip(own, trips, strict=True) if n.kind is ForKind.PARALLEL), 1.0)
    ranges = {n.var: (_first_of(n, own, sizes), t) for n, t in zip(own, trips, strict=True)}
    shares = [share_that_holds(c, ranges, sizes) for c in (conditions or {}).get(own[-1], ())]
    entries = math.prod(trips[:-1]) * math.prod(shares)
    return LoopPlace(own[-1], stage, axis, entries, trips[-1], tasks, _keys(own))


def place_of_all(module: IRModule) -> LoopPlace:
    """The place of code that runs once: all of the kernel, and the stage that it computes, where it is one."""
    origins = [getattr(line.node, "origin", None) for line in script_lines(module)]
    stages = {o.stage for o in origins if o is not None and o.stage is not None}
    stage = stages.pop() if len(stages) == 1 else None
    return LoopPlace(None, stage, None, 1.0, 1.0, 1.0, ((stage, None),))


def _keys(own: Around) -> tuple[tuple[str | None, str | None], ...]:
    """The stages and loops of the program that stand around, and in, a loop of the IR."""
    origins = [n.origin for n in own if n.origin is not None and n.origin.stage is not None]
    keys = [key for o in origins for key in ((o.stage, None), (o.stage, o.axis))]
    return tuple(dict.fromkeys(keys))


def trips_of(n: For, around: Sequence[For], sizes: Sizes) -> float:
    """The iterations of a loop; where they depend on loops around it, those in their middle."""
    known = const_int(n.extent)
    if known is not None:
        return float(max(known, 0))
    return max(_value(n.extent, _middle(n, around, sizes), sizes), 0.0)


def _first_of(n: For, around: Sequence[For], sizes: Sizes) -> float:
    known = const_int(n.min)
    return float(known) if known is not None else _value(n.min, _middle(n, around, sizes), sizes)


def _middle(n: For, around: Sequence[For], sizes: Sizes) -> dict[Var, Any]:
    """The values of the loops around one in their middle."""
    middle: dict[Var, Any] = {}
    for outer in around:
        if outer is n:
            break
        first, count = _value(outer.min, middle, sizes), _value(outer.extent, middle, sizes)
        middle[outer.var] = int(first + max(count - 1, 0) / 2)
    return middle


def _value(e: Expr, middle: Mapping[Var, Any], sizes: Sizes) -> float:
    value = value_at(e, middle, sizes)
    return 1.0 if value is None else float(value)


def steps_of(body: Sequence[Instruction], place: LoopPlace, trips: int | None) -> float:
    """How many iterations of the loop of the IR an iteration of the machine's does: LLVM unrolls loops, and makes vectors
    of them. Told by the bytes that both store, else by the `trips` of the machine's loop, else by their operations."""
    if place.loop is None:
        return 1.0
    stored = sum(i.store.size for i in body if i.store is not None and not i.store.is_stack)
    wanted = _stored_bytes(place.loop.body)
    if stored and wanted:
        return max(round(stored / wanted, 2), 1.0)
    if trips:
        return max(place.trips / trips, 1.0)
    done = sum(i.lanes * (2 if i.kind == "fma" else 1) for i in body if i.is_vector or i.kind == "int_mul")
    asked = _operations(place.loop.body)
    return max(round(done / asked, 2), 1.0) if done and asked else 1.0


def is_reduction(place: LoopPlace) -> bool:
    """Whether the body of a loop combines with an element what it reads from the very same: partial results can be combined
    later. Steps of a scan read another element."""
    return place.loop is not None and any(
        isinstance(x, BufferLoad)
        and x.buffer is n.buffer
        and all(map(structural_equal, x.indices, n.indices))
        for n, _ in _stores(place.loop.body)
        for x in walk(n.value)
    )


def _stores(s: Node, times: float = 1.0) -> list[tuple[BufferStore, float]]:
    """The stores of a body, with how often each is done in an iteration."""
    match s:
        case BufferStore():
            return [(s, times)]
        case For():
            known = const_int(s.extent)
            return _stores(s.body, times * (known if known is not None else 1))
    return [x for c in s.children() if isinstance(c, Stmt) for x in _stores(c, times)]


def _stored_bytes(body: Node) -> float:
    return sum(n.value.dtype.nbytes * times for n, times in _stores(body) if n.buffer.scope != "register")


def _operations(body: Node) -> float:
    return sum(
        count_operations((n.value,), set()) * n.value.dtype.lanes * times for n, times in _stores(body)
    )
