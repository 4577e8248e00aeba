"""Non-temporal stores: the same results wherever arrays begin, and a reason for every refusal."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import PROGRAMS, assert_same_result, matmul, random_schedule, schedule_for, two_outputs
from tewb import te
from tewb.base import ScheduleError
from tewb.ir import BufferStore, parse, structural_equal, walk
from tewb.schedule import Step
from tewb.workbench.states.views import look
from tewb.workbench.views import plain


def twice(shape: tuple[int, ...], lanes: int, dtype: str = "float32") -> tuple[Any, list[Any]]:
    """B = A * 2 with vectors of `lanes` along the rows, stored past the caches."""
    A = te.placeholder(shape, name="A", dtype=dtype)
    B = te.compute(shape, lambda *i: A(*i) * te.const(2, dtype), name="B")
    s = te.create_schedule(B.op)
    s[B].nontemporal()
    s[B].vectorize(s[B].split(s[B].leaf_iter_vars[-1], factor=lanes)[1])
    return s, [A, B]


def at_offset(shape: tuple[int, ...], dtype: str, offset: int) -> Any:
    """An array that begins `offset` elements after a multiple of 64 bytes."""
    size = int(np.prod(shape))
    raw = np.zeros(size + 128, dtype)
    first = (-raw.ctypes.data % 64) // raw.itemsize + offset
    return raw[first : first + size].reshape(shape)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("offset", [0, 1, 2, 4, 5])
@pytest.mark.parametrize("n", [1, 15, 16, 64, 77, 1000])
@pytest.mark.parametrize("debug", [False, True])
def test_rows_at_any_address(offset: int, n: int, debug: bool) -> None:
    s, args = twice((n,), 16)
    a, b = at_offset((n,), "float32", 3), at_offset((n,), "float32", offset)
    a[:] = np.arange(n)
    tewb.build(s, args, debug=debug)(a, b)
    np.testing.assert_array_equal(b, a * 2)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("dtype", ["int8", "uint16", "int32", "float32", "float64", "int64"])
@pytest.mark.parametrize("lanes", [1, 2, 3, 4, 8, 16, 64])
def test_vectors_of_any_length(dtype: str, lanes: int) -> None:
    for shape in ((5, 33), (4, 64)):
        s, args = twice(shape, lanes, dtype)
        for offset in (0, 1):
            a, b = at_offset(shape, dtype, 0), at_offset(shape, dtype, offset)
            a[...] = np.arange(a.size).reshape(shape) % 50
            tewb.build(s, args)(a, b)
            np.testing.assert_array_equal(b, a * 2)


@pytest.mark.parametrize("debug", [False, True])
def test_strided_rows_and_turned_outputs(debug: bool) -> None:
    s, args = twice((7, 32), 8)
    layout = te.decl_buffer((7, 32), name="B", strides=[te.var("r"), te.var("c")])
    kernel = tewb.build(s, args, binds={args[1]: layout}, debug=debug)
    a = np.arange(7 * 32, dtype=np.float32).reshape(7, 32)
    wide = np.full((7, 99), 5, np.float32)
    for view in (
        wide[:, :32],
        wide[:, 1:33],
        wide[:, 3:99:3],
        wide[::-1, 4:36],
        np.empty((32, 7), np.float32).T,
    ):
        kernel(a, view)
        np.testing.assert_array_equal(view, a * 2)


def test_what_lies_beside_a_row_is_left_alone() -> None:
    s, args = twice((6, 20), 8)
    layout = te.decl_buffer((6, 20), name="B", strides=[te.var("r"), 1])
    wide = np.full((6, 30), 7, np.float32)
    a = np.ones((6, 20), np.float32)
    tewb.build(s, args, binds={args[1]: layout})(a, wide[:, 5:25])
    want = np.full((6, 30), 7, np.float32)
    want[:, 5:25] = 2
    np.testing.assert_array_equal(wide, want)


@pytest.mark.parametrize("n", [64, 65, 4])
def test_in_parallel_and_read_by_the_next_stage(n: int) -> None:
    A = te.placeholder((n, 48), name="A")
    B = te.compute((n, 48), lambda i, j: A[i, j] + 1.0, name="B")
    C = te.compute((n, 48), lambda i, j: B[n - 1 - i, 47 - j] * 2.0, name="C")
    s = te.create_schedule(C.op)
    for T in (B, C):
        s[T].nontemporal()
        s[T].parallel("i")
        s[T].vectorize(s[T].split("j", factor=16)[1])
    kernel = tewb.build(s, [A, C])
    a = np.random.default_rng(0).standard_normal((n, 48), dtype=np.float32)
    for _ in range(20):
        c = np.zeros_like(a)
        kernel(a, c)
        np.testing.assert_array_equal(c, (a[::-1, ::-1] + 1) * 2)


def test_a_packed_function_reads_what_was_stored() -> None:
    A = te.placeholder((40,), name="A")
    B = te.compute((40,), lambda i: A[i] + 1.0, name="B")
    seen: list[Any] = []

    def look(b: Any, c: Any) -> None:
        seen.append(b.copy())
        c[...] = b

    tewb.register_func("nontemporal.look", look, override=True)
    C = te.extern((40,), [B], lambda i, o: te.call_packed("nontemporal.look", i[0], o[0]), name="C")
    s = te.create_schedule(C.op)
    s[B].nontemporal()
    s[B].vectorize(s[B].split("i", factor=8)[1])
    a, c = np.arange(40, dtype=np.float32), np.zeros(40, np.float32)
    tewb.build(s, [A, C])(a, c)
    np.testing.assert_array_equal(seen[0], a + 1)
    np.testing.assert_array_equal(c, a + 1)


def test_several_outputs() -> None:
    inputs, outputs = two_outputs(13)
    s = schedule_for(outputs)
    s["PQ"].nontemporal()
    s["PQ"].vectorize("j")
    assert_same_result(s, inputs, outputs)


def test_a_reduction_goes_past_the_caches_after_cache_write() -> None:
    inputs, outputs = matmul(9, 21, 5)
    s = schedule_for(outputs)
    local = s.cache_write(outputs[0], "local")
    s["C"].nontemporal()
    s["C"].vectorize(s["C"].split("j", factor=8)[1])
    s[local].compute_at(s["C"], "i")
    assert_same_result(s, inputs, outputs, debug=True)
    stores = [n for n in walk(tewb.lower(s, inputs + outputs)["main"].body) if isinstance(n, BufferStore)]
    assert {n.buffer.name: n.nontemporal for n in stores} == {"C.local": 0, "C": 1}


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    "name", [n for n in PROGRAMS if n not in ("matmul", "argmax", "padded", "bytes_product")]
)
@pytest.mark.parametrize("seed", range(6))
def test_random_schedules_around_it_compute_the_same(name: str, seed: int) -> None:
    inputs, outputs = PROGRAMS[name]()
    rng = random.Random(f"nontemporal {name} {seed}")
    s = random_schedule(outputs, rng, steps=5)
    for stage in list(s.stages):
        step = Step("nontemporal", stage.name)
        if s.why_not(step) is None:
            s.apply(step)
    assert any(stage.is_nontemporal for stage in s.stages)
    assert_same_result(s, inputs, outputs, seed, debug=seed % 2 == 0)


# ---------------------------------------------------------------- refusals


def chain() -> Any:
    A = te.placeholder((8, 16), name="A")
    B = te.compute((8, 16), lambda i, j: A[i, j] + 1.0, name="B")
    C = te.compute((8, 16), lambda i, j: B[i, j] * 2.0, name="C")
    return te.create_schedule(C.op)


def refused(s: Any, stage: str, hint: str, *reason: str) -> None:
    before = s.journal
    with pytest.raises(ScheduleError) as e:
        s[stage].nontemporal()
    assert all(r in str(e.value) for r in reason) and hint in str(e.value) and s.journal == before


def test_twice_is_refused() -> None:
    s = chain()
    s["C"].nontemporal()
    refused(
        s, "C", "", "nontemporal on stage C: its stores are non-temporal already", "loops now: i(8), j(16)"
    )


def test_inputs_are_refused() -> None:
    refused(chain(), "A", "schedule a stage that computes something", "A is an input")


def test_a_reduction_is_refused() -> None:
    s = schedule_for(matmul()[1])
    refused(
        s, "C", 's.cache_write(C, "local") first', "C is a reduction: every step reads the sum so far back"
    )


def test_attached_inlined_and_local_stages_are_refused() -> None:
    s = chain()
    s["B"].compute_at(s["C"], "i")
    refused(s, "B", "call compute_root first", "computed at loop i of C")
    s["B"].compute_root()
    s["B"].compute_inline()
    refused(s, "B", "call compute_root first", "computed inline")
    s["B"].compute_root()
    s["B"].set_scope("local")
    refused(s, "B", 'set_scope("global") first', "kept in local memory")


def test_externs_and_hybrid_functions_are_refused() -> None:
    A = te.placeholder((8,), name="A")
    E = te.extern((8,), [A], lambda i, o: te.call_packed("nontemporal.none", i[0], o[0]), name="E")
    refused(te.create_schedule(E.op), "E", "copy its result with a te.compute", "E is not a compute")

    @te.hybrid.script
    def plus(a):  # type: ignore[no-untyped-def]
        b = output_tensor((8,), "float32")  # type: ignore[name-defined]  # noqa: F821
        for i in range(8):
            b[i] = a[i] + 1.0
        return b

    refused(
        te.create_schedule(plus(A).op), "plus", "copy its result with a te.compute", "plus is not a compute"
    )


@pytest.mark.parametrize(
    ("step", "hint"),
    [
        (
            Step("compute_at", "B", {"parent": "C", "axis": "i"}),
            "take nontemporal back to compute it elsewhere",
        ),
        (Step("compute_inline", "B"), "take nontemporal back to inline it"),
        (Step("set_scope", "B", {"scope": "local"}), "take nontemporal back to keep it in local memory"),
        (Step("cache_write", "B", {"scope": "local"}), "call cache_write before nontemporal"),
    ],
)
def test_such_a_stage_stays_where_it_is(step: Step, hint: str) -> None:
    s = chain()
    assert s.why_not(step) is None
    s["B"].nontemporal()
    with pytest.raises(ScheduleError, match="its stores are non-temporal") as e:
        s.apply(step)
    assert hint in str(e.value)
    s["B"].compute_root()  # changes nothing, and is allowed


# ---------------------------------------------------------------- text and views


def test_the_text_says_it_and_is_read_back() -> None:
    s, args = twice((100,), 16)
    f = tewb.lower(s, args)["main"]
    assert "B[i0.outer * 16:i0.outer * 16 + 16] = T.nontemporal(" in f.script()
    assert structural_equal(parse(f.script()), f)
    plain_text = f.script().replace("T.nontemporal", "")
    assert not structural_equal(parse(plain_text), f)


def test_undo_replay_and_export_know_it() -> None:
    s, args = twice((100,), 16)
    session = tewb.Session(s, args)
    assert "s[B].nontemporal()" in session.code
    assert s.copy()["B"].is_nontemporal
    for text in (session.code, session.to_string(), "B:nontemporal()"):
        fresh = tewb.Session(te.create_schedule(args[1].op), args)
        fresh.load(text)
        assert fresh.schedule["B"].is_nontemporal
    session.undo()
    session.undo()
    session.undo()
    assert not session.schedule["B"].is_nontemporal
    session.redo()
    assert session.schedule["B"].is_nontemporal


def test_the_views_show_it() -> None:
    s, args = twice((100,), 16)
    session = tewb.Session(s, args)
    info = session.stages[-1]
    assert info.marks == ("non-temporal stores",)
    assert plain.loops(info).splitlines()[0] == "B  non-temporal stores"
    shown = look(session, "loops")
    assert shown["roots"][-1]["marks"] == ["non-temporal stores"]
    assert "i0.inner(16, vectorize); non-temporal stores" in repr(s)


def test_the_access_player_runs_them() -> None:
    s, args = twice((40,), 16)
    trace = tewb.Session(s, args).access_trace("B")
    plain_schedule = te.create_schedule(args[1].op)
    plain_schedule[args[1]].vectorize(plain_schedule[args[1]].split("i0", factor=16)[1])
    assert trace.accesses == tewb.Session(plain_schedule, args).access_trace("B").accesses
    assert [e for a in trace.accesses for e in a.elements] == list(range(40))


def test_the_store_remembers_the_step() -> None:
    s, args = twice((100,), 16)
    store = next(n for n in walk(tewb.lower(s, args)["main"].body) if isinstance(n, BufferStore))
    assert store.origin is not None and 0 in store.origin.steps


def test_the_palette_offers_it_with_cache_write_as_the_repair_of_a_reduction() -> None:
    inputs, outputs = matmul(8, 8, 8)
    session = tewb.Session(schedule_for(outputs), inputs + outputs)
    action = next(a for a in session.palette("C") if a.step.primitive == "nontemporal")
    assert not action.legal and action.fix is not None and action.fix.primitive == "cache_write"
    A = te.placeholder((8, 8), name="A")
    B = te.compute((8, 8), lambda i, j: A[i, j] + 1.0, name="B")
    offered = tewb.Session(te.create_schedule(B.op), [A, B]).palette("B")
    action = next(a for a in offered if a.step.primitive == "nontemporal")
    assert action.legal and action.preview is not None and "non-temporal stores" in action.preview.loops[0]
