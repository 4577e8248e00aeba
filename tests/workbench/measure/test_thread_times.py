"""Busy and idle time add up, and the sentence names what cost most."""

from __future__ import annotations

import pytest

from tests.workbench.measure.traces import MS, UNEVEN, loop, task, times


def test_busy_and_idle_time_add_up() -> None:
    assert UNEVEN.busy == pytest.approx((3.0 * MS, 1.0 * MS))
    assert UNEVEN.idle == pytest.approx((0.0, 2.0 * MS), abs=1e-12)
    assert UNEVEN.share == pytest.approx(4 / 6)
    assert UNEVEN.imbalance == pytest.approx(1.5)
    assert UNEVEN.tasks == 3


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


def test_it_is_shown_in_few_lines() -> None:
    t = times(1.0, [loop(64, 0, 1)], [task(0, 0, 48, 0, 1), task(1, 48, 64, 0, 0.25)])
    assert repr(t).splitlines()[-2:] == [
        "  thread 0 ████████████████████ 1 ms busy, 1 task",
        "  thread 1 █████··············· 250 µs busy, 1 task",
    ]
    assert len(repr(times(1.0, [], [], threads=1000)).splitlines()) < 12
