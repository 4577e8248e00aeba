"""Nests: each store of a program with the loops around it, and how far its accesses move in memory along a loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tewb import arith
from tewb.ir import (
    AttrStmt,
    AxisKind,
    Buffer,
    BufferLoad,
    BufferStore,
    Call,
    Expr,
    For,
    Max,
    Min,
    Stmt,
    Var,
    rewriter,
    script,
    structural_equal,
    walk,
)
from tewb.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Nest:
    """A store with the loops of its own stage around it, and all loops around it, outermost first."""

    stage: str
    loops: tuple[For, ...]
    around: tuple[For, ...]
    store: BufferStore

    @property
    def inner(self) -> For:
        return self.loops[-1]

    def loads(self) -> list[BufferLoad]:
        """What is loaded for the value that is stored; of a sum, without the sum so far."""
        s = self.store
        loads = {n: None for n in walk(s.value) if isinstance(n, BufferLoad)}
        return [
            n
            for n in loads
            if not (n.buffer is s.buffer and all(map(structural_equal, n.indices, s.indices)))
        ]


def nests(schedule: Schedule, s: Stmt, around: tuple[For, ...]) -> Iterator[Nest]:
    """The nests that do the work of their stages: not the start of a reduction, nor the inside of a call."""
    if isinstance(s, For):
        around = (*around, s)
    if isinstance(s, AttrStmt) and s.key == "extern_scope" and _calls(s):
        return
    stage = None if not isinstance(s, BufferStore) or s.origin is None else schedule.find(s.origin.stage)
    if isinstance(s, BufferStore) and stage is not None:
        loops = tuple(
            n for n in around if n.origin is not None and n.origin.stage == stage.name and n.origin.axis
        )
        kinds = [iv.kind for n in loops if (iv := stage.find_axis(axis_of(n))) is not None]
        if loops and (not stage.op.reduce_axis or AxisKind.REDUCE in kinds):
            yield Nest(stage.name, loops, around, s)
    for c in s.children():
        if isinstance(c, Stmt):
            yield from nests(schedule, c, around)


def _calls(s: Stmt) -> bool:
    return any(isinstance(n, Call) and n.op.startswith("tvm_call_packed") for n in walk(s))


def axis_of(n: For) -> str:
    assert n.origin is not None and n.origin.axis is not None
    return n.origin.axis


_CLAMPS = (Min, Max)


def _unclamped(e: Expr) -> Expr:
    """An index without its clamps at the edges, which few iterations feel."""

    def clamp(n: Any) -> Expr:
        a, b = rewrite(n.a), rewrite(n.b)
        return a if not free(b) else b if not free(a) else n

    def free(x: Expr) -> bool:
        return any(isinstance(n, Var) for n in walk(x))

    if not any(isinstance(n, _CLAMPS) for n in walk(e)):
        return e
    rewrite: Callable[[Expr], Expr] = rewriter({Min: clamp, Max: clamp})
    return rewrite(e)


def stride(buffer: Buffer, indices: Sequence[Expr], v: Var) -> int | None:
    """How many elements an access moves from one iteration of `v` to the next, clamps at edges aside; None when
    that varies."""
    return arith.stride(buffer.strides or arith.row_major(buffer.shape), [_unclamped(i) for i in indices], v)


def strides_of(buffer: Buffer, indices: Sequence[Expr], variables: Sequence[Var]) -> tuple[int | None, ...]:
    """`stride` along each of several loops."""
    steps = buffer.strides or arith.row_major(buffer.shape)
    return arith.strides_of(steps, [_unclamped(i) for i in indices], variables)


def strides_along(nest: Nest, v: Var) -> dict[str, int | None]:
    """The stride of every access of a nest along a loop, by its text."""
    accesses: dict[str, int | None] = {
        f"{n.buffer.name}[{_indices(n.indices)}]": stride(n.buffer, n.indices, v)
        for n in walk(nest.store.value)
        if isinstance(n, BufferLoad)
    }
    own = f"{nest.store.buffer.name}[{_indices(nest.store.indices)}]"
    accesses[own] = stride(nest.store.buffer, nest.store.indices, v)
    return accesses


def _indices(indices: Sequence[Expr]) -> str:
    return ", ".join(script(i).replace("T.", "") for i in indices)


def is_unit(strides: Iterable[int | None]) -> bool:
    """Whether neighbours in a loop are neighbours in memory, or the same element."""
    values = list(strides)
    return 1 in values and all(x in (0, 1) for x in values)
