"""The part that the next iteration needs, made in this one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import assert_same_result, blur, chain, lower_all, matmul, schedule_for
from tewb import te
from tewb.base import ScheduleError
from tewb.ir import structural_equal
from tewb.ir.parser import parse
from tewb.schedule import Step
from tewb.workbench import Session


def staged(k: int = 13, factor: int = 4) -> tuple[Any, list[Any], list[Any]]:
    inputs, outputs = matmul(6, 8, k)
    s = schedule_for(outputs)
    ko, ki = s["C"].split("k", factor=factor)
    s["C"].reorder(ko, "i", "j", ki)
    for t in inputs:
        copy = s.cache_read(t, "local", outputs)
        s[copy].compute_at(s["C"], ko)
    return s, inputs, outputs


@pytest.mark.one_in(2)
@pytest.mark.parametrize(("k", "factor"), [(16, 4), (13, 4), (4, 4), (1, 1), (5, 2)])
@pytest.mark.parametrize("debug", [False, True])
def test_copies_are_made_one_iteration_ahead(k: int, factor: int, debug: bool) -> None:
    s, inputs, outputs = staged(k, factor)
    s["A.local"].double_buffer()
    s["B.local"].double_buffer()
    module = tewb.lower(s, inputs + outputs)
    assert structural_equal(parse(str(module)), module)
    assert_same_result(s, inputs, outputs, debug=debug)


def test_the_loop_makes_the_next_and_uses_this() -> None:
    s, inputs, outputs = staged(12)
    s["B.local"].double_buffer()
    text = str(tewb.lower(s, inputs + outputs))
    assert 'B.local = T.allocate((2, 4, 8), "float32", scope="local")' in text
    assert "B.local[(k.outer + 1) % 2, ax0, ax1] = B[k.outer * 4 + ax0 + 4, ax1]" in text
    assert (
        "A.local[i, k.inner] * B.local[k.outer, k.inner, j]" in text
    )  # of two iterations, and one after them


def test_with_gaps_vectors_and_unrolled_loops() -> None:
    s, inputs, outputs = staged()
    s["B.local"].double_buffer()
    s["B.local"].storage_align("ax0", 16, 3)
    s["B.local"].vectorize("ax1")
    s["C"].unroll("k.outer")
    assert_same_result(s, inputs, outputs, debug=True)


def test_a_stencil_and_a_stage_that_reads_the_doubled_one() -> None:
    inputs, outputs = blur(18, 21)
    s = schedule_for(outputs)
    band, _ = s["Y"].split("i", factor=4)
    copy = s.cache_read(s["X"].op.output(0), "local", outputs)
    s[copy].compute_at(s["Y"], band)
    s["X"].compute_at(s["Y"], band)
    s["X"].double_buffer()
    assert_same_result(s, inputs, outputs, debug=True)


def test_a_symbolic_number_of_iterations_none_too() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] * 2.0, name="B")
    C = te.compute((n,), lambda i: B[i] + 1.0, name="C")
    s = te.create_schedule(C.op)
    outer, _ = s[C].split("i", factor=4)
    s[B].compute_at(s[C], outer)
    s[B].double_buffer()
    kernel = tewb.build(s, [A, C], debug=True)
    for size in (0, 1, 4, 9):
        a, c = np.random.rand(size).astype("float32"), np.zeros(size, "float32")
        kernel(a, c)
        np.testing.assert_allclose(c, a * 2 + 1, rtol=1e-6)


def doubled(then: Callable[[Any], object]) -> Callable[[], object]:
    def run() -> object:
        s, _, _ = staged()
        s["B.local"].double_buffer()
        then(s)
        return s

    return run


def parallel_loop(inner_first: bool) -> Callable[[], object]:
    def run() -> object:
        s = schedule_for(chain()[1])
        s["C"].compute_at(s["D"], "i")
        steps = [lambda: s["C"].double_buffer(), lambda: s["D"].parallel("i")]
        for step in steps if inner_first else reversed(steps):
            step()
        return s

    return run


def made_there() -> object:
    s = schedule_for(chain()[1])
    s["C"].compute_at(s["D"], "i")
    s["B"].compute_at(s["D"], "i")
    s["C"].double_buffer()
    return s


def made_there_later() -> object:
    s = schedule_for(chain()[1])
    s["C"].compute_at(s["D"], "i")
    s["C"].double_buffer()
    s["B"].compute_at(s["D"], "i")
    return s


def at_the_root(stage: str) -> object:
    s = schedule_for(chain()[1])
    s[stage].double_buffer()
    return s


@pytest.mark.parametrize(
    ("misuse", "said"),
    [
        (lambda: at_the_root("B"), "must be computed at one.*\n.*\n  hint: .*compute_at"),
        (lambda: at_the_root("A"), "A is an input.*\n.*\n  hint: double buffer a copy"),
        (doubled(lambda s: s["B.local"].compute_root()), "B.local is double buffered at a loop"),
        (doubled(lambda s: s.cache_write(s["B.local"].op.output(0), "local")), "call cache_write before double_buffer"),
        (doubled(lambda s: s["B.local"].compute_inline()), "B.local is double buffered at a loop"),
        (parallel_loop(True), "C is double buffered at i: iterations must come in order"),
        (parallel_loop(False), "loop i of D is parallel"),
        (made_there, "C reads B, which is made in the same iteration of loop i of D.*\n.*\n  hint: compute B further"),
        (made_there_later, "C reads B, which is made in the same iteration"),
    ],
)  # fmt: skip
def test_misuse_is_refused(misuse: Callable[[], Any], said: str) -> None:
    with pytest.raises(ScheduleError, match=said):
        lower_all(misuse())


def test_a_menu_tells_at_once_what_is_wrong_for_now() -> None:
    s = schedule_for(chain()[1])
    assert "must be computed at one" in (s.why_not(Step("double_buffer", "B")) or "")
    s["C"].compute_at(s["D"], "i")
    s["C"].double_buffer()
    assert s.why_not(Step("double_buffer", "C")) == "it is double buffered already"
    said = s.why_not(Step("parallel", "D", {"axis": "i"}))
    assert said == "C is double buffered at i: iterations must come in order"


def test_it_may_be_said_before_the_place() -> None:
    inputs, outputs = chain()
    s = schedule_for(outputs)
    s["C"].double_buffer()
    s["C"].compute_at(s["D"], "i")
    s["C"].double_buffer()
    assert_same_result(s, inputs, outputs)


def test_the_workbench_shows_and_replays_it() -> None:
    s, inputs, outputs = staged()
    bench = Session(s, [*inputs, *outputs])
    before = next(e for e in bench.ledger() if e.stage == "B.local").allocated.bytes or 0
    bench.apply({"primitive": "double_buffer", "stage": "B.local", "args": {}})
    after = next(e for e in bench.ledger() if e.stage == "B.local").allocated.bytes
    assert (before, after) == (128, 256)
    names = {a.name: a.bytes for a in bench.allocations()}
    assert names["B.local"] == 256
    assert bench.verify().ok
    found: dict[str, Any] = {}
    exec(bench.code, found)
    assert found["s"].journal == bench.journal


def growing(n: Any) -> tuple[list[Any], list[Any]]:
    """Iteration i reads another number of elements than the next."""
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] * 2, name="B")
    C = te.compute((n, n * 3), lambda i, j: B[te.max(te.min(i + j, n - 1), 0)] + B[te.min(i, j)], name="C")
    return [A], [C]


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("constant", [False, True])
def test_an_iteration_may_need_more_than_the_one_before(constant: bool, debug: bool) -> None:
    symbolic = te.var("n")
    for n in (1, 2, 5, 9):
        inputs, outputs = growing(n if constant else symbolic)
        s = schedule_for(outputs)
        s["B"].compute_at(s["C"], outputs[0].op.axis[0])
        s["B"].double_buffer()
        kernel = tewb.build(s, inputs + outputs, debug=debug)
        a = np.arange(n, dtype="float32")
        i, j = np.indices((n, n * 3))
        wanted = 2 * a[np.clip(i + j, 0, n - 1)] + 2 * a[np.minimum(i, j)]
        np.testing.assert_array_equal(kernel(a), wanted)


def test_a_second_call_does_not_hide_what_is_wrong() -> None:
    A = te.placeholder((8,), name="A")
    B = te.compute((8,), lambda i: A[i] + 1.0, name="B")
    C = te.compute((8,), lambda i: B[i] * 2.0, name="C")
    D = te.compute((8,), lambda i: B[i] * C[i], name="D")
    s = te.create_schedule(D.op)
    s[B].compute_at(s[C], "i")
    s[B].double_buffer()
    s[B].double_buffer()
    with pytest.raises(ScheduleError, match="D also reads B, and is computed outside of loop i of C"):
        tewb.lower(s, [A, D])
