"""The accesses of all buffers of a program together, in the order of its schedule."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tewb.arith import row_major
from tewb.base import ArgumentError, TewbError, check_given, check_stopped, here, is_count, memory_dtype
from tewb.ir import (
    Allocate,
    Buffer,
    BufferLoad,
    BufferStore,
    Evaluate,
    Expr,
    For,
    ForKind,
    Origin,
    PrimFunc,
    Stmt,
    Var,
    script_lines,
    walk,
)
from tewb.lowering import lower_schedule, with_thread_loops
from tewb.tensor import ComputeOp, Tensor
from tewb.workbench.measure.counts import Sizes, operations_below, points, size_of
from tewb.workbench.measure.suitable_inputs import suitable_inputs
from tewb.workbench.measure.verify import CannotCheck, SmallProgram, small_program, values_of_symbols
from tewb.workbench.session_view import SessionView
from tewb.workbench.trace.access_trace import AccessTrace
from tewb.workbench.trace.interpreter import EnoughOfNest, IRInterpreter

LIMIT = 20_000  # accesses of a trace
SECONDS = 10.0  # that it may take
_LARGE = 1 << 22  # elements of an input from which on it is zeros: they are there only where they are touched
_TIMES = (8, 4, 2, 1)  # as large as a twin may be, in units of the factors of the journal
_WIDEST = 64  # elements of one access
_MOST_BYTES = 1 << 33  # of arrays that are never touched as a whole


@dataclass(frozen=True, slots=True)
class TracedBuffer:
    """Memory that is touched: an argument or an allocation. `strides` are in elements; `elements` is how many the memory
    has from the first to the last, gaps included."""

    name: str
    kind: str  # "input", "output" or "inside"
    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    elements: int

    @property
    def item_bytes(self) -> int:
        return memory_dtype(self.dtype).itemsize


@dataclass(frozen=True, slots=True)
class TracedLoop:
    """A loop of the lowered program: the variable, the stage and axis that it is of, its iterations, whether they are the
    tasks of threads."""

    name: str
    origin: Origin | None
    extent: int
    is_parallel: bool


@dataclass(frozen=True, slots=True)
class AccessSite:
    """A place in the program that touches memory always in the same way: `lanes` are the elements of one access, from
    the first one on. `loops` are those around it, outermost first, by their numbers; `line` is that of the text."""

    buffer: int
    writes: bool
    loops: tuple[int, ...]
    line: int | None
    stage: str | None
    lanes: tuple[int, ...]


# The site of an access by its number, its first element, and the values of the loops around.
TracedEvent = tuple[int, int, tuple[int, ...]]


@dataclass(frozen=True)
class DataTrace:
    """What a program does with all of its memory. `complete` is False when it stopped at a limit; then every outermost
    loop has had its share. `sizes` says which sizes it has instead of those of the program, "" when it is that itself,
    and `ratio` how much smaller they are."""

    buffers: tuple[TracedBuffer, ...]
    loops: tuple[TracedLoop, ...]
    sites: tuple[AccessSite, ...]
    events: tuple[TracedEvent, ...]
    complete: bool
    sizes: str = ""
    ratio: float = 1.0

    def __len__(self) -> int:
        return len(self.events)

    def __repr__(self) -> str:
        names = ", ".join(b.name for b in self.buffers)
        return f"DataTrace({len(self)} accesses of {names}{'' if self.complete else ', the first ones'})"

    def of_buffer(self, name: str) -> DataTrace:
        """The accesses of one buffer. Raises TewbError when there is none of that name."""
        at = next((i for i, b in enumerate(self.buffers) if b.name == name), None)
        if at is None:
            known = ", ".join(b.name for b in self.buffers)
            raise TewbError(f"the program has no buffer {name}", hint=f"it has {known}", span=here())
        kept = [i for i, s in enumerate(self.sites) if s.buffer == at]
        number = {old: new for new, old in enumerate(kept)}
        events = tuple([(number[s], e, values) for s, e, values in self.events if s in number])
        sites = tuple([replace(self.sites[i], buffer=0) for i in kept])
        return replace(self, buffers=(self.buffers[at],), sites=sites, events=events)

    def task(self, event: TracedEvent) -> tuple[int, int] | None:
        """Which task of the outermost parallel loop makes an access, and of how many; None outside of such loops."""
        site, _, values = event
        for loop, value in zip(self.sites[site].loops, values, strict=True):
            if self.loops[loop].is_parallel:
                return value, self.loops[loop].extent
        return None


def data_trace(session: SessionView, limit: int = LIMIT, sizes: str = "small") -> DataTrace:
    """The accesses of the lowered program of `session`, at most `limit` of them.

    `sizes` is "small" (a program with more accesses is shrunk to a small twin) or "full" (as it is, up to the limit).
    Symbolic sizes have the session's values. Raises TewbError for what cannot be run, Stopped when it is not wanted any
    more.
    """
    check_given(is_count(limit), "limit", limit, "a number of accesses", "limit=20000")
    if sizes not in ("small", "full"):
        raise ArgumentError(f"sizes is {sizes!r}", hint='sizes="small" or "full"', span=here())
    values = values_of_symbols(session.args, session.sizes)
    steps = list(enumerate(session.schedule.journal))
    whole = SmallProgram(session.schedule.outputs, list(session.args), values, steps, {})
    program = _small(session, whole, limit) if sizes == "small" else whole
    if program.shrunk or program.outputs is not whole.outputs:
        f = lower_schedule(program.beginning(len(steps)), program.args, session.name).functions[session.name]
    else:
        f = session.function
    given = session.inputs if program.sizes == values and not program.shrunk else None
    made = _Tracing(f, program, given, session.function, limit).run()
    said, ratio = _instead(program, values)
    return replace(made, sizes=said, ratio=ratio)


def _instead(p: SmallProgram, values: Sizes) -> tuple[str, float]:
    """Which sizes a twin has for those of the program, and how much smaller they are."""
    changed = {str(a): (a, b) for a, b in p.shrunk.items() if a != b}
    for name, n in values.items():
        if isinstance(name, str) and name in p.sizes and p.sizes[name] != n:
            changed[f"{name} = {n}"] = (n, p.sizes[name])
    said = ", ".join(f"{new} for {old}" for old, (_, new) in changed.items())
    return said, max((old / max(new, 1) for old, new in changed.values()), default=1.0)


def of_one_buffer(trace: AccessTrace) -> DataTrace:
    """The accesses of one buffer, which were followed before, by themselves."""
    b = TracedBuffer(
        trace.buffer, "input", trace.dtype, trace.shape, tuple(_compact(trace.shape)), math.prod(trace.shape)
    )
    loops: dict[str, int] = {}
    sites: dict[AccessSite, int] = {}
    events: list[TracedEvent] = []
    for a in trace.accesses:
        nest = tuple([loops.setdefault(name, len(loops)) for name, _ in a.loops])
        lanes = tuple([e - a.elements[0] for e in a.elements])
        site = AccessSite(0, a.kind == "write", nest, None, None, lanes)
        values = tuple([value for _, value in a.loops])
        events.append((sites.setdefault(site, len(sites)), a.elements[0], values))
    around = tuple([TracedLoop(name, None, 0, False) for name in loops])
    return DataTrace((b,), around, tuple(sites), tuple(events), trace.complete)


# ---------------------------------------------------------------- which program


def _small(session: SessionView, whole: SmallProgram, limit: int) -> SmallProgram:
    """The program itself if it has few accesses, else its most faithful twin with few; the one with fewest if none has."""
    tried: list[tuple[float, int, SmallProgram]] = []

    def fits(p: SmallProgram) -> bool:
        if p.outputs is not whole.outputs and not _may_fit(p, limit):
            return False
        f = session.function if p.outputs is whole.outputs else _lowered(p)
        count = accesses_of(f.body, p.sizes)
        tried.append((count, -len(tried), p))
        return count <= limit

    for sizes in (session.sizes, {}) if _is_symbolic(whole) else (session.sizes,):
        try:
            return small_program(session.schedule, session.args, sizes, fits, _TIMES)
        except CannotCheck:
            continue
    return min(tried)[2]


def _may_fit(p: SmallProgram, limit: int) -> bool:
    """Whether there could be few accesses, even if all were as wide as vectors are; without lowering."""
    points_of = [points(op, p.sizes) or 0 for op in operations_below(p.outputs) if isinstance(op, ComputeOp)]
    return sum(points_of) <= limit * _WIDEST


def _is_symbolic(p: SmallProgram) -> bool:
    return any(isinstance(v, Var) for v in p.sizes)


def _lowered(p: SmallProgram) -> PrimFunc:
    return next(iter(lower_schedule(p.beginning(len(p.steps)), p.args).functions.values()))


def accesses_of(s: Stmt, sizes: Sizes) -> float:
    """About how many accesses a statement makes: loads and stores, those of a vector or a call as one, with guards that
    always hold."""
    inside = sum(accesses_of(c, sizes) for c in s.children() if isinstance(c, Stmt))
    if isinstance(s, For):
        try:
            return inside * size_of(s.extent, sizes)
        except TewbError:
            return inside  # its ends come from loops around, or from data
    own = [c for c in s.children() if isinstance(c, Expr)]
    loads = sum(isinstance(n, BufferLoad) for e in own for n in walk(e))
    return inside + loads + isinstance(s, BufferStore | Evaluate)


# ---------------------------------------------------------------- running it


class _Tracing:
    """Runs a program and writes down what it touches."""

    def __init__(
        self, f: PrimFunc, program: SmallProgram, given: Sequence[Any] | None, shown: PrimFunc, limit: int
    ) -> None:
        self.program, self.limit, self.is_given = program, limit, given is not None
        self.f = with_thread_loops(f)
        self.values: dict[Var, Any] = {v: n for v, n in program.sizes.items() if isinstance(v, Var)}
        self.arrays = _arrays(self.f, program, given)
        self._bind()
        self.interpreter = IRInterpreter(self._memory(), self.values, self.touched, native_regions=True)
        self.interpreter.each_iteration = self.check
        self.owners = {b.data: (i, b, name, kind) for i, (b, name, kind) in enumerate(_buffers(self.f))}
        self.lines = lines_in(self.f, shown)
        self.loops: dict[For, int] = {}
        self.extents: list[int] = []
        self.sites: dict[tuple[Any, ...], int] = {}
        self.events: list[TracedEvent] = []
        self.began = time.monotonic()
        self.nests = _outermost(self.f.body)
        self.now: For | None = None
        self.share = limit

    def run(self) -> DataTrace:
        """The trace."""
        complete = True
        try:
            with np.errstate(all="ignore"):
                self.interpreter.run(self.f.body)
        except (_Full, EnoughOfNest):
            complete = False
        buffers = tuple([self.traced(b, name, kind) for _, b, name, kind in self.owners.values()])
        loops = [
            TracedLoop(n.var.name, n.origin, extent, n.kind is ForKind.PARALLEL)
            for n, extent in zip(self.loops, self.extents, strict=True)
        ]
        sites = [self.site(key) for key in self.sites]
        return DataTrace(
            buffers, tuple(loops), tuple(sites), tuple(self.events), complete and not self.was_cut
        )

    was_cut = False

    def check(self) -> None:
        """Raise what ends the trace when it is no longer wanted, or takes long."""
        check_stopped(self.began)
        if time.monotonic() - self.began > SECONDS:
            raise _Full
        nest = self.interpreter.nest[0]
        if (
            nest is not self.now
        ):  # the next one of the outermost loops: what is left is for it and those after it
            self.now = nest
            left = self.limit - len(self.events)
            self.share = len(self.events) + left // max(self.nests, 1)
            self.nests -= 1

    def touched(self, owner: Var, kind: str, elements: list[int]) -> None:
        """Write down an access."""
        if not elements or owner not in self.owners:
            return
        i = self.interpreter
        if len(self.events) >= (self.share if i.nest else self.limit):
            self.was_cut = True
            raise EnoughOfNest if i.nest else _Full
        first = elements[0]
        lanes = (0,) if len(elements) == 1 else tuple([e - first for e in elements])
        nest = tuple([self.loop(n) for n in i.nest])
        key = (self.owners[owner][0], kind == "write", nest, i.statement, lanes)
        site = self.sites.setdefault(key, len(self.sites))
        self.events.append((site, first, tuple([value for _, value in i.loops])))

    def loop(self, n: For) -> int:
        known = self.loops.get(n)
        if known is None:
            known = self.loops[n] = len(self.loops)
            self.extents.append(int(self.interpreter.value(n.extent)))
        return known

    def site(self, key: tuple[Any, ...]) -> AccessSite:
        buffer, writes, nest, statement, lanes = key
        origin = getattr(statement, "origin", None)
        stage = None if origin is None else origin.stage
        return AccessSite(buffer, writes, nest, self.lines.get(statement), stage, lanes)

    # ---- memory

    def _bind(self) -> None:
        """Give values to the strides and offsets of parameters: those of the arrays."""
        for p, array in self.arrays.items():
            strides = [n // max(array.itemsize, 1) for n in array.strides]
            for e, n in zip(p.strides, strides, strict=False):
                if isinstance(e, Var):
                    self.values.setdefault(e, n)
            if isinstance(p.elem_offset, Var):
                self.values.setdefault(p.elem_offset, 0)
        for v in self.f.params:
            if isinstance(v, Var):
                n = self.values.get(v, 1)
                self.values[v] = bool(n) if v.dtype.is_bool else n

    def _memory(self) -> dict[Var, Any]:
        """A line of elements for each parameter, gaps between rows included."""
        memory: dict[Var, Any] = {}
        for p, array in self.arrays.items():
            kept = memory_dtype(p.dtype)
            steps = self._strides(p)
            if list(steps) == _compact(array.shape):
                line = np.ascontiguousarray(array, kept).reshape(-1)
                memory[p.data] = line.copy() if self.is_given else line
                continue
            line = np.zeros(_span(array.shape, steps), kept)
            view = np.lib.stride_tricks.as_strided(
                line, array.shape, [n * line.itemsize for n in steps], writeable=True
            )
            view[...] = array
            memory[p.data] = line
        return memory

    def _strides(self, b: Buffer) -> tuple[int, ...]:
        return tuple([size_of(e, self.values) for e in b.strides or row_major(b.shape)])

    def traced(self, b: Buffer, name: str, kind: str) -> TracedBuffer:
        """What a buffer looks like in memory. A size that loops around decide is that of the memory it had."""
        memory = self.interpreter.memory.get(b.data)
        try:
            shape = tuple([size_of(n, self.values) for n in b.shape])
            strides = self._strides(b)
        except TewbError:
            shape, strides = (0 if memory is None else memory.size,), (1,)
        elements = _span(shape, strides) if memory is None else max(memory.size, _span(shape, strides))
        return TracedBuffer(name, kind, str(b.dtype), shape, strides, elements)


class _Full(Exception):
    """The trace is as long as it may be."""


def _compact(shape: Sequence[int]) -> list[int]:
    return [math.prod(shape[d + 1 :]) for d in range(len(shape))]


def _span(shape: Sequence[int], strides: Sequence[int]) -> int:
    """Elements of memory from the first to the last of an array."""
    if math.prod(shape) == 0:
        return 0
    return 1 + sum((n - 1) * abs(step) for n, step in zip(shape, strides, strict=True))


def _outermost(s: Stmt) -> int:
    """How many loops stand in no other."""
    if isinstance(s, For):
        return 1
    return sum(_outermost(c) for c in s.children() if isinstance(c, Stmt))


def _buffers(f: PrimFunc) -> Iterator[tuple[Buffer, str, str]]:
    """The buffers with memory of their own, each once, with names that differ: the second A is A_1, as in the text."""
    own: dict[Var, tuple[Buffer, str]] = {}
    for i, p in enumerate(f.params):
        if isinstance(p, Buffer):
            own[p.data] = (p, "output" if i in f.outputs else "input")
    for n in walk(f.body):
        if isinstance(n, Allocate):
            own.setdefault(n.buffer.data, (n.buffer, "inside"))
    taken: set[str] = set()
    for b, kind in own.values():
        unique, again = b.name, 0
        while unique in taken:
            again += 1
            unique = f"{b.name}_{again}"
        taken.add(unique)
        yield b, unique, kind


def _arrays(f: PrimFunc, program: SmallProgram, given: Sequence[Any] | None) -> dict[Buffer, Any]:
    """An array for each parameter: the inputs that are given, or random ones; outputs are zeros."""
    tensors = [a if isinstance(a, Tensor) else None for a in program.args]
    inputs = [t for i, t in enumerate(tensors) if t is not None and i not in f.outputs]
    shapes = {b: [size_of(n, program.sizes) for n in b.shape] for b in f.params if isinstance(b, Buffer)}
    if sum(math.prod(shape) * memory_dtype(b.dtype).itemsize for b, shape in shapes.items()) > _MOST_BYTES:
        raise TewbError("the arrays are too large to be traced", hint='sizes="small" traces a small twin')
    known: dict[Tensor, Any] = {}
    if given is not None:
        known = dict(zip(inputs, given, strict=False))
    elif sum(math.prod(s) for s in shapes.values()) <= _LARGE:
        known = suitable_inputs(program.outputs, inputs, program.sizes, np.random.default_rng(0))
    arrays: dict[Buffer, Any] = {}
    for t, b in zip(tensors, f.params, strict=True):
        if not isinstance(b, Buffer):
            continue
        if t in known:
            arrays[b] = np.asarray(known[t])
            if list(arrays[b].shape) != shapes[b]:
                raise ArgumentError(
                    f"the input for {b.name} has shape {arrays[b].shape}, not {tuple(shapes[b])}",
                    hint="inputs are in the order of the arguments",
                )
        else:
            arrays[b] = np.zeros(shapes[b], memory_dtype(b.dtype))
    return arrays


# ---------------------------------------------------------------- lines of code


def lines_in(f: PrimFunc, shown: PrimFunc) -> Mapping[Stmt, int]:
    """The line (from 0) of the text of `shown` for each statement of `f`, which may be its twin."""
    ours, theirs = script_lines(f), script_lines(shown)
    if [(x.depth, type(x.node)) for x in ours] == [(x.depth, type(x.node)) for x in theirs]:
        return {x.node: i for i, x in enumerate(ours) if isinstance(x.node, Stmt)}
    alike: dict[Any, list[int]] = {}
    for i, x in enumerate(theirs):
        if isinstance(x.node, Stmt):
            alike.setdefault(_likeness(x.node), []).append(i)
    found: dict[Stmt, int] = {}
    count: Counter[Any] = Counter()
    for x in ours:
        if isinstance(x.node, Stmt) and x.node not in found and (lines := alike.get(_likeness(x.node))):
            found[x.node] = lines[min(count[_likeness(x.node)], len(lines) - 1)]
            count[_likeness(x.node)] += 1
    return found


def _likeness(s: Stmt) -> Any:
    """What a statement shares with the one that other sizes make of the same part: its stage, and what it touches."""
    o = getattr(s, "origin", None)
    own = [n for c in s.children() if isinstance(c, Expr) for n in walk(c)]
    read = frozenset(n.buffer.name for n in own if isinstance(n, BufferLoad))
    axis = o.axis if o is not None and isinstance(s, For) else None
    written = s.buffer.name if isinstance(s, BufferStore) else None
    return type(s), None if o is None else o.stage, axis, written, read
