"""Indices whose arithmetic passes int32 on the way are computed in int64."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tewb.base import INT32, INT64
from tewb.ir import (
    Add,
    BufferLoad,
    Call,
    Cast,
    Div,
    Expr,
    FloorDiv,
    FloorMod,
    IntImm,
    IterVar,
    Max,
    Min,
    Mod,
    Mul,
    ProducerLoad,
    Range,
    Select,
    Sub,
    Var,
    at_axes,
    const_int,
    free_vars,
    ops,
    rewriter,
    script,
)

Ends = tuple[int, int]
_NOT_KNOWN: Ends = (0, 0)
_ROOM = 1 << 16  # what may be added to a size: larger ones are so close to the end that nobody has them


def with_wide_indices(body: tuple[Expr, ...], axes: Iterable[IterVar]) -> tuple[Expr, ...]:
    """`body` with the indices in int64 that may pass their dtype, as far as the ranges of `axes` tell:

    A[i * 65536 // 7], i < 70000    ->    A[int64(i) * 65536 // 7]

    Of a symbolic size nobody knows whether it is as large. Where it matters (a sum that wraps is outside of the tensor
    anyway, but its remainder or its smaller one with something may be inside) it is taken to be.
    """
    ranges = {iv.var: r for iv in axes if (r := _range_of(iv.dom)) is not None}

    def load(n: ProducerLoad) -> Expr:
        made = n.map_children(rewrite)
        indices = [wide_index(i, ranges) for i in made.indices]
        if all(a is b for a, b in zip(indices, made.indices, strict=True)):
            return made
        return ProducerLoad(made.producer, tuple(indices), made.dtype)

    rewrite: Any = rewriter({ProducerLoad: load})
    return tuple([rewrite(e) for e in body])


def wide_index(index: Expr, ranges: Mapping[Var, Ends]) -> Expr:
    """`index`, in int64 if it may pass its dtype."""
    if not _passes(index, ranges):
        return index
    narrow = {v for v in free_vars(index) if v.dtype.kind == "int" and v.dtype.bits < 64}
    return at_axes({v: ops.cast(v, INT64) for v in narrow}).index(index)


def written(index: Expr) -> str:
    """An index as text for people: without what makes it wide."""

    def cast(n: Cast) -> Expr:
        made: Expr = n.map_children(rewrite)
        return made.value if isinstance(made, Cast) and n.dtype is INT64 and n.value.dtype.is_int else made

    rewrite: Any = rewriter({Cast: cast, IntImm: lambda n: IntImm(n.value, INT32) if n.dtype is INT64 else n})
    return script(rewrite(index))


def _range_of(dom: Range | None) -> Ends | None:
    """The first and the last number of a range."""
    low = None if dom is None else const_int(dom.min)
    n = None if dom is None else const_int(dom.extent)
    return None if low is None or n is None else (low, max(low, low + n - 1))


class _PassesError(Exception):
    """A part of an index may be larger than its dtype."""


def _passes(e: Expr, ranges: Mapping[Var, Ends]) -> bool:
    if isinstance(e, Var | IntImm) or e.dtype.kind != "int":
        return False
    try:
        _Ranges(ranges).of(e, False)
    except _PassesError:
        return True
    return False


class _Ranges:
    """The ranges of indices, as far as `known` tells of variables; (0, 0) where nobody knows."""

    def __init__(self, known: Mapping[Var, Ends]) -> None:
        self.known = known
        self.found: dict[tuple[Expr, bool], Ends] = {}

    def of(self, e: Expr, sizes: bool) -> Ends:
        """The range of `e`. With `sizes`, variables of which nothing is known are as large as sizes may be. Raises
        _PassesError for more than its dtype holds."""
        if (e, sizes) not in self.found:
            self.found[e, sizes] = self._checked(e, self._find(e, sizes))
        return self.found[e, sizes]

    def _checked(self, e: Expr, found: Ends) -> Ends:
        d = e.dtype
        if d.kind == "int" and d.bits < 64 and not (d.min_value() <= found[0] and found[1] <= d.max_value()):
            raise _PassesError
        return found if d.kind == "int" else _NOT_KNOWN

    def _find(self, e: Expr, sizes: bool) -> Ends:
        match e:
            case IntImm(value):
                return value, value
            case Var():
                return self.known.get(
                    e,
                    (0, max(e.dtype.max_value() - _ROOM, 0))
                    if sizes and e.dtype.kind == "int"
                    else _NOT_KNOWN,
                )
            case Cast(a):
                return self.of(a, sizes)
            case ProducerLoad() | BufferLoad():  # its own indices have been looked at
                return _NOT_KNOWN
            case Add(a, b):
                (p, q), (r, s) = self.of(a, sizes), self.of(b, sizes)
                return p + r, q + s
            case Sub(a, b):
                (p, q), (r, s) = self.of(a, sizes), self.of(b, sizes)
                return p - s, q - r
            case Mul(a, b):
                ends = [x * y for x in self.of(a, sizes) for y in self.of(b, sizes)]
                return min(ends), max(ends)
            case Call("shift_left", (a, IntImm(c))):
                return self.of(a, sizes)[0] << c, self.of(a, sizes)[1] << c
        parts = [self.of(c, True) for c in e.children() if isinstance(c, Expr)]
        match e:
            case FloorMod(_, IntImm(c)) if c > 0:
                return 0, c - 1
            case FloorDiv(_, IntImm(c)) if c > 0:
                return parts[0][0] // c, parts[0][1] // c
            case Min():
                return min(parts[0][0], parts[1][0]), min(parts[0][1], parts[1][1])
            case Max():
                return max(parts[0][0], parts[1][0]), max(parts[0][1], parts[1][1])
            case FloorDiv() | Div():
                most = max(abs(x) for x in parts[0])
                return (0 if min(parts[0][0], parts[1][0]) >= 0 else -most), most
            case FloorMod() | Mod():
                most = max(abs(x) for x in parts[1])
                return (0 if parts[1][0] >= 0 and isinstance(e, FloorMod) else -most), most
            case Select() | Call("if_then_else"):
                return min(p[0] for p in parts[1:]), max(p[1] for p in parts[1:])
        return _NOT_KNOWN
