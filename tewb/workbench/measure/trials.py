"""Trials: contestants timed in turn, warm and cold, with progress and a way to stop; and the times kept so far."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from tewb.base import Stop, Stopped, check_stopped, readable
from tewb.runtime import Timing, calls_for, sample
from tewb.workbench.journal.timeline import Journal
from tewb.workbench.measure.measurement import Measurement

TICK = 0.01  # seconds after which a system that counts in ticks of 1/100 s knows what its threads did
LONGEST_REST = 0.3  # seconds; threads that work longer do something else
PIECE = 4 * 2**20  # bytes that a flush writes between two questions whether it is still wanted
MARGIN = 64 * 2**20  # bytes that a flush writes at most beyond what the last cache holds

Progress = Callable[[float, str], None]


@readable
@dataclass(frozen=True, slots=True)
class Trial:
    """The samples of one contestant. `cold` are single calls with nothing of the data in a cache."""

    warm: Timing
    cold: Timing | None


def in_turn(
    contestants: Sequence[Callable[[], Any]],
    repeat: int,
    stop: Stop | None = None,
    progress: Progress | None = None,
    cold: bool = True,
    threads: bool = False,
) -> list[Trial]:
    """`repeat` rounds in which every contestant is sampled once, so that a busy moment of the machine hits all.

    After each round `progress(done, what)` is called with the share that is done (0 to 1). `stop()` may end it, which is
    asked between samples; a contestant that raises Stopped ends it too. The round that it was in does not count. Raises
    Stopped when no round was finished. Of one that was stopped before it began, each contestant is called once.

    `threads` says that one of them has several threads: before each sample, those of the one before come to rest, which
    takes numpy's about 0.1 s.
    """
    if stop is not None and stop():  # before it began: one look is all
        return [Trial(_timing([sample(f, 1)]), None) for f in contestants]
    rounds: list[list[tuple[float, float | None]]] = []
    try:
        wait = rest if threads else _go_on
        numbers = [_calls(f, wait) for f in contestants]
        for sampled in _rounds(contestants, numbers, repeat, cache_flusher() if cold else None, stop, wait):
            rounds.append(sampled)
            if progress is not None:
                progress(len(rounds) / repeat, f"sample {len(rounds)} of {repeat}")
            if stop is not None and stop():
                break
    except Stopped:
        if not rounds:
            raise
    return [
        Trial(
            _timing([w for w, _ in samples]),
            _timing([c for _, c in samples if c is not None]) if cold else None,
        )
        for samples in zip(*rounds, strict=True)
    ]


def _rounds(
    contestants: Sequence[Callable[[], Any]],
    numbers: Sequence[int],
    repeat: int,
    flush: Callable[[], None] | None,
    stop: Stop | None,
    wait: Callable[[], None],
) -> Iterator[list[tuple[float, float | None]]]:
    """Of each round, the seconds of every contestant, warm and (with `flush`) cold. Raises Stopped."""

    def ask() -> None:
        if stop is not None and stop():
            raise Stopped

    for _ in range(repeat):
        sampled: list[tuple[float, float | None]] = []
        for f, number in zip(contestants, numbers, strict=True):
            if sampled:
                ask()
            wait()
            warm, cooled = sample(f, number), None
            if flush is not None:
                ask()
                flush()
                wait()
                cooled = sample(f, 1)
            sampled.append((warm, cooled))
        yield sampled


def _calls(f: Callable[[], Any], wait: Callable[[], None]) -> int:
    wait()
    return calls_for(f, 0.02)


def _go_on() -> None:
    pass


def rest() -> None:
    """Wait until no thread of this process works any more. Threads of numpy's BLAS look for more work for about 0.1 s after
    a call, and those of tewb for less than a millisecond; a processor that is busy with it is none for the next sample."""
    began = time.monotonic()
    while time.monotonic() - began < LONGEST_REST:
        spent = time.process_time()
        time.sleep(TICK)
        if time.process_time() - spent < TICK / 10:
            return
        check_stopped(began)


def _timing(seconds: list[float]) -> Timing:
    return Timing(tuple(seconds))


def cache_flusher() -> Callable[[], None]:
    """A function that drives everything else out of the caches. It writes twice as much as the last one holds, as caches
    do not quite let the oldest go first; of one above 64 MiB, as much as it holds and 64 MiB more. A virtual machine tells
    the cache of the whole socket, and may have all of it, so less would not do. Raises Stopped between two pieces."""
    size = last_cache_bytes()
    buffer = np.empty(size + min(size, MARGIN), np.uint8)

    def flush() -> None:
        began = time.monotonic()
        for start in range(0, len(buffer), PIECE):
            buffer[start : start + PIECE] = 1
            check_stopped(began)

    return flush


@lru_cache(maxsize=1)
def last_cache_bytes() -> int:
    """The size of the largest cache, in bytes; 32 MiB where the system does not say."""
    sizes = []
    for path in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
        with contextlib.suppress(OSError, ValueError):
            text = path.read_text().strip()
            unit = {"K": 2**10, "M": 2**20, "G": 2**30}.get(text[-1:])
            sizes.append(int(text[:-1]) * unit if unit else int(text))
    return max(sizes, default=32 * 2**20)


@contextlib.contextmanager
def numpy_threads(count: int) -> Iterator[str]:
    """Hold numpy's BLAS to as many threads as the kernel that it is compared with has, where threadpoolctl can."""
    try:
        import threadpoolctl  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError:
        yield "numpy with its own threads (threadpoolctl is not installed)"
        return
    with threadpoolctl.threadpool_limits(count):
        yield "one thread each" if count == 1 else f"{count} threads each"


class Timings(MutableMapping[Journal, Measurement]):
    """The last measurement of every journal that was measured, in the order in which they were."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, ...], tuple[Journal, Measurement]] = {}

    def __repr__(self) -> str:
        lines = [f"  after {len(journal)} steps: {m}" for journal, m in self._kept.values()]
        return "\n".join([f"Timings({len(lines)})", *lines])

    def __getitem__(self, journal: Journal) -> Measurement:
        return self._kept[_key(journal)][1]

    def __setitem__(self, journal: Journal, m: Measurement) -> None:
        self._kept.pop(_key(journal), None)  # measured again: it is the newest now
        self._kept[_key(journal)] = (journal, m)

    def __delitem__(self, journal: Journal) -> None:
        del self._kept[_key(journal)]

    def __iter__(self) -> Iterator[Journal]:
        return iter([journal for journal, _ in list(self._kept.values())])

    def __len__(self) -> int:
        return len(self._kept)


def _key(journal: Journal) -> tuple[str, ...]:
    return tuple([step.key for step in journal])
