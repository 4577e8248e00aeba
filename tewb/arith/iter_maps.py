"""Iterator maps: indices as sums of whole parts of loop variables, which is how splits and fusions write them.

    detect_iter_map([i * 8 + j], {i: Range(0, 4), j: Range(0, 8)})      one iterator of 32 values
    detect_iter_map([x // 4, x % 4], {x: Range(0, 16)})                 two parts of x, of 4 values each

A mark is an iterator: a loop variable, or a sum of parts that goes through 0, 1, 2, ... A split is a part of one:
`floormod(floordiv(source, lower_factor), extent) * scale`. A sum is splits and a base.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any

from tewb.arith.analyzer import Analyzer
from tewb.base import TewbError, here
from tewb.ir import (
    Add,
    Expr,
    FloorDiv,
    FloorMod,
    IterVar,
    Mul,
    Range,
    Sub,
    Var,
    const,
    const_int,
    convert,
    ops,
    script,
    uses,
)


class IterMapLevel(IntEnum):
    """What indices must be of their loops: `Bijective`, each iteration once and every value; `Surjective`, every value;
    `NoCheck`."""

    Bijective = 0
    Surjective = 1
    NoCheck = 3


class IterMapExpr:
    """A part of loops, or a sum of parts."""


class IterMark:
    """An iterator of `extent` values from 0 on: a variable less where it begins, or a sum."""

    def __init__(self, source: Expr | IterSumExpr, extent: Any) -> None:
        self.source, self.extent = source, convert(extent)

    def __repr__(self) -> str:
        return f"IterMark({self.source!r}, {self.extent!r})"


class IterSplitExpr(IterMapExpr):
    """A part of a mark: floormod(floordiv(source, lower_factor), extent) * scale."""

    def __init__(self, source: IterMark, lower_factor: Any, extent: Any, scale: Any) -> None:
        self.source = source
        self.lower_factor, self.extent, self.scale = (convert(x) for x in (lower_factor, extent, scale))

    def __repr__(self) -> str:
        return f"IterSplitExpr({self.source!r}, {self.lower_factor!r}, {self.extent!r}, {self.scale!r})"


class IterSumExpr(IterMapExpr):
    """A sum of splits, and a base without loop variables."""

    def __init__(self, args: Sequence[IterSplitExpr], base: Any) -> None:
        self.args, self.base = list(args), convert(base)

    def __repr__(self) -> str:
        return f"IterSumExpr({self.args!r}, {self.base!r})"


class IterMapResult:
    """What `detect_iter_map` found: a sum for each index, or why there are none."""

    def __init__(self, indices: Sequence[IterSumExpr], errors: Sequence[str]) -> None:
        self.indices, self.errors = list(indices), list(errors)
        self.padding_predicate = const(False)

    def __repr__(self) -> str:
        return f"IterMapResult({self.indices!r}, {self.errors!r})"


class _NoMap(Exception):
    """An index that is no sum of parts of iterators."""


def detect_iter_map(
    indices: Sequence[Any],
    input_iters: Mapping[Any, Range],
    predicate: Any = True,
    check_level: IterMapLevel | int = IterMapLevel.Surjective,
    simplify_trivial_iterators: bool = True,
) -> IterMapResult:
    """Each of `indices` as one iterator and a base, if they are such a map of the loop variables `input_iters`, whose
    extents are constants; else the result has no indices, and its errors say why. A `predicate` must be certain.

    With `simplify_trivial_iterators`, loops of one iteration are constants.
    """
    reader = _Reader(input_iters, simplify_trivial_iterators)
    try:
        if not reader.analyzer.can_prove(convert(predicate)):
            raise _NoMap(f"the predicate {script(convert(predicate))} leaves iterations out")
        sums = [reader.fused(reader.sum_of(convert(e))) for e in indices]
        level = IterMapLevel(check_level)
        if level is not IterMapLevel.NoCheck:
            _check_parts(reader, sums, level is IterMapLevel.Bijective)
    except _NoMap as e:
        return IterMapResult([], [str(e)])
    return IterMapResult(sums, [])


def normalize_to_iter_sum(index: Any, input_iters: Mapping[Any, Range]) -> IterSumExpr:
    """An index as a sum of parts of loop variables, the largest scale first. Raises TewbError if it is none."""
    reader = _Reader(input_iters, True)
    try:
        result = reader.sum_of(convert(index))
    except _NoMap as e:
        raise TewbError(
            f"{script(convert(index))} is no sum of parts of loops: {e}",
            hint="i * 8 + j, x // 4",
            span=here(),
        ) from None
    return IterSumExpr(sorted(result.args, key=lambda s: -abs(_number(s.scale))), result.base)


def normalize_iter_map_to_expr(expr: IterSumExpr | IterSplitExpr) -> Expr:
    """The expression that a sum or a split stands for."""
    return Analyzer().simplify(_expression(expr))


def iter_map_simplify(
    indices: Sequence[Any],
    input_iters: Mapping[Any, Range],
    predicate: Any = True,
    check_level: IterMapLevel | int = IterMapLevel.Surjective,
    simplify_trivial_iterators: bool = True,
) -> list[Expr]:
    """The indices, simpler where they are an iterator map."""
    found = detect_iter_map(indices, input_iters, predicate, check_level, simplify_trivial_iterators)
    if not found.indices:
        return [convert(e) for e in indices]
    analyzer = _Reader(input_iters, False).analyzer
    return [analyzer.simplify(_expression(s)) for s in found.indices]


def inverse_affine_iter_map(iter_map: Sequence[IterSumExpr], outputs: Sequence[Any]) -> dict[Var, Expr]:
    """What each loop variable is where the indices of a bijective map have the values `outputs`."""
    simplify = Analyzer().simplify
    found: dict[Var, Expr] = {}

    def take(s: IterSumExpr, value: Expr) -> None:
        rest = ops.sub(value, s.base)
        for split in s.args:
            part = ops.floordiv(rest, split.scale)
            if len(s.args) > 1:
                part = ops.floormod(part, split.extent)
            put(split.source, ops.mul(part, split.lower_factor))

    def put(mark: IterMark, value: Expr) -> None:
        if isinstance(mark.source, IterSumExpr):
            parts.setdefault(id(mark), (mark, []))[1].append(value)
            return
        v, start = _variable(mark.source)
        found[v] = simplify(ops.add(found.get(v, start), value))

    parts: dict[int, tuple[IterMark, list[Expr]]] = {}
    for s, value in zip(iter_map, outputs, strict=True):
        take(s, convert(value))
    while parts:  # fused iterators, when all of their parts are known
        mark, values = parts.pop(next(iter(parts)))
        total = values[0]
        for value in values[1:]:
            total = ops.add(total, value)
        assert isinstance(mark.source, IterSumExpr)
        take(mark.source, simplify(total))
    return found


def _variable(source: Expr) -> tuple[Var, Expr]:
    """The variable of a mark, and where it begins."""
    if isinstance(source, Sub) and isinstance(source.a, Var):
        return source.a, source.b
    assert isinstance(source, Var)
    return source, const(0, source.dtype)


def _number(e: Expr) -> int:
    n = const_int(e)
    if n is None:
        raise _NoMap(f"{script(e)} is not a constant")
    return n


def _expression(x: IterSumExpr | IterSplitExpr | IterMark | Expr) -> Expr:
    match x:
        case IterMark():
            return _expression(x.source)
        case IterSplitExpr():
            e = _expression(x.source)
            if const_int(x.lower_factor) != 1:
                e = ops.floordiv(e, x.lower_factor)
            if const_int(ops.mul(x.lower_factor, x.extent)) != const_int(x.source.extent):
                e = ops.floormod(e, x.extent)
            return ops.mul(e, x.scale)
        case IterSumExpr():
            total = x.base
            for split in x.args:
                total = ops.add(total, _expression(split))
            return total
    return x


class _Reader:
    """Reads indices as sums. Sums of the same splits are the same mark."""

    def __init__(self, input_iters: Mapping[Any, Range], trivial_as_constants: bool) -> None:
        self.analyzer = Analyzer()
        self.marks: dict[Var, IterMark] = {}
        self.starts: dict[Var, Expr] = {}
        self.fusions: dict[tuple[Any, ...], IterMark] = {}
        self.trivial = trivial_as_constants
        for given, r in input_iters.items():
            v = given.var if isinstance(given, IterVar) else given
            self.analyzer.bind(v, r)
            source = v if const_int(r.min) == 0 else Sub(v, ops.cast(r.min, v.dtype), v.dtype)
            self.marks[v], self.starts[v] = IterMark(source, r.extent), r.min

    def sum_of(self, e: Expr) -> IterSumExpr:
        """An index as a sum of splits. Raises _NoMap."""
        if not uses(e, list(self.marks)):
            return IterSumExpr([], e)
        match e:
            case Var():
                mark = self.marks[e]
                if self.trivial and const_int(mark.extent) == 1:
                    return IterSumExpr([], self.starts[e])
                return IterSumExpr([IterSplitExpr(mark, 1, mark.extent, 1)], self.starts[e])
            case Add(a, b):
                return self.plus(self.sum_of(a), self.sum_of(b), 1)
            case Sub(a, b):
                return self.plus(self.sum_of(a), self.sum_of(b), -1)
            case Mul(a, b):
                factor, inner = (a, b) if const_int(a) is not None else (b, a)
                return self.times(self.sum_of(inner), _number(factor))
            case FloorDiv(a, b):
                return self.divided(self.sum_of(a), _number(b), is_remainder=False)
            case FloorMod(a, b):
                return self.divided(self.sum_of(a), _number(b), is_remainder=True)
        raise _NoMap(f"{script(e)} is no sum, quotient or remainder of loop variables")

    def plus(self, x: IterSumExpr, y: IterSumExpr, sign: int) -> IterSumExpr:
        y = self.times(y, sign)
        args = list(x.args)
        for split in y.args:
            same = next((n for n, s in enumerate(args) if _key(s)[:3] == _key(split)[:3]), None)
            if same is None:
                args.append(split)
                continue
            scale = _number(args[same].scale) + _number(split.scale)
            args[same] = IterSplitExpr(split.source, split.lower_factor, split.extent, scale)
        return IterSumExpr(
            [s for s in args if _number(s.scale)], self.analyzer.simplify(ops.add(x.base, y.base))
        )

    def times(self, x: IterSumExpr, factor: int) -> IterSumExpr:
        if factor == 1:
            return x
        args = [
            IterSplitExpr(s.source, s.lower_factor, s.extent, _number(s.scale) * factor)
            for s in x.args
            if factor
        ]
        return IterSumExpr(args, self.analyzer.simplify(ops.mul(x.base, factor)))

    def divided(self, x: IterSumExpr, by: int, is_remainder: bool) -> IterSumExpr:
        """x // by, or x % by: whole multiples come out, and of the rest, which is one iterator, a part."""
        if by <= 0:
            raise _NoMap(f"it divides by {by}")
        base_rest = self.analyzer.simplify(ops.floormod(x.base, by))
        if const_int(base_rest) != 0:
            raise _NoMap(f"{script(x.base)} is no multiple of {by}")
        whole = [s for s in x.args if _number(s.scale) % by == 0]
        rest = [s for s in x.args if _number(s.scale) % by]
        fused = self.fused(IterSumExpr(rest, const(0, x.base.dtype)))
        parts = [self.part(s, by, is_remainder) for s in fused.args]
        kept = [s for s in parts if s is not None]
        if is_remainder:
            return IterSumExpr(kept, const(0, x.base.dtype))
        outside = [IterSplitExpr(s.source, s.lower_factor, s.extent, _number(s.scale) // by) for s in whole]
        return IterSumExpr([*outside, *kept], self.analyzer.simplify(ops.floordiv(x.base, by)))

    def part(self, s: IterSplitExpr, by: int, is_remainder: bool) -> IterSplitExpr | None:
        """The quotient, or the remainder, of one split."""
        scale, extent, lower = _number(s.scale), _number(s.extent), _number(s.lower_factor)
        if scale < 0 or by % scale:
            raise _NoMap(f"multiples of {scale} are divided by {by}")
        step = by // scale
        if step >= extent:
            return s if is_remainder else None
        if extent % step:
            raise _NoMap(f"{extent} values are divided into parts of {step}")
        if is_remainder:
            return IterSplitExpr(s.source, lower, step, scale)
        return IterSplitExpr(s.source, lower * step, extent // step, 1)

    def fused(self, x: IterSumExpr) -> IterSumExpr:
        """A sum as one split: of the iterator that its splits are together. Raises _NoMap where they leave gaps."""
        if len(x.args) <= 1:
            return x
        ordered = sorted(x.args, key=lambda s: _number(s.scale))
        least = expected = _number(ordered[0].scale)
        if least <= 0:
            raise _NoMap("an iterator runs backwards beside another one")
        for s in ordered:
            if _number(s.scale) != expected:
                raise _NoMap(f"parts of scale {_number(s.scale)} and {expected} do not lie beside each other")
            expected *= _number(s.extent)
        extent = expected // least
        parts = [
            IterSplitExpr(s.source, s.lower_factor, s.extent, _number(s.scale) // least)
            for s in reversed(ordered)
        ]
        key = tuple(_key(s) for s in parts)
        if key not in self.fusions:
            self.fusions[key] = IterMark(IterSumExpr(parts, const(0, x.base.dtype)), extent)
        return IterSumExpr([IterSplitExpr(self.fusions[key], 1, extent, least)], x.base)


def _key(s: IterSplitExpr) -> tuple[int, int, int, int]:
    return id(s.source), _number(s.lower_factor), _number(s.extent), _number(s.scale)


def _check_parts(reader: _Reader, sums: Sequence[IterSumExpr], is_bijective: bool) -> None:
    """Raise _NoMap where splits of a mark overlap; and, if the map is to be bijective, unless they are all of each."""
    splits: dict[int, tuple[IterMark, set[tuple[int, int]]]] = {}
    waiting = list(sums)
    while waiting:
        for split in waiting.pop().args:
            mark = split.source
            is_new = id(mark) not in splits
            parts = splits.setdefault(id(mark), (mark, set()))[1]
            key = (_number(split.lower_factor), _number(split.extent))
            if key in parts:
                raise _NoMap(f"{script(_expression(mark))} is used twice")
            parts.add(key)
            if is_new and isinstance(mark.source, IterSumExpr):
                waiting.append(mark.source)
    for mark, parts in splits.values():
        _check_mark(mark, sorted(parts), is_bijective)
    for v, mark in reader.marks.items():
        if is_bijective and id(mark) not in splits and const_int(mark.extent) != 1:
            raise _NoMap(f"{v.name} is not used")


def _check_mark(mark: IterMark, parts: Sequence[tuple[int, int]], is_bijective: bool) -> None:
    end = 1
    for lower, extent in parts:
        if lower % end or (is_bijective and lower != end):
            raise _NoMap(f"parts of {script(_expression(mark))} are left out, or overlap")
        end = lower * extent
    whole = _number(mark.extent)
    if whole % end or (is_bijective and whole != end):
        raise _NoMap(f"parts of {script(_expression(mark))} are left out, or overlap")


__all__ = [
    "IterMapExpr", "IterMapLevel", "IterMapResult", "IterMark", "IterSplitExpr", "IterSumExpr", "detect_iter_map", "inverse_affine_iter_map",
    "iter_map_simplify", "normalize_iter_map_to_expr", "normalize_to_iter_sum",
]  # fmt: skip
