"""The accesses of one buffer over time: what a loop nest touches, how soon again, and in which cache lines."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from tewb.base import ArgumentError, TewbError, check_given, here, is_count, lazy, memory_dtype
from tewb.ir import Allocate, Buffer, Origin, PrimFunc, Var, const_int, walk_statements
from tewb.lowering import with_thread_loops
from tewb.tensor import PlaceholderOp, Tensor
from tewb.workbench.measure.counts import value_of
from tewb.workbench.measure.suitable_inputs import suitable_inputs
from tewb.workbench.session_view import SessionView
from tewb.workbench.trace.interpreter import IRInterpreter

LINE = 64  # bytes in a line of the cache

_WORK = 64  # accesses of all buffers that may be run through, for each one that is wanted


@dataclass(frozen=True, slots=True)
class TracedAccess:
    """One load or store: `elements` are positions in memory order, one for each lane of a vector, or all of
    a tile that a packed function gets. `loops` are the loops around with their values, outermost first."""

    time: int
    kind: str  # "read" or "write"
    elements: tuple[int, ...]
    loops: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class AccessTrace:
    """What a program does with one buffer. `complete` is False when the trace stopped at its limit; `session` is whose
    program it is.

    The buffer begins at a line of the cache. Distances are LRU stack distances (Mattson et al. 1970): how
    many others were touched since the last touch of the same; None for the first. A cache of n lines with
    LRU replacement holds what has a distance below n.
    """

    buffer: str
    dtype: str
    shape: tuple[int, ...]
    accesses: tuple[TracedAccess, ...]
    complete: bool
    session: SessionView | None = field(default=None, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.accesses)

    @property
    def item_bytes(self) -> int:
        return memory_dtype(self.dtype).itemsize

    @property
    def line_elements(self) -> int:
        """Elements in a line of the cache."""
        return LINE // self.item_bytes

    def index(self, element: int) -> tuple[int, ...]:
        """The indices of an element by its position in memory order."""
        return tuple(int(i) for i in np.unravel_index(element, self.shape)) if self.shape else ()

    def line(self, element: int) -> int:
        """The cache line of an element."""
        return element // self.line_elements

    def touches(self) -> Iterator[int]:
        """The elements in the order in which they are touched; lanes of a vector one after the other."""
        return (element for a in self.accesses for element in a.elements)

    @lazy
    def distances(self) -> tuple[int | None, ...]:
        """For each touch, the number of distinct other elements since the last touch of this one."""
        return tuple(stack_distances(list(self.touches())))

    @lazy
    def line_distances(self) -> tuple[int | None, ...]:
        """For each touch, the number of distinct other cache lines since the last touch of this line."""
        return tuple(stack_distances([self.line(e) for e in self.touches()]))

    @lazy
    def first_touch(self) -> tuple[int, ...]:
        """For each access, the number of its first touch among `touches`."""
        starts = np.cumsum([0, *[len(a.elements) for a in self.accesses]])
        return tuple(int(i) for i in starts[:-1])

    def hits(self, lines: int) -> float:
        """The share of touches that a cache of `lines` lines would serve, if it held this buffer alone."""
        known = self.line_distances
        return sum(d is not None and d < lines for d in known) / max(len(known), 1)

    def __str__(self) -> str:
        touched = set(self.touches())
        lines = {self.line(e) for e in touched}
        used = len(touched) / max(len(lines) * self.line_elements, 1)
        ended = "" if self.complete else " (the first ones: the trace has a limit)"
        return (
            f"{self.buffer}: {len(self)} accesses{ended}, {len(touched)} of {math.prod(self.shape)} elements, "
            f"{len(lines)} cache lines of {LINE} bytes, {used:.0%} of them used"
        )

    def __repr__(self) -> str:
        return f"AccessTrace({self})"


def trace(session: SessionView, buffer: str, limit: int = 4096) -> AccessTrace:
    """The first `limit` touches of `buffer` by the lowered program of `session`, on its inputs or random ones.

    `buffer` is the name of an argument or of an allocation. Raises TewbError for sizes that are symbolic, for
    a buffer that the program does not have, and where native code would be called.
    """
    check_given(is_count(limit), "limit", limit, "a number of accesses", "limit=4096")
    f = with_thread_loops(session.function)
    _check_constant(f)
    traced = _find(f, buffer)
    shape = tuple(const_int(n) for n in traced.shape)
    sizes = tuple(n for n in shape if n is not None)
    if len(sizes) < len(shape):
        raise _symbolic(traced)
    if traced.strides and isinstance(traced.origin, Origin):
        sizes = _with_gaps(sizes, [const_int(n) or 1 for n in traced.strides])
    recorder = _Recorder(traced.data, max(limit, 1))
    interpreter = IRInterpreter(_arguments(session, f), _scalars(session, f), recorder.touched)
    recorder.loops = interpreter.loops
    complete = True
    try:
        with np.errstate(all="ignore"):
            interpreter.run(f.body)
    except _Enough:
        complete = False
    return AccessTrace(buffer, str(traced.dtype), sizes, tuple(recorder.accesses), complete, session)


def _with_gaps(shape: tuple[int, ...], strides: Sequence[int]) -> tuple[int, ...]:
    """The shape of the memory of an aligned intermediate: rows are as long as they are apart."""
    if not shape or strides[-1] != 1 or any(a % b for a, b in pairwise(strides)):
        return (1 + sum((n - 1) * step for n, step in zip(shape, strides, strict=True)),)
    return (shape[0], *[a // b for a, b in pairwise(strides)])


class _Enough(Exception):
    """The trace is as long as it may be."""


class _Recorder:
    """Keeps the accesses of one owner of memory."""

    def __init__(self, owner: Var, limit: int) -> None:
        self.owner, self.left, self.work = owner, limit, limit * _WORK
        self.accesses: list[TracedAccess] = []
        self.loops: list[tuple[str, int]] = []

    def touched(self, owner: Var, kind: str, elements: list[int]) -> None:
        self.work -= len(elements)
        if owner is self.owner and elements:
            if len(elements) > self.left:
                raise _Enough
            self.left -= len(elements)
            self.accesses.append(TracedAccess(len(self.accesses), kind, tuple(elements), tuple(self.loops)))
        if self.work < 0:
            raise _Enough


# ---------------------------------------------------------------- what is run


def _check_constant(f: PrimFunc) -> None:
    for p in f.params:
        if isinstance(p, Buffer) and any(const_int(n) is None for n in p.shape):
            raise _symbolic(p)


def _symbolic(b: Buffer) -> TewbError:
    return TewbError(
        f"the accesses of {b.name} cannot be traced: its sizes are symbolic",
        hint="trace a small program of constant sizes, as with te.placeholder((16, 16))",
    )


def _find(f: PrimFunc, name: str) -> Buffer:
    """The argument or allocation that is called `name`; of several A the second is A_1, as in the text of `f`."""
    owners: dict[str, Buffer] = {}
    allocated = (n.buffer for n in walk_statements(f.body) if isinstance(n, Allocate))
    for b in (*(p for p in f.params if isinstance(p, Buffer)), *allocated):
        unique, n = b.name, 0
        while unique in owners:
            n += 1
            unique = f"{b.name}_{n}"
        owners[unique] = b
    if not isinstance(name, str) or name not in owners:
        raise TewbError(f"the program has no buffer {name}", hint=f"it has {', '.join(owners)}", span=here())
    return owners[name]


def _arguments(session: SessionView, f: PrimFunc) -> dict[Var, Any]:
    """The memory of the arguments: the session's inputs, or random ones; outputs are zeros."""
    rng = np.random.default_rng(0)
    given = None if session.inputs is None else iter(session.inputs)
    memory: dict[Var, Any] = {}
    tensors = [a if isinstance(a, Tensor) else None for a in session.args]
    inputs = [t for t in tensors if t is not None and isinstance(t.op, PlaceholderOp)]
    suitable = (
        {} if given is not None else suitable_inputs(session.schedule.outputs, inputs, session.sizes, rng)
    )
    for position, b in enumerate(f.params):
        if not isinstance(b, Buffer):
            continue
        shape, t = [const_int(n) or 0 for n in b.shape], tensors[position]
        if position in f.outputs:
            array = np.zeros(shape, memory_dtype(b.dtype))
        elif given is None:
            assert t is not None
            array = suitable[t]
        else:
            array = np.asarray(next(given, None))
            if list(array.shape) != shape:
                raise ArgumentError(
                    f"the input for {b.name} has shape {array.shape}, not {tuple(shape)}",
                    hint="inputs are in the order of the arguments",
                )
        memory[b.data] = np.ascontiguousarray(array, memory_dtype(b.dtype)).reshape(-1).copy()
    return memory


def _scalars(session: SessionView, f: PrimFunc) -> dict[Var, Any]:
    scalars = {p: value_of(p, session.sizes, 1) for p in f.params if isinstance(p, Var)}
    return {p: bool(n) if p.dtype.is_bool else n for p, n in scalars.items()}


# ---------------------------------------------------------------- distances


def stack_distances(touched: Sequence[int]) -> list[int | None]:
    """For each touch, how many different others came since the last touch of the same; None for the first.

    A Fenwick tree holds a mark at the last touch of each thing, so that marks in between are counted in
    log(n) steps.
    """
    n = len(touched)
    marks = [0] * (n + 1)

    def add(at: int, change: int) -> None:
        at += 1
        while at <= n:
            marks[at] += change
            at += at & -at

    def before(at: int) -> int:
        total = 0
        while at > 0:
            total += marks[at]
            at -= at & -at
        return total

    last: dict[int, int] = {}
    distances: list[int | None] = []
    for now, thing in enumerate(touched):
        then = last.get(thing)
        if then is None:
            distances.append(None)
        else:
            distances.append(before(now) - before(then + 1))
            add(then, -1)
        last[thing] = now
        add(now, 1)
    return distances


def histogram(distances: Iterable[int | None]) -> list[tuple[str, int]]:
    """How often distances fall between powers of two, beginning with those that are touched first."""
    counts: dict[int, int] = {}
    for d in distances:
        bucket = -1 if d is None else d.bit_length()
        counts[bucket] = counts.get(bucket, 0) + 1
    if not counts:
        return []
    names = {-1: "first", 0: "0", 1: "1"}
    return [
        (names.get(b) or f"{1 << (b - 1)}-{(1 << b) - 1}", counts.get(b, 0))
        for b in range(-1, max(counts) + 1)
    ]
