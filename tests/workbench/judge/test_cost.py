"""The cost of loops: what is counted is what the program does."""

from __future__ import annotations

import pytest

import tewb
from tests.workbench.speed.programs import rolling
from tewb import te
from tewb.workbench.demos import demo_session
from tewb.workbench.judge.cost import Cost, costs


def test_a_matrix_product_has_its_operations_in_every_loop_around() -> None:
    s = demo_session("matmul", n=32)
    s.apply({"primitive": "tile", "stage": "C", "args": {"x": "i", "y": "j", "x_factor": 8, "y_factor": 16}})
    found = costs(s)
    for loop in (None, "i.outer", "j.outer", "i.inner", "j.inner", "k"):
        assert found["C", loop].operations == 2 * 32**3
    assert found["C", "k"] == Cost(32**3, 2 * 32**3, 12 * 32**3, 4 * 32**3)  # C is read and written each time
    assert (found["C", "i.outer"].iterations, found["C", "j.outer"].iterations) == (4, 8)
    assert found["C", None].stored == 4 * 32**3 + 4 * 32**2  # and set to 0 before


def test_a_stage_that_is_computed_in_a_loop_counts_there_and_for_itself() -> None:
    s = demo_session("blur", n=64)
    s.apply({"primitive": "split", "stage": "Y", "args": {"axis": "i", "factor": 8}})
    s.apply({"primitive": "compute_at", "stage": "X", "args": {"parent": "Y", "axis": "i.outer"}})
    found = costs(s)
    assert found["X", "i"].iterations == 80 and found["X", "j"].iterations == 80 * 64  # recomputed rows count
    assert found["X", None].operations == 80 * 64 * 2
    assert found["Y", "i.outer"].operations == found["X", None].operations + 64 * 64 * 3
    assert found["Y", "i.inner"].operations == 64 * 64 * 3


def test_rows_that_are_kept_are_made_once() -> None:
    n = 64
    found = costs(rolling(n))
    rows = n + 2 * n // 16
    assert found["B", "j"].iterations == rows * n == found["B", None].operations
    assert found["C", None].operations == rows * n + 2 * n * n


def test_calls_of_externs_are_counted() -> None:
    s = demo_session("extern")
    s.apply({"primitive": "compute_at", "stage": "E", "args": {"parent": "C", "axis": "i"}})
    assert costs(s)["E", None].calls == 3 == costs(s)["C", "i"].calls


@pytest.mark.parametrize(("n", "trips"), [(None, 128), (40, 40)])
def test_symbolic_sizes_have_the_values_of_the_session(n: int | None, trips: int) -> None:
    v = te.var("n")
    A = te.placeholder((v,), name="A")
    B = te.compute((v,), lambda i: A[i] * 2.0, name="B")
    s = tewb.Session(te.create_schedule(B.op), [A, B], sizes={} if n is None else {"n": n})
    assert costs(s)["B", "i"] == Cost(trips, trips, 4 * trips, 4 * trips)


def test_what_cannot_be_lowered_says_why() -> None:
    s = demo_session("matmul", n=16)
    s.args = s.args[:1]
    s.schedule.version += 1
    with pytest.raises(tewb.TewbError, match="not among the arguments"):
        costs(s)


@pytest.mark.parametrize(("rows", "made"), [(1000, 1000), (1001, 1008), (5, 8)])
def test_of_loops_for_short_calls_and_others_those_count_that_run(rows: int, made: int) -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1, name="B")
    s = tewb.Session(te.create_schedule(B.op), [A, B], sizes={n: rows})
    s.load('s[B].split("i", 8, tail="shift")')
    assert costs(s)["B", None].stored == 4 * made
