"""tensorize: loops that an intrinsic does, with the same results, and reasons where it cannot."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import tewb
from tests import intrinsics
from tests.programs import assert_same_result, matmul, schedule_for
from tewb import te
from tewb.base import LowerError, ScheduleError, TewbError
from tewb.ir import parse, script, structural_equal
from tewb.schedule import Schedule, Step

Scheduled = tuple[Schedule, list[Any], list[Any]]


def sums(*shape: Any) -> Scheduled:
    A, B = te.placeholder(shape, name="A"), te.placeholder(shape, name="B")
    C = te.compute(shape, lambda *i: A(*i) + B(*i), name="C")
    return te.create_schedule(C.op), [A, B], [C]


def products(n: int, m: int, k: int) -> Scheduled:
    """C[i, j] = sum of A[i, k] * B[j, k]"""
    A, B = te.placeholder((n, k), name="A"), te.placeholder((m, k), name="B")
    r = te.reduce_axis((0, k), name="k")
    C = te.compute((n, m), lambda i, j: te.sum(A[i, r] * B[j, r], axis=r), name="C")
    return te.create_schedule(C.op), [A, B], [C]


@pytest.mark.parametrize("parts", [2, 4])
def test_a_sum_by_parts(parts: int) -> None:
    s, inputs, outputs = sums(24)
    _, inner = s["C"].split("i0", nparts=parts)
    s["C"].tensorize(inner, intrinsics.add(24 // parts))
    assert_same_result(s, inputs, outputs)


def test_a_whole_stage() -> None:
    s, inputs, outputs = sums(8)
    s["C"].tensorize("i0", intrinsics.add(8))
    assert_same_result(s, inputs, outputs)


def test_rows_of_three_dimensions_and_a_parallel_loop_outside() -> None:
    s, inputs, outputs = sums(3, 5, 16)
    s["C"].parallel("i0")
    s["C"].tensorize("i2", intrinsics.add(16))
    assert_same_result(s, inputs, outputs)


def test_a_column_has_the_stride_of_rows() -> None:
    s, inputs, outputs = sums(8, 6)
    s["C"].reorder("i1", "i0")
    s["C"].tensorize("i0", intrinsics.add(8))
    assert_same_result(s, inputs, outputs)
    assert "strides=(6,)" in str(tewb.lower(s, inputs + outputs))


def test_an_intrinsic_of_any_size_takes_what_is_there() -> None:
    s, inputs, outputs = sums(4, 10)
    s["C"].tensorize("i1", intrinsics.add(te.var("n")))
    assert_same_result(s, inputs, outputs)


def test_a_symbolic_size_outside() -> None:
    n = te.var("n")
    s, inputs, outputs = sums(n, 8)
    s["C"].tensorize("i1", intrinsics.add(8))
    f = tewb.build(s, [*inputs, *outputs])
    a, b = np.random.rand(2, 5, 8).astype("float32")
    c = np.zeros_like(a)
    f(a, b, c)
    np.testing.assert_allclose(c, a + b)


@pytest.mark.parametrize("factor", [20, 5, 4])
@pytest.mark.parametrize("parts", ["body reset update", "body update"])
def test_a_reduction_goes_on_outside(parts: str, factor: int) -> None:
    s, inputs, outputs = products(6, 12, 20)
    jo, ji = s["C"].split("j", factor=4)
    ko, ki = s["C"].split("k", factor=factor)
    s["C"].reorder("i", ko, jo, ji, ki)
    s["C"].tensorize(ji, intrinsics.gemv(4, factor, parts))
    assert_same_result(s, inputs, outputs)


def test_a_guard_outside_stays() -> None:
    s, inputs, outputs = products(7, 8, 5)
    io, ii = s["C"].split("i", factor=3)
    s["C"].tensorize("j", intrinsics.gemv(8, 5, "body"))
    assert_same_result(s, inputs, outputs)


@pytest.mark.parametrize("terms", [16, 4])
def test_a_function_of_c(terms: int) -> None:
    inputs, outputs = matmul(8, 24, 16)
    s = schedule_for(outputs)
    C = s["C"]
    io, jo, ii, ji = C.tile("i", "j", 4, 8)
    ko, ki = C.split("k", factor=terms)
    C.reorder(io, jo, ko, ii, ji, ki)
    C.tensorize(ii, intrinsics.c_gemm(terms))
    assert_same_result(s, inputs, outputs)


def packed_bytes(n: int, m: int, k: int) -> Scheduled:
    A = te.placeholder((n, k), "uint8", "A")
    P = te.placeholder((k // 4, m, 4), "int8", "P")
    r = te.reduce_axis((0, k), name="k")
    C = te.compute(
        (n, m),
        lambda i, j: te.sum(A[i, r].astype("int32") * P[r // 4, j, r % 4].astype("int32"), axis=r),
        name="C",
    )
    return te.create_schedule(C.op), [A, P], [C]


@pytest.mark.parametrize("k", [4, 12])
def test_dot_products_of_bytes(k: int) -> None:
    s, inputs, outputs = packed_bytes(3, 32, k)
    C = s["C"]
    jo, ji = C.split("j", factor=16)
    ko, ki = C.split("k", factor=4)
    C.reorder(jo, "i", ko, ji, ki)
    C.tensorize(ji, intrinsics.dot4())
    assert_same_result(s, inputs, outputs)
    assert "T.dot4" in str(tewb.lower(s, inputs + outputs))


def test_a_packed_function() -> None:
    calls = []

    @tewb.register_func("tests.tensorize.double", override=True)
    def double(x: Any, z: Any) -> None:
        calls.append((x.shape, x.strides))
        np.multiply(x, 2, out=z)

    x = te.placeholder((2, 4), name="x")
    z = te.compute((2, 4), lambda i, j: x[i, j] * 2.0, name="z")
    twice = te.decl_tensor_intrin(
        z.op, lambda ins, outs: te.call_packed("tests.tensorize.double", ins[0], outs[0])
    )
    A = te.placeholder((6, 8), name="A")
    C = te.compute((6, 8), lambda i, j: 2.0 * A[i, j], name="C")
    s = te.create_schedule(C.op)
    s[C].tensorize(s[C].tile(*C.op.axis, 2, 4)[2], twice)
    a, c = np.random.rand(6, 8).astype("float32"), np.zeros((6, 8), "float32")
    tewb.build(s, [A, C])(a, c)
    np.testing.assert_allclose(c, 2 * a)
    assert calls == [((2, 4), (32, 4))] * 6


def test_a_stage_that_is_computed_in_a_loop_and_what_is_inlined_in_it() -> None:
    A = te.placeholder((12, 16), name="A")
    D = te.compute((12, 16), lambda i, j: A[i, j] * 3.0, name="D")
    C = te.compute((12, 16), lambda i, j: A[i, j] + D[i, j], name="C")
    E = te.compute((12, 16), lambda i, j: C[i, j] - 1.0, name="E")
    s = te.create_schedule(E.op)
    s[C].tensorize(C.op.axis[1], intrinsics.add(8))  # it fits once C is computed in tiles
    jo, ji = s[E].split(E.op.axis[1], factor=8)
    s[C].compute_at(s[E], jo)
    assert_same_result(s, [A], [E])
    s[D].compute_inline()
    with pytest.raises(LowerError, match=r"they differ at y\[i\] and A\[.*\] \* "):
        tewb.lower(s, [A, E])


def test_an_intrinsic_for_what_is_inlined() -> None:
    A, B = te.placeholder((4, 10), name="A"), te.placeholder((4, 10), name="B")
    D = te.compute((4, 8), lambda i, j: A[i, j + 2], name="D")
    E = te.compute((4, 8), lambda i, j: B[i, j], name="E")
    C = te.compute((4, 8), lambda i, j: D[i, j] + E[i, j], name="C")
    s = te.create_schedule(C.op)
    s[D].compute_inline()
    s[E].compute_inline()
    s[C].tensorize(C.op.axis[1], intrinsics.add(8))
    assert_same_result(s, [A, B], [C])


def test_the_cache_of_an_output_is_tensorized() -> None:
    s, inputs, outputs = products(8, 8, 8)
    CC = s.cache_write(outputs[0], "local")
    io, jo, ii, ji = s["C"].tile("i", "j", 4, 4)
    s[CC].compute_at(s["C"], jo)
    s[CC].tensorize(CC.op.axis[1], intrinsics.gemv(4, 8))
    assert_same_result(s, inputs, outputs)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("seed", range(32))
def test_random_schedules_around_an_intrinsic(seed: int) -> None:
    rng = random.Random(f"tensorize{seed}")
    tile = [rng.choice([1, 2, 3, 4]) for _ in range(3)]
    sizes = [t * rng.choice([1, 2, 3]) for t in tile]
    inputs, outputs = matmul(sizes[0], sizes[1], sizes[2])
    s = schedule_for(outputs)
    stage, caches = s["C"], []
    if rng.random() < 0.4:
        stage = s[s.cache_write(outputs[0], rng.choice(["local", "global"]))]
        if rng.random() < 0.7:
            i, j = s["C"].op.axis
            by = tile[0] * rng.choice([1, 2])
            if sizes[0] % by == 0:
                stage.compute_at(s["C"], s["C"].split(i, factor=by)[0])
    if rng.random() < 0.5:
        caches = [s[s.cache_read(t, "local", [stage.op.output(0)])] for t in inputs]
    outer, inner = [], []
    for iv, factor in zip((*stage.op.axis, *stage.op.reduce_axis), tile, strict=True):
        o, i = stage.split(iv, factor=factor)
        outer.append(o)
        inner.append(i)
    rng.shuffle(outer)
    first, *others = inner
    rng.shuffle(others)
    stage.reorder(*outer, first, *others)
    stage.tensorize(first, intrinsics.gemm(*tile[:2], tile[2]))
    for cache in caches:
        if rng.random() < 0.6:
            cache.compute_at(stage, rng.choice(outer))
    for loop in outer:
        mark = rng.choice([stage.unroll, stage.parallel, None])
        if (
            mark is not None
            and s.why_not(Step(mark.__name__, stage.name, {"axis": stage.axis_name(loop)})) is None
        ):
            mark(loop)
    assert_same_result(s, inputs, outputs)


# ---------------------------------------------------------------- what is refused


def refused(s: Schedule, args: list[Any]) -> str:
    with pytest.raises(LowerError) as e:
        tewb.lower(s, args)
    assert e.value.hint and e.value.loops and e.value.span
    return e.value.message


def test_it_takes_a_loop_of_the_stage_and_an_intrinsic() -> None:
    s, _, _ = sums(8)
    add = intrinsics.add(8)
    with pytest.raises(ScheduleError, match="it has no axis k"):
        s["C"].tensorize("k", add)
    with pytest.raises(ScheduleError, match="this i is a loop of no stage here"):
        s["C"].tensorize(add.op.axis[0], add)
    with pytest.raises(ScheduleError, match="'nothing' is no tensor intrinsic"):
        s["C"].tensorize("i0", "nothing")
    s["C"].tensorize("i0", add)
    with pytest.raises(ScheduleError, match=f"loop i0 is tensorized already, by {add.name}"):
        s["C"].tensorize("i0", add)
    with pytest.raises(ScheduleError, match=f"loop i0 is tensorized by {add.name}"):
        s["C"].split("i0", 4)


def test_another_computation_is_refused_with_both_and_the_first_difference() -> None:
    s, inputs, outputs = products(4, 4, 4)
    s["C"].tensorize("j", intrinsics.add(4))
    assert "has the reduce axes (none), and what is computed there (k: 4)" in refused(s, inputs + outputs)
    A, B = inputs
    C = te.compute((4, 4), lambda i, j: A[i, j] - B[i, j], name="C")
    s = te.create_schedule(C.op)
    s[C].tensorize(C.op.axis[1], intrinsics.add(4))
    said = refused(s, [A, B, C])
    assert "computes x[i] + y[i], and C computes A[i, j] - B[i, j]: they differ at" in said


def test_other_sizes_dtypes_and_numbers_of_tensors_are_refused() -> None:
    s, inputs, outputs = sums(4, 8)
    s["C"].tensorize("i1", intrinsics.add(4))
    assert "has the axes (i: 4), and what is computed there (i0: 1, i1: 8)" in refused(s, inputs + outputs)
    s, inputs, outputs = sums(8)
    s["C"].tensorize("i0", intrinsics.add(8, "float64"))
    assert "x[i] of float64 and A[i] of float32" in refused(s, inputs + outputs)
    A, B, D = (te.placeholder((8,), name=n) for n in "ABD")
    C = te.compute((8,), lambda i: A[i] + B[i] + D[i], name="C")
    s = te.create_schedule(C.op)
    s[C].tensorize(C.op.axis[0], intrinsics.add(8))
    with pytest.raises(LowerError, match="reads 2 tensors, and C reads 3"):
        tewb.lower(s, [A, B, D, C])


def test_a_reduction_outside_needs_an_update() -> None:
    s, inputs, outputs = products(4, 4, 8)
    ko, ki = s["C"].split("k", factor=4)
    s["C"].reorder("i", ko, "j", ki)
    s["C"].tensorize("j", intrinsics.gemv(4, 4, "body"))
    said = refused(s, inputs + outputs)
    assert "the reduction goes on in k.outer, outside of j, and gemv" in said and "has no update" in said


def test_tails_are_refused() -> None:
    s, inputs, outputs = sums(10)
    s["C"].tensorize(s["C"].split("i0", factor=4)[1], intrinsics.add(4))
    assert "the last iterations would pass the end of i0" in refused(s, inputs + outputs)
    with pytest.raises(
        LowerError, match="whole ones only, 4 at a time(.*\n)+  hint: .*tail=.loops.*multiple of 4.*2, 5"
    ):
        tewb.lower(s, inputs + outputs)
    s, inputs, outputs = sums(te.var("n"))
    s["C"].tensorize(s["C"].split("i0", factor=4)[1], intrinsics.add(4))
    assert "the last iterations would pass the end of i0" in refused(s, inputs + outputs)


@pytest.mark.parametrize("of", ["P", "B"])
def test_the_last_part_of_a_symbolic_size_is_moved_inwards(of: str) -> None:
    """Of an output and of what is read by another stage: both are as long as a part, or the call is refused."""
    small = te.placeholder((8,), name="a")
    doubled = te.compute((8,), lambda i: small[i] * 2.0, name="c")
    buffers = {t: te.decl_buffer((8,), name=t.name, offset_factor=1, strides=[1]) for t in (small, doubled)}
    scaled = te.decl_tensor_intrin(
        doubled.op, lambda i, o: te.call_packed("tests.doubled", i[0], o[0]), binds=buffers
    )
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    P = te.compute((n,), lambda i: A[i] * 2.0, name="P")
    B = te.compute((n,), lambda i: P[i] * 2.0, name="B")
    s = te.create_schedule(B.op)
    s[of].tensorize(s[of].split("i", 8, tail="shift")[1], scaled)
    tewb.register_func("tests.doubled", lambda i, o: o.copyfrom(i.numpy() * 2), override=True)
    kernel = tewb.build(s, [A, B])
    for length in (8, 13, 16):
        a, b = np.random.rand(length).astype("float32"), np.zeros(length, "float32")
        kernel(a, b)
        np.testing.assert_array_equal(b, a * 4)
    with pytest.raises(TewbError, match="has fewer iterations than 8"):
        kernel(np.zeros(5, "float32"), np.zeros(5, "float32"))


def test_loops_with_others_between_them_are_refused() -> None:
    s, inputs, outputs = sums(8)
    outer, inner = s["C"].split("i0", factor=4)
    s["C"].reorder(inner, outer)
    s["C"].tensorize(outer, intrinsics.add(2))
    assert "do not run over neighbours only" in refused(s, inputs + outputs)


@pytest.mark.parametrize("first", [True, False])
def test_loops_inside_are_not_marked(first: bool) -> None:
    s, inputs, outputs = products(4, 4, 8)
    gemv = intrinsics.gemv(4, 8)
    steps = [lambda: s["C"].unroll("k"), lambda: s["C"].tensorize("j", gemv)]
    with pytest.raises(TewbError, match="loop k is marked unroll, and the intrinsic does it in its own way"):
        for step in steps if first else reversed(steps):
            step()
        tewb.lower(s, inputs + outputs)


@pytest.mark.parametrize("first", [True, False])
def test_loops_outside_are_not_lanes(first: bool) -> None:
    s, inputs, outputs = sums(4, 8)
    steps = [lambda: s["C"].vectorize("i0"), lambda: s["C"].tensorize("i1", intrinsics.add(8))]
    with pytest.raises(
        TewbError, match="loop i0 is marked vectorize, and the code of an intrinsic cannot become lanes"
    ):
        for step in steps if first else reversed(steps):
            step()
        tewb.lower(s, inputs + outputs)


@pytest.mark.parametrize("word", ["double_buffer", "rolling_buffer"])
@pytest.mark.parametrize("of", ["D", "C"])
def test_memory_stays_where_it_is(of: str, word: str) -> None:
    """Neither what an intrinsic reads nor what it writes changes its place with the iterations."""
    A = te.placeholder((6, 8), name="A")
    D = te.compute((6, 8), lambda i, j: A[i, j] * 2.0, name="D")
    C = te.compute((6, 8), lambda i, j: A[i, j] + D[i, j], name="C")
    E = te.compute((6, 8), lambda i, j: C[i, j] - D[i, j], name="E")
    s = te.create_schedule(E.op)
    s[C].compute_at(s[E], E.op.axis[0])
    if of == "D":
        s[D].compute_at(s[E], E.op.axis[0])
    s[C].tensorize(C.op.axis[1], intrinsics.add(8))
    getattr(s[of], word)()
    with pytest.raises(
        TewbError, match=rf"{of} is (marked {word}|a rolling|double buff).*(\n.*)+  hint: leave out {word}"
    ):
        tewb.lower(s, [A, E])


@pytest.mark.parametrize("first", [True, False])
def test_elements_are_not_stored_in_another_way(first: bool) -> None:
    s, inputs, outputs = sums(4, 8)
    steps = [lambda: s["C"].nontemporal(), lambda: s["C"].tensorize("i1", intrinsics.add(8))]
    with pytest.raises(
        TewbError, match="C is marked nontemporal, which the code of an intrinsic does not know of"
    ):
        for step in steps if first else reversed(steps):
            step()
        tewb.lower(s, inputs + outputs)
    if first:
        return
    s, inputs, outputs = sums(4, 8)
    s["C"].tensorize("i1", intrinsics.add(8))
    s["C"].nontemporal()
    with pytest.raises(LowerError, match="hint: leave out nontemporal"):
        tewb.lower(s, inputs + outputs)


def test_without_a_reset_there_must_be_a_first_iteration() -> None:
    s, inputs, outputs = products(4, 4, te.var("n"))
    ko, ki = s["C"].split("k", factor=1)
    s["C"].reorder("i", ko, "j", ki)
    s["C"].tensorize("j", intrinsics.gemv(4, 1, "body update"))
    assert "k.outer may have no iteration, and gemv" in refused(s, inputs + outputs)
    s, inputs, outputs = products(4, 4, te.var("n"))
    s["C"].reorder("i", "k", "j")
    s["C"].tensorize("j", intrinsics.gemv(4, 1))
    f = tewb.build(s, inputs + outputs)
    for n in (0, 3):
        a, b = np.random.rand(2, 4, n).astype("float32")
        c = np.full((4, 4), 7, "float32")
        f(a, b, c)
        np.testing.assert_allclose(c, a @ b.T, rtol=1e-5)


def test_nothing_is_computed_inside() -> None:
    s, inputs, outputs = products(4, 4, 8)
    AA = s.cache_read(inputs[0], "local", [outputs[0]])
    s[AA].compute_at(s["C"], "k")
    with pytest.raises(ScheduleError, match=r"A.local is computed at loop k, which the intrinsic does"):
        s["C"].tensorize("j", intrinsics.gemv(4, 8))


def test_memory_that_is_not_dense_needs_declared_strides() -> None:
    x = te.placeholder((4,), "float32", "x")
    z = te.compute((4,), lambda i: x[i] * 2.0, name="z")
    dense = te.decl_buffer((4,), "float32", "dense")
    twice = te.decl_tensor_intrin(z.op, lambda ins, outs: te.call_packed("f", *ins, *outs), binds={x: dense})
    A = te.placeholder((4, 3), name="A")
    C = te.compute((3, 4), lambda i, j: A[j, i] * 2.0, name="C")
    s = te.create_schedule(C.op)
    s[C].tensorize(C.op.axis[1], twice)
    said = refused(s, [A, C])
    assert "buffer dense of" in said and "its part of A has the strides (3)" in said


def test_reads_that_are_checked_one_by_one_are_refused() -> None:
    A, at = te.placeholder((8,), name="A"), te.placeholder((4, 4), "int32", "at")
    x = te.placeholder((4,), name="x")
    z = te.compute((4,), lambda i: x[i] * 2.0, name="z")
    twice = te.decl_tensor_intrin(z.op, lambda ins, outs: te.call_packed("f", *ins, *outs))
    C = te.compute((4, 4), lambda i, j: A[at[i, j]] * 2.0, name="C")
    s = te.create_schedule(C.op)
    s[C].tensorize(C.op.axis[1], twice)
    assert "C reads outside of A in dimension 0: at[i, j] unless it is checked" in refused(s, [A, at, C])


@pytest.mark.parametrize("n", [0, 2])
def test_threads_without_an_iteration_call_no_intrinsic(n: int) -> None:
    s, inputs, outputs = sums(n, 4)
    _, inner = s["C"].split("i0", factor=3)
    s["C"].bind(inner, te.thread_axis((0, 3), "threadIdx.x"))
    s["C"].tensorize("i1", intrinsics.add(4))
    f = tewb.build(s, [*inputs, *outputs])
    a, around = np.ones((n, 4), "float32"), np.zeros((n + 5, 4), "float32")
    f(a, a, around[:n])
    assert around.sum() == 8 * n and not around[n:].any()


@pytest.mark.parametrize("n", [10, 3, 8, te.var("n")])
def test_loops_do_the_tail(n: Any) -> None:
    s, inputs, outputs = sums(n)
    s["C"].tensorize(s["C"].split("i0", factor=3)[1], intrinsics.add(3), tail="loops")
    kernel = tewb.build(s, inputs + outputs)
    for m in (n,) if isinstance(n, int) else (0, 1, 3, 5, 12):
        a, b, c = (np.random.rand(m).astype("float32") for _ in range(3))
        kernel(a, b, c)
        np.testing.assert_allclose(c, a + b)


def test_the_code_of_whole_parts_has_no_test_for_the_tail() -> None:
    s, inputs, outputs = sums(10)
    s["C"].tensorize(s["C"].split("i0", factor=4)[1], intrinsics.add(4), tail="loops")
    text = str(tewb.lower(s, inputs + outputs))
    assert "for i0.outer in range(2):" in text and "for i0.inner in range(2):" in text and "if " not in text


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (0, 2, 1), (2, 1, 0)])
@pytest.mark.parametrize("parts", ["body reset update", "body update"])
def test_loops_do_the_tails_of_elements_and_of_terms(order: tuple[int, ...], parts: str) -> None:
    s, inputs, outputs = products(5, 10, 11)
    stage = s["C"]
    pairs = [stage.split(axis, factor=f) for axis, f in (("i", 1), ("j", 4), ("k", 3))]
    stage.reorder(*[pairs[at][0] for at in order], *[inner for _, inner in pairs])
    stage.tensorize(pairs[1][1], intrinsics.gemv(4, 3, parts), tail="loops")
    assert_same_result(s, inputs, outputs)


def test_loops_do_the_tail_of_fused_and_parallel_tiles_and_of_a_whole_reduction() -> None:
    s, inputs, outputs = products(5, 10, 6)
    jo, ji = s["C"].split("j", factor=4)
    s["C"].parallel(s["C"].fuse("i", jo))
    s["C"].tensorize(ji, intrinsics.gemv(4, 6, "body"), tail="loops")
    assert_same_result(s, inputs, outputs)


@pytest.mark.parametrize("parts", ["body", "body reset update"])
def test_loops_of_a_tail_begin_a_reduction_of_which_one_iteration_is_outside(parts: str) -> None:
    s, inputs, outputs = products(5, 10, 6)
    jo, ji = s["C"].split("j", factor=4)
    ko, ki = s["C"].split("k", factor=6)
    s["C"].reorder(ko, "i", jo, ji, ki)
    s["C"].tensorize(ji, intrinsics.gemv(4, 6, parts), tail="loops")
    assert_same_result(s, inputs, outputs)


def test_a_tail_is_in_the_journal_and_in_the_code() -> None:
    s, inputs, outputs = sums(10)
    add = intrinsics.add(4)
    s["C"].tensorize(s["C"].split("i0", factor=4)[1], add, tail="loops")
    assert s["C"].loops() == f"i0.outer(3), i0.inner(4, tensorize {add.name}, tail in loops)"
    session = tewb.Session(s, inputs + outputs)
    assert session.schedule_code.rstrip().endswith(f's[C].tensorize(i0_inner, "{add.name}", tail="loops")')
    text = session.to_string()
    session.undo()
    session.load(text)
    assert session.to_string() == text and "tail in loops" in session.schedule["C"].loops()
    with pytest.raises(ScheduleError, match=r"there is no tail 'pad'(.*\n)+  hint: tail=.loops. leaves"):
        te.create_schedule(outputs[0].op)["C"].tensorize("i0", add, tail="pad")


def test_where_a_part_begins_may_be_read_from_a_tensor() -> None:
    A, at = te.placeholder((6, 4), name="A"), te.placeholder((3,), "int32", "at")
    first = te.compute((3,), lambda i: at[i] % 3, name="first")
    C = te.compute((3, 4), lambda i, j: A[te.max(te.min(first[i], 5), 0), j] + A[i, j], name="C")
    for outer in (False, True):
        s = te.create_schedule(C.op)
        s[C].tensorize(C.op.axis[1], intrinsics.add(4))
        if outer:
            s[first].compute_at(s[C], C.op.axis[0])
        a, places = np.random.rand(6, 4).astype("float32"), np.array([5, 1, 4], "int32")
        c = np.zeros((3, 4), "float32")
        tewb.build(s, [A, at, C])(a, places, c)
        np.testing.assert_allclose(c, a[places % 3] + a[:3])
        module = tewb.lower(s, [A, at, C])
        assert structural_equal(parse(script(module)), module)


# ---------------------------------------------------------------- the workbench


def test_it_is_in_the_palette_the_code_the_journal_and_comes_back() -> None:
    s, inputs, outputs = sums(8)
    add = intrinsics.add(8)
    session = tewb.Session(s, [*inputs, *outputs])
    action = next(a for a in session.palette("C", "i0") if a.step.args.get("intrin") == add.name)
    session.apply(action.step)
    assert session.schedule_code.splitlines()[-1] == f's[C].tensorize(i0, "{add.name}")'
    text, code, steps = session.to_string(), session.schedule_code, session.to_json()
    session.undo()
    assert s.journal == ()
    for again in (text, code):
        session.load(again)
        assert session.to_string() == text
        session.undo()
    assert add.name in str(steps)
    assert_same_result(s.copy(), inputs, outputs)
