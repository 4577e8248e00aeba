"""rolling_buffer: no element twice as a window slides along, and the same results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import assert_same_result, chain, lower_all, matmul, schedule_for
from tewb import te
from tewb.base import LowerError, ScheduleError
from tewb.ir import Allocate, const_int, walk
from tewb.workbench import Session


def windows(n: int = 13, m: int = 6, rows: int = 3, step: int = 1) -> Any:
    """C sums `rows` rows of B, beginning at every `step`th."""
    A = te.placeholder(((n - 1) * step + rows, m), name="A")
    B = te.compute(A.shape, lambda i, j: A[i, j] * 2.0, name="B")
    C = te.compute(
        (n, m), lambda i, j: sum([B[i * step + r, j] for r in range(1, rows)], B[i * step, j]), name="C"
    )
    return [A], [C]


def size(s: Any, name: str = "B") -> list[int | None]:
    (b,) = [
        n.buffer for n in walk(lower_all(s)["main"].body) if isinstance(n, Allocate) and n.buffer.name == name
    ]
    return [const_int(e) for e in b.shape]


def rolled(s: Any, axis: str, stage: str = "B", parent: str = "C") -> None:
    s[stage].compute_at(s[parent], axis)
    s[stage].rolling_buffer()


@pytest.mark.parametrize(("rows", "step"), [(3, 1), (2, 1), (5, 2), (3, 3), (2, 4), (1, 1)])
def test_rows_that_slide_along(rows: int, step: int) -> None:
    inputs, outputs = windows(rows=rows, step=step)
    s = schedule_for(outputs)
    rolled(s, "i")
    assert size(s) == [rows, 6]
    assert_same_result(s, inputs, outputs)


@pytest.mark.parametrize("factor", [4, 5, 13, 1])
@pytest.mark.parametrize("place", ["i.outer", "i.inner"])
def test_rows_of_tiles(factor: int, place: str) -> None:
    inputs, outputs = windows()
    s = schedule_for(outputs)
    s["C"].split("i", factor=factor)
    rolled(s, place)
    assert_same_result(s, inputs, outputs)
    s["C"].parallel("i.outer") if place == "i.inner" else s["C"].unroll("i.outer")
    s["B"].vectorize("j")
    assert_same_result(s, inputs, outputs)


def test_a_window_in_two_dimensions() -> None:
    A = te.placeholder((10, 12), name="A")
    B = te.compute((10, 12), lambda i, j: A[i, j] * 2.0, name="B")
    C = te.compute((8, 9), lambda i, j: B[i, j] + B[i + 2, j + 3], name="C")
    for order, place, shape in (("ij", "i", [3, 12]), ("ij", "j", [3, 4]), ("ji", "i", [3, 4])):
        s = te.create_schedule(C.op)
        s[C].reorder(*order)
        rolled(s, place)
        assert size(s) == shape
        assert_same_result(s, [A], [C])


def test_a_diagonal() -> None:
    A = te.placeholder((12, 12), name="A")
    B = te.compute((12, 12), lambda i, j: A[i, j] + 1.0, name="B")
    r, q = te.reduce_axis((0, 3), name="r"), te.reduce_axis((0, 2), name="q")
    C = te.compute((10,), lambda i: te.sum(B[i + r, i + q], axis=[r, q]), name="C")
    s = te.create_schedule(C.op)
    rolled(s, "i")
    assert size(s) == [3, 2]
    assert_same_result(s, [A], [C])


@pytest.mark.parametrize("lanes", [False, True])
def test_a_reduction_that_slides_along(lanes: bool) -> None:
    A = te.placeholder((14, 8), name="A")
    k = te.reduce_axis((0, 8), name="k")
    B = te.compute((14,), lambda i: te.sum(A[i, k], axis=k), name="B")
    C = te.compute((11,), lambda i: B[i] + B[i + 3], name="C")
    s = te.create_schedule(C.op)
    rolled(s, "i")
    if lanes:
        s[B].vectorize("k")
    else:
        s[B].reorder("k", "i")
    assert size(s) == [4]
    assert_same_result(s, [A], [C])


def test_one_after_the_other() -> None:
    A = te.placeholder((16, 5), name="A")
    B = te.compute((16, 5), lambda i, j: A[i, j] * 2.0, name="B")
    C = te.compute((14, 5), lambda i, j: B[i, j] + B[i + 1, j] + B[i + 2, j], name="C")
    D = te.compute((12, 5), lambda i, j: C[i, j] - C[i + 2, j], name="D")
    s = te.create_schedule(D.op)
    rolled(s, "i", "C", "D")
    rolled(s, "i", "B", "D")
    assert size(s, "B") == [5, 5] and size(s, "C") == [3, 5]
    assert_same_result(s, [A], [D])


def test_what_stays_is_computed_once() -> None:
    A = te.placeholder((10, 4), name="A")
    B = te.compute((10,), lambda i: A[i, 0] * 2.0, name="B")
    C = te.compute((10, 4), lambda i, j: B[i] + A[i, j], name="C")
    s = te.create_schedule(C.op)
    rolled(s, "j")
    assert size(s) == [1]
    assert_same_result(s, [A], [C])


def test_several_outputs() -> None:
    A = te.placeholder((9,), name="A")
    P, Q = te.compute((9,), lambda i: (A[i] + 1.0, A[i] * 2.0), name="PQ")
    C = te.compute((7,), lambda i: P[i] + P[i + 2] * Q[i + 1], name="C")
    s = te.create_schedule(C.op)
    rolled(s, "i", "PQ")
    assert_same_result(s, [A], [C])


@pytest.mark.parametrize("word", ["rolling_buffer", "store_root"])
def test_tiles_that_are_transposed_read_memory_that_goes_round(word: str) -> None:
    A = te.placeholder((24, 16), name="A")
    B = te.compute((24, 16), lambda i, j: A[i, j] * 2.0, name="B")
    C = te.compute((16, 16), lambda j, i: B[i, j] + B[i + 1, j], name="C")
    s = te.create_schedule(C.op)
    yo, xo, yi, xi = s[C].tile(*C.op.axis, 8, 8)
    s[C].reorder(xo, yo, yi, xi)
    s[B].compute_at(s[C], xo)
    s[C].transpose(yi, xi)
    getattr(s[B], word)()
    assert_same_result(s, [A], [C])


def test_symbolic_sizes() -> None:
    n = te.var("n")
    A = te.placeholder((n + 2,), name="A")
    B = te.compute((n + 2,), lambda i: A[i] * 2.0, name="B")
    C = te.compute((n,), lambda i: B[i] + B[i + 1] + B[i + 2], name="C")
    s = te.create_schedule(C.op)
    s[C].split("i", factor=4)
    rolled(s, "i.outer")
    kernel = tewb.build(s, [A, C], debug=True)
    for length in (0, 1, 4, 7, 16):
        a, c = np.random.rand(length + 2).astype("float32"), np.zeros(length, "float32")
        kernel(a, c)
        np.testing.assert_allclose(c, 2 * (a[:-2] + a[1:-1] + a[2:]), rtol=1e-6)


def test_rows_of_symbolic_length() -> None:
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((n + 2, m), name="A")
    B = te.compute((n + 2, m), lambda i, j: A[i, j] * 2.0, name="B")
    C = te.compute((n, m), lambda i, j: B[i, j] + B[i + 1, j] + B[i + 2, j], name="C")
    s = te.create_schedule(C.op)
    rolled(s, "i")
    kernel = tewb.build(s, [A, C], debug=True)
    for rows, length in ((0, 2), (1, 1), (5, 7), (20, 0)):
        a, c = np.random.rand(rows + 2, length).astype("float32"), np.zeros((rows, length), "float32")
        kernel(a, c)
        np.testing.assert_allclose(c, 2 * (a[:-2] + a[1:-1] + a[2:]), rtol=1e-6)


def test_a_window_of_symbolic_length_is_refused() -> None:
    """It slides along the loop, and memory of so many places cannot go round."""
    n = te.var("n")
    A, k = te.placeholder((n + 2,), name="A"), te.reduce_axis((0, 3), name="k")
    B = te.compute((n + 2,), lambda i: A[i] * 2.0, name="B")
    C = te.compute((n,), lambda i: te.sum(B[i + k] * (k + 1), axis=k), name="C")
    s = te.create_schedule(C.op)
    s[C].reorder("k", "i")
    rolled(s, "k")
    with pytest.raises(LowerError, match="how much of B an iteration of k of C needs is not a constant"):
        tewb.lower(s, [A, C])


def test_parts_of_which_the_last_is_shorter_are_refused() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] * 2.0, name="B")
    C = te.compute((n,), lambda i: B[i] + 1.0, name="C")
    s = te.create_schedule(C.op)
    s[C].split("i", nparts=16)
    rolled(s, "i.outer")
    with pytest.raises(
        LowerError, match="how much of B an iteration of i.outer of C needs differs from one to the next"
    ):
        tewb.lower(s, [A, C])


def test_the_workbench_shows_and_replays_it() -> None:
    inputs, outputs = windows(n=6, m=1)
    s = schedule_for(outputs)
    rolled(s, "i")
    session = Session(s, [*inputs, *outputs])
    assert session.verify().ok
    assert session.schedule_code.splitlines()[-1] == "s[B].rolling_buffer()"
    other = Session(schedule_for(outputs), [*inputs, *outputs])
    other.load(session.to_json())
    assert other.ir == session.ir


# ---------------------------------------------------------------- refusals


def backwards() -> Any:
    A = te.placeholder((10,), name="A")
    B = te.compute((10,), lambda i: A[i] * 2.0, name="B")
    C = te.compute((8,), lambda i: B[9 - i] + B[8 - i], name="C")
    s = te.create_schedule(C.op)
    rolled(s, "i")
    return s


def fused() -> Any:
    s = schedule_for(windows()[1])
    s["C"].fuse("i", "j")
    rolled(s, "i.j.fused")
    return s


def parallel() -> Any:
    s = schedule_for(windows()[1])
    rolled(s, "i")
    s["C"].parallel("i")
    return s


def left_out_first() -> Any:
    """The guard of a padded row leaves out the first iteration of B's loop, and not the others."""
    A = te.placeholder((10, 3), name="A")
    P = te.compute((12, 3), lambda i, j: A[te.min(i, 9), j] * 2.0, name="P")
    B = te.compute((10, 3), lambda i, j: P[i, j] + P[i + 2, j], name="B")
    C = te.compute((10, 3), lambda i, j: te.if_then_else(i >= 1, B[i - 1, j], 0.0) + B[i, j], name="C")
    s = te.create_schedule(C.op)
    rolled(s, "i", "B", "C")
    rolled(s, "i", "P", "B")
    return s


def at_the_root() -> Any:
    s = schedule_for(chain()[1])
    s["B"].rolling_buffer()
    return s


def doubled() -> Any:
    s = schedule_for(windows()[1])
    rolled(s, "i")
    s["B"].double_buffer()
    return s


def doubled_before() -> Any:
    s = schedule_for(windows()[1])
    s["B"].compute_at(s["C"], "i")
    s["B"].double_buffer()
    s["B"].rolling_buffer()
    return s


def parallel_before() -> Any:
    s = schedule_for(windows()[1])
    s["C"].parallel("i")
    rolled(s, "i")
    return s


def test_the_code_of_a_scan_does_not_go_round() -> None:
    n = te.var("n")
    A = te.placeholder((8, n), name="A")
    state = te.placeholder((8, n), name="state")
    first = te.compute((1, n), lambda t, i: A[t, i], name="first")
    step = te.compute((8, n), lambda t, i: state[t - 1, i] + A[t, i], name="step")
    s = te.create_schedule(te.scan(first, step, state, name="all").op)
    s["step"].rolling_buffer()
    with pytest.raises(ScheduleError, match="step goes round(.*\n)+  hint: leave out rolling_buffer"):
        tewb.lower(s, [A, s.outputs[0].output(0)])


def on(stage: str) -> Callable[[], Any]:
    return lambda: schedule_for(matmul()[1])[stage].rolling_buffer()


@pytest.mark.parametrize(
    ("misuse", "said"),
    [
        (backwards, "rolling_buffer on stage B: .*does not slide forwards"),
        (fused, "rolling_buffer on stage B: "),
        (parallel, "parallel on stage C: B is a rolling buffer along i: iterations must come in order"),
        (left_out_first, "rolling_buffer on stage P: some iterations of i.* are left out before others"),
        (at_the_root, "rolling buffer along a loop, and so must be computed at one.*\n.*\n  hint: .*compute_at"),
        (doubled, "double_buffer on stage B: B is a rolling buffer along loop i of C"),
        (doubled_before, "B is double buffered at loop i of C"),
        (parallel_before, "loop i of C is parallel(.*\n)+  hint: compute B at a loop that is not parallel"),
        (on("C"), "C is an output: all of it is kept"),
        (on("A"), "A is an input.*\n.*\n  hint: keep a copy"),
    ],
)  # fmt: skip
def test_misuse_is_refused(misuse: Callable[[], Any], said: str) -> None:
    with pytest.raises((ScheduleError, LowerError), match=said) as e:
        lower_all(misuse())
    assert e.value.loops and e.value.span is not None


def test_an_argument_is_kept_whole() -> None:
    (A,), (C,) = windows()
    s = te.create_schedule(C.op)
    rolled(s, "i")
    with pytest.raises(LowerError, match="B: it is an argument, so all of it is kept"):
        tewb.lower(s, [A, s["B"].op.output(0), C])
