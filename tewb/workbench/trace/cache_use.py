"""What a cache does with the accesses of a program: lines that are fetched, used again and lost; buffer by buffer.

The cache is fully associative and drops the line that was used longest ago (LRU). Each thread has its own; the tasks of
a parallel loop are dealt out to threads in runs. Every buffer begins at a line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tewb.workbench.looks.sizes import bytes_shown
from tewb.workbench.trace.data_trace import DataTrace, TracedEvent

LINE = 64  # bytes

# By site and depth of a loop: how often an access moves by so many elements.
Moves = dict[tuple[int, int], Counter[int]]

_MUCH = 1.15  # from so many times the bytes that are used on, traffic is too much


@dataclass(frozen=True, slots=True)
class CacheUse:
    """How a buffer fares. `fetched` lines came into a cache, of `lines` that are touched at all; `lost` were dropped
    again. `used` is how many elements of a line are used while it is there, of `whole`. `traffic` is the bytes that are
    fetched by those of the elements that are touched; `stride` says how the loops walk."""

    name: str
    accesses: int
    fetched: int
    lines: int
    lost: int
    used: float
    whole: int
    traffic: float
    stride: str

    @property
    def sentence(self) -> str:
        """All of it in words."""
        if not self.accesses:
            return f"{self.name} is not touched."
        return f"{self.name}: {self.stride}; {self._reuse()}."

    def _reuse(self) -> str:
        if not self.lost:
            again = "" if self.fetched == self.lines else f" {self.fetched} times by the threads together"
            return f"{_lines(self.lines)} fetched{again}, none lost"
        if self.whole == 1:
            used = "a line is one element"
        elif self.used > 0.95 * self.whole:
            used = f"all {self.whole} elements of a line are used before it is lost"
        else:
            count = f"{self.used:.2g}"
            used = f"{count} of the {self.whole} elements of a line {'is' if count == '1' else 'are'} used before it is lost"
        return f"{used}: {'nothing is fetched twice' if self.traffic < _MUCH else f'{_times(self.traffic)} too much traffic'}"


def _times(x: float) -> str:
    return f"{x:.2g}x" if x < 10 else f"{x:,.0f}x"


def _lines(n: int) -> str:
    return "1 line" if n == 1 else f"{n:,} lines"


@dataclass
class _Tally:
    """What is counted of a buffer. `masks` are the elements that were used of each line that is there."""

    accesses: int = 0
    fetched: int = 0
    lost: int = 0
    used_of_lost: int = 0
    touched: dict[int, int] = field(default_factory=dict)  # by line: its elements as bits


def cache_use(trace: DataTrace, lines: int, threads: int = 1) -> tuple[CacheUse, ...]:
    """The use of a cache of `lines` lines for each thread, buffer by buffer."""
    tallies = [_Tally() for _ in trace.buffers]
    caches: list[dict[tuple[int, int], int]] = [{} for _ in range(max(threads, 1))]
    pieces: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for event in trace.events:
        site, at, _ = event
        buffer = trace.sites[site].buffer
        tally, cache = tallies[buffer], caches[thread_of(trace, event, len(caches))]
        tally.accesses += 1
        first, offset = divmod(at, per_line(trace, buffer))
        if (site, offset) not in pieces:
            pieces[site, offset] = _pieces(trace, site, offset)
        for further, bits in pieces[site, offset]:
            line = first + further
            tally.touched[line] = tally.touched.get(line, 0) | bits
            before = cache.pop((buffer, line), None)
            tally.fetched += before is None
            cache[buffer, line] = bits | (before or 0)
            if len(cache) > lines:
                gone = next(iter(cache))
                tallies[gone[0]].lost += 1
                tallies[gone[0]].used_of_lost += cache.pop(gone).bit_count()
    moves = strides_of(trace)
    return tuple([_use(trace, i, t, moves) for i, t in enumerate(tallies)])


def thread_of(trace: DataTrace, event: TracedEvent, threads: int) -> int:
    """The thread that makes an access: each gets a run of the tasks."""
    task = trace.task(event)
    if task is None:
        return 0
    number, count = task
    return min(max(number, 0) * threads // max(count, 1), threads - 1)


def _pieces(trace: DataTrace, site: int, offset: int) -> list[tuple[int, int]]:
    """The lines of an access that begins so far into a line: how far on each is, and its elements as bits."""
    s = trace.sites[site]
    per = per_line(trace, s.buffer)
    found: dict[int, int] = {}
    for lane in s.lanes:
        line, at = divmod(offset + lane, per)
        found[line] = found.get(line, 0) | 1 << at
    return list(found.items())


def per_line(trace: DataTrace, buffer: int) -> int:
    """Elements of a buffer in a line."""
    return max(LINE // trace.buffers[buffer].item_bytes, 1)


def _use(trace: DataTrace, buffer: int, t: _Tally, moves: Moves) -> CacheUse:
    b, per = trace.buffers[buffer], per_line(trace, buffer)
    touched = sum(bits.bit_count() for bits in t.touched.values())
    traffic = t.fetched * per / touched if touched else 0.0
    used = t.used_of_lost / t.lost if t.lost else float(per)
    stride = _walk_of(trace, buffer, moves)
    return CacheUse(b.name, t.accesses, t.fetched, len(t.touched), t.lost, used, per, traffic, stride)


# ---------------------------------------------------------------- strides


def _walk_of(trace: DataTrace, buffer: int, moves: Moves) -> str:
    """How the loops walk through a buffer: "read along k, stride 4 KiB"."""
    sites = [i for i, s in enumerate(trace.sites) if s.buffer == buffer]
    kinds = {trace.sites[i].writes for i in sites}
    verb = "read and written" if len(kinds) > 1 else "written" if True in kinds else "read"
    weight = Counter(site for site, _, _ in trace.events)
    if not sites:
        return verb
    site = max(sites, key=lambda i: weight[i])
    lanes = trace.sites[site].lanes
    many = f"{len(lanes)} elements at a time" if len(lanes) > 1 else ""
    said = next(_walks(trace, site, moves), "")
    return ", ".join(filter(None, [f"{verb}{said}", many]))


def _walks(trace: DataTrace, site: int, moves: Moves) -> Iterator[str]:
    """What is said of the innermost loop that moves an access, first."""
    s = trace.sites[site]
    item = trace.buffers[s.buffer].item_bytes
    for depth in reversed(range(len(s.loops))):
        seen = moves.get((site, depth))
        if not seen:
            continue
        step, times = seen.most_common(1)[0]
        name = trace.loops[s.loops[depth]].name
        if times < 0.6 * seen.total():
            yield f" along {name} without a fixed stride"
        elif step:
            neighbours = abs(step) == len(s.lanes) and s.lanes == tuple(range(len(s.lanes)))
            yield f" along {name}, {'neighbours' if neighbours else f'stride {bytes_shown(abs(step) * item)}'}"


def strides_of(trace: DataTrace) -> Moves:
    """For each site and loop around it (by depth), how far an access moves when the loop goes on by one and the loops
    inside of it begin anew; in elements, with how often that is so."""
    moves: Moves = {}
    last: dict[int, tuple[int, ...]] = {}
    start: dict[tuple[int, int], int] = {}
    for site, at, values in trace.events:
        before = last.get(site)
        last[site] = values
        depth = 0
        if before is not None:
            depth = next(
                (d for d, (a, b) in enumerate(zip(before, values, strict=True)) if a != b), len(values)
            )
            if depth < len(values) and values[depth] == before[depth] + 1:
                moves.setdefault((site, depth), Counter())[at - start[site, depth]] += 1
        for d in range(depth, len(values)):
            start[site, d] = at
    return moves
