"""Schedules by the model alone: the same every time, legal, and better than none."""

from __future__ import annotations

from dataclasses import replace

from tests.programs import assert_same_result, matmul, schedule_for
from tests.tuning.test_sketches import two_blurs
from tewb import te
from tewb.tuning.model_search import ModelSearch, nominal_machine


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
