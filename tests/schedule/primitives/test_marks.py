"""vectorize, unroll and parallel: which loops may run so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.lowering.passes import after
from tests.programs import chain, matmul, schedule_for
from tewb import te
from tewb.base import ScheduleError
from tewb.ir import ForKind
from tewb.schedule import PRIMITIVES
from tewb.schedule.declare import Selection
from tewb.schedule.primitives.marks import MAX_PARTIAL, MAX_UNROLL


def one(n: Any) -> Any:
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i], name="B")
    return te.create_schedule(B.op)["B"]


def summed(n: int) -> Any:
    A = te.placeholder((n,), name="A")
    k = te.reduce_axis((0, n), name="k")
    return te.create_schedule(te.compute((1,), lambda i: te.sum(A[k], axis=k), name="B").op)["B"]


def calls(effect: str = "idempotent", tail: str = "clip", factor: int = 4) -> Any:
    A = te.placeholder((10,), name="A")
    E = te.extern((10,), [A], lambda i, o: te.call_packed("f", i[0], o[0]), name="E", access=te.access.elementwise,
                  effect=effect, tail=tail)  # fmt: skip
    s = te.create_schedule(E.op)
    s[E].split("d0", factor)
    return s[E]


@pytest.mark.parametrize(
    ("mark", "kind"),
    [("vectorize", ForKind.VECTORIZED), ("unroll", ForKind.UNROLLED), ("parallel", ForKind.PARALLEL)],
)
def test_a_mark_is_the_kind_of_its_loop(mark: str, kind: ForKind) -> None:
    stage = one(8)
    getattr(stage, mark)("i")
    assert stage.loop_kind(stage.leaf_iter_vars[0]) is kind
    assert stage.loops() == f"i(8, {mark})"


@pytest.mark.parametrize(
    ("misuse", "said"),
    [
        (lambda: one(te.var("n")).vectorize("i"), "the extent of i is not a constant.*split i by a constant and vectorize"),
        (lambda: one(te.var("n")).unroll("i"), "the extent of i is not a constant.*split i by a constant and unroll"),
        (lambda: one(MAX_UNROLL + 1).unroll("i"), "i has 4097 iterations, more than 4096"),
        (lambda: summed(MAX_PARTIAL + 1).vectorize("k"), "k has 1025 iterations, more than 1024"),
        (lambda: summed(8).parallel("k"), "k is a reduce axis.*hint: parallelise a data axis .i., or make partial"),
        (lambda: calls().vectorize("d0.outer"), "is a call of extern E, and calls cannot become lanes"),
        (lambda: calls().unroll("d0.inner"), "axis d0.inner is the inside of extern E"),
        (lambda: calls("stateful").parallel("d0.outer"), "extern E is stateful: to parallelise its loops"),
        (lambda: calls(tail="shift").parallel("d0.outer"), 'tail="shift".*hint: choose a factor that divides'),
        (lambda: schedule_for(chain()[1])["A"].parallel("i"), "it has no axis i"),
    ],
)  # fmt: skip
def test_a_loop_that_cannot_run_so_is_refused(misuse: Callable[[], Any], said: str) -> None:
    with pytest.raises(ScheduleError, match=f"(?s)on stage .: .*{said}"):
        misuse()


def test_the_largest_loops_that_may_be_marked() -> None:
    for stage, mark, axis in (
        (one(MAX_UNROLL), "unroll", "i"),
        (summed(MAX_PARTIAL), "vectorize", "k"),
        (one(1 << 20), "vectorize", "i"),
        (one(1), "vectorize", "i"),
        (one(te.var("n")), "parallel", "i"),
        (calls(tail="shift", factor=5), "parallel", "d0.outer"),
    ):
        getattr(stage, mark)(axis)
        assert f", {mark})" in stage.loops()


def test_loops_of_a_stage_run_in_different_ways() -> None:
    s = schedule_for(matmul(8, 8, 8)[1])
    s["C"].vectorize("j")
    s["C"].parallel("i")
    s["C"].unroll("k")
    assert s["C"].loops() == "i(8, parallel), j(8, vectorize), k(8, unroll)"


def test_marked_loops_in_the_program() -> None:
    inputs, outputs = chain(6, 4)
    s = schedule_for(outputs)
    s["B"].vectorize("j")
    s["C"].unroll("j")
    s["D"].parallel("i")
    text = after("schedule_ops", s, inputs + outputs)
    assert [
        line.strip() for line in text.splitlines() if "T.v" in line or "T.u" in line or "T.p" in line
    ] == [
        "for j in T.vectorized(4):",
        "for j in T.unroll(4):",
        "for i in T.parallel(6):",
    ]


def test_a_loop_that_is_too_long_is_split_first() -> None:
    at = Selection(one(te.var("n")), "i", 8)
    repair = next(iter(PRIMITIVES["vectorize"].repairs(at, {"axis": "i"})))
    assert repair.step.args == {"axis": "i", "factor": 8}
    assert repair.retry is not None
    assert [a["axis"] for a in repair.retry(("i.outer", "i.inner"))] == ["i.inner", "i.outer"]
    repair = next(iter(PRIMITIVES["parallel"].repairs(at, {"axis": "i"})))
    assert repair.retry is not None
    assert [a["axis"] for a in repair.retry(("i.outer", "i.inner"))] == ["i.outer", "i.inner"]
