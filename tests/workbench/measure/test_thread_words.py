"""Words name who waited for whom, what would help, and what a task takes."""

from __future__ import annotations

import pytest

from tests.workbench.measure.traces import MS, UNEVEN, loop, task, times
from tewb.workbench.measure.thread_loops import LoopFacts, TaskMemory
from tewb.workbench.measure.thread_times import ThreadTimes
from tewb.workbench.measure.thread_words import counted, loop_text


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


def test_fewer_iterations_than_threads() -> None:
    t = times(1.0, [loop(2, 0, 1)], [task(0, 0, 1, 0, 1), task(1, 1, 2, 0, 1)], threads=4)
    assert t.busy == pytest.approx((MS, MS, 0, 0))
    assert "C.i has 2 iterations for 4 threads: fuse it with the loop inside" in t.sentence


def test_a_loop_that_is_over_before_the_others_come() -> None:
    t = times(0.1, [loop(100, 0, 0.1)], [task(0, 0, 100, 0, 0.1)])
    assert "C.i was over, in 100 µs, before all threads had come: it is too short to be shared" in t.sentence
    held = times(9.0, [loop(100, 0, 9)], [task(0, 0, 100, 0, 9)])
    assert (
        "in 9 ms, before all threads had come: so late is a thread for which no processor is free"
        in held.sentence
    )
    often = times(
        2.0, [loop(9, 0, 1), loop(9, 1, 2, run=1)], [task(0, 0, 9, 0, 1), task(0, 0, 9, 1, 2, run=1)]
    )
    assert "before all threads had come, 2 times: a parallel loop further outside" in often.sentence


def test_threads_that_come_late_and_time_between_tasks() -> None:
    late = times(1.0, [loop(2, 0, 1)], [task(0, 0, 1, 0, 1), task(1, 1, 2, 0.5, 1)])
    assert "threads came 500 µs late to C.i, all together: so late is a thread for which no" in late.sentence
    little = times(0.1, [loop(2, 0, 0.1)], [task(0, 0, 1, 0, 0.1), task(1, 1, 2, 0.05, 0.1)])
    assert "threads came 50 µs late to C.i, all together: to wake one takes a moment" in little.sentence
    gaps = times(
        1.0, [loop(4, 0, 1)],
        [task(0, 0, 1, 0, 0.1), task(0, 1, 2, 0.9, 1), task(1, 2, 3, 0, 0.1), task(1, 3, 4, 0.9, 1)],
    )  # fmt: skip
    assert "1.6 ms went by between the 4 tasks of C.i, of about 100 µs each" in gaps.sentence


def test_what_comes_after_the_last_task_is_nobodys_wait() -> None:
    """The caller slept while a worker did all of it, and was woken late."""
    t = times(1.0, [loop(4, 0, 1)], [task(1, 0, 4, 0, 0.5)])
    (found,) = t.loops
    assert (found.absent, found.closing, found.waited) == pytest.approx((0.5 * MS, 1 * MS, 0))
    assert "C.i ended 500 µs after its last task: so late is a thread for which no processor" in t.sentence
    little = times(0.2, [loop(4, 0, 0.2)], [task(1, 0, 4, 0, 0.1)])
    assert "C.i ended 100 µs after its last task: to end a parallel loop takes a moment" in little.sentence


def test_a_loop_in_words() -> None:
    t = times(
        1.0, [loop(64, 0, 1)],
        [task(0, 0, 48, 0, 1, bytes=96 << 10, allocations=48), task(1, 48, 64, 0, 0.25, bytes=32 << 10, allocations=16)],
    )  # fmt: skip
    assert loop_text(t.loops[0]) == (
        "C.i: 64 iterations in 2 tasks of 16 to 48 iterations, 250 µs to 1 ms; 64 KiB of the heap in 32 pieces a task"
    )


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


def test_counts_have_their_plural() -> None:
    assert [counted(n, "task") for n in (0, 1, 2, 1024)] == ["0 tasks", "1 task", "2 tasks", "1,024 tasks"]


def test_the_clock_is_no_reason_and_an_empty_loop_has_none() -> None:
    tiny = [task(0, n, n + 1, n * 1e-4, n * 1e-4 + 2e-5) for n in range(1000)]  # 80 ns between each
    found = times(0.1, [loop(1000, 0, 0.1)], [*tiny, task(1, 1000, 1001, 0, 0.1)])
    assert found.loops[0].between == pytest.approx(999 * 80e-9) and "between" not in found.sentence
    empty = times(1.0, [loop(0, 0.5, 1.0)], [])
    assert empty.reasons == ("500 µs went by outside of parallel loops, on one thread",)
