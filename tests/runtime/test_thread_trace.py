"""A trace has every iteration once, the memory of each task, and loops in loops; kernels that are not traced know nothing of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests.in_threads import in_threads
from tests.runtime.pool_loops import rows_by_calls
from tewb import te
from tewb.base import BoundError
from tewb.driver import build_ir
from tewb.runtime import ThreadTrace, set_num_threads, trace_threads, tracer
from tewb.runtime.thread_trace_code import MOST_EVENTS

pytestmark = pytest.mark.usefixtures("two_threads")


def rows(n: Any = 64) -> tuple[Any, list[Any]]:
    """B[i] = the sum of the row A[i], in parallel."""
    A = te.placeholder((n, 32), name="A")
    k = te.reduce_axis((0, 32), name="k")
    B = te.compute((n,), lambda i: te.sum(A[i, k], axis=k), name="B")
    s = te.create_schedule(B.op)
    s[B].parallel("i")
    return s, [A, B]


def traced(s: Any, args: list[Any], *arrays: Any) -> ThreadTrace:
    kernel = build_ir(tewb.lower(s, args), traced=True)
    kernel(*arrays)
    return trace_threads(lambda: kernel(*arrays))


def iterations(t: ThreadTrace, run: int = 0) -> list[int]:
    """All iterations of a loop, as tasks ran them."""
    return sorted(i for task in t.tasks if task.run == run for i in range(task.first, task.past))


def test_every_iteration_is_in_one_task() -> None:
    a = np.random.default_rng(0).random((64, 32), dtype="float32")
    b = np.zeros(64, "float32")
    t = traced(*rows(), a, b)
    np.testing.assert_allclose(b, a.sum(axis=1), rtol=1e-5)
    assert iterations(t) == list(range(64))
    (loop,) = t.loops
    assert (loop.iterations, loop.thread, loop.depth, t.runs, t.dropped) == (64, 0, 0, 1, 0)
    assert 0 <= loop.begin <= min(x.begin for x in t.tasks)
    assert max(x.end for x in t.tasks) <= loop.end <= t.seconds
    assert sum(x.tasks for x in t.threads) == len(t.tasks)
    for n, thread in enumerate(t.threads):
        mine = sum(x.end - x.begin for x in t.tasks if x.thread == n)
        assert thread.busy == pytest.approx(mine, abs=1e-9 * len(t.tasks) + 1e-12)
    assert t.in_loops == pytest.approx(loop.end - loop.begin, abs=1e-8)


def test_the_line_of_a_loop_is_its_line_in_the_low_level_ir() -> None:
    from tewb.ir import For, ForKind, script_lines

    kernel = build_ir(tewb.lower(*rows()), traced=True)
    a, b = np.ones((64, 32), "float32"), np.zeros(64, "float32")
    t = trace_threads(lambda: kernel(a, b))
    node = script_lines(kernel.code.module)[t.loops[0].line - 1].node
    assert isinstance(node, For) and node.kind is ForKind.PARALLEL and node.origin.axis == "i"  # type: ignore[union-attr]


def test_symbolic_extents_and_empty_loops() -> None:
    s, args = rows(te.var("n"))
    for n in (0, 1, 50):
        t = traced(s, args, np.ones((n, 32), "float32"), np.zeros(n, "float32"))
        assert iterations(t) == list(range(n))
        assert sum(loop.iterations for loop in t.loops) == n


def test_one_thread_runs_all_of_it() -> None:
    set_num_threads(1)
    t = traced(*rows(), np.ones((64, 32), "float32"), np.zeros(64, "float32"))
    assert len(t.threads) == 1 and {x.thread for x in t.tasks} == {0} and iterations(t) == list(range(64))


def test_many_threads_have_rows_of_their_own() -> None:
    """More threads than processors, each with iterations that wait for all others."""
    set_num_threads(6)
    together = threading.Barrier(6)
    name = "tests.trace.together"

    def wait(a: Any, b: Any) -> None:
        together.wait(20)
        b[...] = a

    tewb.register_func(name, wait, override=True)
    kernel = build_ir(tewb.lower(*rows_by_calls(name, 6)), traced=True)
    a, b = np.ones((6, 4), "float32"), np.zeros((6, 4), "float32")
    t = trace_threads(lambda: kernel(a, b))
    assert (b == 1).all()
    assert len(t.threads) == 6 and {x.thread for x in t.tasks} == set(range(6))
    assert max(x.begin for x in t.tasks) < min(x.end for x in t.tasks)  # all at once
    tewb.runtime.remove_global_func(name)


def loops_in_loops() -> tuple[Any, list[Any]]:
    A = te.placeholder((4, 6), name="A")
    B = te.compute((4, 6), lambda i, j: A[i, j] + 1.0, name="B")
    s = te.create_schedule(B.op)
    s[B].parallel("i")
    s[B].parallel("j")
    return s, [A, B]


def test_loops_in_loops_are_deeper_and_count_once() -> None:
    t = traced(*loops_in_loops(), np.ones((4, 6), "float32"), np.zeros((4, 6), "float32"))
    outer = [x for x in t.tasks if x.depth == 0]
    inner = [x for x in t.tasks if x.depth == 1]
    assert sum(x.past - x.first for x in outer) == 4 and sum(x.past - x.first for x in inner) == 24
    assert [loop.depth for loop in t.loops].count(1) == 4 and t.runs == 5
    (whole,) = [loop for loop in t.loops if loop.depth == 0]
    assert t.in_loops == pytest.approx(whole.end - whole.begin, abs=1e-8)
    helped = [
        x
        for x in inner
        if not any(o.thread == x.thread and o.begin <= x.begin and x.end <= o.end for o in outer)
    ]
    assert sum(x.tasks for x in t.threads) == len(outer) + len(helped)
    assert all(whole.begin <= x.begin and x.end <= whole.end for x in inner)


def test_loops_one_after_the_other() -> None:
    A = te.placeholder((16, 8), name="A")
    B = te.compute((16, 8), lambda i, j: A[i, j] + 1.0, name="B")
    C = te.compute((16, 8), lambda i, j: B[15 - i, j] * 2.0, name="C")
    s = te.create_schedule(C.op)
    s[B].parallel("i")
    s[C].parallel("i")
    t = traced(s, [A, C], np.ones((16, 8), "float32"), np.zeros((16, 8), "float32"))
    first, second = t.loops
    assert first.end <= second.begin and first.line != second.line and (first.run, second.run) == (0, 1)
    assert iterations(t, 0) == iterations(t, 1) == list(range(16))


def scratch(n: Any) -> tuple[Any, list[Any]]:
    """Each of 8 iterations has an intermediate of n floats."""
    A = te.placeholder((8, n), name="A")
    B = te.compute((8, n), lambda i, j: A[i, j] + 1.0, name="B")
    C = te.compute((8, n), lambda i, j: B[i, n - 1 - j] * 2.0, name="C")
    s = te.create_schedule(C.op)
    s[C].parallel("i")
    s[B].compute_at(s[C], C.op.axis[0])
    return s, [A, C]


@pytest.mark.parametrize("symbolic", [False, True])
def test_memory_from_the_heap_is_that_of_the_task(symbolic: bool) -> None:
    n = 100_000
    s, args = scratch(te.var("n") if symbolic else n)
    t = traced(s, args, np.ones((8, n), "float32"), np.zeros((8, n), "float32"))
    for x in t.tasks:
        assert (x.bytes, x.allocations) == (4 * n * (x.past - x.first), x.past - x.first)
    assert sum(x.bytes for x in t.threads) == 8 * 4 * n


def test_memory_on_the_stack_is_none_from_the_heap() -> None:
    t = traced(*scratch(64), np.ones((8, 64), "float32"), np.zeros((8, 64), "float32"))
    assert {(x.bytes, x.allocations) for x in t.tasks} == {(0, 0)}


def test_tasks_beyond_those_that_are_kept_are_counted() -> None:
    n = MOST_EVENTS // 2 + 10
    A = te.placeholder((n, 4, 2), name="A")
    B = te.compute(A.shape, lambda i, j, k: A[i, j, k] + 1.0, name="B")
    s = te.create_schedule(B.op)
    s[B].parallel("j")  # begun n times
    a = np.ones((n, 4, 2), "float32")
    t = traced(s, [A, B], a, np.zeros_like(a))
    assert t.runs == n and t.dropped > 0 and len(t.tasks) + len(t.loops) == MOST_EVENTS
    assert sum(x.tasks for x in t.threads) == len(t.tasks) + len(t.loops) + t.dropped - n


def test_a_kernel_that_fails_ends_its_trace() -> None:
    s, args = rows(te.var("n"))
    kernel = build_ir(tewb.lower(s, args), traced=True)
    with pytest.raises(tewb.TewbError):
        trace_threads(lambda: kernel(np.ones((4, 32), "float32"), np.zeros(5, "float32")))
    t = trace_threads(lambda: kernel(np.ones((4, 32), "float32"), np.zeros(4, "float32")))
    assert iterations(t) == [0, 1, 2, 3]


def test_tasks_that_fail_leave_no_depth_behind() -> None:
    ib_name = "tests.trace.fails"

    def fails(a: Any, b: Any) -> None:
        raise ValueError("no")

    tewb.register_func(ib_name, fails, override=True)
    kernel = build_ir(tewb.lower(*rows_by_calls(ib_name, 4)), traced=True)
    a, b = np.ones((4, 4), "float32"), np.zeros((4, 4), "float32")
    with pytest.raises(ValueError, match="no"):
        trace_threads(lambda: kernel(a, b))
    tewb.register_func(ib_name, lambda x, y: y.__setitem__(..., x), override=True)
    t = trace_threads(lambda: kernel(a, b))
    assert {x.depth for x in t.tasks} == {0} and (b == 1).all()
    tewb.runtime.remove_global_func(ib_name)


def test_traces_of_two_threads_wait_for_each_other() -> None:
    kernel = build_ir(tewb.lower(*rows()), traced=True)
    found: list[ThreadTrace] = []

    def trace() -> None:
        a, b = np.ones((64, 32), "float32"), np.zeros(64, "float32")
        found.extend(trace_threads(lambda: kernel(a, b)) for _ in range(20))

    in_threads(trace, trace)
    assert len(found) == 40 and all(iterations(t) == list(range(64)) for t in found)


def test_other_kernels_know_nothing_of_traces() -> None:
    s, args = scratch(100_000)
    plain, told = tewb.build(s, args), build_ir(tewb.lower(s, args), traced=True)
    assert "trace" not in plain.get_source("ll0") and "tewb_rt_parallel_traced" in told.get_source("ll0")
    assert told.get_source("ll0").count("tewb_rt_trace_allocation(i64 %") == 1
    a, c = np.ones((8, 100_000), "float32"), np.zeros((8, 100_000), "float32")
    t = trace_threads(lambda: plain(a, c))
    assert (t.tasks, t.loops, t.runs) == ((), (), 0)


def test_a_debug_build_is_traced_too() -> None:
    A = te.placeholder((8,), name="A")
    I = te.placeholder((8,), "int32", name="I")  # noqa: E741
    B = te.compute((8,), lambda i: A[I[i]], name="B")
    s = te.create_schedule(B.op)
    s[B].parallel("i")
    kernel = build_ir(tewb.lower(s, [A, I, B]), debug=True, traced=True)
    a, b = np.ones(8, "float32"), np.zeros(8, "float32")
    assert iterations(trace_threads(lambda: kernel(a, np.arange(8, dtype="int32"), b))) == list(range(8))
    with pytest.raises(BoundError):
        trace_threads(lambda: kernel(a, np.full(8, 9, "int32"), b))


def test_there_is_one_tracer() -> None:
    make: Callable[[], Any] = tracer
    assert make() is tracer()
