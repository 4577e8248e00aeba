"""Traffic: how long data is on its way from caches and memory, of stores that follow one another in the same loops.

A cache holds what the loops touch from some loop on inwards, all stores inside of that loop together. What a store finds there
is free: it was there since the iteration before, or an earlier store in the same iteration has brought or made it. All else
comes in lines, and of a walk through neighbours only what is new.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from tewb.workbench.judge.store_nests import Access, NestLoop, StoreNest

LINE = 64  # bytes
PAGE, PAGES = 4096, 64  # bytes, and how many pages a core finds at once
FOUND_LATE = 3.0  # times as long for bytes on a page that was not just looked at: they are not fetched ahead
WAYS = 12  # places for lines of the same address bits
FULL = 0.75  # of a cache that holds something for certain
APART = 1.1  # times as long for stores past the caches that go to several places in turn, in whole lines
PARTS = 2.5  # and where they are not whole lines: then they are ordinary ones


@dataclass(frozen=True, slots=True)
class Level:
    """A cache: its bytes, and the seconds of a byte that it has not got."""

    size: float
    seconds_per_byte: float


@dataclass(frozen=True, slots=True)
class Stream:
    """Accesses of a store to one array that move alike, as those of a stencil: how many elements along each loop, the bytes of
    an element, and how many elements apart they begin."""

    buffer: Any
    moves: tuple[int, ...]
    item: int
    gaps: tuple[int, ...]
    stores: bool


def streams(accesses: Sequence[Access]) -> tuple[Stream, ...]:
    """The accesses of a store, those that move alike together."""
    alike: dict[Any, list[Access]] = {}
    for a in accesses:
        alike.setdefault((a.buffer, a.moves), []).append(a)
    found = []
    for (buffer, moves), of_them in alike.items():
        begin = sorted({a.offset for a in of_them if not a.stores})
        gaps = tuple([b - a for a, b in itertools.pairwise(begin)])
        found.append(Stream(buffer, moves, of_them[0].item, gaps, any(a.stores for a in of_them)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Touched:
    """What a stream touches in the loops from some loop on: so many runs of neighbours, of so many bytes each in whole lines.
    `steps` are the bytes from one run to the next along the loops that make them, with how often."""

    runs: float
    run: float
    steps: tuple[tuple[float, float], ...]

    @property
    def bytes(self) -> float:
        return self.runs * self.run

    @property
    def places(self) -> float:
        """The bytes of a cache that has places for all runs: those that lie a power of two apart share a few."""
        return max(
            (trips * _power_of_two_in(step) for step, trips in self.steps if trips > WAYS), default=0.0
        )


def _power_of_two_in(n: float) -> int:
    """The largest power of two that divides n."""
    whole = int(n)
    return whole & -whole


def touched(s: Stream, loops: Sequence[NestLoop], at: int) -> Touched:
    """What a stream touches in the loops from `at` on."""
    inside = zip(s.moves[at:], loops[at:], strict=True)
    run, rest = _merged(1.0, sorted((float(abs(m)), n.trips) for m, n in inside if m and n.trips > 1))
    apart = 1
    for gap in s.gaps:
        if gap <= run:
            run += gap
        elif not any(step - run <= gap <= step * trips for step, trips in rest):
            apart += 1
    run, rest = _merged(run, rest)
    runs = apart * math.prod(trips for _, trips in rest)
    rest += [(sum(s.gaps) / (apart - 1), float(apart))] if apart > 1 else []
    steps = tuple([(step * s.item, trips) for step, trips in rest])
    return Touched(runs, math.ceil(run * s.item / LINE) * LINE, steps)


def _merged(run: float, loops: Sequence[tuple[float, float]]) -> tuple[float, list[tuple[float, float]]]:
    """How many neighbours are touched by loops with these steps and iterations, beginning with `run` of them, and the loops
    whose steps are longer than that."""
    rest = []
    for step, trips in loops:
        if step <= run:
            run += step * (trips - 1)
        else:
            rest.append((step, trips))
    return run, rest


@dataclass(frozen=True, slots=True)
class Footprints:
    """The streams of a store, and what each touches from each loop on inwards."""

    nest: StoreNest
    streams: tuple[Stream, ...]
    touched: tuple[tuple[Touched, ...], ...] = field(repr=False)

    @staticmethod
    def of(nest: StoreNest, accesses: Sequence[Access]) -> Footprints:
        found = streams(accesses)
        every = range(len(nest.loops) + 1)
        return Footprints(
            nest, found, tuple([tuple([touched(s, nest.loops, d) for s in found]) for d in every])
        )

    def of_buffers(self, at: int) -> dict[Any, float]:
        """The bytes of each array that are touched from loop `at` on; what goes past the caches takes no place in them."""
        total: dict[Any, float] = {}
        for s, t in zip(self.streams, self.touched[at], strict=True):
            if not (s.stores and self.nest.store.nontemporal):
                total[s.buffer] = total.get(s.buffer, 0.0) + t.bytes
        return total


def traffic(
    program: Sequence[Footprints], arguments: Collection[Any], levels: Sequence[Level]
) -> list[tuple[float, float]]:
    """For each store of a program with these arrays as arguments, the seconds in which its data is on the way between the
    nearest cache and the next one, and on ways that are longer."""
    together = _Together(program, arguments)

    def seconds(number: int, level: Level) -> float:
        return level.seconds_per_byte * _missed(together, number, level.size)

    return [
        (
            seconds(n, levels[0]),
            sum(seconds(n, level) for level in levels[1:]) + _past_the_caches(f, levels[-1]),
        )
        for n, f in enumerate(program)
    ]


class _Together:
    """Which stores are in the same loops, and what they touch in them."""

    def __init__(self, program: Sequence[Footprints], arguments: Collection[Any]) -> None:
        self.program, self.arguments = program, arguments
        loops = [[n.var for n in f.nest.loops] for f in program]
        self._shared = [_same(a, b) for a, b in itertools.pairwise(loops)]
        self._known: dict[tuple[int, int, int], dict[Any, float]] = {}
        self._needed: dict[tuple[int, int, int], tuple[float, float, float]] = {}
        self._groups: dict[tuple[int, int], range] = {}

    def group(self, number: int, at: int) -> range:
        """The stores that are in the first `at` loops around a store."""
        if (number, at) in self._groups:
            return self._groups[number, at]
        first = last = number
        while first > 0 and self._shared[first - 1] >= at:
            first -= 1
        while last < len(self._shared) and self._shared[last] >= at:
            last += 1
        for n in range(first, last + 1):
            self._groups[n, at] = range(first, last + 1)
        return self._groups[number, at]

    def bytes_of(self, stores: range, at: int) -> dict[Any, float]:
        """The bytes of each array that stores touch, in the loops from `at` on."""
        key = (stores.start, stores.stop, at)
        if key not in self._known:
            total: dict[Any, float] = {}
            for number in stores:
                for buffer, size in self.program[number].of_buffers(at).items():
                    total[buffer] = max(total.get(buffer, 0.0), size)
            self._known[key] = total
        return self._known[key]

    def needed(self, stores: range, at: int) -> tuple[float, float, float]:
        """The bytes that stores touch, in the loops from `at` on, how many of them are of arguments, and the size of a cache
        that has places for all. Intermediates that are not needed at the same time share memory."""
        key = (stores.start, stores.stop, at)
        if key not in self._needed:
            lives: dict[Any, list[int]] = {}
            for number in stores:
                for buffer in self.program[number].of_buffers(at):
                    lives.setdefault(buffer, [number, number])[1] = number
            sizes = self.bytes_of(stores, at)
            kept = sum(size for buffer, size in sizes.items() if buffer in self.arguments)
            own = [(sizes[b], first, last) for b, (first, last) in lives.items() if b not in self.arguments]
            most = max(sum(size for size, first, last in own if first <= n <= last) for n in stores)
            places = max(t.places for n in stores for t in self.program[n].touched[at])
            self._needed[key] = kept + most, kept, places
        return self._needed[key]


def _same(a: Sequence[Any], b: Sequence[Any]) -> int:
    """How many of the outermost loops are the same."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x is not y), min(len(a), len(b)))


def _missed(together: _Together, number: int, size: float) -> float:
    """The bytes that a cache of that size has not got."""
    f = together.program[number]
    for at in range(len(f.nest.loops) + 1):
        whole, kept, places = together.needed(together.group(number, at), at)
        if whole <= FULL * size and places <= size:
            break
    if at == 0:
        return 0.0
    group = together.group(number, at)
    before = together.bytes_of(range(group.start, number), at)
    missed = 0.0
    for s, t in zip(f.streams, f.touched[at], strict=True):
        if s.stores and f.nest.store.nontemporal:
            continue
        new = 1.0 - min(before.get(s.buffer, 0.0) / t.bytes, 1.0)
        others = kept - (t.bytes if s.buffer in together.arguments else 0.0)
        stays = whole + others <= size  # until the next iteration, which has others of its own
        late = _late(s, t, f.nest.loops, at)
        missed += new * _loaded(s, t, f.nest.loops, at, stays) * late * (2.0 if s.stores else 1.0)
    return missed


def _loaded(s: Stream, t: Touched, loops: Sequence[NestLoop], at: int, stays: bool) -> float:
    """The bytes that come in all iterations of the loops outside of `at`. What these do not move is there still if it
    `stays`, and of a walk along neighbours only what is new comes."""
    times = math.prod(n.trips for n in loops[:at])
    near = at
    while near and not s.moves[near - 1]:
        near -= 1
        if stays:
            times /= loops[near].trips
    if near and all(n.trips == 1 for n in loops[near:at]):
        trips, step = loops[near - 1].trips, abs(s.moves[near - 1]) * s.item
        times *= (1 + (trips - 1) * _fresh(t, step)) / trips
    return times * t.bytes


def _fresh(t: Touched, step: float) -> float:
    """How much of what is touched is new when it moves by so many bytes."""
    if step < t.run:
        return step / t.run
    parts = (step / (apart * trips) for apart, trips in t.steps if apart - t.run <= step < apart * trips)
    return next(parts, 1.0)


def _late(s: Stream, t: Touched, loops: Sequence[NestLoop], at: int) -> float:
    """How much longer it takes where a stream reads little, and on another page, or nearly so, from one iteration to the next of
    the innermost loop that moves it outside of `at`."""
    around = zip(reversed(s.moves[:at]), reversed(loops[:at]), strict=True)
    step, trips = next(((m, n.trips) for m, n in around if m), (0, 0.0))
    apart = abs(step) * s.item / PAGE
    is_little = t.run < min(apart, 1.0) * PAGE / 4
    return (
        1.0 + (FOUND_LATE - 1.0) * min(apart, 1.0) if is_little and apart >= 0.25 and trips > PAGES else 1.0
    )


def _past_the_caches(f: Footprints, memory: Level) -> float:
    """The seconds of what goes to memory without a place in the caches."""
    if not f.nest.store.nontemporal:
        return 0.0
    own = next(s for s in f.streams if s.stores)
    moving = [(abs(m), n.trips) for m, n in zip(own.moves, f.nest.loops, strict=True) if m and n.trips > 1]
    run = 1.0
    for step, trips in reversed(moving):
        if step > run:
            break
        run += step * (trips - 1)
    elements = math.prod(trips for _, trips in moving)
    longer = 1.0
    if run < elements and run * own.item < PAGE:
        longer = PARTS if run * own.item % LINE else APART
    return elements * own.item * memory.seconds_per_byte * longer
