"""The estimate: which of two schedules is faster, on a machine that is given. Never seconds by themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import tewb
from tewb import te
from tewb.schedule import Step
from tewb.workbench.demos import demo_session
from tewb.workbench.judge.estimate import Machine, predict
from tewb.workbench.measure.roofline import Peaks

MACHINE = Machine(Peaks(100.0, 10.0), Peaks(200.0, 15.0), 32, 16, (32 << 10, 1 << 20, 8 << 20), 1)
TWO = Machine(Peaks(100.0, 10.0), Peaks(200.0, 15.0), 32, 16, (32 << 10, 1 << 20, 8 << 20), 2)


def step(primitive: str, stage: str, **args: Any) -> Step:
    return Step(primitive, stage, args)


ORDER = step("reorder", "C", axes=["i", "k", "j"])
VECTOR = (step("split", "C", axis="j", factor=16), step("vectorize", "C", axis="j.inner"))
TILE = (
    step("tile", "C", x="i", y="j", x_factor=4, y_factor=16),
    step("reorder", "C", axes=["i.outer", "j.outer", "k", "i.inner", "j.inner"]),
    step("unroll", "C", axis="i.inner"),
    step("vectorize", "C", axis="j.inner"),
)


def seconds(session: Any, *steps: Step, machine: Machine = MACHINE) -> float:
    copy = session.copy()
    copy.apply(*steps)
    return predict(copy.passes[0][1], copy.sizes, machine)


def test_a_matrix_product_step_by_step() -> None:
    s = demo_session("matmul", n=256)
    order = [seconds(s), seconds(s, ORDER), seconds(s, *TILE)]
    assert order == sorted(order, reverse=True) and order[0] > 3 * order[1] > 3 * order[2]


def test_it_is_never_faster_than_the_peak() -> None:
    s = demo_session("matmul", n=256)
    assert seconds(s, *TILE) > 2 * 256**3 / 100e9


def test_registers_that_do_not_suffice_cost() -> None:
    s = demo_session("matmul", n=256)
    large = [
        Step(t.primitive, t.stage, {**t.args, **({"x_factor": 32} if t.primitive == "tile" else {})})
        for t in TILE
    ]
    assert seconds(s, *large) > 1.3 * seconds(s, *TILE)


def test_sums_in_lanes_do_not_wait() -> None:
    A, k = te.placeholder((64, 1024), name="A"), te.reduce_axis((0, 1024), name="k")
    S = te.compute((64,), lambda i: te.sum(A[i, k], axis=k), name="S")
    s = tewb.Session(te.create_schedule(S.op), [A, S])
    lanes = (step("split", "S", axis="k", factor=32), step("vectorize", "S", axis="k.inner"))
    assert seconds(s) > 4 * seconds(s, *lanes)


def test_threads_share_work_and_the_last_part_is_waited_for() -> None:
    s = demo_session("matmul", n=256)
    parallel = step("parallel", "C", axis="i")
    assert seconds(s, parallel, machine=TWO) < 0.6 * seconds(s, machine=TWO)
    assert seconds(s, parallel) >= seconds(s), "there is one thread"
    three = step("split", "C", axis="i", nparts=3)
    shared = (three, step("parallel", "C", axis="i.outer"))
    assert seconds(s, *shared, machine=TWO) > 1.2 * seconds(s, parallel, machine=TWO)


@pytest.mark.parametrize(("n", "gain"), [(4096, True), (32, False)])
def test_fusion_pays_when_no_cache_holds_what_is_between(n: int, gain: bool) -> None:
    s = demo_session("blur", n=n)
    fused = step("compute_at", "X", parent="Y", axis="i.outer")
    strips = step("split", "Y", axis="i", factor=16)
    assert (seconds(s, strips, fused) < 0.95 * seconds(s)) == gain


def test_a_packed_operand_is_cheaper_than_lines_far_apart() -> None:
    s = demo_session("matmul", n=1024)
    pack = (
        step("reorder", "C", axes=["j.outer", "i.outer"]),
        step("cache_read", "B", scope="global", readers=["C"], output=0),
        step("compute_at", "B.global", parent="C", axis="j.outer"),
        step("vectorize", "B.global", axis="ax1"),
    )
    assert seconds(s, *TILE, *pack) < seconds(s, *TILE)


def test_a_transposed_tile_is_cheaper_than_lanes_one_by_one() -> None:
    A = te.placeholder((1024, 1024), name="A")
    T = te.compute((1024, 1024), lambda i, j: A[j, i], name="T")
    s = tewb.Session(te.create_schedule(T.op), [A, T])
    tile = step("tile", "T", x="i", y="j", x_factor=8, y_factor=8)
    lanes = step("vectorize", "T", axis="j.inner")
    turned = step("transpose", "T", rows="i.inner", lanes="j.inner")
    assert seconds(s, tile, turned) < seconds(s, tile, lanes)


def test_a_dot_product_counts_as_one_instruction() -> None:
    A, P = te.placeholder((64, 64), "uint8", name="A"), te.placeholder((16, 64, 4), "int8", name="P")
    k = te.reduce_axis((0, 64), name="k")
    C = te.compute(
        (64, 64),
        lambda i, j: te.sum(A[i, k].astype("int32") * P[k // 4, j, k % 4].astype("int32"), axis=k),
        name="C",
    )
    s = tewb.Session(te.create_schedule(C.op), [A, P, C])
    tile = (
        step("split", "C", axis="j", factor=16),
        step("split", "C", axis="k", factor=4),
        step("reorder", "C", axes=["i", "j.outer", "k.outer", "j.inner", "k.inner"]),
        step("vectorize", "C", axis="j.inner"),
    )
    dot = step("dot", "C", axis="k.inner")
    assert seconds(s, *tile, dot) < 0.5 * seconds(s, *tile)


def test_stores_past_the_caches_are_not_cheaper_than_memory() -> None:
    A = te.placeholder((1 << 22,), name="A")
    B = te.compute((1 << 22,), lambda i: A[i] + 1.0, name="B")
    s = tewb.Session(te.create_schedule(B.op), [A, B])
    assert seconds(s) > 2 * (1 << 24) / 10e9


def test_what_calls_do_is_not_in_it_and_nothing_takes_no_time() -> None:
    assert seconds(demo_session("extern")) < 1e-5
    A = te.placeholder((0,), name="A")
    B = te.compute((0,), lambda i: A[i] + 1.0, name="B")
    assert seconds(tewb.Session(te.create_schedule(B.op), [A, B])) == 0.0


def test_symbolic_sizes_have_values() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    s = tewb.Session(te.create_schedule(B.op), [A, B], sizes={"n": 1 << 20})
    small = tewb.Session(te.create_schedule(B.op), [A, B], sizes={"n": 1 << 10})
    assert seconds(s) > 100 * seconds(small)


def test_this_machine() -> None:
    here = Machine.here()
    assert here.operation > 0 and here.vector_bytes in (16, 32, 64) and here.cache_bytes
    assert here.seconds_per_byte(0) <= here.seconds_per_byte(len(here.cache_bytes) - 1)


def test_a_walk_from_page_to_page_is_slower_than_through_a_copy() -> None:
    s = demo_session("matmul", n=1024)
    tile = [
        Step(t.primitive, t.stage, {**t.args, **({"axes": ["j.outer", "i.outer", "k", "i.inner", "j.inner"]} if t.primitive == "reorder" else {})})
        for t in TILE
    ]  # fmt: skip
    copy = (
        step("cache_read", "B", scope="global", readers=["C"], output=0),
        step("compute_at", "B.global", parent="C", axis="j.outer"),
    )
    assert seconds(s, *tile) > 1.1 * seconds(s, *tile, *copy)


def test_what_is_known_of_stores_is_used_again() -> None:
    s = demo_session("matmul", n=256)
    known: dict[Any, Any] = {}
    first = predict(s.passes[0][1], s.sizes, MACHINE, known)
    seen = dict(known)
    assert len(known) == 2 and predict(s.passes[0][1], s.sizes, MACHINE, known) == first
    assert first == predict(s.passes[0][1], s.sizes, MACHINE)
    assert all(known[n] is seen[n] for n in seen)
    slow = {n: replace(of, arithmetic=1.0) for n, of in known.items()}
    assert predict(s.passes[0][1], s.sizes, MACHINE, slow) > 2.0


def test_the_arithmetic_of_indices_is_none_of_the_program() -> None:
    s = demo_session("matmul", n=256)
    multiply_adds = 256**3 / 8  # in vectors of 8
    assert seconds(s, *TILE) > multiply_adds * MACHINE.operation


@pytest.mark.parametrize("wide", [True, False])
def test_a_condition_that_parts_blocks_costs_where_it_does(wide: bool) -> None:
    """Vectors that are all of a row have its ends in them; of those that are a part of one, few have."""
    n = 8 if wide else 4096
    A = te.placeholder((n,), name="A")
    inside = lambda i: te.all(i > 0, i < n - 1)  # noqa: E731
    B = te.compute((n,), lambda i: te.if_then_else(inside(i), A[i] * 2.0, 0.0), name="B")
    C = te.compute((n,), lambda i: A[i] * 2.0, name="C")
    times = []
    for out in (B, C):
        s = tewb.Session(te.create_schedule(out.op), [A, out])
        vector = (step("split", out.name, axis="i", factor=8), step("vectorize", out.name, axis="i.inner"))
        times.append(seconds(s, *vector))
    assert (times[0] > 1.1 * times[1]) == wide


def test_a_row_that_is_read_again_in_the_same_loop_comes_once() -> None:
    n, m = 4096, 1024
    A, k = te.placeholder((n, m), name="A"), te.reduce_axis((0, m), name="k")
    T = te.compute((n,), lambda i: te.max(A[i, k], axis=k), name="T")
    B = te.compute((n, m), lambda i, j: A[i, j] - T[i], name="B")
    s = tewb.Session(te.create_schedule(B.op), [A, B])
    lanes = (
        step("split", "T", axis="k", factor=32),
        step("vectorize", "T", axis="k.inner"),
        step("split", "B", axis="j", factor=32),
        step("vectorize", "B", axis="j.inner"),
    )
    together = step("compute_at", "T", parent="B", axis="i")
    assert seconds(s, *lanes, together) < 0.9 * seconds(s, *lanes)


def test_sums_that_registers_do_not_hold_go_through_memory_in_loops_that_are_written_out_too() -> None:
    A, W = te.placeholder((128, 66), name="A"), te.placeholder((3, 128), name="W")
    r = te.reduce_axis((0, 3), name="r")
    C = te.compute((128, 64), lambda i, j: te.sum(A[i, j + r] * W[r, i], axis=r), name="C")
    s = tewb.Session(te.create_schedule(C.op), [A, W, C])

    def tiled(rows: int) -> float:
        return seconds(
            s,
            step("split", "C", axis="i", factor=rows),
            step("reorder", "C", axes=["i.outer", "r", "i.inner", "j"]),
            step("unroll", "C", axis="i.inner"),
            step("vectorize", "C", axis="j"),
        )

    assert tiled(16) > 1.5 * tiled(1)


def test_many_sums_in_the_callers_memory_are_not_taken_out_of_loops() -> None:
    """LLVM gives up; a stage of the tile's own has no such limit."""
    # 8 sums at once: with the three rows and columns of the window written out, 72 steps of them
    P, W = te.placeholder((16, 34, 34), name="P"), te.placeholder((16, 16, 3, 3), name="W")
    k, r, q = (te.reduce_axis((0, n), name=name) for n, name in ((16, "k"), (3, "r"), (3, "q")))
    C = te.compute(
        (16, 32, 32), lambda f, i, j: te.sum(P[k, i + r, j + q] * W[f, k, r, q], axis=[k, r, q]), name="C"
    )
    s = tewb.Session(te.create_schedule(C.op), [P, W, C])

    def tiled(stage: str, *axes: str) -> tuple[Step, ...]:
        f, *others = axes
        unrolled = [step("unroll", stage, axis=axis) for axis in ("r", "q", f)]
        return (
            step("reorder", stage, axes=["k", "r", "q", f, others[-1]]),
            *unrolled,
            step("vectorize", stage, axis=others[-1]),
        )

    parts = (
        step("split", "C", axis="f", factor=8),
        step("split", "C", axis="j", factor=8),
        step("reorder", "C", axes=["i", "f.outer", "j.outer", "f.inner", "j.inner"]),
    )
    local = (
        step("cache_write", "C", scope="local"),
        *parts,
        step("unroll", "C", axis="f.inner"),
        step("vectorize", "C", axis="j.inner"),
        step("compute_at", "C.local", parent="C", axis="j.outer"),
        *tiled("C.local", "f.c", "j.c"),
    )
    assert seconds(s, *parts, *tiled("C", "f.inner", "j.inner")) > 1.4 * seconds(s, *local)


def test_choices_at_edges_that_unrolled_loops_decide_cost_nothing() -> None:
    A, B = te.placeholder((16, 256), name="A"), te.placeholder((18, 258), name="A")
    r, q = te.reduce_axis((0, 3), name="r"), te.reduce_axis((0, 3), name="q")

    def padded(i: Any, j: Any) -> Any:
        return te.if_then_else(te.all(i > 0, i <= 16, j > 0, j <= 256), A[i - 1, j - 1], 0.0)

    P = te.compute((18, 258), padded, name="P")
    steps = (
        step("tile", "C", x="i", y="j", x_factor=4, y_factor=8),
        step("reorder", "C", axes=["i.outer", "j.outer", "r", "q", "i.inner", "j.inner"]),
        *[step("unroll", "C", axis=axis) for axis in ("r", "q", "i.inner")],
        step("vectorize", "C", axis="j.inner"),
    )

    def summed(given: Any, read: Any) -> tewb.Session:
        C = te.compute((16, 256), lambda i, j: te.sum(read[i + r, j + q], axis=[r, q]), name="C")
        return tewb.Session(te.create_schedule(C.op), [given, C])

    guarded = seconds(summed(A, P), step("compute_inline", "P"), *steps)
    assert guarded < 1.3 * seconds(summed(B, B), *steps)


def test_calls_take_what_they_take() -> None:
    def taken(f: Any) -> float:
        A = te.placeholder((512,), name="A")
        B = te.compute((512,), lambda i: f(A[i]), name="B")
        vector = (step("split", "B", axis="i", factor=8), step("vectorize", "B", axis="i.inner"))
        return seconds(tewb.Session(te.create_schedule(B.op), [A, B]), *vector)

    order = [
        taken(f) for f in (te.floor, te.exp, te.tanh, lambda x: te.power(x, x), lambda x: te.hypot(x, x))
    ]
    assert order == sorted(order) and taken(te.floor) < 1.3 * taken(lambda x: x + 1.0) < 0.5 * taken(te.exp)
