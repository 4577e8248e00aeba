"""Every primitive keeps the result, and every misuse is refused in the user's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import assert_same_result, chain, lower_all, matmul, rows, schedule_for
from tewb import te
from tewb.base import BoundError, CodegenError, LowerError, ScheduleError
from tewb.ir import For, walk
from tewb.schedule import PRIMITIVES, Step


def test_tile_fuse_reorder_and_annotations_compute_the_same() -> None:
    inputs, outputs = matmul(19, 21, 7)
    s = schedule_for(outputs)
    xo, yo, xi, yi = s["C"].tile("i", "j", 4, 8)
    s["C"].reorder(xo, yo, "k", xi, yi)
    s["C"].vectorize(yi)
    s["C"].unroll(xi)
    s["C"].parallel(s["C"].fuse(xo, yo))
    assert_same_result(s, inputs, outputs)


def test_symbolic_sizes_run_with_any_size() -> None:
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((n, m), name="A")
    B = te.compute((n, m), lambda i, j: A[i, j] + 1.0, name="B")
    C = te.compute((m, n), lambda i, j: B[j, i] * 2.0, name="C")
    s = te.create_schedule(C.op)
    jo, ji = s[C].split("j", factor=8)
    s[C].vectorize(ji)
    s[B].compute_at(s[C], jo)
    s[C].parallel("i")
    kernel = tewb.build(s, [A, C])
    for shape in [(8, 3), (13, 5), (1, 1), (17, 2), (0, 4)]:
        a, c = np.random.rand(*shape).astype("float32"), np.zeros(shape[::-1], "float32")
        kernel(a, c)
        np.testing.assert_allclose(c, (a.T + 1) * 2, rtol=1e-6)


def test_names_are_those_the_user_saw() -> None:
    inputs, outputs = matmul(64, 64, 64)
    s = schedule_for(outputs)
    s["C"].tile("i", "j", 8, 8)
    s["C"].fuse("i.outer", "j.outer")
    names = {n.var.name for n in walk(tewb.lower(s, inputs + outputs)["main"].body) if isinstance(n, For)}
    assert {"i.outer.j.outer.fused", "i.inner", "j.inner", "k"} <= names


# ---------------------------------------------------------------- journal


def test_every_primitive_is_documented_with_loops() -> None:
    for p in PRIMITIVES.values():
        assert len(p.doc.strip().splitlines()) >= 1, p.name
        assert all(param.doc for param in p.params)


# ---------------------------------------------------------------- refusals


def mm() -> Any:
    return schedule_for(matmul(32, 32, 32)[1])


def split_twice(s: Any) -> None:
    s["C"].split("i", factor=4)
    s["C"].split("i", factor=4)


def vectorized_symbol(_: Any) -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i], name="B")
    te.create_schedule(B.op)[B].vectorize("i")


def attach(s: Any, producer: str, consumer: str, axis: str) -> None:
    s[producer].compute_at(s[consumer], axis)


def attached_and_split(_: Any) -> Any:
    s = schedule_for(chain()[1])
    attach(s, "B", "C", "i")
    return s


def outside_reader(_: Any) -> Any:
    s = schedule_for(chain()[1])
    attach(s, "C", "D", "i")
    attach(s, "B", "C", "i")
    return s


def vectorize_around(_: Any) -> Any:
    s = schedule_for(chain()[1])
    attach(s, "C", "D", "i")
    s["D"].vectorize("i")
    return s


def inline_reduction(_: Any) -> Any:
    s = schedule_for(rows()[1])
    s["S"].compute_inline()
    return s


def cache_after_split(s: Any) -> None:
    s["C"].split("k", factor=4)
    s.cache_write(s.outputs[0].output(0), "local")


def two_vectors(s: Any) -> None:
    s["C"].vectorize("j")
    s["C"].vectorize("i")


@pytest.mark.parametrize(
    ("misuse", "said"),
    [
        (split_twice, r"split on stage C: axis i was already split into i.outer and i.inner\n  loops now: i.outer\(8\), "
         r"i.inner\(4\), j\(32\), k\(32\)\n  hint: use i.outer or i.inner instead\n  at .*test_primitives.py, line \d+"),
        (lambda s: s["C"].parallel("k"), "k is a reduce axis.*would race"),
        
        (lambda s: s["C"].split("i"), "give either factor or nparts"),
        (lambda s: s["C"].split("i", factor=2, nparts=2), "give either factor or nparts"),
        (lambda s: s["C"].split("i", factor=0), "factor=0 must be at least 1"),
        (lambda s: s["C"].split("i", factor=2.5), "2.5 is not a whole number"),
        (lambda s: s["C"].split("x", factor=2), "it has no axis x"),
        (lambda s: s["C"].fuse("i", "k"), "k is not the loop right inside i"),
        (lambda s: s["C"].reorder("i", "i"), "an axis is named twice"),
        (lambda s: s["C"].tile("i", "i", 2, 2), "both axes are i"),
        (two_vectors, "loop j is vectorized already"),
        (vectorized_symbol, "the extent of i is not a constant"),
        (lambda s: s["A"].split("i", factor=2), "it has no axis i"),
        (lambda s: s["C"].compute_at(s["A"], "i"), "in stage A, it has no axis i"),
        (lambda s: s["C"].compute_at(s["C"], "i"), "C is an output"),
        (lambda s: s["A"].compute_at(s["C"], "i"), "A is an input"),
        (lambda s: s["C"].compute_inline(), "C is an output"),
        (attached_and_split, "D also reads B, and is computed outside of loop i of C"),
        (outside_reader, "D also reads B"),
        (vectorize_around, "C is computed inside of loop i"),
        (inline_reduction, "a reduction needs loops"),
        (cache_after_split, "its loops are scheduled already"),
        (lambda s: s.cache_read(s["A"].op.output(0), "local", [s["B"]]), "B does not read A"),
        (lambda s: s.cache_read(s["A"].op.output(0), "cloud", [s["C"]]), "'cloud' is not a memory scope"),
        (lambda s: s["nothing"], "nothing is not a stage"),
        (lambda s: te.create_schedule(3), "create_schedule takes C.op or C"),
    ],
)  # fmt: skip
def test_misuse_is_refused_and_changes_nothing(misuse: Callable[[Any], Any], said: str) -> None:
    s = mm()
    with pytest.raises(ScheduleError, match=f"(?s){said}"):
        lower_all(misuse(s) or s)
    assert [st.primitive for st in s.journal] in ([], ["split"], ["vectorize"], ["vectorize"] * 2)


def test_why_not_agrees_with_the_error() -> None:
    s = mm()
    step = Step("parallel", "C", {"axis": "k"})
    assert "reduce axis" in (s.why_not(step) or "")
    assert s.why_not(Step("parallel", "C", {"axis": "i"})) is None
    assert "not a primitive" in (s.why_not(Step("teleport", "C")) or "")


# ---------------------------------------------------------------- programs that cannot be


def test_reading_outside_is_refused_where_it_is_written() -> None:
    A = te.placeholder((8,), name="A")
    with pytest.raises(BoundError, match=r"(?s)compute B reads outside of A: in dimension 0, i \+ 1 runs from 1 to 8.*"
                                         r"test_primitives.py"):  # fmt: skip
        te.compute((8,), lambda i: A[i + 1], name="B")
    with pytest.raises(BoundError, match="runs from -1 to 6"):
        te.create_schedule(te.compute((8,), lambda i: te.select(i > 0, 1.0, 0.0) * A[i - 1], name="B").op)
    with pytest.raises(BoundError, match="runs from -1 to 3"):
        te.compute((5,), lambda i: te.select(i > 0, 1.0, 0.0) * A[i - 1], name="B")
    te.compute((8,), lambda i: te.select(i > 0, A[i - 1], 0.0), name="B")
    te.compute((8,), lambda i: te.if_then_else(i > 0, A[i - 1], 0.0), name="B")


def test_a_data_dependent_read_is_checked_when_it_runs() -> None:
    A, at = te.placeholder((8,), name="A"), te.placeholder((4,), name="at", dtype="int32")
    B = te.compute((4,), lambda i: A[at[i]], name="B")
    kernel = tewb.build(te.create_schedule(B.op), [A, at, B])
    a, b = np.arange(8, dtype="float32"), np.zeros(4, "float32")
    kernel(a, np.array([7, 0, 5, 1], "int32"), b)
    np.testing.assert_array_equal(b, [7, 0, 5, 1])
    with pytest.raises(BoundError, match=r"B reads outside of A in dimension 0: at\[i\]"):
        kernel(a, np.array([7, -1, 5, 1], "int32"), b)


def test_lowering_names_what_is_missing() -> None:
    (A, B), (C,) = matmul()
    s = te.create_schedule(C.op)
    with pytest.raises(LowerError, match="B is an input and is not among the arguments"):
        tewb.lower(s, [A, C])
    with pytest.raises(LowerError, match="C is an output and is not among the arguments"):
        tewb.build(s, [A, B])
    with pytest.raises(LowerError, match="A is given twice"):
        tewb.lower(s, [A, A, B, C])
    with pytest.raises(LowerError, match="needs the arguments"):
        tewb.lower(s)
    with pytest.raises(LowerError, match="takes a schedule"):
        tewb.lower(C, [A, B, C])
    with pytest.raises(CodegenError, match="tewb builds for the CPU"):
        tewb.build(s, [A, B, C], target="cuda")


def test_unknown_scalar_is_named() -> None:
    A, alpha = te.placeholder((8,), name="A"), te.var("alpha", "float32")
    B = te.compute((8,), lambda i: A[i] * alpha, name="B")
    s = te.create_schedule(B.op)
    with pytest.raises(LowerError, match="the value of alpha is not known"):
        tewb.build(s, [A, B])
    b = np.zeros(8, "float32")
    tewb.build(s, [A, B, alpha])(np.ones(8, "float32"), b, 2.5)
    np.testing.assert_array_equal(b, np.full(8, 2.5, "float32"))


@pytest.mark.parametrize(("n", "m", "k"), [(512, 512, 512), (1024, 1024, 1024), (1000, 777, 513)])
def test_register_tiled_matmul_at_real_sizes(n: int, m: int, k: int) -> None:
    from tests.bench.matmul import scheduled

    s, args = scheduled(n, m, k)
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((n, k), dtype=np.float32), rng.standard_normal((k, m), dtype=np.float32)
    c = np.zeros((n, m), np.float32)
    tewb.build(s, args)(a, b, c)
    want = a.astype("float64") @ b.astype("float64")
    np.testing.assert_allclose(c, want, rtol=1e-4, atol=2e-4)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda stage: stage.split(None, factor=2), "axis"),
        (lambda stage: stage.tile(None, None, 2, 2), "x"),
        (lambda stage: stage.tile("i", "j", None, 2), "x_factor"),
        (lambda stage: stage.vectorize(None), "axis"),
    ],
)
def test_what_is_left_out_is_named(call: Any, name: str) -> None:
    A = te.placeholder((8, 8), name="A")
    B = te.compute((8, 8), lambda i, j: A[i, j] + 1, name="B")
    s = te.create_schedule(B.op)
    with pytest.raises(
        ScheduleError, match=rf"on stage B: {name} is missing(.|\n)*loops now: i\(8\), j\(8\)"
    ):
        call(s[B])


# ---------------------------------------------------------------- loops count by identity


def two_stages() -> tuple[Any, Any, Any]:
    """A schedule of C = 2 A and D = rows of C summed up after a shift, whose loops have the same names."""
    A = te.placeholder((8, 8), name="A")
    C = te.compute((8, 8), lambda i, j: A[i, j] * 2, name="C")
    D = te.compute((8, 8), lambda i, j: C[i, j] + C[7 - i, j], name="D")
    return te.create_schedule(D.op), C, D


@pytest.mark.parametrize(
    ("misuse", "said"),
    [
        (lambda s, C, D: s[D].vectorize(C.op.axis[1]), "this j is a loop of C, not of D.*D has a loop j of its own"),
        (lambda s, C, D: s[D].split(C.op.axis[0], factor=2), "this i is a loop of C, not of D"),
        (lambda s, C, D: s[D].tile(D.op.axis[0], C.op.axis[1], 2, 2), "this j is a loop of C, not of D"),
        (lambda s, C, D: s[D].fuse(C.op.axis[0], D.op.axis[1]), "this i is a loop of C, not of D"),
        (lambda s, C, D: s[D].reorder(C.op.axis[1], C.op.axis[0]), "this j is a loop of C, not of D"),
        (lambda s, C, D: s[D].unroll(C.op.axis[1]), "this j is a loop of C, not of D"),
        (lambda s, C, D: s[D].parallel(C.op.axis[0]), "this i is a loop of C, not of D"),
        (lambda s, C, D: s[D].transpose(C.op.axis[0], C.op.axis[1]), "this i is a loop of C, not of D"),
        (lambda s, C, D: s[D].pragma(C.op.axis[0], "unroll_explicit", 0), "this i is a loop of C, not of D"),
        (lambda s, C, D: s[D].prefetch(C, C.op.axis[0], 1), "this i is a loop of C, not of D"),
        (lambda s, C, D: s[D].dot(C.op.axis[1]), "this j is a loop of C, not of D"),
        (lambda s, C, D: s[C].storage_align(D.op.axis[0], 8), "this i is a loop of D, not of C"),
        (lambda s, C, D: s[C].compute_at(s[D], C.op.axis[0]), "in stage D, this i is a loop of C, not of D"),
        (lambda s, C, D: s[D].vectorize(te.reduce_axis((0, 8), "j")), "this j is a loop of no stage here"),
        (lambda s, C, D: s[D].vectorize(s[C].split("j", factor=4)[1]), "this j.inner is a loop of C, not of D"),
    ],
)  # fmt: skip
def test_a_loop_of_another_stage_is_not_taken_by_its_name(misuse: Callable[..., Any], said: str) -> None:
    s, C, D = two_stages()
    with pytest.raises(ScheduleError, match=f"(?s){said}"):
        misuse(s, C, D)
    assert s[D].loops() == "i(8), j(8)" and not s[D].annotations


def test_a_loop_of_another_schedule_is_not_taken_by_its_name() -> None:
    s, _, D = two_stages()
    other = te.create_schedule(D.op)
    _, inner = other[D].split(D.op.axis[1], factor=4)
    s[D].split(D.op.axis[1], factor=4)  # axes belong to the operation, which both schedules have
    with pytest.raises(
        ScheduleError, match=r"this j.inner is a loop of no stage here: was it made by another"
    ):
        s[D].vectorize(inner)
    other = te.create_schedule(D.op)
    cache = other[other.cache_write(D, "local")]
    with pytest.raises(ScheduleError, match=r"D\.local is not a stage"):
        s["C"].compute_at(cache, cache.leaf_iter_vars[0])


def test_a_reduce_loop_of_another_stage_is_not_factored() -> None:
    A = te.placeholder((8, 8), name="A")
    k, r = te.reduce_axis((0, 8), "k"), te.reduce_axis((0, 8), "k")
    C = te.compute((8,), lambda i: te.sum(A[i, k], axis=k), name="C")
    D = te.compute((8,), lambda i: te.sum(A[i, r] * C[i], axis=r), name="D")
    s = te.create_schedule(D.op)
    with pytest.raises(ScheduleError, match="rfactor on stage D: this k is a loop of C, not of D"):
        s.rfactor(D, k)
    outer, _ = s[D].split(r, factor=2)
    s.rfactor(D, outer)
    with pytest.raises(ScheduleError, match="split on stage D: it has no loop k.outer any more"):
        s[D].split(outer, factor=2)


def test_a_copy_of_a_schedule_knows_the_loops_of_the_first() -> None:
    s, C, D = two_stages()
    outer, inner = s[D].split(D.op.axis[1], factor=4)
    made = s.copy()
    made[D].vectorize(inner)
    made[C].compute_at(s[D], outer)
    assert made[D].loops() == "i(8), j.outer(2), j.inner(4, vectorize)"
    assert s[D].loops() == "i(8), j.outer(2), j.inner(4)"


def test_a_handle_from_before_an_undo_is_one_of_its_own_stage_alone() -> None:
    s, C, D = two_stages()
    inner = {t: s[t].split(t.op.axis[1], factor=4)[1] for t in (C, D)}
    s.restore(s.journal)
    with pytest.raises(ScheduleError, match=r"this j.inner is a loop of C, not of D"):
        s[D].vectorize(inner[C])
    for t in (C, D):
        s[t].vectorize(inner[t])
    assert s[D].loops() == s[C].loops() == "i(8), j.outer(2), j.inner(4, vectorize)"
    s.restore(s.journal[:1])
    with pytest.raises(ScheduleError, match=r"vectorize on stage D: it has no loop j.inner any more"):
        s[D].vectorize(inner[D])


def test_an_axis_that_two_stages_reduce_over_is_one_of_both() -> None:
    A = te.placeholder((8, 12), name="A")
    k = te.reduce_axis((0, 12), "k")
    C = te.compute((8,), lambda i: te.sum(A[i, k], axis=k), name="C")
    D = te.compute((8,), lambda i: te.sum(A[i, k] * C[i], axis=k), name="D")
    s = te.create_schedule(D.op)
    s[C].split(k, factor=3)
    s[D].split(k, factor=4)
    s.restore(s.journal)
    assert s[C].loops() == "i(8), k.outer(4), k.inner(3)" and s[D].loops() == "i(8), k.outer(3), k.inner(4)"
