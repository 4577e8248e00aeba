"""A trace of the threads: what each of them did in one call of a kernel that was built with `traced=True`."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tewb.base import CodegenError, free_after_fork
from tewb.runtime import thread_trace_code as words
from tewb.runtime.cpython import register_python
from tewb.runtime.jit import Compiled, register_symbol
from tewb.runtime.thread_pool import pool


@dataclass(frozen=True, slots=True)
class TracedTask:
    """Iterations `first` to `past` (exclusive) of a parallel loop, which a thread ran without a pause. `line` is the loop's
    line in the text of the low-level IR, `run` counts the loops that were begun, `depth` the tasks around it. Times in
    seconds since the call began; memory that it took from the heap, in bytes and in how many pieces."""

    line: int
    run: int
    thread: int
    depth: int
    first: int
    past: int
    begin: float
    end: float
    bytes: int
    allocations: int


@dataclass(frozen=True, slots=True)
class TracedLoop:
    """A parallel loop from its begin to its end, on the thread that came to it."""

    line: int
    run: int
    thread: int
    depth: int
    iterations: int
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class TracedThread:
    """A thread that took part: the time in its outermost tasks and their number, and what it took from the heap."""

    busy: float
    tasks: int
    bytes: int
    allocations: int


@dataclass(frozen=True, slots=True)
class ThreadTrace:
    """One call of a kernel. Thread 0 is the one that called. `in_loops` is the time of all parallel loops that stand in
    no other one; `runs` is how many loops were begun, `dropped` how many tasks and loops are only counted in the sums."""

    seconds: float
    in_loops: float
    threads: tuple[TracedThread, ...]
    loops: tuple[TracedLoop, ...]
    tasks: tuple[TracedTask, ...]
    runs: int
    dropped: int


class _Tracer:
    """The code of the trace and its memory. There is one, so one call is traced at a time."""

    def __init__(self) -> None:
        if not register_python(("PyThread_get_thread_ident", words.clock())):
            raise CodegenError("this Python has no clock that machine code can read")
        pool()
        self.lock = threading.Lock()
        self._code = code = Compiled(words.trace_text())
        for name in words.SYMBOLS:
            register_symbol(name, code.address(name))
        self._whole = self._words("tewb_trace", 16)
        self._threads = self._words("tewb_trace_threads", words.MOST_THREADS * words.THREAD_ROW)
        self._events = self._words("tewb_trace_events", words.MOST_EVENTS * words.EVENT)

    def _words(self, name: str, count: int) -> Any:
        address = int(ctypes.CFUNCTYPE(ctypes.c_size_t)(self._code.address(name))())
        return (ctypes.c_int64 * count).from_address(address)

    def clear(self) -> None:
        """Forget the last call."""
        ctypes.memset(self._whole, 0, ctypes.sizeof(self._whole))
        ctypes.memset(self._threads, 0, ctypes.sizeof(self._threads))

    def read(self) -> ThreadTrace:
        """What the last call did."""
        whole, begin = self._whole, self._whole[words.CALL_BEGIN]
        count = min(whole[words.EVENTS], words.MOST_EVENTS)
        kept = self._events[: count * words.EVENT]
        starts = range(0, len(kept), words.EVENT)
        events = sorted((kept[at : at + words.EVENT] for at in starts), key=lambda e: e[words.BEGIN])
        rows = self._rows()
        # Thread 0 called the kernel; the others are numbered as they come.
        first = dict.fromkeys([whole[words.CALLER], *(e[words.THREAD] for e in events), *rows])
        numbers = {identity: n for n, identity in enumerate(first)}

        def at(t: int) -> float:
            return float(t - begin) / 1e9

        tasks, loops = [], []
        for is_loop, line, run, thread, depth, lo, hi, t0, t1, taken, pieces, _ in events:
            who = numbers[thread]
            if is_loop:
                loops.append(TracedLoop(line, run, who, depth, hi, at(t0), at(t1)))
            else:
                tasks.append(TracedTask(line, run, who, depth, lo, hi, at(t0), at(t1), taken, pieces))
        return ThreadTrace(
            at(whole[words.CALL_END]),
            sum(row[words.IN_LOOPS] for row in rows.values()) / 1e9,
            tuple([_thread(rows.get(identity)) for identity in numbers]),
            tuple(loops),
            tuple(tasks),
            whole[words.RUNS],
            whole[words.EVENTS] - count,
        )

    def _rows(self) -> dict[int, list[int]]:
        """The rows that have a thread, by its identity."""
        rows = self._threads
        starts = [n for n in range(0, len(rows), words.THREAD_ROW) if rows[n]]
        return {rows[n]: rows[n : n + words.THREAD_ROW] for n in starts}


def _thread(row: list[int] | None) -> TracedThread:
    if row is None:
        return TracedThread(0.0, 0, 0, 0)
    return TracedThread(row[words.BUSY] / 1e9, row[words.TASKS], row[words.ALLOCATED], row[words.TIMES])


_tracer: _Tracer | None = None
_making = free_after_fork(threading.Lock())


def tracer() -> _Tracer:
    """The one tracer of this process, made on first use: kernels that are loaded from then on find its functions."""
    global _tracer
    with _making:
        if _tracer is None:
            _tracer = _Tracer()
    return _tracer


def trace_threads(call: Callable[[], Any]) -> ThreadTrace:
    """What each thread does in `call()`, which calls a traced kernel once. Other threads that trace wait."""
    with tracer().lock:
        tracer().clear()
        call()
        return tracer().read()
