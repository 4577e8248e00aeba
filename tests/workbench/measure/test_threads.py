"""Threads of real kernels: all iterations are there, memory as the lowered IR has it, stops, limits and mistakes."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

import tewb
from tests.workbench.measure.symbolic import symbolic_session
from tewb import te, tir
from tewb.base import ArgumentError, TewbError
from tewb.runtime import set_num_threads
from tewb.workbench.demos import demo_session
from tewb.workbench.measure.thread_loops import TaskMemory
from tewb.workbench.measure.thread_times import ThreadTimes
from tewb.workbench.requests import ask
from tewb.workbench.session import Session

pytestmark = pytest.mark.usefixtures("two_threads")


def step(primitive: str, stage: str, **args: Any) -> dict[str, Any]:
    return {"primitive": primitive, "stage": stage, "args": args}


def blur(n: int = 64) -> Session:
    return demo_session("blur", n=n)


def names(t: ThreadTimes) -> list[str]:
    return [loop.facts.name for loop in t.loops]


def test_loops_one_after_the_other_have_their_iterations() -> None:
    session = blur()
    session.apply(step("parallel", "X", axis="i"), step("parallel", "Y", axis="i"))
    t = session.measure_threads(repeat=3)
    assert session.thread_times is t and t.journal == session.journal
    assert names(t) == ["X.i", "Y.i"] and [loop.iterations for loop in t.loops] == [64, 64]
    assert t.threads == len(t.busy) == 2 and 0 < t.share <= 1 and t.plain > 0
    assert sum(t.busy) + sum(t.idle) == pytest.approx(2 * t.seconds)


def test_each_iteration_of_a_parallel_loop_has_its_memory() -> None:
    session = blur()
    session.apply(step("parallel", "Y", axis="i"), step("compute_at", "X", parent="Y", axis="i"))
    (loop,) = session.measure_threads(repeat=1).loops
    assert loop.facts.memory == (TaskMemory("X", 3 * 64 * 4, 1.0, "stack"),)
    assert (loop.bytes, loop.allocations) == (0, 0)


@pytest.mark.parametrize("symbolic", [False, True])
def test_memory_from_the_heap_has_its_bytes_and_times(symbolic: bool) -> None:
    n: Any = te.var("n") if symbolic else 20_000
    A = te.placeholder((6, n), name="A")
    B = te.compute((6, n), lambda i, j: A[i, j] + 1.0, name="B")
    C = te.compute((6, n), lambda i, j: B[i, n - 1 - j] * 2.0, name="C")
    s = te.create_schedule(C.op)
    s[C].parallel("i")
    s[B].compute_at(s[C], C.op.axis[0])
    (loop,) = Session(s, [A, C], sizes={"n": 20_000}).measure_threads(repeat=1).loops
    assert loop.facts.memory == (TaskMemory("B", 80_000, 1.0, "heap"),)
    assert (loop.bytes, loop.allocations) == (6 * 80_000, 6)


def test_a_cached_kernel_has_the_same_loops() -> None:
    """The second build takes its code from the cache, and its lines from text that is made anew."""
    for _ in range(2):
        session = blur(48)
        session.apply(step("parallel", "Y", axis="i"))
        assert names(session.measure_threads(repeat=1)) == ["Y.i"]


def symbolic(**given: Any) -> Session:
    n = te.var("n")
    A = te.placeholder((n, 40), name="A")
    B = te.compute((n, 40), lambda i, j: A[i, j] + 1.0, name="B")
    C = te.compute((n, 40), lambda i, j: B[i, 39 - j] * 2.0, name="C")
    s = te.create_schedule(C.op)
    s[C].parallel("i")
    s[B].compute_at(s[C], C.op.axis[0])
    return Session(s, [A, C], **given)


@pytest.mark.parametrize("given, rows", [({}, 128), ({"sizes": {"n": 50}}, 50)])
def test_symbolic_extents_have_the_sizes_of_the_session(given: Any, rows: int) -> None:
    (loop,) = symbolic(**given).measure_threads(repeat=1).loops
    assert loop.iterations == rows and loop.facts.memory == (TaskMemory("B", 160, 1.0, "stack"),)


def test_loops_in_loops() -> None:
    session = blur(16)
    session.apply(step("parallel", "Y", axis="i"), step("parallel", "Y", axis="j"))
    outer, inner = session.measure_threads(repeat=1).loops
    assert (outer.facts.name, outer.depth, outer.runs) == ("Y.i", 0, 1)
    assert (inner.facts.name, inner.depth, inner.runs, inner.iterations) == ("Y.j", 1, 16, 256)


def test_externs_in_parallel_loops_say_that_python_is_one() -> None:
    name = "tests.threads.copy"
    tewb.register_func(name, lambda a, b: b.__setitem__(..., a), override=True)
    A = te.placeholder((8, 4), name="A")
    B = te.extern(
        (8, 4), [A], lambda ins, outs: tir.call_packed(name, ins[0], outs[0]), name="B", access=te.access.elementwise
    )  # fmt: skip
    s = te.create_schedule(B.op)
    s[B].parallel(s[B].split(B.op.axis[0], 2)[0])
    t = Session(s, [A, B]).measure_threads(repeat=1)
    (loop,) = t.loops
    assert loop.iterations == 4 and loop.facts.calls_python and "calls Python" in t.reasons[-1]
    tewb.runtime.remove_global_func(name)


def test_a_hybrid_loop_has_the_name_of_its_variable() -> None:
    @te.hybrid.script  # type: ignore[untyped-decorator]
    def twice(a: Any) -> Any:
        b = output_tensor((6,), "float32")  # type: ignore[name-defined]  # noqa: F821
        for row in parallel(6):  # type: ignore[name-defined]  # noqa: F821
            b[row] = a[row] * 2.0
        return b

    A = te.placeholder((6,), name="A")
    B = twice(A)
    (loop,) = Session(te.create_schedule(B.op), [A, B]).measure_threads(repeat=1).loops
    assert "row" in loop.facts.name and loop.iterations == 6


def test_without_a_parallel_loop_there_is_one_thread() -> None:
    t = blur().measure_threads(repeat=1)
    assert t.loops == () and t.sentence.startswith("No parallel loop ran") and t.tasks == 0


@pytest.mark.parametrize("threads", [1, 3])
def test_the_setting_of_threads_is_followed(threads: int) -> None:
    set_num_threads(threads)
    session = blur()
    session.apply(step("parallel", "Y", axis="i"))
    t = session.measure_threads(repeat=1)
    assert t.threads == len(t.busy) == threads
    assert t.sentence.startswith("One thread ran all" if threads == 1 else "3 threads were busy")


def test_one_processor_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda who: {0}, raising=False)
    session = blur()
    session.apply(step("parallel", "Y", axis="i"))
    assert session.measure_threads(repeat=1).reasons[-1].startswith("2 threads share 1 processor")
    set_num_threads(1)
    assert "this process may use one processor" in session.measure_threads(repeat=1).sentence


def test_it_can_be_stopped_and_has_a_limit_of_time() -> None:
    session = blur()
    session.apply(step("parallel", "Y", axis="i"))
    name = "tests.threads.sleep"
    tewb.register_func(name, lambda a, b: time.sleep(0.3), override=True)
    A = te.placeholder((4,), name="A")
    B = te.extern((4,), [A], lambda ins, outs: tir.call_packed(name, ins[0], outs[0]), name="B")
    slow = Session(te.create_schedule(B.op), [A, B])
    began = time.monotonic()
    try:
        assert slow.measure_threads(repeat=1000, seconds=0.5).threads == 2
    except TewbError as e:
        assert "no call was over when it was stopped, or after 0.5 s" in str(e)
    assert time.monotonic() - began < 20
    asked: list[int] = []

    def stop() -> bool:
        asked.append(0)
        return len(asked) > 2

    assert session.measure_threads(repeat=1000, stop=stop).loops  # what was measured until then
    tewb.runtime.remove_global_func(name)


def test_it_tells_how_far_it_is() -> None:
    told: list[tuple[float, str]] = []
    blur().measure_threads(repeat=2, progress=lambda done, what: told.append((done, what)))
    assert told[0] == (0.0, "building") and [what for _, what in told[-3:]] == [
        "call 1 of 3", "call 2 of 3", "call 3 of 3",
    ]  # fmt: skip
    assert [done for done, _ in told] == sorted(done for done, _ in told)


@pytest.mark.parametrize(
    "given, message",
    [
        ({"repeat": 0}, "repeat=0 is no number of calls"),
        ({"repeat": True}, "repeat=True is no number of calls"),
        ({"repeat": "many"}, "repeat='many' is no number of calls"),
        ({"seconds": 0}, "seconds=0 is no limit of time"),
        ({"seconds": float("nan")}, "seconds=nan is no limit of time"),
        ({"stop": 3}, "stop"),
        ({"progress": 3}, "progress"),
    ],
)
def test_mistakes_are_told(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        blur(8).measure_threads(**given)


def test_inputs_of_another_shape_are_told() -> None:
    session = blur(8)
    session.inputs = [np.zeros((3, 3), "float32")]
    with pytest.raises(ArgumentError, match="the input for A has shape"):
        session.measure_threads()


def test_a_schedule_that_cannot_be_lowered_says_why() -> None:
    A = te.placeholder((8,), name="A")
    B = te.compute((8,), lambda i: A[i] + 1.0, name="B")
    C = te.compute((8,), lambda i: B[i] * 2.0, name="C")
    s = te.create_schedule(C.op)
    session = Session(s, [B, C])  # A is missing
    with pytest.raises(TewbError):
        session.measure_threads()


@pytest.mark.parametrize("when", ["building", "making inputs"])
def test_a_size_that_is_set_meanwhile_is_for_the_next_measurement(when: str) -> None:
    s = symbolic_session(64)
    s.apply(step("parallel", "C", axis="j"))

    def set_size(done: float, what: str) -> None:
        if what == when:
            ask(s, "size", {"name": "n", "value": 512})

    (loop,) = s.measure_threads(repeat=2, progress=set_size).loops
    assert loop.iterations == 64 * 64
