"""How loops came from axes: sizes go down, indices and intervals go up, and every iteration is made once."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tewb import te
from tewb.arith import Analyzer
from tewb.arith.intset import Interval, point
from tewb.base import DType
from tewb.ir import AxisKind, Expr, IterVar, Var, const, const_int, script, substitute
from tewb.schedule.relation import (
    Fuse,
    Relation,
    Split,
    divides,
    full,
    index_up,
    intervals_up,
    loop_extents,
    split_dtype,
)

INT32 = DType("int32")


def axis(name: str, dtype: str = "int32", kind: AxisKind = AxisKind.DATA) -> IterVar:
    return IterVar(None, Var(name, DType(dtype)), kind)


def number(e: Expr) -> int:
    value = const_int(Analyzer().simplify(e))
    assert value is not None, e
    return value


def iterations(
    relations: list[Relation], roots: dict[IterVar, Expr], leaves: list[IterVar]
) -> list[tuple[int, ...]]:
    """The values of the roots in all iterations of the loops that the guards let through."""
    extents = loop_extents(relations, roots, Analyzer())
    values: dict[IterVar, Expr] = {iv: iv.var for iv in leaves}
    guards = index_up(relations, values, extents, Analyzer())
    found = []
    for indices in itertools.product(*[range(number(extents[iv])) for iv in leaves]):
        at = {iv.var: const(i, iv.dtype) for iv, i in zip(leaves, indices, strict=True)}
        if all(number(substitute(g, at)) for _, g in guards):
            found.append(tuple(number(substitute(values[iv], at)) for iv in roots))
    return found


@pytest.mark.parametrize(("n", "size"), [(1, 1), (1, 5), (7, 3), (8, 4), (5, 5), (0, 4)])
@pytest.mark.parametrize("by", ["factor", "nparts"])
def test_a_split_makes_every_iteration_once(n: int, size: int, by: str) -> None:
    i = axis("i")
    r = Split.make(i, size if by == "factor" else None, size if by == "nparts" else None, const(n))
    assert sorted(iterations([r], {i: const(n)}, [r.outer, r.inner])) == [(x,) for x in range(n)]


def test_a_split_of_a_split_guards_at_both() -> None:
    i = axis("i")
    first = Split.make(i, 4, None, const(10))
    second = Split.make(first.inner, 3, None, const(4))
    leaves = [first.outer, second.outer, second.inner]
    assert iterations([first, second], {i: const(10)}, leaves) == [(x,) for x in range(10)]


@pytest.mark.parametrize(("n", "m"), [(3, 4), (1, 5), (5, 1), (1, 1), (0, 3), (3, 0)])
def test_a_fusion_makes_every_pair_once_and_in_order(n: int, m: int) -> None:
    i, j = axis("i"), axis("j")
    roots: dict[IterVar, Expr] = {i: const(n), j: const(m)}
    r = Fuse.make(i, j, roots)
    assert r.fused.name == "i.j.fused"
    assert iterations([r], roots, [r.fused]) == [(x, y) for x in range(n) for y in range(m)]


def test_loops_that_are_both_negative_are_empty_as_one() -> None:
    n = te.var("n")
    i, j = axis("i"), axis("j")
    roots: dict[IterVar, Expr] = {i: n, j: n}
    extents = loop_extents([r := Fuse.make(i, j, roots)], roots, Analyzer())
    assert number(substitute(extents[r.fused], {n: const(-3)})) <= 0
    assert number(substitute(extents[r.fused], {n: const(3)})) == 9


@pytest.mark.parametrize(
    ("n", "factor", "nparts", "dtype"),
    [
        (const(100), 8, None, "int32"),
        (const(2**31 - 1), 2, None, "int64"),  # rounded up it is 2**31
        (const(2**31 - 1), 1, None, "int32"),
        (const(100, "int8"), 50, None, "int8"),
        (const(127, "int8"), None, 2, "int64"),
        (const(3, "int8"), 10**9, None, "int8"),  # at most all of it
        (te.var("n"), 1 << 16, None, "int32"),
        (te.var("n"), (1 << 16) + 1, None, "int64"),
        (te.var("n", "int8"), 1, None, "int64"),
        (te.var("n", "int16"), 127, None, "int16"),
        (te.var("n", "int16"), 128, None, "int64"),
    ],
)
def test_loops_are_wide_where_their_counts_need_it(n: Any, factor: Any, nparts: Any, dtype: str) -> None:
    assert split_dtype(n, factor, nparts) == dtype


def test_the_dtype_of_a_fused_loop_counts_all_pairs() -> None:
    i, j = axis("i"), axis("j")
    assert Fuse.make(i, j, {i: const(2**15), j: const(2**15)}).fused.dtype == "int32"
    assert Fuse.make(i, j, {i: const(2**16), j: const(2**16)}).fused.dtype == "int64"
    assert Fuse.make(i, j, {i: te.var("n"), j: const(3)}).fused.dtype == "int64"


def test_only_exact_splits_divide() -> None:
    i = axis("i")
    for n, factor, exact in ((8, 4, True), (9, 4, False), (1, 1, True), (3, 9, True)):
        r = Split.make(i, factor, None, const(n))
        assert divides(r, loop_extents([r], {i: const(n)}, Analyzer())) is exact
    n = te.var("n")
    r = Split.make(i, 4, None, n)
    assert not divides(r, loop_extents([r], {i: n}, Analyzer()))


def test_the_outer_loop_of_an_opaque_axis_is_an_ordinary_one() -> None:
    r = Split.make(axis("d0", kind=AxisKind.OPAQUE), 4, None, const(8))
    assert (r.outer.kind, r.inner.kind) == (AxisKind.DATA, AxisKind.OPAQUE)
    r = Split.make(axis("k", kind=AxisKind.REDUCE), 4, None, const(8))
    assert (r.outer.kind, r.inner.kind) == (AxisKind.REDUCE, AxisKind.REDUCE)


def covered(fused: Interval, n: int, m: int) -> tuple[list[str], list[str]]:
    """The rows and the columns that a part of the fused loop covers."""
    i, j = axis("i"), axis("j")
    roots: dict[IterVar, Expr] = {i: const(n), j: const(m)}
    r = Fuse.make(i, j, roots)
    sets = {r.fused: fused}
    intervals_up([r], sets, loop_extents([r], roots, Analyzer()), Analyzer())
    return tuple([script(e) for e in (sets[iv].lo, sets[iv].hi)] for iv in (i, j))  # type: ignore[return-value]


def test_parts_of_a_fused_loop_cover_rows_and_columns() -> None:
    assert covered(full(const(12)), 3, 4) == (["0", "2"], ["0", "3"])
    assert covered(point(const(6)), 3, 4) == (["1", "1"], ["2", "2"])
    assert covered(Interval(const(5), const(7), 3), 3, 4) == (["1", "1"], ["1", "3"])
    assert covered(Interval(const(3), const(4), 2), 3, 4) == (["0", "1"], ["0", "3"])


def test_parts_of_a_split_loop_cover_neighbours() -> None:
    i, x = axis("i"), Var("x", INT32)
    r = Split.make(i, 4, None, const(12))
    extents = loop_extents([r], {i: const(12)}, Analyzer())
    for outer, inner, ends in (
        (full(const(3)), full(const(4)), ["0", "11"]),
        (point(x), full(const(4)), ["x * 4", "x * 4 + 3"]),
        (point(x), point(const(2)), ["x * 4 + 2", "x * 4 + 2"]),
    ):
        sets = {r.outer: outer, r.inner: inner}
        intervals_up([r], sets, extents, Analyzer())
        assert [script(Analyzer().simplify(e)) for e in (sets[i].lo, sets[i].hi)] == ends
