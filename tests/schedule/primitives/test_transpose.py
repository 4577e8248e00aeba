"""Why a tile is not transposed: every refusal says what is in the way, and what to do instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tewb
from tests.programs import lower_all, matmul, schedule_for
from tewb import te
from tewb.base import ScheduleError
from tewb.schedule import Schedule


def program(n: int = 64, m: int = 48, dtype: str = "float32") -> Schedule:
    A, D = te.placeholder((n, m), name="A", dtype=dtype), te.placeholder((m, n), name="D", dtype=dtype)
    B = te.compute((m, n), lambda i, j: A[j, i] + D[i, j], name="B")
    return te.create_schedule(B.op)


def tiled(x: int = 8, y: int = 8, **sizes: Any) -> Schedule:
    s = program(**sizes)
    s["B"].tile("i", "j", x, y)
    return s


def tile(s: Schedule, rows: str = "i.inner", lanes: str = "j.inner") -> None:
    s["B"].transpose(rows, lanes)


def elementwise(transpose: bool = False) -> Schedule:
    A = te.placeholder((16, 16), name="A")
    B = te.compute((16, 16), lambda i, j: A[i, j] * 2.0, name="B")
    s = te.create_schedule(B.op)
    if transpose:
        s["B"].reorder("j", "i")
    return s


def nowhere() -> Schedule:
    A = te.placeholder((16, 16, 3), name="A")
    B = te.compute((16, 16, 3), lambda i, j, k: A[j, i, k] * 2.0, name="B")
    s = te.create_schedule(B.op)
    s["B"].reorder("k", "i", "j")
    return s


def summed(after: bool) -> Schedule:
    A, k = te.placeholder((8, 8, 8), name="A"), te.reduce_axis((0, 8), name="k")
    B = te.compute((8, 8), lambda i, j: te.sum(A[k, j, i], axis=k), name="B")
    s = te.create_schedule(B.op)
    if after:
        s["B"].reorder("i", "j", "k")
    else:
        s["B"].reorder("k", "i", "j")
    return s


def symbolic() -> Schedule:
    n = te.var("n")
    A = te.placeholder((n, n), name="A")
    return te.create_schedule(te.compute((n, n), lambda i, j: A[j, i], name="B").op)


def with_inner_stage() -> Schedule:
    A = te.placeholder((8, 8), name="A")
    T = te.compute((8, 8), lambda i, j: A[i, j] + 1.0, name="T")
    B = te.compute((8, 8), lambda i, j: T[j, i], name="B")
    s = te.create_schedule(B.op)
    s["T"].compute_at(s["B"], "j")
    return s


def already(primitive: str, loop: str) -> Schedule:
    s = tiled()
    getattr(s["B"], primitive)(loop)
    return s


@pytest.mark.parametrize(
    ("make", "rows", "lanes", "said"),
    [
        (tiled, "i.inner", "i.inner", "both loops are i.inner.*two different loops"),
        (tiled, "i", "j.inner", "axis i was already split into i.outer and i.inner"),
        (tiled, "j.inner", "i.inner", r"not the two innermost loops.*reorder\(i.outer, j.outer, j.inner, i.inner\)"),
        (tiled, "i.outer", "j.inner", r"not the two innermost.*reorder\(j.outer, i.inner, i.outer, j.inner\)"),
        (program, "i", "j", "i has 48 iterations, and A.j, i. of float32 fills a register of 64 bytes with 16.*split i by 16"),
        (lambda: tiled(8, 16, dtype="float64"), "i.inner", "j.inner", "j.inner has 16 iterations.*float64.*with 8"),
        (lambda: tiled(8, 12), "i.inner", "j.inner", "j.inner has 12 iterations, which is no power of two.*split j.inner by 8"),
        (lambda: tiled(6, 8), "i.inner", "j.inner", "i.inner has 6 iterations, which is no power.*split i.inner by 4"),
        (lambda: tiled(1, 8), "i.inner", "j.inner", "i.inner has 1 iteration, and a tile has two or more"),
        (elementwise, "i", "j", "no access has its neighbours in memory along i only.*vectorize j alone"),
        (lambda: elementwise(True), "j", "i", "no access has them along i.*vectorize j"),
        (nowhere, "i", "j", "no access has its neighbours in memory along i or j"),
        (lambda: summed(True), "j", "k", "k is a reduce axis.*transpose a data axis"),
        (lambda: summed(True), "i", "j", "not the two innermost loops"),
        (symbolic, "i", "j", "the extent of i is not a constant.*split i by a constant"),
        (with_inner_stage, "i", "j", "T is computed inside of loop i"),
        (lambda: already("unroll", "i.inner"), "i.inner", "j.inner", "loop i.inner is already marked unroll"),
        (lambda: already("unroll", "j.inner"), "i.inner", "j.inner", "loop j.inner is already marked unroll"),
        (lambda: already("vectorize", "j.outer"), "i.inner", "j.inner", "loop j.outer is vectorized already"),
    ],
)  # fmt: skip
def test_misuse_is_refused_with_a_reason(
    make: Callable[[], Schedule], rows: str, lanes: str, said: str
) -> None:
    s = make()
    before = s.journal
    with pytest.raises(ScheduleError, match=f"(?s)transpose on stage B: .*{said}"):
        s["B"].transpose(rows, lanes)
    assert s.journal == before and "transpose" not in s["B"].loops()


def test_inputs_inlined_stages_and_externs_have_no_tiles() -> None:
    s = with_inner_stage()
    with pytest.raises(ScheduleError, match="it has no axis i"):
        s["A"].transpose("i", "j")
    s["T"].compute_inline()
    with pytest.raises(ScheduleError, match="T is computed inline"):
        s["T"].transpose("i", "j")
    A = te.placeholder((8, 8), name="A")
    E = te.extern(
        (8, 8), [A], lambda i, o: te.call_packed("f", i[0], o[0]), access=te.access.elementwise, name="E"
    )
    s = te.create_schedule(E.op)
    outer, inner = s[E].split(s[E].leaf_iter_vars[0], factor=4)
    with pytest.raises(ScheduleError, match="calls cannot become lanes"):
        s[E].transpose(outer, inner)


def test_a_reduction_to_two_results_is_refused() -> None:
    A = te.placeholder((4, 8, 8), name="A")
    k = te.reduce_axis((0, 4), name="k")
    both = te.comm_reducer(
        lambda x, y: (x[0] + y[0], x[1] + y[1]), lambda a, b: (te.const(0, a), te.const(0, b)), name="both"
    )
    R = te.compute((8, 8), lambda i, j: both((A[k, j, i], A[k, i, j]), axis=k), name="R")
    s = te.create_schedule(R[0].op)
    s["R"].reorder("k", "i", "j")
    with pytest.raises(ScheduleError, match="R reduces to 2 results"):
        s["R"].transpose("i", "j")


@te.hybrid.script
def guarded(a):  # type: ignore[no-untyped-def]
    b = output_tensor((8, 8), "float32")  # type: ignore[name-defined]  # noqa: F821
    for i in range(8):
        for j in range(8):
            if i > j:
                b[i, j] = a[j, i]
            else:
                b[i, j] = a[i, j]
    return b


@te.hybrid.script
def between(a):  # type: ignore[no-untyped-def]
    b = output_tensor((8, 8), "float32")  # type: ignore[name-defined]  # noqa: F821
    c = output_tensor((8,), "float32")  # type: ignore[name-defined]  # noqa: F821
    for i in range(8):
        c[i] = a[i, i]
        for j in range(8):
            b[i, j] = a[j, i]
    return b, c


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (guarded, "loop j does other things than store elements"),
        (between, "other statements than loop j stand in loop i"),
    ],
)
def test_loops_of_a_hybrid_function_hold_stores_and_nothing_else(function: Any, said: str) -> None:
    made = function(te.placeholder((8, 8), name="a"))
    s = te.create_schedule((made[0] if isinstance(made, tuple | list) else made).op)
    (stage,) = [st for st in s.stages if not st.is_placeholder]
    with pytest.raises(ScheduleError, match=said):
        stage.transpose("i", "j")


# ---------------------------------------------------------------- what a tile allows


def test_a_vectorized_loop_gets_rows() -> None:
    s = already("vectorize", "j.inner")
    tile(s)
    assert s["B"].loops() == "i.outer(6), j.outer(8), i.inner(8, transpose), j.inner(8, vectorize)"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda b: b.split("i.inner", factor=2), "loop i.inner is marked transpose"),
        (lambda b: b.split("j.inner", factor=2), "loop j.inner is marked vectorize"),
        (lambda b: b.fuse("i.inner", "j.inner"), "is marked transpose"),
        (lambda b: b.vectorize("i.inner"), "already marked transpose"),
        (lambda b: b.transpose("i.inner", "j.inner"), "already marked transpose"),
        (
            lambda b: b.reorder("j.inner", "i.inner"),
            "are the rows and the lanes of a tile, and stay the two innermost",
        ),
        (lambda b: b.reorder("i.inner", "j.outer"), "are the rows and the lanes of a tile"),
    ],
)
def test_the_loops_of_a_tile_stay_together(change: Callable[[Any], Any], said: str) -> None:
    s = tiled()
    tile(s)
    before = s.journal
    with pytest.raises(ScheduleError, match=said):
        change(s["B"])
        lower_all(s)
    s.restore(before)
    s["B"].reorder("j.outer", "i.outer")  # the loops around it may move
    s["B"].parallel("j.outer")


def test_nothing_is_computed_inside_of_a_tile() -> None:
    A = te.placeholder((8, 8), name="A")
    T = te.compute((8, 8), lambda i, j: A[i, j] + 1.0, name="T")
    B = te.compute((8, 8), lambda i, j: T[j, i], name="B")
    s = te.create_schedule(B.op)
    tile(s, "i", "j")
    with pytest.raises(ScheduleError, match="loop i of B is vectorized, and loops cannot become lanes"):
        s["T"].compute_at(s["B"], "i")
        lower_all(s)


def test_undo_replay_and_code_know_the_step() -> None:
    s = tiled()
    tile(s)
    assert str(s.journal[-1]) == "transpose(B, rows=i.inner, lanes=j.inner)"
    again = s.copy()
    assert again["B"].loops() == s["B"].loops()
    again.restore(again.journal[:-1])
    assert "transpose" not in again["B"].loops() and "vectorize" not in again["B"].loops()
    code = tewb.Session(s, [stage.op.output(0) for stage in s.stages]).code
    assert "s[B].transpose(i_inner, j_inner)" in code
    found: dict[str, Any] = {}
    exec(code, found)
    assert found["s"]["B"].loops() == s["B"].loops()


def test_root_axes_are_named_before_a_tile_of_them() -> None:
    s = program(8, 8)
    tile(s, "i", "j")
    code = tewb.Session(s, [stage.op.output(0) for stage in s.stages]).code
    assert "i, j = s[B].op.axis\ns[B].transpose(i, j)" in code


def test_matmul_has_nothing_to_transpose() -> None:
    s = schedule_for(matmul(16, 16, 16)[1])
    s["C"].reorder("k", "i", "j")
    with pytest.raises(ScheduleError, match="no access has its neighbours in memory along i only"):
        s["C"].transpose("i", "j")
