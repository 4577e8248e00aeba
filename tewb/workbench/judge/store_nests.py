"""Stores with the loops around them, as a model of speed sees them: how often loops run, and how far accesses move along each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tewb import arith
from tewb.arith import Analyzer
from tewb.ir import (
    Allocate,
    Buffer,
    BufferLoad,
    BufferStore,
    Call,
    Expr,
    ExternRegion,
    For,
    ForKind,
    IfThenElse,
    Node,
    Select,
    Stmt,
    Var,
    const,
    const_int,
    substitute,
    uses,
    walk,
)
from tewb.workbench.judge.nests import strides_of
from tewb.workbench.measure.counts import Sizes, value_at

FAR = 997  # elements between neighbours of which nothing is known


@dataclass(frozen=True, slots=True)
class NestLoop:
    """A loop: how often it runs each time, and its kind."""

    var: Var
    trips: float
    kind: ForKind


@dataclass(frozen=True, slots=True)
class StoreNest:
    """A store with the loops around it, outermost first, of which its memory is there for one iteration of the first `since`.
    `sizes` are those of the program, which are the same for all."""

    loops: tuple[NestLoop, ...]
    store: BufferStore
    since: int = 0
    sizes: Sizes = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Access:
    """A load or a store: how many elements it moves along each loop, and how many bytes an element has."""

    moves: tuple[int, ...]
    item: int
    buffer: Any
    stores: bool = False
    offset: int = 0


def store_nests(body: Stmt, sizes: Sizes) -> Iterator[StoreNest]:
    """Every store, in the order of the program; a range that depends on other loops counts as it is in their middle."""
    return _stores(body, (), {}, sizes, {})


def _stores(
    s: Node,
    around: tuple[NestLoop, ...],
    middle: Mapping[Var, Any],
    sizes: Sizes,
    since: Mapping[Buffer, int],
) -> Iterator[StoreNest]:
    match s:
        case For():
            trips = _value(s.extent, middle, sizes)
            first = _value(s.min, middle, sizes)
            inside = (*around, NestLoop(s.var, max(trips, 0.0), s.kind))
            yield from _stores(s.body, inside, {**middle, s.var: first + (trips - 1) / 2}, sizes, since)
        case Allocate():
            yield from _stores(s.body, around, middle, sizes, {**since, s.buffer: len(around)})
        case BufferStore():
            yield StoreNest(around, s, since.get(s.buffer, 0), sizes)
        case IfThenElse() if s.other is not None:  # the one that runs in the middle of the loops
            runs = s.other if _value(s.cond, middle, sizes) == 0 else s.then
            yield from _stores(runs, around, middle, sizes, since)
        case Stmt() if not isinstance(getattr(s, "node", None), ExternRegion):
            for child in s.children():
                yield from _stores(child, around, middle, sizes, since)


def _value(e: Expr, middle: Mapping[Var, Any], sizes: Sizes) -> float:
    known = const_int(e)
    if known is not None:
        return float(known)
    value = value_at(e, middle, sizes)
    return 1.0 if value is None else float(value)


def accesses(nest: StoreNest) -> list[Access]:
    """The loads, and the store as the last."""
    s, simplify = nest.store, Analyzer().simplify
    variables = [loop.var for loop in nest.loops]
    dots = {loop.var: const(0, loop.var.dtype) for loop in nest.loops if loop.kind is ForKind.DOT}

    def moves(n: Any) -> tuple[int, ...]:
        # (4*ko + ki) // 4 moves with ko, whatever ki is
        indices = [simplify(substitute(i, dots)) for i in n.indices] if dots else n.indices
        steps = strides_of(n.buffer, indices, variables)
        # along a dot product are neighbours, or it would not be one
        dotted = [v in dots and any(uses(i, [v]) for i in n.indices) for v in variables]
        return tuple([1 if d else FAR if m is None else m for d, m in zip(dotted, steps, strict=True)])

    def access(n: Any, stores: bool) -> Access:
        offset = 0 if stores else _offset(n, variables, nest.sizes)
        return Access(moves(n), n.buffer.dtype.nbytes, n.buffer, stores, offset)

    loads = {n: None for n in walk(s.value) if isinstance(n, BufferLoad)}
    return [*(access(n, False) for n in loads), access(s, True)]


def _offset(n: BufferLoad, variables: list[Var], sizes: Sizes) -> int:
    """Where an access is when all loops begin, in elements."""
    first = dict.fromkeys(variables, 0)
    steps = n.buffer.strides or arith.row_major(n.buffer.shape)
    pairs = zip(n.indices, steps, strict=True)
    return round(sum(_value(i, first, sizes) * (const_int(step) or 1) for i, step in pairs))


def values_of(e: Expr) -> Iterator[Expr]:
    """The parts of a value that are computed of elements, each once: not what indices are, nor conditions on loops."""
    seen, pending = set[Expr](), [e]
    while pending:
        x = pending.pop()
        if x in seen or isinstance(x, BufferLoad):
            continue
        seen.add(x)
        yield x
        guard = guard_of(x)
        pending.extend(c for c in x.children() if isinstance(c, Expr) and c is not guard)


def guard_of(e: Expr) -> Expr | None:
    """The condition of a choice, where it is one on loops and no element is looked at."""
    match e:
        case Call(op="if_then_else", args=(cond, *_)) | Select(cond=cond):
            return None if any(isinstance(n, BufferLoad) for n in walk(cond)) else cond
    return None
