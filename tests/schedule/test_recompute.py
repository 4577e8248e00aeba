"""How often elements are computed, counted by hand."""

from __future__ import annotations

from typing import Any

from tests.programs import chain, schedule_for
from tewb import te
from tewb.schedule import Schedule
from tewb.schedule.recompute import recompute_factor


def window(n: Any, width: int = 3) -> Schedule:
    """C[i] = B[i] + ... + B[i + width - 1]."""
    A = te.placeholder((n + width - 1,), name="A")
    B = te.compute((n + width - 1,), lambda i: A[i] * 2.0, name="B")
    C = te.compute((n,), lambda i: sum((B[i + q] for q in range(1, width)), B[i]), name="C")
    return te.create_schedule(C.op)


def test_at_the_root_everything_is_computed_once() -> None:
    s = window(10)
    assert recompute_factor(s["B"]) == recompute_factor(s["C"]) == 1.0


def test_windows_that_overlap_compute_elements_again() -> None:
    s = window(10)
    s["B"].compute_at(s["C"], "i")
    assert recompute_factor(s["B"]) == 10 * 3 / 12
    s = window(10)
    outer, _ = s["C"].split("i", factor=5)
    s["B"].compute_at(s["C"], outer)
    assert recompute_factor(s["B"]) == 2 * 7 / 12


def test_a_tile_past_the_end_counts_what_is_inside_of_the_tensor() -> None:
    s = window(10)
    outer, _ = s["C"].split("i", factor=4)
    s["B"].compute_at(s["C"], outer)
    assert recompute_factor(s["B"]) == (6 + 6 + 4) / 12


def test_iterations_that_do_not_run_compute_nothing() -> None:
    s = window(10)
    s["C"].split("i", factor=4)
    s["B"].compute_at(s["C"], "i.inner")
    assert recompute_factor(s["B"]) == 10 * 3 / 12  # 12 iterations, of which the guard leaves 10


def test_elements_that_nobody_needs_make_less_than_1() -> None:
    A = te.placeholder((10,), name="A")
    B = te.compute((10,), lambda i: A[i], name="B")
    C = te.compute((5,), lambda i: B[i], name="C")
    s = te.create_schedule(C.op)
    assert recompute_factor(s[B]) == 0.5  # at the root too, only what is read is computed
    s[B].compute_at(s[C], "i")
    assert recompute_factor(s[B]) == 0.5


def test_what_is_read_in_steps_counts_as_often_as_it_is_computed() -> None:
    A = te.placeholder((20,), name="A")
    B = te.compute((20,), lambda i: A[i], name="B")
    C = te.compute((3, 7), lambda i, j: te.if_then_else(i + j * 3 < 20, B[i + j * 3], 0.0), name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], "i")
    assert recompute_factor(s[B]) == 1  # 7, 7, and 6 that lie in B


def test_what_cannot_be_counted_is_not_told() -> None:
    s = window(te.var("n"))
    s["B"].compute_at(s["C"], "i")
    assert recompute_factor(s["B"]) is None
    s = window((1 << 20) + 1)
    s["B"].compute_at(s["C"], "i")
    assert recompute_factor(s["B"]) is None


def test_no_elements_are_computed_once() -> None:
    inputs, outputs = chain(0, 4)
    s = schedule_for(outputs)
    s["C"].compute_at(s["D"], "i")
    assert recompute_factor(s["C"]) == 1.0


def test_rows_past_the_edge_of_what_is_around_compute_nothing() -> None:
    """C is computed in tiles that pass its end, and B in its rows."""
    A = te.placeholder((12,), name="A")
    B = te.compute((12,), lambda i: A[i] * 2.0, name="B")
    C = te.compute((10,), lambda i: B[i] + B[i + 2], name="C")
    D = te.compute((10,), lambda i: C[i] + 1.0, name="D")
    s = te.create_schedule(D.op)
    s[D].split("i", factor=4)
    s[C].compute_at(s[D], "i.outer")
    s[B].compute_at(s[C], "i")
    assert recompute_factor(s[B]) == 10 * 2 / 12  # two elements in each of the ten iterations that run


def test_what_is_kept_around_loops_counts_once() -> None:
    s = window(10)
    s["B"].compute_at(s["C"], "i")
    s["B"].store_root()
    assert recompute_factor(s["B"]) == 1.0
    s["C"].split("i", factor=5)
    s["B"].store_at(s["C"], "i.outer")
    assert recompute_factor(s["B"]) == 2 * 7 / 12


def test_parts_that_are_moved_inwards_or_go_past_the_end_count() -> None:
    s = window(10)
    s["C"].split("i", factor=4, tail="shift")
    assert recompute_factor(s["C"]) == 12 / 10
    s["B"].split("i", factor=8, tail="round_up")
    assert recompute_factor(s["B"]) == 16 / 12
    s["B"].compute_at(s["C"], "i.outer")
    assert recompute_factor(s["B"]) == 3 * 6 / 12  # 6 elements, fewer than 8: one part
