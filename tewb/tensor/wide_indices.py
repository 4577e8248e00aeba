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
        _largest(e, most)
    except _PassesError:
        return True
    return False


def _largest(e: Expr, most: Mapping[Var, int]) -> int:
    """What the absolute value of `e` never passes; 0 where nobody knows. Raises _PassesError for more than fits."""
    match e:
        case IntImm(value):
            return abs(value)
        case Var():
            return most.get(e, 0)
        case Add(a, b) | Sub(a, b):
            found = _largest(a, most) + _largest(b, most)
        case Mul(a, b):
            found = _largest(a, most) * _largest(b, most)
        case FloorDiv(a, IntImm(c)) if c > 0:
            return _largest(a, most) // c + 1
        case FloorMod(a, IntImm(c)) if c > 0:
            _largest(a, most)
            return c
        case Min(a, b) | Max(a, b):
            return max(_largest(a, most), _largest(b, most))
        case _:
            return 0
    if found > e.dtype.max_value():
        raise _PassesError
    return found
