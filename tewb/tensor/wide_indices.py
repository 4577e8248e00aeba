"""Indices whose arithmetic passes int32 on the way are computed in int64."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tewb.base import INT64
from tewb.ir import (
    Add,
    Expr,
    FloorDiv,
    FloorMod,
    IntImm,
    IterVar,
    Max,
    Min,
    Mul,
    ProducerLoad,
    Range,
    Sub,
    Var,
    at_axes,
    const_int,
    ops,
    rewriter,
)


def with_wide_indices(body: tuple[Expr, ...], axes: Iterable[IterVar]) -> tuple[Expr, ...]:
    """`body` with the indices in int64 that may pass their dtype, as far as the ranges of `axes` tell:

    A[i * 65536 // 7], i < 70000    ->    A[int64(i) * 65536 // 7]
    """
    most = {iv.var: n for iv in axes if (n := _largest_of(iv.dom)) is not None}
    wide = at_axes({v: ops.cast(v, INT64) for v in most})

    def load(n: ProducerLoad) -> Expr:
        made = n.map_children(rewrite)
        indices = [wide.index(i) if _passes(i, most) else i for i in made.indices]
        if all(a is b for a, b in zip(indices, made.indices, strict=True)):
            return made
        return ProducerLoad(made.producer, tuple(indices), made.dtype)

    rewrite: Any = rewriter({ProducerLoad: load})
    return tuple([rewrite(e) for e in body])


def _largest_of(dom: Range | None) -> int | None:
    """What the absolute value of an axis never passes."""
    low = None if dom is None else const_int(dom.min)
    n = None if dom is None else const_int(dom.extent)
    return None if low is None or n is None else max(abs(low), abs(low + n))


class _PassesError(Exception):
    """A part of an index may be larger than its dtype."""


def _passes(e: Expr, most: Mapping[Var, int]) -> bool:
    if isinstance(e, Var | IntImm) or e.dtype.kind != "int" or e.dtype.bits >= 64:
        return False
    try:
        _Largest(most).of(e)
    except _PassesError:
        return True
    return False


class _Largest:
    """What absolute values never pass, as far as `most` tells of variables; 0 where nobody knows."""

    def __init__(self, most: Mapping[Var, int]) -> None:
        self.most = most
        self.known: dict[Expr, int] = {}

    def of(self, e: Expr) -> int:
        """The largest absolute value of `e`. Raises _PassesError for more than its dtype holds."""
        if e not in self.known:
            self.known[e] = self._find(e)
        return self.known[e]

    def _find(self, e: Expr) -> int:
        match e:
            case IntImm(value):
                return abs(value)
            case Var():
                return self.most.get(e, 0)
            case Add(a, b) | Sub(a, b):
                found = self.of(a) + self.of(b)
            case Mul(a, b):
                found = self.of(a) * self.of(b)
            case FloorDiv(a, IntImm(c)) if c > 0:
                return self.of(a) // c + 1
            case FloorMod(a, IntImm(c)) if c > 0:
                self.of(a)
                return c
            case Min(a, b) | Max(a, b):
                return max(self.of(a), self.of(b))
            case _:
                return 0
        if found > e.dtype.max_value():
            raise _PassesError
        return found
