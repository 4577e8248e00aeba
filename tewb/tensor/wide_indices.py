"""Indices whose arithmetic passes int32 on the way are computed in int64."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from tewb.base import INT32, INT64, DType
from tewb.ir import (
    Add,
    AxisValues,
    BufferLoad,
    BufferStore,
    Call,
    Cast,
    Div,
    Expr,
    FloorDiv,
    FloorMod,
    For,
    IntImm,
    IterVar,
    Max,
    Min,
    Mod,
    Mul,
    ProducerLoad,
    Range,
    Select,
    Stmt,
    Sub,
    Var,
    const,
    const_int,
    free_vars,
    ops,
    replace,
    rewriter,
    script,
    walk,
    walk_statements,
)

Ends = tuple[int, int]
Known = Mapping[Var, tuple[int | None, int | None]]


_ROOM = 1 << 16  # symbolic sizes are assumed to be this far below the largest number of their dtype


def with_wide_indices(body: tuple[Expr, ...], axes: Iterable[IterVar]) -> tuple[Expr, ...]:
    """`body` with the indices in int64 that may pass their dtype, as far as the ranges of `axes` show:

    A[i * 65536 // 7], i < 70000    ->    A[int64(i) * 65536 // 7]

    How large a symbolic size or an element of a tensor is, is not known. Where it matters (a quotient, a remainder
    or a minimum of a number that has wrapped is another number) they are taken to be that large. A sum or product
    that has itself wrapped is found by the check at run time: see `checked_index`.
    """
    ranges = known_ranges(axes, [n.producer for e in body for n in walk(e) if isinstance(n, ProducerLoad)])

    def load(n: ProducerLoad) -> Expr:
        rewritten = n.map_children(rewrite)
        pairs = zip(rewritten.indices, n.producer.shape, strict=True)
        indices = [wide_index(i, ranges, size) for i, size in pairs]
        if all(a is b for a, b in zip(indices, rewritten.indices, strict=True)):
            return rewritten
        return ProducerLoad(rewritten.producer, tuple(indices), rewritten.dtype)

    rewrite: Any = rewriter({ProducerLoad: load})
    return tuple([rewrite(e) for e in body])


def with_wide_accesses(body: Stmt) -> Stmt:
    """A statement that was written by hand, with the indices in int64 that may pass their dtype."""
    loops = {n.var: Range(n.min, n.extent) for n in walk_statements(body) if isinstance(n, For)}
    buffers = [n.buffer for n in walk(body) if isinstance(n, BufferLoad | BufferStore)]
    ranges = _known(loops, [n for b in buffers for n in b.shape])

    def access(n: Any) -> Any:
        rewritten = n.map_children(rewrite)
        sizes = rewritten.buffer.shape if len(rewritten.buffer.shape) == len(rewritten.indices) else ()
        pairs = zip_longest(rewritten.indices, sizes, fillvalue=const(0))
        indices = tuple([i if i.dtype.lanes > 1 else wide_index(i, ranges, size) for i, size in pairs])
        if all(a is b for a, b in zip(indices, rewritten.indices, strict=True)):
            return rewritten
        return replace(rewritten, indices=indices)

    rewrite: Any = rewriter({BufferLoad: access, BufferStore: access})
    rewritten: Stmt = rewrite(body)
    return rewritten


def wide_ends(begin: Expr, end: Expr, axes: Sequence[IterVar]) -> tuple[Expr, Expr]:
    """The ends of a range, in int64 if they may pass their dtype."""
    tensors = [n.producer for e in (begin, end) for n in walk(e) if isinstance(n, ProducerLoad)]
    ranges = known_ranges(axes, tensors)
    low, high = (checked_end(e, ranges) for e in with_wide_indices((begin, end), axes))
    return low, high


def checked_end(end: Expr, ranges: Known) -> Expr:
    """The end of a range as it is checked when the kernel runs: in int64 if it may pass its dtype."""
    return _widened(end) if _passes(end, ranges, None, True) else end


def wide_index(index: Expr, ranges: Known, size: Expr) -> Expr:
    """An index into a dimension of `size`, in int64 if it may pass its dtype."""
    is_long = size.dtype.bits > index.dtype.bits or (const_int(size) or 0) > index.dtype.max_value()
    return _widened(index) if _passes(index, ranges, size, is_long) else index


def checked_index(index: Expr, ranges: Known, size: Expr) -> Expr:
    """An index as it is compared with the `size` of a dimension when the kernel runs: in int64 also if sizes or elements
    of which nothing is known may make it pass its dtype. What then is inside has not wrapped."""
    return _widened(index) if _passes(index, ranges, size, True) else index


def element_in_index(value: Expr, ranges: Known) -> Expr:
    """The value of an element that is put where an index reads it: it has wrapped, as in memory, where it passes its dtype, and
    stays as it is in an index that is computed in int64.

    A[B[i]], B[i] = C[i] + C[i]    ->    A[int32(uint32(C[i] + C[i]))]
    """
    d = value.dtype
    if d.bits >= 64 or not _passes(value, ranges, None, False):
        return value
    return Cast(Cast(value, DType(f"uint{d.bits}")), d)


def index_text(index: Expr) -> str:
    """An index as the user wrote it: without the casts that make it wide."""

    def cast(n: Cast) -> Expr:
        e: Expr = n.map_children(rewrite)
        return e.value if isinstance(e, Cast) and n.dtype is INT64 and n.value.dtype.is_int else e

    rewrite: Any = rewriter({Cast: cast, IntImm: lambda n: IntImm(n.value, INT32) if n.dtype is INT64 else n})
    return script(rewrite(index))


def known_ranges(axes: Iterable[IterVar], tensors: Iterable[Any]) -> Known:
    """The first and the last number of axes, as far as they are known, and of the sizes of axes and tensors."""
    ranges = {iv.var: iv.dom for iv in axes if iv.dom is not None}
    return _known(ranges, [n for t in dict.fromkeys(tensors) for n in t.shape])


def _known(ranges: Mapping[Var, Range], sizes: Iterable[Expr]) -> Known:
    known: dict[Var, tuple[int | None, int | None]] = {}
    for size in (*sizes, *(r.extent for r in ranges.values())):
        if const_int(size) is None:
            known.update({v: (0, None) for v in free_vars(size)})
    for v, r in ranges.items():
        low, n = const_int(r.min), const_int(r.extent)
        known[v] = low, None if low is None or n is None else max(low, low + n - 1)
    return known


class _Wider(AxisValues):
    """Integer arithmetic in int64: variables and elements become wider, and so does all that is computed from them."""

    def __init__(self, e: Expr) -> None:
        values = {v: ops.cast(v, INT64) for v in free_vars(e) if v.dtype.kind == "int" and v.dtype.bits < 64}
        super().__init__(values, lambda n, _: n)
        self.are_wide = True

    def _index(self, e: Expr) -> Expr:
        match e:
            case Cast(x) if e.dtype.kind == x.dtype.kind == "int" and x.dtype.bits <= e.dtype.bits:
                return ops.cast(self.index(x), INT64)
            case ProducerLoad() | BufferLoad() | Cast() if e.dtype.is_int and e.dtype.bits < 64:
                return ops.cast(e, INT64)
            case ProducerLoad() | BufferLoad():
                return e
        return super()._index(e)


def _widened(index: Expr) -> Expr:
    return ops.cast(_Wider(index).index(index), INT64)


class _PassesError(Exception):
    """A term of an index may pass its dtype, and what is computed from it then is wrong."""


def _passes(e: Expr, ranges: Known, size: Expr | None, any_number: bool) -> bool:
    """Whether `e`, as an index into a dimension of `size`, may be another number than in int64."""
    if isinstance(e, Var | IntImm | ProducerLoad | BufferLoad) or e.dtype.kind != "int":
        return False
    ends = _Ranges(ranges)
    try:
        lo, hi = ends.of(e, any_number)
    except _PassesError:
        return True
    return not _holds(e.dtype, (lo, hi)) and not (ends.guessed and _is_seen(e.dtype, (lo, hi), size))


def _holds(d: DType, ends: Ends) -> bool:
    return d.bits >= 64 or (d.min_value() <= ends[0] and ends[1] <= d.max_value())


def _is_seen(d: DType, ends: Ends, size: Expr | None) -> bool:
    """Whether an index that has wrapped is negative or beyond the last element, so that a check sees it."""
    if size is None or size.dtype.bits > d.bits:
        return False
    n = const_int(size)
    most = d.max_value() - _ROOM if n is None else n
    return most <= d.max_value() and ends[1] < 1 << d.bits and ends[0] + (1 << d.bits) >= most


class _Ranges:
    """The ranges of integer arithmetic as if it did not wrap, as far as the ranges of variables are `known`."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.ends: dict[tuple[Expr, bool], Ends] = {}
        self.guessed = False  # whether a range depends on a number that is not known

    def of(self, e: Expr, any_number: bool) -> Ends:
        """The range of `e`. Variables of which nothing is known are 0, or with `any_number` all that they may be.
        Raises _PassesError where a term passes its dtype and more is computed from it than a sum or product."""
        if (e, any_number) not in self.ends:
            lo, hi = self._find(e, any_number)
            if e.dtype.kind != "int" and not _holds(e.dtype, (lo, hi)):
                lo, hi = e.dtype.min_value(), e.dtype.max_value()  # unsigned numbers wrap
            self.ends[e, any_number] = lo, hi
        return self.ends[e, any_number]

    def exact(self, e: Expr, any_number: bool) -> Ends:
        """The range of `e`, which must not pass its dtype."""
        ends = self.of(e, any_number)
        if not _holds(e.dtype, ends):
            raise _PassesError
        return ends

    def _any(self, e: Expr) -> Ends:
        self.guessed = True
        return e.dtype.min_value(), e.dtype.max_value()

    def _variable(self, v: Var, any_number: bool) -> Ends:
        lo, hi = self.known.get(v, (None, None))
        if lo is not None and hi is not None:
            return lo, hi
        self.guessed = True
        least, most = v.dtype.min_value(), v.dtype.max_value()
        if not any_number:
            return 0, 0
        if lo is not None and most > 2 * _ROOM:  # a size
            most -= _ROOM
        return least if lo is None else lo, most if hi is None else hi

    def _find(self, e: Expr, any_number: bool) -> Ends:
        match e:
            case IntImm(value):
                return value, value
            case Var():
                return self._variable(e, any_number) if e.dtype.is_int else (0, 0)
            case Cast(a) if a.dtype.is_int and e.dtype.is_int:
                ends = self.exact(a, any_number) if e.dtype.bits > a.dtype.bits else self.of(a, any_number)
                return ends if _holds(e.dtype, ends) else self._any(e)
            case Add(a, b):
                (p, q), (r, s) = self.of(a, any_number), self.of(b, any_number)
                return p + r, q + s
            case Sub(a, b):
                (p, q), (r, s) = self.of(a, any_number), self.of(b, any_number)
                return p - s, q - r
            case Mul(a, b):
                ends_of = [x * y for x in self.of(a, any_number) for y in self.of(b, any_number)]
                return min(ends_of), max(ends_of)
            case Call("shift_left", (a, IntImm(c))):
                return self.of(a, any_number)[0] << c, self.of(a, any_number)[1] << c
            case Call("bitwise_and", (a, IntImm(c))) if c >= 0:  # the lowest bits are right, wrapped or not
                self.of(a, any_number)
                return 0, c
            case FloorMod(a, IntImm(c)) if c > 0 and c & (c - 1) == 0:
                self.of(a, any_number)
                return 0, c - 1
            case ProducerLoad() | BufferLoad():  # its own indices are checked by themselves
                return self._any(e) if e.dtype.is_int else (0, 0)
        return self._of_exact_operands(e)

    def _of_exact_operands(self, e: Expr) -> Ends:
        """The range of an operation that is wrong if one of its operands has wrapped."""
        operands = [self.exact(c, True) for c in e.children() if isinstance(c, Expr)]
        match e:
            case FloorMod(_, IntImm(c)) if c > 0:
                return 0, c - 1
            case FloorDiv(_, IntImm(c)) if c > 0:
                return operands[0][0] // c, operands[0][1] // c
            case Call("shift_right", (_, IntImm(c))):
                return operands[0][0] >> c, operands[0][1] >> c
            case Min():
                return min(operands[0][0], operands[1][0]), min(operands[0][1], operands[1][1])
            case Max():
                return max(operands[0][0], operands[1][0]), max(operands[0][1], operands[1][1])
            case FloorDiv() | Div():
                most = max(abs(x) for x in operands[0])
                return (0 if min(operands[0][0], operands[1][0]) >= 0 else -most), most
            case FloorMod() | Mod():
                most = max(abs(x) for x in operands[1])
                return (0 if operands[1][0] >= 0 and isinstance(e, FloorMod) else -most), most
            case Select() | Call("if_then_else"):
                return min(p[0] for p in operands[1:]), max(p[1] for p in operands[1:])
        return self._any(e) if e.dtype.is_int else (0, 0)
