"""Busy and idle time add up, and the sentence names what cost most."""

from __future__ import annotations

import pytest

from tewb.runtime import ThreadTrace, TracedLoop, TracedTask, TracedThread
from tewb.workbench.measure.thread_times import LoopFacts, TaskMemory, ThreadTimes, loop_text

FACTS = {
    7: LoopFacts("C.i", "C", "i", (), False),
    9: LoopFacts("D.j", "D", "j", (), False),
    11: LoopFacts("C.i", "C", "i", (), False),
    12: LoopFacts("X.k", "X", "k", (), True),
}
MS = 1e-3


def task(
    thread: int, first: int, past: int, begin: float, end: float, run: int = 0, line: int = 7, **more: int
) -> TracedTask:
    """A task, with its times in milliseconds."""
    memory = more.get("bytes", 0), more.get("allocations", 0)
    return TracedTask(line, run, thread, more.get("depth", 0), first, past, begin * MS, end * MS, *memory)


def loop(n: int, begin: float, end: float, run: int = 0, line: int = 7, depth: int = 0) -> TracedLoop:
    return TracedLoop(line, run, 0, depth, n, begin * MS, end * MS)


def times(
    ms: float, loops: list[TracedLoop], tasks: list[TracedTask], threads: int = 2, processors: int = 8
) -> ThreadTimes:
    """What a trace of these loops and tasks comes to."""
    outer = [t for t in tasks if not t.depth]
    took_part = max([0, *(t.thread for t in tasks)]) + 1
    rows = [
        TracedThread(sum(t.end - t.begin for t in mine), len(mine), 0, 0)
        for mine in ([t for t in outer if t.thread == n] for n in range(took_part))
    ]
    in_loops = sum(x.end - x.begin for x in loops if not x.depth)
    trace = ThreadTrace(ms * MS, in_loops, tuple(rows), tuple(loops), tuple(tasks), len(loops), 0)
    return ThreadTimes(trace, FACTS, threads, processors, 0.9 * ms * MS, ())


UNEVEN = times(
    3.0,
    [loop(3, 0.0, 3.0)],
    [task(0, 0, 1, 0.0, 1.0), task(0, 2, 3, 1.0, 3.0), task(1, 1, 2, 0.1, 1.1)],
)


def test_busy_and_idle_time_add_up() -> None:
    assert UNEVEN.busy == pytest.approx((3.0 * MS, 1.0 * MS))
    assert UNEVEN.idle == pytest.approx((0.0, 2.0 * MS), abs=1e-12)
    assert UNEVEN.share == pytest.approx(4 / 6)
    assert UNEVEN.imbalance == pytest.approx(1.5)
    assert UNEVEN.tasks == 3
    (found,) = UNEVEN.loops
    assert (found.runs, found.iterations, found.tasks, found.smallest, found.largest) == (1, 3, 3, 1, 1)
    assert (found.shortest, found.mean, found.longest) == pytest.approx((1 * MS, 4 / 3 * MS, 2 * MS))
    assert (found.late, found.between, found.waited, found.absent) == pytest.approx(
        (0.1 * MS, 0, 1.9 * MS, 0), abs=1e-12
    )
    assert found.waits == pytest.approx((0, 1.9 * MS), abs=1e-12) and found.last == 0


def test_the_sentence_says_who_waited_for_whom_and_what_would_help() -> None:
    assert UNEVEN.sentence == (
        "2 threads were busy 67 % of 3 ms; thread 1 waited 1.9 ms for thread 0 at the end of C.i: its 3 tasks are of "
        "unequal time (1 ms to 2 ms); smaller tasks would end nearer together: more iterations, by a finer split or by "
        "fusing it with the loop inside."
    )
    assert len(UNEVEN.reasons) == 1  # to come late by 0.1 ms of 6 is not worth a word


def test_tasks_of_equal_time_that_do_not_divide() -> None:
    found = times(
        2.0, [loop(3, 0, 2)], [task(0, 0, 1, 0, 1), task(1, 1, 2, 0, 1), task(0, 2, 3, 1, 2)]
    ).sentence
    assert "its 3 tasks of about 1 ms are not shared evenly; smaller tasks" in found


def test_an_even_loop_lost_little() -> None:
    t = times(2.0, [loop(2, 0, 2)], [task(0, 0, 1, 0, 2), task(1, 1, 2, 0, 2)])
    assert t.sentence == "2 threads were busy 100 % of 2 ms: little was lost."
    assert t.reasons == () and t.imbalance == 1.0


def test_a_part_that_is_not_parallel() -> None:
    t = times(4.0, [loop(2, 3, 4)], [task(0, 0, 1, 3, 4), task(1, 1, 2, 3, 4)])
    assert t.serial == pytest.approx(3 * MS) and t.busy == pytest.approx((4 * MS, 1 * MS))
    assert (
        t.sentence
        == "2 threads were busy 62 % of 4 ms; 3 ms went by outside of parallel loops, on one thread."
    )


def test_fewer_iterations_than_threads() -> None:
    t = times(1.0, [loop(2, 0, 1)], [task(0, 0, 1, 0, 1), task(1, 1, 2, 0, 1)], threads=4)
    assert t.busy == pytest.approx((MS, MS, 0, 0))
    assert "C.i has 2 iterations for 4 threads: fuse it with the loop inside" in t.sentence


def test_a_loop_that_is_over_before_the_others_come() -> None:
    t = times(1.0, [loop(100, 0, 1)], [task(0, 0, 100, 0, 1)])
    assert "C.i was over, in 1 ms, before all threads had come: it is too short to be shared" in t.sentence
    often = times(
        2.0, [loop(9, 0, 1), loop(9, 1, 2, run=1)], [task(0, 0, 9, 0, 1), task(0, 0, 9, 1, 2, run=1)]
    )
    assert "before all threads had come, 2 times: a parallel loop further outside" in often.sentence


def test_threads_that_come_late_and_time_between_tasks() -> None:
    late = times(1.0, [loop(2, 0, 1)], [task(0, 0, 1, 0, 1), task(1, 1, 2, 0.5, 1)])
    assert "threads came 500 µs late to C.i, all together: to wake one takes a moment" in late.sentence
    gaps = times(
        1.0, [loop(4, 0, 1)],
        [task(0, 0, 1, 0, 0.1), task(0, 1, 2, 0.9, 1), task(1, 2, 3, 0, 0.1), task(1, 3, 4, 0.9, 1)],
    )  # fmt: skip
    assert "1.6 ms went by between the 4 tasks of C.i, of about 100 µs each" in gaps.sentence


def test_loops_of_one_name_are_one_and_others_stand_beside_it() -> None:
    t = times(
        6.0,
        [loop(2, 0, 2), loop(4, 2, 4, run=1, line=11), loop(3, 4, 6, run=2, line=9)],
        [task(0, 0, 2, 0, 2), task(1, 0, 4, 2, 4, run=1, line=11), task(0, 0, 3, 4, 6, run=2, line=9)],
    )
    first, second = t.loops
    assert (first.facts.name, first.runs, first.iterations) == ("C.i", 2, 6)
    assert (second.facts.name, second.runs, second.iterations) == ("D.j", 1, 3)
    assert first.absent == pytest.approx(4 * MS)


def test_loops_inside_of_others_lose_nothing_by_themselves() -> None:
    t = times(
        1.0,
        [loop(1, 0, 1), loop(5, 0.1, 0.9, run=1, line=9, depth=1)],
        [task(0, 0, 1, 0, 1), task(0, 0, 5, 0.1, 0.9, run=1, line=9, depth=1)],
    )
    inner = t.loops[1]
    assert inner.depth == 1 and inner.waits == (0.0, 0.0)
    assert (inner.late, inner.between, inner.waited, inner.absent) == (0, 0, 0, 0)
    assert t.busy == pytest.approx((MS, 0)) and t.tasks == 1


def test_one_thread_is_told_how_it_gets_more() -> None:
    one = times(1.0, [loop(8, 0, 1)], [task(0, 0, 8, 0, 1)], threads=1, processors=2)
    assert one.sentence == (
        "One thread ran all 1 task in 1 ms: set_num_threads or TEWB_NUM_THREADS gives more, of 2 processors."
    )
    alone = times(1.0, [loop(8, 0, 1)], [task(0, 0, 8, 0, 1)], threads=1, processors=1)
    assert "this process may use one processor" in alone.sentence and alone.reasons == ()


def test_a_kernel_without_a_parallel_loop() -> None:
    t = times(1.0, [], [])
    assert t.sentence == "No parallel loop ran: one thread did all of it in 1 ms."
    assert t.busy == pytest.approx((MS, 0)) and t.loops == () and t.imbalance == 1.0


def test_python_and_too_many_threads_are_said_at_the_end() -> None:
    t = times(
        1.0, [loop(2, 0, 1, line=12)], [task(0, 0, 1, 0, 1, line=12), task(1, 1, 2, 0, 1, line=12)], processors=1
    )  # fmt: skip
    assert t.reasons == (
        "X.k calls Python, where one thread is at a time while the others wait in their tasks",
        "2 threads share 1 processor, so that tasks stand still in between",
    )


def test_it_reads_well() -> None:
    t = times(
        1.0, [loop(64, 0, 1)],
        [task(0, 0, 48, 0, 1, bytes=96 << 10, allocations=48), task(1, 48, 64, 0, 0.25, bytes=32 << 10, allocations=16)],
    )  # fmt: skip
    assert loop_text(t.loops[0]) == (
        "C.i: 64 iterations in 2 tasks of 16 to 48 iterations, 250 µs to 1 ms; 64 KiB of the heap in 32 pieces a task"
    )
    assert repr(t).splitlines()[-2:] == [
        "  thread 0 ████████████████████ 1 ms busy, 1 task",
        "  thread 1 █████··············· 250 µs busy, 1 task",
    ]
    assert len(repr(times(1.0, [], [], threads=1000)).splitlines()) < 12


def test_the_memory_of_an_iteration_is_in_its_words() -> None:
    own = (
        TaskMemory("X", 3072, 1.0, "stack"),
        TaskMemory("T", None, None, "heap"),
        TaskMemory("R", 64, 8.0, "registers"),
    )
    facts = {7: LoopFacts("C.i", "C", "i", own, False)}
    trace = times(1.0, [loop(2, 0, 1)], [task(0, 0, 2, 0, 1)]).trace
    (found,) = ThreadTimes(trace, facts, 2, 2, 0.0, ()).loops
    assert loop_text(found) == (
        "C.i: 2 iterations in 1 task of 2 iterations, 1 ms; an iteration has X (3 KiB, stack), "
        "T (a size that is not known, several times, heap), R (64 B, 8 times, registers)"
    )


def test_a_loop_in_a_loop_and_an_empty_one_in_words() -> None:
    t = times(
        1.0,
        [loop(0, 0, 1), loop(3, 0, 1, run=1, line=9, depth=1)],
        [task(0, 0, 3, 0, 1, run=1, line=9, depth=1)],
    )
    assert [loop_text(x) for x in t.loops] == [
        "C.i: 0 iterations in 0 tasks",
        "D.j, inside of a parallel loop: 3 iterations in 1 task of 3 iterations, 1 ms",
    ]
