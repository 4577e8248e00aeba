"""The machine code of a trace: threads find their rows, events are kept while there is room, and only the outermost count."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tewb.runtime import pool, set_num_threads, trace_threads, tracer
from tewb.runtime.llvm_work import parse
from tewb.runtime.thread_trace import ThreadTrace
from tewb.runtime.thread_trace_code import MOST_EVENTS, SYMBOLS, trace_text

pytestmark = pytest.mark.usefixtures("two_threads")

_LOOP = ctypes.CFUNCTYPE(
    ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, *[ctypes.c_int64] * 4
)
_BODY = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)


def function(name: str, kind: Any) -> Callable[..., Any]:
    return kind(tracer()._code.address(name))  # type: ignore[no-any-return]


def run(body: Callable[[int, int], int | None], n: int, line: int = 3) -> int:
    """The code that a traced loop returns for `body(lo, hi)` over 0..n, in tasks of one iteration."""
    pool().start()
    context = (ctypes.c_int64 * 8)()
    given = _BODY(lambda ctx, data, lo, hi: body(lo, hi) or 0)
    return int(function("tewb_rt_parallel_traced", _LOOP)(context, given, None, n, 1, 1, line))


def traced(call: Callable[[], Any]) -> ThreadTrace:
    """A trace of loops that no kernel begins."""

    def whole() -> None:
        function("tewb_rt_trace_begin", ctypes.CFUNCTYPE(None))()
        call()
        function("tewb_rt_trace_end", ctypes.CFUNCTYPE(None))()

    return trace_threads(whole)


def test_every_task_is_an_event_with_its_line() -> None:
    t = traced(lambda: run(lambda lo, hi: None, 40, line=17))
    assert sorted(x.first for x in t.tasks) == list(range(40)) and {x.line for x in t.tasks} == {17}
    assert t.loops[0].line == 17 and t.loops[0].iterations == 40


def test_what_fails_fails_through_a_trace() -> None:
    codes: list[int] = []
    t = traced(lambda: codes.append(run(lambda lo, hi: 5 if lo == 3 else 0, 8)))
    assert codes == [5] and len(t.loops) == 1 and {x.depth for x in t.tasks} == {0}


def test_loops_in_tasks_are_deeper_on_whichever_thread() -> None:
    """A thread that helps with an inner loop is in no task of its own; that loop is as deep as it stands."""
    set_num_threads(3)
    met = threading.Barrier(3)
    t = traced(lambda: run(lambda lo, hi: run(lambda a, b: met.wait(30) and None, 3, line=4), 1))
    (outer,) = [x for x in t.tasks if x.line == 3]
    inner = [x for x in t.tasks if x.line == 4]
    assert [x.depth for x in inner] == [1] * 3 and len({x.thread for x in inner}) == 3
    assert [x.depth for x in t.loops] in ([0, 1], [1, 0])
    assert sum(x.tasks for x in t.threads) == 3
    for n, thread in enumerate(t.threads):
        mine = [outer] if n == 0 else [x for x in inner if x.thread == n]
        assert thread.busy == pytest.approx(sum(x.end - x.begin for x in mine), abs=1e-8)


def test_memory_counts_where_it_was_taken() -> None:
    take = function("tewb_rt_trace_allocation", ctypes.CFUNCTYPE(None, ctypes.c_int64))
    t = traced(lambda: (take(1000), run(lambda lo, hi: take(8 * lo), 4)))
    assert sorted((x.first, x.bytes, x.allocations) for x in t.tasks) == [(n, 8 * n, 1) for n in range(4)]
    assert sum(x.bytes for x in t.threads) == 1000 + 48 and sum(x.allocations for x in t.threads) == 5


def test_threads_have_rows_of_their_own_however_many() -> None:
    size = 12
    set_num_threads(size)
    together = threading.Barrier(size)

    def wait(lo: int, hi: int) -> None:
        together.wait(30)

    t = traced(lambda: run(wait, size))
    assert len({x.thread for x in t.tasks}) == len(t.threads) == size
    assert [x.tasks for x in t.threads] == [1] * size


def test_a_trace_begins_anew() -> None:
    traced(lambda: run(lambda lo, hi: None, 9))
    t = traced(lambda: None)
    assert (t.tasks, t.loops, t.runs, t.dropped, len(t.threads)) == ((), (), 0, 0, 1)
    assert t.seconds >= 0 and t.in_loops == 0


def test_events_beyond_the_room_are_counted() -> None:
    set_num_threads(1)
    t = traced(lambda: run(lambda lo, hi: None, MOST_EVENTS + 5))
    assert len(t.tasks) == MOST_EVENTS and t.dropped == 6  # the loop is the last event
    assert t.threads[0].tasks == MOST_EVENTS + 5 and t.in_loops > 0


def test_the_text_defines_what_kernels_call() -> None:
    assert all(f"@{name}(" in trace_text() for name in SYMBOLS)
    parse(trace_text())
