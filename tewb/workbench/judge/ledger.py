"""The allocation ledger: what every stage needs, holds and repeats, what an extern touches, and a budget.

Sizes are in bytes, and expressions where shapes are symbolic.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from tewb.arith import Analyzer, evaluate_integers
from tewb.base import TewbError, any_depth, check_given, digits, readable
from tewb.ir import (
    Allocate,
    AttrStmt,
    AxisKind,
    Call,
    Expr,
    ExternRegion,
    For,
    IfThenElse,
    Node,
    PrimFunc,
    ProducerLoad,
    Range,
    Stmt,
    Var,
    const,
    const_int,
    free_vars,
    ops,
    script,
    substitute,
    walk,
    walk_statements,
)
from tewb.lowering import with_thread_loops
from tewb.schedule import (
    At,
    Schedule,
    Stage,
    aligned_strides,
    elements_spanned,
    enclosing,
    holder_of,
    lane_shape,
    recompute_factor,
    shapes_in_memory,
    tile_of,
)
from tewb.schedule.bounds import Bounds, known_bounds, needed_region
from tewb.tensor import ComputeOp, ExternOp, Tensor, whole_region
from tewb.workbench.looks.lowered_ir import allocations, peak_bytes_of
from tewb.workbench.measure.measurement import Measurement
from tewb.workbench.session_view import ProgramView

Box = tuple[tuple[int, int], ...]  # (first, extent) for each dimension

# ---------------------------------------------------------------- sizes


@readable
@dataclass(frozen=True, slots=True)
class ByteSize:
    """A size in bytes: a number, or None and a formula where it is symbolic."""

    bytes: int | None
    text: str

    def __str__(self) -> str:
        return self.text


def size_of(extents: Sequence[Expr], itemsize: int) -> ByteSize:
    """The bytes of a box of elements of `itemsize` bytes."""
    known = [const_int(n) for n in extents]
    constant = math.prod((n for n in known if n is not None), start=itemsize)
    if None not in known or constant == 0:
        return ByteSize(constant, f"{constant:,}")
    symbolic = [n for n, value in zip(extents, known, strict=True) if value is None]
    total = math.prod(symbolic[1:], start=symbolic[0])
    return ByteSize(None, script(Analyzer().simplify(ops.mul(total, constant))))


def size_in_memory(shape: Sequence[Expr], strides: Sequence[Expr], itemsize: int) -> ByteSize:
    """The bytes from the first element of a box to its last: with gaps, where strides leave any."""
    if not strides or any(const_int(n) == 0 for n in shape):
        return size_of(shape, itemsize)
    return size_of([Analyzer().simplify(elements_spanned(shape, strides))], itemsize)


def _together(sizes: Sequence[ByteSize]) -> ByteSize:
    known = [s.bytes for s in sizes if s.bytes is not None]
    if len(known) == len(sizes):
        return ByteSize(sum(known), f"{sum(known):,}")
    return ByteSize(None, " + ".join(s.text for s in sizes if s.bytes != 0))


def allocated_bytes(f: PrimFunc) -> int | None:
    """The bytes of all allocations in a function together, each counted once; None when one is symbolic."""
    buffers = {n.buffer: n.buffer for n in walk_statements(f.body) if isinstance(n, Allocate)}
    return _together([size_in_memory(b.shape, b.strides, b.dtype.nbytes) for b in buffers]).bytes


# ---------------------------------------------------------------- caches


@dataclass(frozen=True, slots=True)
class Cache:
    """A data cache of this machine: its level and its size in bytes."""

    level: int
    bytes: int


@cache
def caches(folder: str = "/sys/devices/system/cpu/cpu0/cache") -> tuple[Cache, ...] | None:
    """The data caches of a core, smallest first; None where the system does not say."""
    data_caches = []
    try:
        for index in Path(folder).glob("index*"):
            kind, level, size = ((index / name).read_text().strip() for name in ("type", "level", "size"))
            unit = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(size[-1:], 1)
            if kind != "Instruction":
                data_caches.append(Cache(int(level), int(size.rstrip("KMG")) * unit))
    except (OSError, ValueError):
        return None
    return tuple(sorted(data_caches, key=lambda c: c.bytes)) or None


def cache_hint(size: int | None, known: Sequence[Cache] | None) -> str | None:
    """The smallest cache that holds `size` bytes: `L1`, `L2`, ... or `memory`; None when that is not known."""
    if size is None or not known:
        return None
    return next((f"L{c.level}" for c in known if size <= c.bytes), "memory")


# ---------------------------------------------------------------- the ledger


@readable
@dataclass(frozen=True, slots=True)
class Entry:
    """The account of one stage.

    `needed` are the bytes that its readers touch at its place, `allocated` what is kept there (nothing for
    an argument, which the caller keeps, except the lanes of a vectorized reduction), `declared` the whole tensor. `recompute` is how often each
    element is computed on average, `calls` how many packed functions it calls; None when not known.
    """

    stage: str
    kind: str
    needed: ByteSize
    allocated: ByteSize
    declared: ByteSize
    scope: str
    lifetime: str
    recompute: float | None
    calls: int | None
    cache: str | None
    step: int | None

    def __str__(self) -> str:
        often = (
            ""
            if self.recompute is None or self.recompute <= 1.005
            else f", each element {digits(self.recompute)} times"
        )
        return f"{self.stage}: {self.kind}, keeps {self.allocated} of {self.declared} bytes{often}; {self.lifetime}"


def ledger(program: ProgramView) -> list[Entry]:
    """The account of every stage that computes something, in the order of computation."""
    schedule = program.schedule
    arguments = argument_stages(schedule, program.args)
    bounds = known_bounds(schedule, arguments)
    calls = packed_calls(program.function)
    stages = [s for s in schedule.stages if not s.is_placeholder]
    return [_entry(s, bounds, s in arguments, calls) for s in stages]


def account(schedule: Schedule, args: Sequence[Any], stage: str) -> Entry:
    """The account of one stage of any schedule, without its packed calls."""
    arguments = argument_stages(schedule, args)
    own = schedule[stage]
    return account_of(own, known_bounds(schedule, arguments), own in arguments)


def account_of(stage: Stage, bounds: Bounds, kept: bool) -> Entry:
    """The account of a stage with these bounds, without its packed calls; the caller keeps the values if `kept`."""
    return _entry(stage, bounds, kept, {})


def argument_stages(schedule: Schedule, args: Sequence[Any]) -> list[Stage]:
    """The stages whose values the caller keeps."""
    stages = [schedule.find(a) for a in args if isinstance(a, Tensor)]
    return [s for s in stages if s is not None and not s.is_placeholder]


def _entry(s: Stage, bounds: Bounds, kept: bool, calls: Mapping[str, int | None]) -> Entry:
    declared = _together([size_of(t.shape, t.dtype.nbytes) for t in s.op.outputs])
    kind = "argument" if kept else "inline" if s.is_inlined else "intermediate"
    nothing = ByteSize(0, "0")
    needed = stored = allocated = nothing
    if not s.is_inlined:
        boxes = shapes_in_memory(s, bounds)
        sizes = [size_in_memory(box, aligned_strides(s, box), t.dtype.nbytes) for box, t in zip(boxes, s.op.outputs, strict=True)]  # fmt: skip
        own_memory = not kept and holder_of(s) is None
        stored = nothing if not own_memory else _together(sizes * (2 if s.is_double else 1))
        allocated = _together([stored, *_lanes(s, bounds)])
        needed = declared if kept else _needed(s, bounds)
    return Entry(
        s.name, kind, needed, allocated, declared, s.scope, _lifetime(s, kept, bounds), computed_times(s, bounds),
        calls.get(s.name, 0), cache_hint(stored.bytes or declared.bytes, caches()), s.place_step,
    )  # fmt: skip


def _lanes(s: Stage, bounds: Bounds) -> list[ByteSize]:
    """The partial results of a vectorized reduction, which are kept beside its results."""
    shape = lane_shape(s, bounds.stages[s].extents)
    return [] if shape is None else [size_of(shape, t.dtype.nbytes) for t in s.op.outputs]


def _needed(s: Stage, bounds: Bounds) -> ByteSize:
    box = needed_region(s, bounds)
    if len(s.op.outputs) > 1 and any(len(t.shape) != len(box) for t in s.op.outputs):
        return _together([size_of(t.shape, t.dtype.nbytes) for t in s.op.outputs])
    return _together([size_of([r.extent for r in box], t.dtype.nbytes) for t in s.op.outputs])


def _lifetime(s: Stage, kept: bool, bounds: Bounds) -> str:
    if kept:
        return "the caller's"
    if s.is_inlined:
        return "none: it is computed where it is read"
    holder = holder_of(s)
    if holder is not None:
        return f"that of scan {holder.name}, of whose memory it is a part"
    readers = [r.name for r in s.readers()]
    until = f", until {readers[-1]} has read it" if readers else ""
    at = s.attach if s.stored is None else s.stored
    if s in bounds.kept_in:
        host, axis = bounds.kept_in[s]
        return f"one iteration of {host.name}.{host.axis_name(axis)}{until}"
    if isinstance(at, At) and not s.is_after:
        return f"one iteration of {at.stage.name}.{at.stage.axis_name(at.axis)}{until}"
    return f"the call{until}"


@any_depth
def computed_times(
    stage: Stage, bounds: Bounds, known: dict[Stage, float | None] | None = None
) -> float | None:
    """How often each element of a stage is computed, on average; None when that cannot be counted.

    An inlined stage is computed once for each access of each reader's iteration. `known` are those of other stages.
    """
    known = {} if known is None else known
    if stage not in known:
        known[stage] = _computed_times(stage, bounds, known)
    return known[stage]


def _computed_times(stage: Stage, bounds: Bounds, known: dict[Stage, float | None]) -> float | None:
    if not stage.is_inlined:
        return recompute_factor(stage, bounds)
    whole = _count(n for n in stage.op.output(0).shape)
    total = 0.0
    for reader in stage.readers():
        if not isinstance(reader.op, ComputeOp):
            return None
        mine = [
            n
            for e in reader.op.exprs()
            for n in walk(e)
            if isinstance(n, ProducerLoad) and stage.schedule.stage_of(n.producer) is stage
        ]
        axes = [*reader.op.axis, *reader.op.reduce_axis]
        domains = [reader.op.domain(iv) for iv in axes]
        each = _count(r.extent for r in domains if r is not None)
        times = computed_times(reader, bounds, known)
        if whole is None or each is None or times is None:
            return None
        total += len(mine) * each * times
    return total / whole if whole else 1.0


def _count(extents: Any) -> int | None:
    sizes = [const_int(n) for n in extents]
    return None if None in sizes else math.prod(n for n in sizes if n is not None)


# ---------------------------------------------------------------- packed calls

MOST_ITERATIONS = 1 << 20


def packed_calls(f: PrimFunc) -> dict[str, int | None]:
    """How many packed functions each extern calls in one call of the kernel; None when sizes are symbolic."""
    counts: dict[str, int | None] = {}

    def visit(s: Node, loops: tuple[For, ...], conditions: tuple[Expr, ...], name: str) -> None:
        match s:
            case For():
                visit(s.body, (*loops, s), conditions, name)
            case IfThenElse():
                visit(s.then, loops, (*conditions, s.cond), name)
                if s.other is not None:
                    visit(s.other, loops, (*conditions, ops.logical_not(s.cond)), name)
            case AttrStmt() if isinstance(s.node, ExternRegion):
                visit(s.body, loops, conditions, s.node.name)
            case Stmt():
                for c in s.children():
                    visit(c, loops, conditions, name)
            case Expr() if any(isinstance(n, Call) and n.op.startswith("tvm_call_packed") for n in walk(s)):
                times = _iterations(loops, conditions)
                before = counts.get(name, 0)
                counts[name] = None if times is None or before is None else before + times

    visit(with_thread_loops(f).body, (), (), "")
    return counts


def runs_python(f: PrimFunc) -> bool:
    """Whether a kernel calls packed functions: code of the user's, which may take long or do anything."""
    return any(isinstance(n, Call) and n.op.startswith("tvm_call_packed") for n in walk(f.body))


def _iterations(loops: Sequence[For], conditions: Sequence[Expr]) -> int | None:
    """How many iterations of a loop nest satisfy all conditions."""
    asked = {v for c in conditions for v in free_vars(c)}
    asked |= {v for n in loops for e in (n.min, n.extent) for v in free_vars(e)}
    free = [n for n in loops if n.var not in asked]
    grid = [n for n in loops if n.var in asked]
    sizes = [const_int(n.extent) for n in (*free, *grid)]
    known = [n for n in sizes if n is not None]
    if len(known) < len(sizes) or math.prod(known[len(free) :]) > MOST_ITERATIONS:
        return None
    values: dict[Var, Any] = {}
    shape = known[len(free) :]
    for d, n in enumerate(grid):
        low = const_int(n.min)
        if low is None:
            return None
        along = [1] * len(grid)
        along[d] = shape[d]
        values[n.var] = np.arange(low, low + shape[d]).reshape(along)
    reached: Any = np.ones(shape, np.int64)
    for c in conditions:
        holds = evaluate_integers(c, values)
        if holds is None:
            return None
        reached = reached * holds
    return int(np.sum(reached)) * math.prod(known[: len(free)])


# ---------------------------------------------------------------- what externs touch

MOST_TILES = 64


@readable
@dataclass(frozen=True, slots=True)
class Touched:
    """A tensor that an extern touches: its shape and strides in elements, the box of one call as text, and
    the boxes of the calls (the first `MOST_TILES`), where sizes are constant."""

    tensor: str
    writes: bool
    shape: tuple[str, ...]
    strides: tuple[str, ...]
    box: tuple[str, ...]
    sizes: tuple[int, ...] | None = None
    tiles: tuple[Box, ...] = ()

    def __str__(self) -> str:
        of = f" of ({', '.join(self.shape)})"
        return f"{'writes' if self.writes else 'reads'} {self.tensor}[{', '.join(self.box)}]{of}"


@readable
@dataclass(frozen=True, slots=True)
class ExternBoxes:
    """What the calls of an extern touch, and whether they may be repeated."""

    stage: str
    effect: str
    calls: int | None
    touched: tuple[Touched, ...]
    step: int | None = None

    def __str__(self) -> str:
        return "\n".join(
            [f"{self.stage}, {self.effect}, {self.calls} calls", *(f"  {t}" for t in self.touched)]
        )


def extern_boxes(program: ProgramView) -> list[ExternBoxes]:
    """The boxes of every extern stage, in the coordinates of the tensors."""
    schedule = program.schedule
    bounds = known_bounds(schedule, argument_stages(schedule, program.args))
    calls = packed_calls(program.function)
    boxes = []
    for s in schedule.stages:
        if isinstance(s.op, ExternOp):
            touched = tuple(_touched(s, s.op, bounds))
            boxes.append(ExternBoxes(s.name, s.op.effect, calls.get(s.name, 0), touched, s.place_step))
    return boxes


def _touched(stage: Stage, op: ExternOp, bounds: Bounds) -> list[Touched]:
    ins, outs = _boxes(stage, op, bounds)
    loops = [(s, iv) for s, iv in enclosing(stage)]
    loops += [(stage, iv) for iv in stage.leaf_iter_vars if iv.kind is not AxisKind.OPAQUE]
    iterations = {bounds.stages[s].vars[iv]: bounds.stages[s].extents[iv] for s, iv in loops}
    pairs = [
        *((t, box, False) for t, box in zip(op.inputs, ins, strict=True)),
        *((t, box, True) for t, box in zip(stage.op.outputs, outs, strict=True)),
    ]
    once = {v: const(0, v.dtype) for v, n in iterations.items() if const_int(n) == 1}  # no loops in the code
    boxes = [(t, [_with_values(r, once) for r in box], writes) for t, box, writes in pairs]
    return [_one(stage.schedule, t, box, writes, iterations, bounds) for t, box, writes in boxes]


def _with_values(r: Range, values: Mapping[Var, Expr]) -> Range:
    return r.map_children(lambda e: substitute(e, values))


def _boxes(stage: Stage, op: ExternOp, bounds: Bounds) -> tuple[list[Any], list[Any]]:
    """The boxes of one call, as lowering makes them, before they are clamped."""
    if not op.access.tiled:
        return [whole_region(t.shape) for t in op.inputs], [whole_region(t.shape) for t in op.outputs]
    own = bounds.stages[stage]
    around = {iv: own.vars[iv] for iv in stage.leaf_iter_vars if iv.kind is not AxisKind.OPAQUE}
    ranges, _ = tile_of(stage, dict(around), own.ranges, own.extents, bounds.analyzer)
    return op.in_regions(ranges), op.out_regions(ranges)


def _one(
    schedule: Schedule, t: Tensor, box: Sequence[Range], writes: bool, iterations: Mapping[Var, Expr], bounds: Bounds
) -> Touched:  # fmt: skip
    held = _held(schedule.stage_of(t), t, bounds)
    strides: list[Expr] = []
    step: Expr = ops.const(1)
    for n in reversed(held):
        strides.insert(0, step)
        step = ops.mul(step, n)
    simplify = bounds.analyzer.simplify
    text = tuple(f"{script(simplify(r.min))} : +{script(simplify(r.extent))}" for r in box)
    sizes = [const_int(n) for n in t.shape]
    whole = tuple(n for n in sizes if n is not None) if None not in sizes else None
    tiles = _tiles(box, whole, iterations) if whole is not None else ()
    names = tuple(script(n) for n in t.shape)
    return Touched(t.name, writes, names, tuple(script(simplify(s)) for s in strides), text, whole, tiles)


def _held(stage: Stage, t: Tensor, bounds: Bounds) -> Sequence[Expr]:
    """The shape of the memory that holds a tensor."""
    if stage not in bounds.stages:
        return t.shape
    return shapes_in_memory(stage, bounds)[t.value_index]


def _tiles(box: Sequence[Range], shape: tuple[int, ...], iterations: Mapping[Var, Expr]) -> tuple[Box, ...]:
    """The different boxes of the first iterations, clamped to the tensor."""
    counts = [const_int(n) or 1 for n in iterations.values()]
    boxes: dict[Box, None] = {}
    for at in np.ndindex(*counts):
        values = {v: np.int64(i) for v, i in zip(iterations, at, strict=True)}
        clamped = _clamped(box, shape, values)
        if clamped is not None:
            boxes[clamped] = None
        if len(boxes) >= MOST_TILES or sum(at) > 4 * MOST_TILES:
            break
    return tuple(boxes)


def _clamped(box: Sequence[Range], shape: tuple[int, ...], values: Mapping[Var, Any]) -> Box | None:
    clamped = []
    for r, n in zip(box, shape, strict=True):
        low, extent = evaluate_integers(r.min, values), evaluate_integers(r.extent, values)
        if low is None or extent is None:
            return None
        first, end = max(int(low), 0), min(int(low + extent), n)
        if end <= first:
            return None
        clamped.append((first, end - first))
    return tuple(clamped)


# ---------------------------------------------------------------- the budget

_RELATIONS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
    "==": operator.eq,
}
MEASURES = {
    "bytes": "allocated bytes",
    "peak": "bytes at once",
    "allocations": "allocations",
    "recompute": "recompute factor",
    "calls": "packed calls",
    "ratio": "numpy / tewb",
}


@readable
@dataclass(frozen=True, slots=True)
class Check:
    """A line of the budget and what is there now. `ok` is None when the value is not known."""

    what: str
    relation: str
    limit: float
    stage: str | None = None
    value: float | None = None
    ok: bool | None = None

    @property
    def verdict(self) -> str:
        return "unknown" if self.ok is None else "ok" if self.ok else "not ok"

    def __str__(self) -> str:
        of = f" of {self.stage}" if self.stage else ""
        value = "?" if self.value is None else f"{self.value:,.6g}"
        return f"{MEASURES[self.what]}{of} {self.relation} {self.limit:,.6g}: {self.verdict}, it is {value}"


@readable
@dataclass(slots=True)
class Budget:
    """The lines of a session's budget."""

    lines: list[Check] = field(default_factory=list)


class BudgetedView(ProgramView, Protocol):
    """A program with the budget that `expect` fills and `checks` reads."""

    @property
    def budget(self) -> Budget: ...


def expect(program: BudgetedView, what: str, relation: str, limit: float, stage: object = None) -> Check:
    """Add a line to the budget: `expect("bytes", "<=", 4096, stage="X")`.

    `what` is bytes, peak, allocations, recompute, calls or ratio, of one stage or of all (peak and ratio
    are of the kernel). Returns the line as it stands now. Raises TewbError for a line that means nothing,
    ScheduleError for a stage that is not there.
    """
    if not isinstance(what, str) or what not in MEASURES:
        raise TewbError(f"expect: {what!r} is nothing to expect", hint=f"there are {', '.join(MEASURES)}")
    if not isinstance(relation, str) or relation not in _RELATIONS:
        raise TewbError(f"expect: {relation!r} is no relation", hint=f"there are {', '.join(_RELATIONS)}")
    if isinstance(limit, bool) or not isinstance(limit, int | float):
        raise TewbError(f"expect: the limit {limit!r} is not a number", hint='expect("bytes", "<=", 4096)')
    name = None if stage is None else program.schedule[stage].name
    if name is not None and what in ("peak", "ratio"):
        raise TewbError(
            f"expect: {MEASURES[what]} is of the kernel, not of one stage", hint="leave stage out"
        )
    line = Check(what, relation, limit, name)
    program.budget.lines.append(line)
    return _checked(program, line, None)


def checks(program: BudgetedView, measured: Measurement | None = None) -> list[Check]:
    """The budget, line by line, for the schedule as it is now. `measured` gives the ratio."""
    is_right = measured is None or hasattr(measured, "ratio")
    check_given(is_right, "measured", measured, "what session.measure() found", "checks(session.measure())")
    return [_checked(program, line, measured) for line in program.budget.lines]


def _checked(program: ProgramView, line: Check, measured: Measurement | None) -> Check:
    value = _value(program, line, measured)
    ok = None if value is None else _RELATIONS[line.relation](value, line.limit)
    return Check(line.what, line.relation, line.limit, line.stage, value, ok)


def _value(program: ProgramView, line: Check, measured: Measurement | None) -> float | None:
    if line.what == "ratio":
        return None if measured is None else measured.ratio
    if program.problem is not None:
        return None
    if line.what == "peak":
        return peak_bytes_of(program.function)
    if line.what == "allocations":
        own = [a for a in allocations(program.function) if line.stage in (None, a.stage)]
        return len(own)
    entries = [e for e in ledger(program) if line.stage in (None, e.stage)]
    if not entries:
        return 0 if line.stage is None else None
    values = [_figure(e, line.what) for e in entries]
    if None in values:
        return None
    known = [v for v in values if v is not None]
    return max(known) if line.what == "recompute" else sum(known)


def _figure(e: Entry, what: str) -> float | None:
    return {"bytes": e.allocated.bytes, "recompute": e.recompute, "calls": e.calls}[what]
