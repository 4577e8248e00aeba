"""reorder: loops change places, and what must stay in order does."""

from __future__ import annotations

import pytest

from tests.programs import assert_same_result, chain, matmul, schedule_for
from tewb import te
from tewb.base import ScheduleError
from tewb.schedule import PRIMITIVES
from tewb.schedule.declare import Selection


def loops(*order: str, size: int = 4) -> str:
    s = schedule_for(matmul(size, size, size)[1])
    s["C"].reorder(*order)
    return ", ".join(iv.name for iv in s["C"].leaf_iter_vars)


@pytest.mark.parametrize(
    ("order", "after"),
    [
        (("k", "i"), "k, j, i"),
        (("j", "i"), "j, i, k"),
        (("k", "j", "i"), "k, j, i"),
        (("i", "j", "k"), "i, j, k"),
        (("i",), "i, j, k"),
        ((), "i, j, k"),
    ],
)
def test_named_loops_take_the_places_of_each_other(order: tuple[str, ...], after: str) -> None:
    assert loops(*order) == after


@pytest.mark.parametrize("order", [("k", "i", "j"), ("j", "k", "i")])
def test_a_reduction_in_any_order_computes_the_same(order: tuple[str, ...]) -> None:
    inputs, outputs = matmul(3, 1, 5)
    s = schedule_for(outputs)
    s["C"].reorder(*order)
    assert_same_result(s, inputs, outputs)


def test_misuse_is_refused() -> None:
    with pytest.raises(ScheduleError, match="an axis is named twice(.|\n)*hint: name each loop once"):
        loops("i", "j", "i")
    with pytest.raises(ScheduleError, match="it has no axis x"):
        loops("i", "x")
    s = schedule_for(chain()[1])
    with pytest.raises(ScheduleError, match="reorder on stage A: it has no axis i"):
        s["A"].reorder("i", "j")


def test_a_loop_does_not_leave_the_stage_that_is_computed_in_it() -> None:
    s = schedule_for(chain(6, 4)[1])
    s["C"].compute_at(s["D"], "i")
    s["D"].reorder("j", "i")
    assert s["C"].loops().startswith("at D.i")


def test_loops_around_calls_stay_around_them_and_in_order() -> None:
    A = te.placeholder((8, 8), name="A")

    def calls(effect: str) -> te.Schedule:
        E = te.extern((8, 8), [A], lambda i, o: te.call_packed("f", i[0], o[0]), name="E", access=te.access.elementwise,
                      effect=effect)  # fmt: skip
        s = te.create_schedule(E.op)
        s[E].tile("d0", "d1", 4, 4)
        return s

    s = calls("idempotent")
    s["E"].reorder("d1.outer", "d0.outer")
    with pytest.raises(ScheduleError, match="axis d0.inner is the inside of extern E"):
        s["E"].reorder("d0.inner", "d0.outer")
    s = calls("stateful")
    with pytest.raises(
        ScheduleError, match="extern E is stateful: to reorder its loops changes what its calls see"
    ):
        s["E"].reorder("d1.outer", "d0.outer")
    s["E"].reorder("d0.outer", "d1.outer")  # as they are


def test_ordered_iterations_of_a_hybrid_function_stay_in_order() -> None:
    @te.hybrid.script
    def steps(a):  # type: ignore[no-untyped-def]
        b = output_tensor((4, 4), "float32")  # noqa: F821
        for i in range(4):
            for j in range(4):
                b[i, j] = a[i, j] if i == 0 else b[i - 1, j] + a[i, j]
        return b

    s = te.create_schedule(steps(te.placeholder((4, 4), name="a")).op)
    (stage,) = [x for x in s.stages if not x.is_placeholder]
    with pytest.raises(ScheduleError, match="reorder on stage steps: the iterations of i must run in order"):
        stage.reorder("j", "i")


def test_suggestions_bring_a_loop_in_out_and_to_the_ends() -> None:
    s = schedule_for(matmul()[1])
    suggest = PRIMITIVES["reorder"].suggest
    assert [a["axes"] for a in suggest(Selection(s["C"], "j", 8))] == [["k", "j"], ["j", "i"]]
    assert [a["axes"] for a in suggest(Selection(s["C"], "i", 8))] == [["j", "i"], ["j", "k", "i"]]
    for args in suggest(Selection(s["C"], "k", 8)):
        s["C"].reorder(*args["axes"])
