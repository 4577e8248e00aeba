"""Schedules by the model alone: the same every time, legal, and better than none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.bench import attention, batched, convolution, jacobi, transpose
from tests.bench import matmul as matmul_bench
from tests.bench import rows as rows_bench
from tests.programs import assert_same_result, matmul, schedule_for
from tests.tuning.test_sketches import two_blurs
from tewb import te
from tewb.lowering import scheduled_loops
from tewb.tuning.model_search import ModelSearch, nominal_machine
from tewb.workbench.judge.estimate import Machine, predict
from tewb.workbench.measure.roofline import Peaks


def search(args: list[object], threads: int = 1, most: float = 30.0) -> ModelSearch:
    model = ModelSearch(args, {}, nominal_machine(threads))
    model.run(schedule_for([args[-1]]), most)
    return model


def test_the_machine_of_the_model_is_described_and_not_measured() -> None:
    assert nominal_machine(2) == nominal_machine(2)
    one, double = nominal_machine(1), nominal_machine(1, "float64")
    assert one.peaks.gflops == 2 * double.peaks.gflops and one.threads == 1
    assert nominal_machine(2).peaks_of_all.gflops == 2 * one.peaks.gflops


def test_two_searches_see_the_same() -> None:
    inputs, outputs = matmul(64, 64, 64)
    args = [*inputs, *outputs]
    first, second = search(args), search(args)
    assert [c.text for c in first.ranked()] == [c.text for c in second.ranked()]
    assert [c.journal for c in first.ranked()] == [c.journal for c in second.ranked()]


def test_a_product_gets_tiles_in_registers() -> None:
    inputs, outputs = matmul(96, 96, 96)
    args = [*inputs, *outputs]
    model = search(args)
    best, worst = model.ranked()[0], model.ranked()[-1]
    assert best.predicted < worst.predicted / 5
    marks = {s.primitive for s in best.journal}
    assert {"split", "reorder", "vectorize"} <= marks and any("register tile" in k for k in best.kinds)
    assert model.can_be_lowered(best)
    assert_same_result(best.schedule, inputs, outputs)


def test_a_product_that_is_one_tile() -> None:
    inputs, outputs = matmul(12, 12, 12)
    model = search([*inputs, *outputs])
    assert_same_result(model.ranked()[0].schedule, inputs, outputs)


def test_work_is_counted() -> None:
    args = two_blurs()
    assert len(search(args, most=5.0).seen) < len(search(args, most=50.0).seen)


def test_threads_share_the_best() -> None:
    args = two_blurs(400, 400)
    model = search(args, threads=2)
    whole = model.shared(model.ranked()[0])
    assert any(s.primitive == "parallel" for s in whole.journal)
    alone = search(args, threads=1)
    assert alone.shared(alone.ranked()[0]) is alone.ranked()[0]


def test_what_cannot_be_lowered_has_no_candidates() -> None:
    A = te.placeholder((8,), name="A")
    B = te.compute((8,), lambda i: A[i] + 1.0, name="B")
    C = te.compute((8,), lambda i: A[i] + 2.0, name="C")
    s = te.create_schedule([B.op, C.op])
    assert ModelSearch([A, B], {}, nominal_machine(1)).run(s) == []


def test_marks_are_no_structure_and_decide_where_predictions_are_alike() -> None:
    model = search(two_blurs())
    (start,) = [c for c in model.ranked() if not c.kinds]
    kinds = ("fuse Y", "vectorize X", "order Y", "unroll Y")
    tiled = replace(start, kinds=kinds)
    assert tiled.structure == ("fuse Y",)
    marked = next(c for c in model.ranked() if c.kinds == ("vectorize Y",))
    assert replace(marked, predicted=1.0).rank < replace(start, predicted=1.0).rank
    assert replace(marked, predicted=1.1).rank > replace(start, predicted=1.0).rank
    assert replace(start, predicted=1.0, kinds=("order Y",)).rank > replace(start, predicted=1.0).rank


# ---------------------------------------------------------------- which of two is faster

SERVER = Machine(
    Peaks(192.0, 18.0), Peaks(192.0, 18.0), 64, 32, (48 << 10, 2 << 20, 40 << 20), 1
)  # two of 16 floats at once and 3 GHz: what the times below were measured on


def _without(w: Any, *steps: str) -> Any:
    """The schedule of a row of the bench by hand, without some kinds of steps."""
    s, args = w.program(1)
    after = s.untouched()
    after.restore([step for step in s.journal if step.primitive not in steps])
    return after, args


def _softmax(lanes: int) -> Any:
    s, args = rows_bench.softmax(64, 1024)
    after = s.untouched()
    for name in ("scale", "total", "E", "top"):
        after[name].compute_at(after["out"], "i")
    for name, loop, width in (("top", "k", lanes), ("total", "k", lanes), ("E", "j", 32), ("out", "j", 32)):
        after[name].vectorize(after[name].split(loop, factor=width)[1])
    return after, args


DEPTHWISE = convolution.WORKLOADS[1]
IN_PARTS = {"rows": 6, "columns": 64}
PAIRS: dict[str, tuple[Any, Any]] = {
    "a panel that is packed": (
        lambda: matmul_bench.scheduled(1024, 1024, 1024, **IN_PARTS),
        lambda: matmul_bench.scheduled(1024, 1024, 1024, **IN_PARTS, packed=False),
    ),
    "a tile that registers hold": (
        lambda: matmul_bench.scheduled(512, 512, 512, 9, 48),
        lambda: matmul_bench.scheduled(512, 512, 512, 16, 64),
    ),
    "results that the caches hold": (
        lambda: _without(DEPTHWISE, "nontemporal"),
        lambda: DEPTHWISE.program(1),
    ),
    "stages that share tiles": (
        lambda: jacobi.jacobi(1024, 1024, 4, 64, 256),
        lambda: _without(_Row(jacobi.jacobi(1024, 1024, 4, 64, 256)), "compute_at"),
    ),
    "four chains of a sum": (lambda: _softmax(64), lambda: _softmax(16)),
    "rows that stay in the nearest cache": (
        lambda: rows_bench.WORKLOADS[1].program(1),
        lambda: _without(rows_bench.WORKLOADS[1], "compute_at"),
    ),
    "blocks of rows of attention": (
        lambda: attention.attention(8, 512, 64),
        lambda: attention.attention(8, 512, 64, block=512, rows=2, columns=16),
    ),
    "blocks of a transposition": (
        lambda: transpose.transpose(4096, 4096),
        lambda: transpose.transpose(4096, 4096, rows=8, columns=4096),
    ),
    "rows of products side by side": (
        lambda: batched.batched(10000, 8),
        lambda: _reordered(batched.batched(10000, 8)),
    ),
}


class _Row:
    def __init__(self, made: Any) -> None:
        self._made = made

    def program(self, threads: int) -> Any:
        return self._made


def _reordered(made: Any) -> Any:
    s, args = made
    s["C"].reorder("i", "b")
    return s, args


@pytest.mark.parametrize("name", PAIRS)
def test_the_model_knows_which_of_two_is_faster(name: str) -> None:
    """Each pair was measured on such a machine: the first takes 0.16 to 0.9 of the second's time."""
    better, worse = (predict(scheduled_loops(*make()), {}, SERVER) for make in PAIRS[name])
    assert better < worse
