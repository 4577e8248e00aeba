"""The caches of this machine: what they hold, and how long a line takes from each, measured once (about 0.1 s)."""

from __future__ import annotations

import ctypes
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from tewb.runtime import Compiled
from tewb.workbench.measure.roofline import machine_peaks
from tewb.workbench.speed.cache_misses import LINE, Cache

_FOLDERS = Path("/sys/devices/system/cpu/cpu0/cache")
_USUAL = (Cache("L1", 32 * 2**10 // LINE, 8), Cache("L2", 2**20 // LINE, 16), Cache("L3", 32 * 2**20 // LINE))
_READ = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
_CHAIN = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
_LINKS = 16  # pairs of an addition and an exclusive or that wait for each other, in a round
_PATIENCE = 0.003  # seconds for a measurement: the fewest of several are those that nothing disturbed
_SHARED = tuple(n * 2**20 for n in (8, 16, 32, 64, 128))  # bytes that a large cache is tried with
_LARGEST = 32 * 2**20  # bytes that are read to measure a cache


@dataclass(frozen=True, slots=True)
class Source:
    """Where lines come from: a cache, or memory. Seconds for a line when lines are read one after the other, and when each
    is far from the one before."""

    name: str
    in_order: float
    far_apart: float


@dataclass(frozen=True, slots=True)
class MemoryLevels:
    """The caches of a machine, nearest first; `sources` are what is behind each of them. `gigahertz` is its clock."""

    caches: tuple[Cache, ...]
    sources: tuple[Source, ...]
    gigahertz: float

    def seconds(self, misses: dict[str, float], is_sequential: bool) -> float:
        """How long lines take to come, by the misses of each cache."""
        total = 0.0
        for i, (c, source) in enumerate(zip(self.caches, self.sources, strict=True)):
            nearer = misses[c.name]
            further = misses[self.caches[i + 1].name] if i + 1 < len(self.caches) else 0.0
            total += max(nearer - further, 0.0) * (source.in_order if is_sequential else source.far_apart)
        return total

    def seconds_of_bytes(self, size: float, gbytes: float, threads: int = 1) -> float:
        """How long threads take at least to get so many bytes from the cache that holds them all; what none holds comes from
        memory, `gbytes` in a second for all of them."""
        at = next((i for i, c in enumerate(self.caches) if size <= c.lines * LINE), None)
        if at is None:
            return size / (gbytes * 1e9)
        nearest = 2.0 * LINE * self.gigahertz * 1e9  # two lines in a cycle
        seconds = size / nearest if at == 0 else size / LINE * self.sources[at - 1].in_order
        return seconds / threads


def cache_sizes(folder: Path = _FOLDERS) -> tuple[Cache, ...]:
    """The data caches as Linux tells them, nearest first; those of many machines where it does not. The last one is taken
    to have no sets: processors scatter its lines."""
    found: dict[int, Cache] = {}
    for at in sorted(folder.glob("index*")):
        with suppress(OSError, ValueError, KeyError):
            text = {
                x: (at / x).read_text().strip() for x in ("level", "type", "size", "ways_of_associativity")
            }
            if text["type"] == "Instruction":
                continue
            unit = {"K": 2**10, "M": 2**20, "G": 2**30}[text["size"][-1:]]
            level = int(text["level"])
            ways = int(text["ways_of_associativity"]) if level < 3 else 0
            found[level] = Cache(f"L{level}", int(text["size"][:-1]) * unit // LINE, ways)
    return tuple(found[level] for level in sorted(found)) or _USUAL


_lock = threading.Lock()


def is_measured() -> bool:
    """Whether what lines take is known already."""
    return _measured.cache_info().currsize > 0


def memory_levels() -> MemoryLevels:
    """The caches of this machine and what they take, measured at the first call."""
    with _lock:
        return _measured()


@lru_cache(maxsize=1)
def _measured() -> MemoryLevels:
    caches = cache_sizes()
    code = Compiled(_KERNELS)
    read, chain = _READ(code.address("read_lines")), _CHAIN(code.address("chain"))
    if caches[-1].lines * LINE > _SHARED[0]:
        held = held_bytes(lambda size: _seconds_for_lines(read, size)[0], caches[-1].lines * LINE)
        caches = (*caches[:-1], replace(caches[-1], lines=held // LINE))
    sources = [
        Source(c.name, *_seconds_for_lines(read, size))
        for c, size in zip(caches[1:], _sizes_between(caches), strict=True)
    ]
    sources.append(_memory(sources))
    rounds = 4000
    seconds = _fewest(lambda: chain(12345, 999, rounds))
    return MemoryLevels(caches, tuple(sources), rounds * 2 * _LINKS / seconds / 1e9)


def held_bytes(seconds: Callable[[int], float], size: int) -> int:
    """What a last cache of some size holds of one program: on a machine that is shared with others, less than it has. Told by
    the seconds for a line, of more and more bytes."""
    first = seconds(_SHARED[0])
    held = _SHARED[0]
    for more in _SHARED[1:]:
        if more >= size:
            return size
        if seconds(more) > 2.5 * first:
            return held
        held = more
    return size


def _memory(caches: list[Source]) -> Source:
    """Memory behind all caches. The roofline has its speed: a triad that reads three lines, one of them to write it, and
    writes one."""
    in_order = LINE / (machine_peaks().gbytes * 4 / 3 * 1e9)
    return Source(
        "memory", in_order, in_order * (caches[-1].far_apart / caches[-1].in_order if caches else 1.5)
    )


def _sizes_between(caches: tuple[Cache, ...]) -> Iterator[int]:
    """Bytes that one cache does not hold and the next one does."""
    for near, far in itertools.pairwise(caches):
        yield max(min(near.lines * 4, far.lines // 2, _LARGEST // LINE), 1) * LINE


def _seconds_for_lines(read: Callable[..., int], size: int) -> tuple[float, float]:
    """Seconds for a line of so many bytes: one after the other, and each in another page than the one before."""
    memory = np.ones(size, np.uint8)
    at, lines = memory.ctypes.data, memory.nbytes // LINE
    apart = 4096 + LINE * 5  # not a power of two: sets of the caches are used alike
    rows = min(memory.nbytes // apart, 2048)
    columns = max(min(apart // LINE, 24), 1)
    in_order = _fewest(lambda: read(at, lines, LINE, 1)) / lines
    far = _fewest(lambda: read(at, rows, apart, columns)) / (rows * columns)
    return in_order, max(far, in_order)


def _fewest(f: Callable[[], object]) -> float:
    """The fewest seconds of several runs, at least three."""
    times = [_timed(f) for _ in range(3)]
    while sum(times) < _PATIENCE:
        times.append(_timed(f))
    return min(times)


def _timed(f: Callable[[], object]) -> float:
    start = time.perf_counter()
    f()
    return time.perf_counter() - start


_PAIRS = "\n".join(
    f"  %a{i} = add i64 %{f'b{i - 1}' if i else 'x'}, %k\n  %b{i} = xor i64 %a{i}, %m" for i in range(_LINKS)
)
# A row of lines for each column; and additions of which each waits for the one before, a cycle each.
_KERNELS = f"""
define i32 @read_lines(ptr %p, i64 %rows, i64 %apart, i64 %columns) {{
entry:
  br label %column
column:
  %c = phi i64 [ 0, %entry ], [ %c1, %next ]
  %t = phi <16 x i32> [ zeroinitializer, %entry ], [ %sum, %next ]
  %at = mul i64 %c, {LINE}
  %q = getelementptr i8, ptr %p, i64 %at
  br label %row
row:
  %r = phi i64 [ 0, %column ], [ %r1, %row ]
  %s = phi <16 x i32> [ %t, %column ], [ %sum, %row ]
  %offset = mul i64 %r, %apart
  %a = getelementptr i8, ptr %q, i64 %offset
  %v = load <16 x i32>, ptr %a, align 4
  %sum = add <16 x i32> %s, %v
  %r1 = add i64 %r, 1
  %more = icmp slt i64 %r1, %rows
  br i1 %more, label %row, label %next
next:
  %c1 = add i64 %c, 1
  %again = icmp slt i64 %c1, %columns
  br i1 %again, label %column, label %done
done:
  %total = call i32 @llvm.vector.reduce.add.v16i32(<16 x i32> %sum)
  ret i32 %total
}}

declare i32 @llvm.vector.reduce.add.v16i32(<16 x i32>)

define i64 @chain(i64 %k, i64 %m, i64 %n) {{
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %x = phi i64 [ %k, %entry ], [ %b{_LINKS - 1}, %loop ]
{_PAIRS}
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %done
done:
  ret i64 %b{_LINKS - 1}
}}
"""
