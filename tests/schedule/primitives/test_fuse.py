"""fuse: every pair of iterations once, in one loop of a dtype that counts them."""

from __future__ import annotations

from typing import Any

import pytest

import tewb
from tests.lowering.passes import after
from tests.programs import assert_same_result, chain, matmul, schedule_for
from tewb import te
from tewb.base import ScheduleError
from tewb.ir import structural_equal
from tewb.schedule import PRIMITIVES
from tewb.schedule.declare import Selection


def test_two_loops_are_one() -> None:
    inputs, outputs = chain(6, 4)
    s = schedule_for(outputs)
    fused = s["D"].fuse("i", "j")
    assert fused.name == "i.j.fused" and s["D"].loops() == "i.j.fused(24)"
    text = after("simplify", s, inputs + outputs)
    assert "for i.j.fused in range(24):" in text and "D[i.j.fused // 4, i.j.fused % 4] =" in text


def test_several_loops_are_fused_from_the_outside() -> None:
    A = te.placeholder((2, 3, 4), name="A")
    B = te.compute((2, 3, 4), lambda i, j, k: A[i, j, k] + 1.0, name="B")
    s = te.create_schedule(B.op)
    s[B].fuse("i", "j", "k")
    assert s[B].loops() == "i.j.fused.k.fused(24)"
    assert len(s[B].relations) == 2 and [step.args for step in s.journal] == [{"axes": ["i", "j", "k"]}]


@pytest.mark.parametrize(("n", "m"), [(1, 5), (5, 1), (7, 3)])
def test_fused_loops_that_do_not_divide_compute_the_same(n: int, m: int) -> None:
    inputs, outputs = chain(n, m)
    s = schedule_for(outputs)
    inner = s["D"].split(s["D"].fuse("i", "j"), factor=4)[1]
    s["D"].vectorize(inner)
    assert_same_result(s, inputs, outputs)


@pytest.mark.parametrize(
    ("n", "m", "dtype"),
    [(2**15, 2**15, "int32"), (2**16, 2**15, "int64"), (te.var("n"), 2, "int64"), (1, 1, "int32")],
)
def test_the_loop_is_as_wide_as_its_count(n: Any, m: Any, dtype: str) -> None:
    A = te.placeholder((n, m), name="A")
    B = te.compute((n, m), lambda i, j: A[i, j], name="B")
    assert te.create_schedule(B.op)[B].fuse("i", "j").dtype == dtype


@pytest.mark.parametrize(
    ("axes", "said", "hint"),
    [
        ((), "fuse takes at least two loops", "s[C].fuse(i, j)"),
        (("i",), "fuse takes at least two loops", "s[C].fuse(i, j)"),
        (("i", "k"), "k is not the loop right inside i", "reorder them next to each other first"),
        (("j", "i"), "i is not the loop right inside j", "the outer one first"),
        (("i", "i"), "i is not the loop right inside i", "reorder"),
        (("j", "k"), "j is a data axis and k a reduce axis", None),
        (("i", "x"), "it has no axis x", None),
    ],
)
def test_loops_that_cannot_be_one_are_refused(axes: tuple[str, ...], said: str, hint: str | None) -> None:
    s = schedule_for(matmul(4, 4, 4)[1])
    with pytest.raises(ScheduleError, match=f"fuse on stage C: {said}") as e:
        s["C"].fuse(*axes)
    assert hint is None or hint in (e.value.hint or "")
    assert s["C"].loops() == "i(4), j(4), k(4)" and not s.journal


def test_more_iterations_than_int64_counts_are_refused() -> None:
    n = 1 << 40
    A = te.placeholder((8,), "int8", name="A")
    k, r = te.reduce_axis((0, n), name="k"), te.reduce_axis((0, n), name="r")
    B = te.compute((1,), lambda i: te.sum(A[(k + r) % 8], axis=[k, r]), name="B")
    s = te.create_schedule(B.op)
    with pytest.raises(ScheduleError, match=f"{n} x {n} iterations are more than int64 counts"):
        s[B].fuse("k", "r")


def test_a_marked_loop_is_not_fused() -> None:
    s = schedule_for(matmul(4, 4, 4)[1])
    s["C"].parallel("i")
    with pytest.raises(
        ScheduleError, match="loop i is marked parallel(.|\n)*hint: split or fuse before parallel"
    ):
        s["C"].fuse("i", "j")


def test_the_same_loops_are_fused_to_the_same_loop_after_an_undo() -> None:
    inputs, outputs = chain(6, 4)
    s = schedule_for(outputs)
    first = s["D"].fuse("i", "j")
    module = tewb.lower(s, inputs + outputs)
    s.restore(s.journal)
    assert s["D"].leaf_iter_vars[0] is first
    assert structural_equal(tewb.lower(s, inputs + outputs), module)


def test_neighbours_are_suggested_and_loops_apart_brought_together() -> None:
    s = schedule_for(matmul(4, 4, 4)[1])
    at = Selection(s["C"], "j", 8)
    suggested = [args["axes"] for args in PRIMITIVES["fuse"].suggest(at)]
    assert suggested[:2] == [["i", "j"], ["j", "k"]]
    (repair,) = PRIMITIVES["fuse"].repairs(at, {"axes": ["i", "k"]})
    assert repair.step.primitive == "reorder" and repair.step.args == {"axes": ["i", "k", "j"]}
