"""store_at: what is kept around the loops that compute it is computed once, in memory that goes round, with the same results."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import tewb
from tests import intrinsics
from tests.programs import PROGRAMS, assert_same_result, kept_around_loops, lower_all
from tests.regions import Watch, random_reading
from tewb import te
from tewb.base import LowerError, ScheduleError
from tewb.ir import Allocate, For, ForKind, const_int, walk
from tewb.schedule import Schedule, recompute_factor, window_of
from tewb.schedule.bounds import infer_bounds
from tewb.testing import evaluate
from tewb.workbench import Session


def blur(n: Any = 13, m: Any = 9) -> tuple[Any, Any, Any]:
    A = te.placeholder((n + 2, m + 2), "int32", name="A")
    X = te.compute((n + 2, m), lambda i, j: A[i, j] + A[i, j + 1] * 2 + A[i, j + 2], name="X")
    Y = te.compute((n, m), lambda i, j: X[i, j] + X[i + 1, j] * 3 - X[i + 2, j], name="Y")
    return A, X, Y


class Counted(Watch):
    """Counts the stores to each buffer, in memory that is poisoned before and checked for bounds."""

    def __init__(self, memory: Any, values: Any) -> None:
        super().__init__(memory, values)
        self.stores: Counter[str] = Counter()

    def watch(self, owner: Any, kind: str, at: list[int]) -> None:
        super().watch(owner, kind, at)
        if kind != "read":
            self.stores[owner.name] += len(at)


def checked(s: Schedule, inputs: list[Any], outputs: list[Any], sizes: Any = None) -> Counter[str]:
    """How many elements are stored to each buffer. Fails where a result is not that of the definition, where memory is read
    before it is written, or accessed outside of its bounds."""
    f = tewb.lower(s, [*inputs, *outputs])["main"]
    values = sizes or {}
    rng = np.random.default_rng(1)

    def shape(t: Any) -> list[int]:
        return [int(values.get(n, n) if const_int(n) is None else const_int(n)) for n in t.shape]

    arrays = [rng.integers(0, 1000, shape(t)).astype(t.dtype) for t in inputs]
    wanted = evaluate(outputs, dict(zip(inputs, arrays, strict=True)), values) if values else evaluate(
        outputs, dict(zip(inputs, arrays, strict=True))
    )  # fmt: skip
    results = [np.full(w.shape, 77).astype(w.dtype) for w in wanted]
    memory = {p.data: a.reshape(-1) for p, a in zip(f.params, [*arrays, *results], strict=True)}
    run = Counted(memory, dict(values))
    run.run(f.body)
    for p, w in zip(f.params[len(inputs) :], wanted, strict=True):
        np.testing.assert_array_equal(memory[p.data].reshape(w.shape), w)
    return run.stores


@pytest.mark.parametrize("place", ["i", "j", "k"])
@pytest.mark.parametrize("stored", [None, "i"])
@pytest.mark.parametrize("index", [lambda k: (k, k), lambda k: (0, k), lambda k: (k, 8 - k)])
def test_what_a_loop_needs_that_runs_as_often_as_another_one_says(
    place: str, stored: str | None, index: Any
) -> None:
    """What was computed in an iteration before is less than what this one needs."""
    A = te.placeholder((9, 9), "int32", name="A")
    P = te.compute((9, 9), lambda i, j: A[i, j] + 1, name="P")

    def triangle(i: Any, j: Any) -> Any:
        k = te.reduce_axis((0, i), name="k")
        return te.sum(P[index(k)], axis=k)

    C = te.compute((9, 5), triangle, name="C")
    s = te.create_schedule(C.op)
    s[P].compute_at(s[C], place)
    if stored is None:
        s[P].store_root()
    elif place != stored:
        s[P].store_at(s[C], stored)
    a = np.arange(81, dtype="int32").reshape(9, 9)
    c = np.zeros((9, 5), "int32")
    tewb.build(s, [A, C], debug=True)(a, c)
    want = [sum(int(a[index(k)]) + 1 for k in range(i)) for i in range(9)]
    np.testing.assert_array_equal(c, np.repeat(want, 5).reshape(9, 5))


def size(s: Schedule, args: list[Any], name: str) -> list[int | None]:
    body = tewb.lower(s, args)["main"].body
    found = {n.buffer for n in walk(body) if isinstance(n, Allocate) and n.buffer.name == name}
    (shape,) = {tuple(const_int(e) for e in b.shape) for b in found}
    return list(shape)


# ---------------------------------------------------------------- what is computed, and what is kept


def test_each_row_is_computed_once_in_four_rows_of_memory() -> None:
    A, X, Y = blur(32, 9)
    s = te.create_schedule(Y.op)
    s[X].compute_at(s[Y], "i")
    assert recompute_factor(s[X]) == 32 * 3 / 34
    assert checked(s, [A], [Y])["X"] == 32 * 3 * 9
    s[X].store_root()
    assert recompute_factor(s[X]) == 1.0
    assert checked(s, [A], [Y])["X"] == 34 * 9
    assert size(s, [A, Y], "X") == [4, 9]


@pytest.mark.parametrize("n", [1, 2, 4, 13])
@pytest.mark.parametrize("factor", [1, 4, 5, 20])
def test_a_strip_for_each_task_warms_up_a_window_of_its_own(n: int, factor: int) -> None:
    A, X, Y = blur(n)
    s = te.create_schedule(Y.op)
    strip, row = s[Y].split("i", factor)
    s[Y].parallel(strip)
    s[X].compute_at(s[Y], row)
    s[X].store_at(s[Y], strip)
    stores = checked(s, [A], [Y])
    strips = [min(factor, n - i) for i in range(0, n, factor)]
    assert stores["X"] == sum(rows + 2 for rows in strips) * 9
    assert stores["X"] == recompute_factor(s[X]) * (n + 2) * 9
    s[X].vectorize(s[X].split("j", 4)[1])
    assert_same_result(s, [A], [Y])


def test_a_split_loop_goes_on_where_the_strip_before_ended() -> None:
    A, X, Y = blur(13)
    for order in ("outer inner j", "j outer inner", "outer j inner"):
        s = te.create_schedule(Y.op)
        s[Y].split("i", 4)
        s[Y].reorder(*[name if name == "j" else f"i.{name}" for name in order.split()])
        s[X].compute_at(s[Y], "i.inner" if order.endswith("inner") else "j")
        s[X].store_root()
        assert checked(s, [A], [Y])["X"] == recompute_factor(s[X]) * 15 * 9
        assert recompute_factor(s[X]) == 1.0
        # Along i.outer all columns come before the next row.
        assert size(s, [A, Y], "X") == ([4, 1] if order[0] == "j" else [15, 9] if order[6] == "j" else [4, 9])


def test_loops_in_another_order_keep_the_whole_of_a_stage() -> None:
    A, X, Y = blur(12)
    s = te.create_schedule(Y.op)
    s[Y].split("i", 4)
    s[Y].reorder("i.inner", "i.outer")
    s[X].compute_at(s[Y], "i.outer")
    s[X].store_root()
    assert size(s, [A, Y], "X") == [14, 9]
    assert checked(s, [A], [Y])["X"] == recompute_factor(s[X]) * 14 * 9 < 12 * 3 * 9


def test_a_window_in_two_dimensions() -> None:
    A = te.placeholder((12, 14), "int32", name="A")
    B = te.compute((12, 14), lambda i, j: A[i, j] * 2, name="B")
    C = te.compute((10, 11), lambda i, j: B[i, j] + B[i + 2, j + 3] + B[i, j + 3], name="C")
    for stored, shape, count in (("root", [4, 14], 12 * 14), ("i", [3, 4], 10 * 3 * 14)):
        s = te.create_schedule(C.op)
        s[B].compute_at(s[C], "j")
        if stored == "root":
            s[B].store_root()
        else:
            s[B].store_at(s[C], stored)
        assert size(s, [A, C], "B") == shape
        assert checked(s, [A], [C])["B"] == count


@pytest.mark.parametrize("first", ["root", "i.outer"])
def test_a_blur_of_a_blur(first: str) -> None:
    A = te.placeholder((18, 7), "int32", name="A")
    B = te.compute((18, 7), lambda i, j: A[i, j] * 2 + i, name="B")
    C = te.compute((16, 7), lambda i, j: B[i, j] - B[i + 1, j] * 2 + B[i + 2, j], name="C")
    D = te.compute((14, 7), lambda i, j: C[i, j] + C[i + 1, j] + C[i + 2, j] * 5, name="D")
    s = te.create_schedule(D.op)
    s[D].split("i", 5)
    for t in (C, B):
        s[t].compute_at(s[D], "i.inner")
        if first == "root":
            s[t].store_root()
        else:
            s[t].store_at(s[D], first)
    stores = checked(s, [A], [D])
    again = 0 if first == "root" else 2
    assert stores["C"] == (16 + again * 2) * 7 and stores["B"] == (18 + again * 4) * 7
    assert size(s, [A, D], "C") == [4, 7] and size(s, [A, D], "B") == [8, 7]


def test_what_a_window_is_computed_in_may_slide_too() -> None:
    """B is computed in the rows of C, of which only new ones run."""
    A = te.placeholder((18, 7), "int32", name="A")
    B = te.compute((18, 7), lambda i, j: A[i, j] * 2 + i, name="B")
    C = te.compute((16, 7), lambda i, j: B[i, j] - B[i + 2, j], name="C")
    D = te.compute((14, 7), lambda i, j: C[i, j] + C[i + 2, j] * 5, name="D")
    for stored in ("C.i", "D.i", "root"):
        s = te.create_schedule(D.op)
        s[C].compute_at(s[D], "i")
        s[C].store_root()
        s[B].compute_at(s[C], "i")
        if stored == "root":
            s[B].store_root()
        else:
            s[B].store_at(s[stored[0]], stored[2])
        assert checked(s, [A], [D])["B"] == recompute_factor(s[B]) * 18 * 7


def test_several_readers() -> None:
    A = te.placeholder((14, 6), "int32", name="A")
    B = te.compute((14, 6), lambda i, j: A[i, j] * 3, name="B")
    C = te.compute((10, 6), lambda i, j: B[i, j] + B[i + 1, j], name="C")
    D = te.compute((10, 6), lambda i, j: C[i, j] - B[i + 4, j], name="D")
    s = te.create_schedule(D.op)
    s[C].compute_at(s[D], "i")
    s[B].compute_at(s[D], "i")
    s[B].store_root()
    assert checked(s, [A], [D])["B"] == 14 * 6
    assert size(s, [A, D], "B") == [8, 6]


def test_several_outputs() -> None:
    A = te.placeholder((9,), "int32", name="A")
    P, Q = te.compute((9,), lambda i: (A[i] + 1, A[i] * 2), name="PQ")
    C = te.compute((7,), lambda i: P[i] + P[i + 2] * Q[i + 1], name="C")
    s = te.create_schedule(C.op)
    s[P].compute_at(s[C], "i")
    s[P].store_root()
    stores = checked(s, [A], [C])
    assert stores["PQ.v0"] == stores["PQ.v1"] == 9


@pytest.mark.parametrize("reduced", ["k, i", "i, k"])
def test_a_reduction_that_slides_along(reduced: str) -> None:
    A = te.placeholder((14, 8), "int32", name="A")
    k = te.reduce_axis((0, 8), name="k")
    B = te.compute((14,), lambda i: te.sum(A[i, k], axis=k), name="B")
    C = te.compute((11,), lambda i: B[i] + B[i + 3], name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], "i")
    s[B].store_root()
    s[B].reorder(*reduced.split(", "))
    assert size(s, [A, C], "B") == [4]
    assert checked(s, [A], [C])["B"] == 14 * 9


def test_along_a_reduction_what_stays_is_computed_once() -> None:
    A = te.placeholder((8, 12), "int32", name="A")
    B = te.compute((8, 12), lambda i, j: A[i, j] + 1, name="B")
    k, r = te.reduce_axis((0, 3), name="k"), te.reduce_axis((0, 4), name="r")
    C = te.compute((8, 10), lambda i, j: te.sum(B[i, j + k] * r, axis=[r, k]), name="C")
    s = te.create_schedule(C.op)
    s[C].reorder("i", "r", "k", "j")
    s[B].compute_at(s[C], "k")
    s[B].store_at(s[C], "i")
    assert checked(s, [A], [C])["B"] == recompute_factor(s[B]) * 8 * 12 == 8 * 12


def test_one_element_is_computed_once() -> None:
    A = te.placeholder((5,), "int32", name="A")
    B = te.compute((), lambda: A[1] * 2, name="B")
    C = te.compute((7,), lambda i: B() + i, name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], "i")
    s[B].store_root()
    assert checked(s, [A], [C])["B"] == 1


def test_a_vectorized_row_and_unrolled_loops() -> None:
    A, X, Y = blur(12, 16)
    s = te.create_schedule(Y.op)
    strip, row = s[Y].split("i", 4)
    s[Y].unroll(row)
    s[Y].vectorize("j")
    s[X].compute_at(s[Y], row)
    s[X].store_at(s[Y], strip)
    s[X].vectorize("j")
    s[X].unroll("i")
    assert_same_result(s, [A], [Y])
    assert not [
        n for n in walk(lower_all(s)["main"].body) if isinstance(n, For) and n.kind is not ForKind.SERIAL
    ]


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "float16"])
def test_dtypes_and_strided_inputs(dtype: str) -> None:
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((n, m), dtype, name="A")
    B = te.compute((n, m), lambda i, j: A[i, j] + A[i, j], name="B")
    C = te.compute((n - 2, m), lambda i, j: B[i, j] + B[i + 1, j] + B[i + 2, j], name="C")
    s = te.create_schedule(C.op)
    strip, row = s[C].split("i", 8)
    s[C].parallel(strip)
    s[B].compute_at(s[C], row)
    s[B].store_at(s[C], strip)
    s[B].vectorize(s[B].split("j", 8)[1])
    rows, columns = te.var("rows"), te.var("columns")
    declared = tewb.tir.decl_buffer(A.shape, dtype, name="A", strides=[rows, columns])
    kernel = tewb.build(s, [A, C], binds={A: declared}, debug=True)
    for size in ((2, 5), (3, 1), (9, 17), (26, 40)):
        a = (np.random.default_rng(0).random((size[1], size[0] * 2)) * 9).astype(dtype).T[::2]
        c = np.zeros((size[0] - 2, size[1]), dtype)
        kernel(a, c)
        b = a + a
        np.testing.assert_allclose(c, b[:-2] + b[1:-1] + b[2:], rtol=1e-2 if dtype == "float16" else 1e-6)


def test_symbolic_sizes_in_the_interpreter() -> None:
    n = te.var("n")
    A, X, Y = blur(n, 5)
    for place in ("root", "i.outer"):
        s = te.create_schedule(Y.op)
        s[Y].split("i", 4)
        s[X].compute_at(s[Y], "i.inner")
        if place == "root":
            s[X].store_root()
        else:
            s[X].store_at(s[Y], place)
        assert size(s, [A, Y], "X") == [4, 5]
        k = tewb.build(s, [A, Y], debug=True)
        for length in (0, 1, 3, 4, 11):
            a = np.random.default_rng(2).integers(0, 99, (length + 2, 7), "int32")
            y, x = np.zeros((length, 5), "int32"), a[:, :-2] + 2 * a[:, 1:-1] + a[:, 2:]
            k(a, y)
            np.testing.assert_array_equal(y, x[:-2] + 3 * x[1:-1] - x[2:])


# ---------------------------------------------------------------- random programs


def stencil(rng: random.Random) -> tuple[Any, list[Any]]:
    """A chain of stencils of 1 or 2 dimensions, with steps, distances between the taps, and halos that differ."""
    dims = rng.choice([1, 2])
    length = [rng.choice([3, 5, 9, 12]), rng.choice([1, 4, 7])][:dims]
    plans = []
    for _ in range(rng.choice([1, 1, 2])):
        step = [rng.choice([1, 1, 2, 3]) for _ in range(dims)]
        apart = [rng.choice([1, 1, 2, 3]) for _ in range(dims)]
        taps = [(rng.randrange(4), rng.randrange(3))[:dims] for _ in range(rng.choice([1, 2, 3, 4]))]
        plans.append((step, apart, taps, list(length)))
        length = [
            (n - 1) * st + max(t[d] for t in taps) * ap + 1
            for d, (n, st, ap) in enumerate(zip(length, step, apart, strict=True))
        ]
    A = te.placeholder(length, "int32", name="A")
    stages = [te.compute(length, lambda *x: A[x] * 2 + x[0], name="S0")]
    for step, apart, taps, shape in reversed(plans):
        before = stages[-1]

        def element(
            *x: Any, before: Any = before, step: Any = step, apart: Any = apart, taps: Any = taps
        ) -> Any:
            def tap(t: Any) -> Any:
                return before[tuple(i * st + q * ap for i, st, q, ap in zip(x, step, t, apart, strict=True))]

            return sum([tap(t) * (n + 1) for n, t in enumerate(taps[1:], 1)], tap(taps[0]))

        stages.append(te.compute(shape, element, name=f"S{len(stages)}"))
    return A, stages


def loops_of(stage: Any) -> list[str]:
    return [stage.axis_name(iv) for iv in stage.leaf_iter_vars]


def random_store(s: Schedule, stages: list[Any], rng: random.Random) -> list[str]:
    """Compute all stages but the last in loops of those after them, and keep them around some of these."""
    last, text = s[stages[-1]], []
    for _ in range(rng.choice([0, 1, 2])):
        name = rng.choice(loops_of(last))
        last.split(name, rng.choice([2, 3, 4]))
        text.append(f"split {name}")
    if rng.random() < 0.3:
        order = rng.sample(loops_of(last), len(loops_of(last)))
        last.reorder(*order)
        text.append(f"reorder {order}")
    for t, reader in reversed(list(pairwise(stages))):
        parent = last if rng.random() < 0.7 else s[reader]
        # An inner stage stands where its reader does, or further in.
        at = s[reader].attached
        loops = loops_of(parent)
        if parent is last and at is not None and at.stage is last:
            loops = loops[: loops.index(last.axis_name(at.axis)) + 1]
        elif parent is last and at is not None:
            parent, loops = s[reader], loops_of(s[reader])
        place = rng.choice(loops)
        s[t].compute_at(parent, place)
        text.append(f"{t.name} at {parent.name}.{place}")
        around = infer_bounds(s).around(s[t])
        where = rng.choice([None, *around])
        if where is None:
            s[t].store_root()
        else:
            s[t].store_at(s[where[0].op.output(0)], where[1])
        text.append(f"kept {where and where[0].axis_name(where[1])}")
    return text


@pytest.mark.one_in(2)
@pytest.mark.parametrize("seed", range(80))
def test_random_stencils(seed: int) -> None:
    rng = random.Random(f"stencil {seed}")
    A, stages = stencil(rng)
    s = te.create_schedule(stages[-1].op)
    text = random_store(s, stages, rng)
    stores = checked(s, [A], [stages[-1]])
    for t in stages[:-1]:
        whole = math.prod(const_int(n) or 0 for n in t.shape)
        assert stores[t.name] == round((recompute_factor(s[t]) or 0) * whole), text


@pytest.mark.one_in(2)
@pytest.mark.parametrize("seed", range(80))
def test_random_readers(seed: int) -> None:
    rng = random.Random(f"stored {seed}")
    r = random_reading(f"stored {seed}")
    s, B, C = r.schedule, r.stage, r.reader
    around = loops_of(s[C])[: loops_of(s[C]).index(s[C].axis_name(s[B].attached.axis))]
    if around and rng.random() < 0.5:
        s[B].store_at(s[C], rng.choice(around))
    else:
        s[B].store_root()
    r.run()


@pytest.mark.one_in(4)
@pytest.mark.parametrize("seed", range(60))
def test_random_programs(seed: int) -> None:
    rng = random.Random(f"kept {seed}")
    inputs, outputs = PROGRAMS[rng.choice(list(PROGRAMS))]()
    s = kept_around_loops(outputs, rng)
    assert_same_result(s, inputs, outputs, seed, debug=seed % 2 == 0)


# ---------------------------------------------------------------- where nothing is proved


def whole_because(s: Schedule, name: str) -> str:
    window = window_of(s[name], infer_bounds(s))
    assert window is not None and not window.slides
    return "; ".join(window.whole.values())


def test_a_window_that_slides_backwards_is_computed_whole() -> None:
    A = te.placeholder((10,), "int32", name="A")
    B = te.compute((10,), lambda i: A[i] * 2, name="B")
    C = te.compute((8,), lambda i: B[9 - i] + B[8 - i], name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], "i")
    s[B].store_root()
    assert "which does not slide forwards" in whole_because(s, "B")
    assert checked(s, [A], [C])["B"] == 16
    assert size(s, [A, C], "B") == [2]  # nothing is kept from one iteration to the next


def test_iterations_that_are_left_out_compute_the_rest_whole() -> None:
    A = te.placeholder((10, 3), "int32", name="A")
    P = te.compute((12, 3), lambda i, j: A[te.min(i, 9), j] * 2, name="P")
    B = te.compute((10, 3), lambda i, j: P[i, j] + P[i + 2, j], name="B")
    C = te.compute((10, 3), lambda i, j: te.if_then_else(i >= 1, B[i - 1, j], 0) + B[i, j], name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], "i")
    s[P].compute_at(s[B], "i")
    s[P].store_at(s[C], "i")
    assert "are left out before others" in whole_because(s, "P")
    checked(s, [A], [C])


def test_rows_that_a_step_passes_over_are_kept_in_memory_for_one_part() -> None:
    A = te.placeholder((20,), "int32", name="A")
    B = te.compute((20,), lambda i: A[i] * 2, name="B")
    C = te.compute((5,), lambda i: B[i * 4] + B[i * 4 + 2], name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], "i")
    s[B].store_root()
    assert "there is nothing to keep" in whole_because(s, "B")
    assert size(s, [A, C], "B") == [4]
    checked(s, [A], [C])


# ---------------------------------------------------------------- what is said


def test_a_stage_says_how_it_slides() -> None:
    A, X, Y = blur()
    s = te.create_schedule(Y.op)
    s[X].compute_at(s[Y], "j")
    assert s[X].sliding == "it is kept where it is computed"
    s[X].store_root()
    assert (
        s[X].sliding
        == "slides along i of Y; memory goes round: 4 of i; there is nothing to keep along j of Y"
    )
    s[X].store_at(s[Y], "i")
    assert s[X].sliding == "memory goes round: 1 of j; there is nothing to keep along j of Y"
    assert s[X].loops() == "at Y.j: i(15), j(9); kept at Y.i"


def test_the_workbench_shows_and_replays_it() -> None:
    A, X, Y = blur(6, 3)
    s = te.create_schedule(Y.op)
    s[X].compute_at(s[Y], "j")
    s[X].store_at(s[Y], "i")
    session = Session(s, [A, Y])
    assert session.verify().ok
    assert session.schedule_code.splitlines()[-1] == "s[X].store_at(s[Y], i)"
    other = Session(te.create_schedule(Y.op), [A, Y])
    other.load(session.to_json())
    assert other.ir == session.ir
    s[X].store_root()
    assert s.copy()[X].loops() == s[X].loops() == "at Y.j: i(8), j(3); kept at the root"


def test_it_follows_the_loop_that_it_is_kept_at() -> None:
    A, X, Y = blur(12)
    s = te.create_schedule(Y.op)
    s[X].compute_at(s[Y], "j")
    s[X].store_at(s[Y], "i")
    s[Y].split("i", 4)
    assert s[X].loops().endswith("kept at Y.i.inner")
    s[Y].fuse("i.outer", "i.inner")
    assert s[X].loops().endswith("kept at Y.i.outer.i.inner.fused")
    checked(s, [A], [Y])


def test_it_may_be_said_before_the_stage_is_placed() -> None:
    A, X, Y = blur(12)
    s = te.create_schedule(Y.op)
    s[X].store_root()
    with pytest.raises(
        ScheduleError, match=r"X is kept around a loop that it is computed at, and .* at none"
    ):
        tewb.lower(s, [A, Y])
    s[X].compute_at(s[Y], "i")
    assert checked(s, [A], [Y])["X"] == 14 * 9


# ---------------------------------------------------------------- refusals


Steps = Callable[[Schedule, Any, Any], object]


def at_row(s: Schedule, X: Any, Y: Any) -> None:
    s[Y].split("i", 4)
    s[X].compute_at(s[Y], "i.inner")


def moved_in(s: Schedule, X: Any, Y: Any) -> None:
    at_row(s, X, Y)
    s[X].store_at(s[Y], "i.outer")
    s[Y].reorder("i.inner", "i.outer")
    s[X].compute_at(s[Y], "i.inner")


def after(*steps: Steps) -> Steps:
    return lambda s, X, Y: [step(s, X, Y) for step in (at_row, *steps)]


root: Steps = lambda s, X, Y: s[X].store_root()  # noqa: E731


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (after(lambda s, X, Y: s[Y].parallel("i.outer"), root),
         r"store_root on stage X: loop i.outer of Y is marked parallel.*at once(.*\n)+  hint: store_at a loop inside"),
        (after(root, lambda s, X, Y: s[Y].parallel("i.inner")),
         "parallel on stage Y: X is kept around i.inner, .*must come in order"),
        (after(root, lambda s, X, Y: s[Y].bind("i.outer", te.thread_axis("blockIdx.x"))),
         "bind on stage Y: threads are bound to loops around X"),
        (after(root, lambda s, X, Y: s[X].bind("i", te.thread_axis("threadIdx.x"))), "threads are bound to loops"),
        (after(lambda s, X, Y: s[X].store_at(s[Y], "j")),
         "store_at on stage X: X is computed at loop i.inner of Y, which is not inside of loop j of Y"),
        (after(root, lambda s, X, Y: s[X].compute_root()), "X is kept around a loop .*computed at none"),
        (moved_in, "X is computed at loop i.inner of Y, which is not inside of loop i.outer of Y"),
        (after(root, lambda s, X, Y: s[X].rolling_buffer()), "store_at says where X is kept"),
        (after(lambda s, X, Y: s[X].rolling_buffer(), root), "rolling_buffer says where X is kept"),
        (after(root, lambda s, X, Y: s[X].double_buffer()), "store_at says where X is kept"),
        (after(lambda s, X, Y: s[Y].store_root()), "Y is an output"),
        (after(lambda s, X, Y: s["A"].store_root()), "A is an input"),
        (after(lambda s, X, Y: s[X].store_at(s[X], "i")), "cannot be kept inside of itself"),
        (after(lambda s, X, Y: s[X].store_at(s["A"], "i")), "A is an input|has no axis"),
        (after(lambda s, X, Y: s[X].store_at(s[Y], "i")), "i was already split"),
    ],
)  # fmt: skip
def test_misuse_is_refused(steps: Steps, said: str) -> None:
    A, X, Y = blur()
    s = te.create_schedule(Y.op)
    with pytest.raises((ScheduleError, LowerError), match=said) as e:
        steps(s, X, Y)
        tewb.lower(s, [A, Y])
    assert e.value.loops and e.value.span is not None


def test_an_argument_is_kept_whole() -> None:
    A, X, Y = blur()
    s = te.create_schedule(Y.op)
    s[X].compute_at(s[Y], "i")
    s[X].store_root()
    with pytest.raises(LowerError, match="X: it is an argument, so all of it is kept"):
        tewb.lower(s, [A, X, Y])


# ---------------------------------------------------------------- externs and hybrid functions


def tripled(n: int = 12, m: int = 5, **given: Any) -> tuple[Any, Any, Any, list[int]]:
    """C reads three rows of an extern; the number of rows of each of its calls is noted."""
    rows: list[int] = []

    def triple(a: Any, b: Any) -> None:
        rows.append(b.shape[0])
        np.multiply(a, 3, out=b)

    tewb.runtime.register_func("tewb.test.triple", triple, override=True)
    A = te.placeholder((n + 2, m), "int32", name="A")
    E = te.extern(
        (n + 2, m),
        [A],
        lambda ins, outs: te.call_packed("tewb.test.triple", ins[0], outs[0]),
        name="E",
        access=te.access.elementwise,
        **given,
    )
    C = te.compute((n, m), lambda i, j: E[i, j] + E[i + 1, j] * 2 - E[i + 2, j], name="C")
    return A, E, C, rows


def run_tripled(s: Schedule, A: Any, C: Any) -> None:
    n, m = (const_int(x) or 0 for x in C.shape)
    a = np.random.default_rng(3).integers(0, 99, (n + 2, m), "int32")
    c = np.zeros((n, m), "int32")
    tewb.build(s, [A, C], debug=True)(a, c)
    np.testing.assert_array_equal(c, 3 * (a[:-2] + 2 * a[1:-1] - a[2:]))


@pytest.mark.parametrize("factor", [4, 5, None])
def test_an_extern_makes_new_rows_only(factor: int | None) -> None:
    A, E, C, rows = tripled()
    s = te.create_schedule(C.op)
    if factor is None:
        s[E].compute_at(s[C], "i")
        s[E].store_root()
    else:
        s[C].split("i", factor)
        s[E].compute_at(s[C], "i.inner")
        s[E].store_at(s[C], "i.outer")
    run_tripled(s, A, C)
    strips = [12] if factor is None else [min(factor, 12 - i) for i in range(0, 12, factor)]
    assert rows == [n for strip in strips for n in [3, *[1] * (strip - 1)]]
    assert sum(rows) == (recompute_factor(s[E]) or 0) * 14


def test_the_tiles_of_an_extern_that_are_there_are_not_made_again() -> None:
    A, E, C, rows = tripled()
    s = te.create_schedule(C.op)
    s[E].compute_at(s[C], "i")
    s[E].store_root()
    s[E].split("d0", 2)
    run_tripled(s, A, C)
    assert sum(rows) == 14 and max(rows) == 2


def test_a_stateful_extern_may_slide() -> None:
    A, E, C, rows = tripled(effect="stateful")
    s = te.create_schedule(C.op)
    s[E].store_root()
    s[E].compute_at(s[C], "i")
    run_tripled(s, A, C)
    assert sum(rows) == 14


@pytest.mark.parametrize("tail", ["shift", "pad"])
def test_an_extern_of_whole_tiles_makes_them_each_time(tail: str) -> None:
    A, E, C, rows = tripled(tail=tail)
    s = te.create_schedule(C.op)
    s[E].compute_at(s[C], "i")
    s[E].store_root()
    assert "makes the whole part" in whole_because(s, "E")
    run_tripled(s, A, C)
    assert rows == [3] * 12


def test_what_an_extern_reads_slides_and_does_not_go_round() -> None:
    def three(b: Any, out: Any) -> None:
        for i in range(out.shape[0]):
            out[i] = b[i : i + 3].sum(0)

    tewb.runtime.register_func("tewb.test.rows", three, override=True)
    A = te.placeholder((14, 5), "int32", name="A")
    B = te.compute((14, 5), lambda i, j: A[i, j] + 1, name="B")
    D = te.extern(
        (12, 5), [B], lambda ins, outs: te.call_packed("tewb.test.rows", ins[0], outs[0]), name="D", dtype="int32",
        access=lambda i, j: [[(i[0], i[1] + 2), j]],
    )  # fmt: skip
    s = te.create_schedule(D.op)
    outer, _ = s[D].split("d0", 1)
    s[B].compute_at(s[D], outer)
    s[B].store_root()
    assert s[B].sliding == "slides along d0.outer of D"
    a = np.random.default_rng(3).integers(0, 99, (14, 5), "int32")
    d = np.zeros((12, 5), "int32")
    tewb.build(s, [A, D], debug=True)(a, d)
    np.testing.assert_array_equal(d, a[:-2] + a[1:-1] + a[2:] + 3)
    assert recompute_factor(s[B]) == 1.0


@pytest.mark.parametrize("where", ["producer", "reader"])
def test_hybrid_functions_keep_the_whole_part(where: str) -> None:
    @te.hybrid.script
    def double(a):  # type: ignore[no-untyped-def]
        b = output_tensor((14, 5), "int32")  # noqa: F821
        for i in range(14):
            for j in range(5):
                b[i, j] = a[i, j] * 2
        return b

    @te.hybrid.script
    def differences(a):  # type: ignore[no-untyped-def]
        b = output_tensor((12, 5), "int32")  # noqa: F821
        for i in range(12):
            for j in range(5):
                b[i, j] = a[i, j] - a[i + 2, j]
        return b

    A = te.placeholder((14, 5), "int32", name="A")
    if where == "producer":
        B = double(A)
        C = te.compute((12, 5), lambda i, j: B[i, j] - B[i + 2, j], name="C")
    else:
        B = te.compute((14, 5), lambda i, j: A[i, j] * 2, name="B")
        C = differences(B)
    s = te.create_schedule(C.op)
    parent = s[C]
    i, j = parent.leaf_iter_vars
    for place, stored in ((i, None), (j, None), (j, i)):
        s[B].compute_at(parent, place)
        if stored is None:
            s[B].store_root()
        else:
            s[B].store_at(parent, stored)
        assert whole_because(s, s[B].name)
        a, c = np.random.default_rng(3).integers(0, 99, (14, 5), "int32"), np.zeros((12, 5), "int32")
        tewb.build(s, [A, C], debug=True)(a, c)
        np.testing.assert_array_equal(c, 2 * (a[:-2] - a[2:]))


@pytest.mark.parametrize("which", ["B", "C"])
def test_an_intrinsic_sees_memory_that_does_not_go_round(which: str) -> None:
    A = te.placeholder((10, 8), name="A")
    B = te.compute((10, 8), lambda i, j: A[i, j] + A[i, j], name="B")
    C = te.compute((8, 8), lambda i, j: B[i, j] + B[i + 2, j], name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], "i")
    s[B].store_root()
    s[which].tensorize("j", intrinsics.add(8))
    assert "goes round" not in s[B].sliding
    assert s[B].sliding.startswith("slides along i of C" if which == "C" else "computed whole along i of C")
    assert_same_result(s, [A], [C])


def test_a_prefetch_of_what_goes_round_is_left_out() -> None:
    A = te.placeholder((20, 8), "int32", name="A")
    B = te.compute((20, 8), lambda i, j: A[i, j] * 2, name="B")
    C = te.compute((16, 8), lambda i, j: B[i, j] + B[i + 4, j], name="C")
    s = te.create_schedule(C.op)
    s[C].split("j", 4)
    s[B].compute_at(s[C], "i")
    s[B].store_root()
    s[C].prefetch(B, "j.outer", 1)
    assert_same_result(s, [A], [C])


@pytest.mark.parametrize("part", ["first", "next"])
def test_what_a_part_of_a_scan_reads_is_kept_where_the_part_is_computed(part: str) -> None:
    A = te.placeholder((5, 3), "int32", name="A")
    state = te.placeholder((5, 3), "int32", name="state")
    first = te.compute((1, 3), lambda t, i: A[t, i] + 1, name="first")
    following = te.compute((5, 3), lambda t, i: te.max(state[t - 1, i], A[t, i]), name="next")
    C = te.scan(first, following, state, name="C")
    s = te.create_schedule(C.op)
    (cached,) = [s.cache_write(first if part == "first" else following, "local")]
    s[cached].compute_at(s[part], s[part].leaf_iter_vars[0])
    s[cached].store_at(s[C], "C.init" if part == "first" else "C.idx")
    assert_same_result(s, [A], [C])
