"""Which axis an index follows, and where it passes from one chunk of a tensor into another.

    A[i + 2]            cut at 5:     i is cut at 3
    A[19 - i]           cut at 5:     i is cut at 15, where the index comes from 5 to 4
    A[max(i - 1, 0)]    cut at 5:     i is cut at 6
    A[(i + 1) % 20]     cut at 5:     i is cut at 4, and at 19, where the index begins again
    A[4*i + c // 2]                   follows i, which moves it farthest; c is at its beginning

Indices are not taken apart, but evaluated: along an axis they rise or fall between a few places, where a remainder begins again
or another side of a choice is taken, and in between halving finds each place. What comes out is a choice of where blocks
end, which changes no value; an index that moves in another way is followed badly, or not at all.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tewb.arith import evaluate_integers
from tewb.ir import Call, Compare, Expr, FloorMod, IntImm, IterVar, Max, Min, Select, ops, walk

# The first value and the extent of each axis.
Ranges = Mapping[IterVar, tuple[int, int]]

MOST_TURNS = 256  # an index that begins again more often is followed at some of these


@dataclass(frozen=True)
class Follower:
    """An index along `axis`, which it follows, with the other axes at their beginning. `turns` are the places between which it
    rises or falls, the ends of the axis included; some of them, where it begins again very often. `times` is how often."""

    index: Expr
    axis: IterVar
    others: Mapping[Any, Any]
    turns: tuple[int, ...]
    times: int

    def at(self, places: Any) -> Any:
        """The index where the axis is at `places`."""
        return _values(self.index, {**self.others, self.axis.var: np.asarray(places, "int64")})

    @property
    def begins_again_often(self) -> bool:
        return self.times > MOST_TURNS

    def places(self, cuts: Sequence[int]) -> tuple[int, ...]:
        """Where the index passes from one chunk into another, if the tensor is cut at `cuts`."""
        borders = np.asarray(cuts, "int64")
        found: set[int] = set()
        for first, end in itertools.pairwise(self.turns):
            a, b = (int(n) for n in np.searchsorted(borders, self.at([first, end - 1]), side="right"))
            found.update(_passes(self.at, borders[min(a, b) : max(a, b)], first, end))
        inner = np.asarray(self.turns[1:-1], "int64")
        if len(inner):
            before, after = (np.searchsorted(borders, self.at(x), side="right") for x in (inner - 1, inner))
            found.update(int(x) for x in inner[before != after])
        return self._inside(found)

    def some_turns(self, count: int) -> tuple[int, ...]:
        """Up to `count` of the places where the index turns, at equal distances."""
        chosen = np.linspace(0, len(self.turns) - 1, count + 2).astype("int64")
        return self._inside({self.turns[n] for n in chosen})

    def _inside(self, places: set[int]) -> tuple[int, ...]:
        return tuple(sorted(places - {self.turns[0], self.turns[-1]}))

    def shift(self, size: int) -> float:
        """How far the index is from that which runs along with the axis, or against it, from an end of `size` elements on."""
        first, last = self.turns[0], self.turns[-1] - 1
        a, b = (float(x) for x in self.at([first, last]))
        slope = (b - a) / (last - first) if last > first else 1.0
        return abs(a - first * slope - (size - 1 if slope < 0 else 0))

    def covered(self, size: int) -> tuple[int, int]:
        """The part of the axis on which the index is inside of a tensor of `size` elements: from the first place on to the last,
        as far as some places tell. All of it, where none of these is inside."""
        first, end = self.turns[0], self.turns[-1]
        tried = np.union1d(np.linspace(first, end - 1, 65).astype("int64"), _ends(self.turns))

        def is_inside(x: Any) -> Any:
            return (self.at(x) >= 0) & (self.at(x) < size)

        inside = np.flatnonzero(is_inside(tried))
        if not len(inside):
            return first, end
        low, high = int(inside[0]), int(inside[-1])
        if low > 0:
            first = _first_where(is_inside, int(tried[low - 1]), int(tried[low]), 1)[0]
        if high < len(tried) - 1:
            end = _first_where(lambda x: ~is_inside(x), int(tried[high]), int(tried[high + 1]), 1)[0]
        return first, end


def follower(index: Expr, ranges: Ranges) -> Follower | None:
    """The axis that an index follows: the one that moves it farthest. None where it follows none."""
    own = {iv.var for iv in ranges}
    used = {v for v in walk(index) if v in own}
    start = {iv.var: np.int64(low) for iv, (low, _) in ranges.items() if iv.var in used}
    found: Follower | None = None
    farthest = 0
    for iv, (low, extent) in ranges.items():
        if iv.var not in used or extent < 2:
            continue
        others = {v: x for v, x in start.items() if v is not iv.var}
        turned = _turns(index, iv, others, low, low + extent)
        if turned is None:
            return None
        one = Follower(index, iv, others, *turned)
        values = one.at(_ends(one.turns))
        reach = int(values.max() - values.min())
        if reach > farthest:
            found, farthest = one, reach
    return found


def _turns(
    index: Expr, iv: IterVar, others: Mapping[Any, Any], first: int, end: int
) -> tuple[tuple[int, ...], int] | None:
    """The places between which an index rises or falls, and how often it begins again. None where no number says it."""

    def along(e: Expr) -> Callable[[Any], Any]:
        return lambda places: _values(e, {**others, iv.var: np.asarray(places, "int64")})

    if along(index)([first]) is None:
        return None
    found: set[int] = {first, end}
    times = 0
    for n in walk(index):
        match n:
            case FloorMod(a, IntImm(period)) if period > 0:
                x, y = (int(x) // period for x in along(a)([first, end - 1]))
                low, count = min(x, y), abs(x - y)
                times += count
                some = np.arange(low + 1, low + count + 1, max(1, count // MOST_TURNS), dtype="int64")
                found.update(_passes(along(a), some * period, first, end))
            case Min(a, b) | Max(a, b):
                found.update(_changes(along(ops.less(a, b)), first, end))
            case Select() | Call("if_then_else"):
                for c in walk(n.children()[0]):
                    if isinstance(c, Compare):
                        found.update(_changes(along(c), first, end))
    return tuple(sorted(found)), times


def _ends(turns: Sequence[int]) -> Any:
    """The first and the last place between two turns each."""
    return np.unique([x for a, b in itertools.pairwise(turns) for x in (a, b - 1)]).astype("int64")


def _values(e: Expr, values: Mapping[Any, Any]) -> Any:
    """An integer expression for arrays of one shape, and numbers, in the place of its variables. None where no number says it."""
    found = evaluate_integers(e, values)
    return (
        None
        if found is None
        else np.broadcast_to(found, np.broadcast_shapes(*map(np.shape, values.values())))
    )


def _passes(at: Callable[[Any], Any], borders: Any, first: int, end: int) -> list[int]:
    """Where a function that rises or falls between two places comes to each border, or from it to what is below."""
    a, b = at([first, end - 1])
    if b >= a:
        return _first_where(lambda x: at(x) >= borders, first, end - 1, len(borders))
    return _first_where(lambda x: at(x) < borders, first, end - 1, len(borders))


def _changes(holds: Callable[[Any], Any], first: int, end: int) -> list[int]:
    """Where a condition is first another than at the beginning, if it is another at the end."""
    a, b = holds([first, end - 1])
    return [] if a == b else _first_where(lambda x: holds(x) != a, first, end - 1, 1)


def _first_where(holds: Callable[[Any], Any], first: int, last: int, count: int) -> list[int]:
    """For each of `count` conditions, which hold at `last` and from some place on, the first such place."""
    low, high = np.full(count, first, "int64"), np.full(count, last, "int64")
    while (low < high).any():
        middle = (low + high) >> 1
        there = holds(middle)
        low, high = np.where(there | (low == high), low, middle + 1), np.where(there, middle, high)
    return [int(x) for x in low]
