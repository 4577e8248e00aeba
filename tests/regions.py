"""Random readers of one stage that is computed in their loops: how much of it is kept, and how much is read.

A program runs in the interpreter, with fresh memory poisoned and each access checked. What it reads of the stage in each
iteration of the loops around is counted: the smallest box around it, and its elements.
"""

from __future__ import annotations

import contextlib
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import tewb
from tewb import ir, te
from tewb.base import ScheduleError
from tewb.ir import const_int
from tewb.schedule import Schedule
from tewb.workbench.trace.interpreter import IRInterpreter

POISON = 1_000_003


@dataclass
class Region:
    """What is allocated for a stage (None where the shape is not constant), the largest box that is read in it, and
    the most elements that are stored and read in one allocation."""

    shape: tuple[int | None, ...] = ()
    box: tuple[int, ...] = ()
    stored: int = 0
    read: int = 0

    @property
    def kept(self) -> int | None:
        """The number of elements that are allocated."""
        return None if None in self.shape else math.prod(n for n in self.shape if n is not None)


@dataclass
class _Allocation:
    shape: tuple[int, ...]
    read: set[int] = field(default_factory=set)
    written: set[int] = field(default_factory=set)

    def box(self) -> tuple[int, ...]:
        if not self.read or not self.shape:
            return (0,) * len(self.shape)
        at = np.unravel_index(np.array(sorted(self.read)), self.shape)
        return tuple(int(x.max() - x.min()) + 1 for x in at)


class Watch(IRInterpreter):
    """Runs a statement with poisoned allocations; `regions` tells what was used of each, by name."""

    def __init__(self, memory: dict[ir.Var, Any], values: dict[ir.Var, Any]) -> None:
        super().__init__(memory, values, self.watch)
        self.live: dict[ir.Var, _Allocation] = {}
        self.regions: dict[str, Region] = {}

    def run(self, s: ir.Stmt) -> None:
        if isinstance(s, ir.Allocate):
            self.allocate(s)
        else:
            super().run(s)

    def watch(self, owner: ir.Var, kind: str, at: list[int]) -> None:
        size = self.memory[owner].size
        assert all(0 <= i < size for i in at), f"{kind} of {owner.name} outside of its {size} elements: {at}"
        if owner in self.live:
            (self.live[owner].read if kind == "read" else self.live[owner].written).update(at)

    def allocate(self, s: ir.Allocate) -> None:
        b = s.buffer
        shape = tuple(int(self.value(n)) for n in b.shape)
        size = math.prod(shape)
        if b.strides:  # with gaps between rows: as one line
            steps = [int(self.value(e)) for e in b.strides]
            size = 0 if 0 in shape else 1 + sum((n - 1) * step for n, step in zip(shape, steps, strict=True))
            shape = (size,)
        self.memory[b.data] = np.full(size, POISON, str(b.dtype))
        self.live[b.data] = now = _Allocation(shape)
        self.run(s.body)
        del self.live[b.data]
        declared = shape if b.strides else tuple(const_int(n) for n in b.shape)
        seen = self.regions.setdefault(b.name, Region(declared, (0,) * len(shape)))
        seen.box = tuple(max(p, q) for p, q in zip(seen.box, now.box(), strict=True))
        seen.stored, seen.read = max(seen.stored, len(now.written)), max(seen.read, len(now.read))


def watched(
    s: Schedule, args: list[Any], inputs: list[Any], sizes: dict[ir.Var, int]
) -> tuple[Any, dict[str, Region]]:
    """The last argument after a run of a schedule, and what is kept and read of each stage."""
    f = tewb.lower(s, args)["main"]
    out = [int(n) if const_int(n) is not None else sizes[n] for n in args[-1].shape]
    arrays = [*inputs, np.full(out, POISON, "int32")]
    memory = {p.data: a.reshape(-1).copy() for p, a in zip(f.params, arrays, strict=True)}
    w = Watch(memory, dict(sizes))
    w.run(f.body)
    return memory[f.params[-1].data].reshape(out), w.regions


# ---------------------------------------------------------------- random programs


@dataclass
class Reading:
    """A program: `reader` reads `stage`, which is computed from an input; what the result is, in numpy."""

    text: str
    schedule: Schedule
    args: list[Any]
    stage: Any
    reader: Any
    given: Any
    wanted: Any
    sizes: dict[ir.Var, int]

    def run(self) -> Region | None:
        """What is kept of the stage, None for nothing. Fails where the result is wrong."""
        result, regions = watched(self.schedule, self.args, [self.given], self.sizes)
        np.testing.assert_array_equal(result, self.wanted, self.text)
        return regions.get("B")


KINDS = ["affine", "strided", "clamped", "guarded", "divided", "rows", "fused", "stencil", "blocked"]
WITHIN = ("clamped", "guarded", "stencil", "fused")  # the stage is as large as the reader
Places = list[list[Any]]


@dataclass
class Reads:
    """Where a random reader reads: `places` of i, j and k. Those outside of the stage count 0, by `choose`."""

    places: Callable[[Any, Any, Any], Places]
    text: str
    clamp: str = ""  # what is taken of an index first, "min" or "max"
    choose: Any = None

    def at(self, i: Any, j: Any, k: Any) -> list[tuple[Any, ...]]:
        """The places, in numpy or as expressions."""
        return [tuple(x) for x in self.places(i, j, k)]


def random_reads(kind: str, rng: random.Random, ni: int, nj: int) -> Reads:
    coefs = [0, 1, 1, 2, 3, 5, nj, nj * 2, 16, -1, -3]
    a, b, c, d = (rng.choice(coefs) for _ in range(4))
    more = rng.choice([[0], [0], [0, 1], [0, 4], [0, 5, 10], [-1, 0, 1]])
    match kind:
        case "strided":
            a, b, c = rng.choice([(5, 1, 0), (1, 5, 0), (4, 0, 1), (2, 2 * ni, 1), (0, 3, 6), (6, -3, 0)])
        case "blocked":
            a, b, c = rng.choice([nj, nj + 1, nj * 2, 16]), 1, 0
        case "divided":
            q, m, both = rng.choice([2, 3, 4, 8]), rng.choice([2, 4, 8]), rng.choice([1, 2])
            text = f"(i*{a} + j*{b})//{q} + k*{c}, (i + j*{d} + 64)%{m}"
            return Reads(
                lambda i, j, k: [[(i * a + j * b) // q + k * c], [(i + j * d + 64) % m]][:both], text
            )
        case "rows":
            text = f"i*{a} + k + {more}, j*{b} + k*{c}"
            return Reads(lambda i, j, k: [[i * a + k + o, j * b + k * c] for o in more], text)
        case "fused":
            return Reads(lambda i, j, k: [[i, j]], "i, j")
        case "clamped":
            by, clamp = min(abs(b), 3), rng.choice(["min", "max"])
            text = f"{clamp} of i + k + j*{by} + {more}"
            return Reads(lambda i, j, k: [[i + k + j * by + o] for o in more], text, clamp)
        case "guarded" | "stencil":
            choose = te.if_then_else if kind == "stencil" or rng.random() < 0.5 else te.select
            offsets = [-1, 0, 1] if kind == "stencil" else more
            return Reads(lambda i, j, k: [[i + k + o] for o in offsets], f"i + k + {offsets}", "", choose)
    return Reads(
        lambda i, j, k: [[i * a + j * b + k * c + o] for o in more], f"i*{a} + j*{b} + k*{c} + {more}"
    )


def random_reading(seed: str, kind: str | None = None) -> Reading:
    """A random reader of a stage that is computed in one of its loops."""
    rng = random.Random(seed)
    kind = kind or rng.choice(KINDS)
    ni, nj, nk = rng.choice([1, 3, 4, 6, 8, 12]), rng.choice([2, 3, 4, 5, 8]), rng.choice([1, 1, 2, 3])
    reads = random_reads(kind, rng, ni, nj)
    n = te.var("n") if kind in WITHIN and rng.random() < 0.4 else None
    grid = np.meshgrid(np.arange(ni), np.arange(nj), np.arange(nk), indexing="ij")
    touched = [np.stack([x + grid[0] * 0 for x in place]) for place in reads.at(*grid)]
    if kind in WITHIN:
        least, shape = [0] * len(touched[0]), [ni, nj][: len(touched[0])]
    else:
        least = [int(x) for x in np.min([p.reshape(len(p), -1).min(1) for p in touched], 0)]
        most = np.max([p.reshape(len(p), -1).max(1) for p in touched], 0)
        shape = [int(x) - low + 1 + rng.choice([0, 0, 5]) for x, low in zip(most, least, strict=True)]
    declared = shape if n is None else [n, *shape[1:]]
    A = te.placeholder(declared, "int32", name="A")
    B = te.compute(declared, lambda *x: A[x] * 2 + 1, name="B")
    axis = te.reduce_axis((0, nk), name="k")

    def read(*place: Any) -> Any:
        place = tuple([x - low for x, low in zip(place, least, strict=True)])
        if reads.clamp:
            last = declared[0] - 1
            low_first = te.min(te.max(place[0], 0), last), te.max(te.min(place[0], last), 0)
            return B[low_first[reads.clamp == "max"]]
        if reads.choose is None:
            return B[place]
        inside = [c for x, m in zip(place, declared, strict=True) for c in (x >= 0, x < m)]
        return reads.choose(te.all(*inside), B[place], 0)

    def element(i: Any, j: Any) -> Any:
        terms = [read(*place) for place in reads.at(i, j, axis if nk > 1 else 0)]
        total = sum(terms[1:], terms[0])
        return te.sum(total, axis=axis) if nk > 1 else total

    C = te.compute((ni if n is None else n, nj), element, name="C")
    given = np.random.default_rng(rng.randrange(1000)).integers(0, 1000, shape, "int32")
    wanted = sum(_values(given * 2 + 1, place, least, reads) for place in touched).sum(2, dtype="int32")  # type: ignore[union-attr]
    s, log = te.create_schedule(C.op), [f"B[{reads.text}] of {declared} in {ni} {nj} {nk}"]
    _random_loops(s[C], rng, log)
    place = rng.choice(list(s[C].leaf_iter_vars))
    log.append(f"at {s[C].axis_name(place)}")
    s[B].compute_at(s[C], place)
    if rng.random() < 0.3:
        s[B].split(s[B].leaf_iter_vars[-1], rng.choice([2, 3, 4]))
    return Reading("; ".join(log), s, [A, C], B, C, given, wanted, {} if n is None else {n: ni})


def _values(b: Any, place: Any, least: list[int], reads: Reads) -> Any:
    """The elements at places in numpy: 0 outside, or the one at the edge for clamped places."""
    at = [x - low for x, low in zip(place, least, strict=True)]
    inside = np.all([(x >= 0) & (x < m) for x, m in zip(at, b.shape, strict=True)], 0)
    there = b[tuple([np.clip(x, 0, m - 1) for x, m in zip(at, b.shape, strict=True)])]
    return there if reads.clamp else np.where(inside, there, 0)


def _random_loops(stage: Any, rng: random.Random, log: list[str]) -> None:
    for _ in range(rng.choice([0, 1, 2, 3])):
        loops = list(stage.leaf_iter_vars)
        what, first, factor = (
            rng.choice(["split", "split", "fuse", "reorder"]),
            rng.randrange(len(loops)),
            rng.choice([2, 3, 4, 8]),
        )
        with contextlib.suppress(ScheduleError):
            names = [stage.axis_name(iv) for iv in loops[first : first + 2]]
            if what == "split":
                stage.split(loops[first], factor)
            elif len(names) == 1:
                continue
            elif what == "fuse":
                stage.fuse(loops[first], loops[first + 1])
            else:
                stage.reorder(loops[first + 1], loops[first])
            log.append(f"{what} {names} {factor}")
