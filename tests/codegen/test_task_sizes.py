"""Task sizes: loops that do little are not shared, tasks are neither tiny nor long, and a step may say its grain."""

from __future__ import annotations

import re
import threading
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import ScheduleError
from tewb.codegen.task_sizes import grain_of, iteration_work
from tewb.ir import (
    GRAIN,
    AttrStmt,
    Binary,
    Cast,
    Expr,
    FloatImm,
    For,
    ForKind,
    IntImm,
    LetStmt,
    Var,
    const,
    const_int,
    substitute,
    walk,
)
from tewb.runtime import set_num_threads
from tewb.runtime.abi import UNKNOWN_WORK

pytestmark = pytest.mark.usefixtures("two_threads")


def rows(n: Any, m: Any, grain: int | None = None) -> tuple[Any, list[Any]]:
    A = te.placeholder((n, m), name="A")
    B = te.compute((n, m), lambda i, j: A[i, j] + 1.0, name="B")
    s = te.create_schedule(B.op)
    s[B].parallel("i", grain=grain)
    return s, [A, B]


def sizes(s: Any, args: list[Any]) -> tuple[str, str]:
    """What a kernel tells the pool: the most and the least iterations of a task."""
    text = tewb.build(s, args).get_source("ll0")
    (found,) = re.findall(r"call i32 @tewb_rt_parallel\(.*, i64 (\S+), i64 (\S+)\)", text)
    return found  # type: ignore[no-any-return]


def work(s: Any, args: list[Any]) -> tuple[For, int | Expr | None]:
    (loop,) = [
        x for x in walk(tewb.lower(s, args)["main"].body) if isinstance(x, For) and x.kind is ForKind.PARALLEL
    ]
    known = {v: "" for v in walk(loop.extent) if isinstance(v, Var)}
    known |= {
        v: "" for a in args if hasattr(a, "shape") for n in a.shape for v in walk(n) if isinstance(v, Var)
    }
    return loop, iteration_work(loop, known)


def test_a_loop_that_does_little_is_one_task() -> None:
    assert sizes(*rows(2, 4)) == ("16666", "2")
    most, least = map(int, sizes(*rows(1000, 100)))
    assert 1 < least < most < 1000


def test_long_iterations_are_taken_one_by_one() -> None:
    assert sizes(*rows(64, 200_000)) == ("1", "1")


def test_symbolic_numbers_of_short_iterations_are_asked_in_each_call() -> None:
    s, args = rows(te.var("n"), 8)
    kernel = tewb.build(s, args)
    assert re.search(r"select i1 %v\d+, i64 %v\d+, i64 \d+", kernel.get_source("ll0"))
    for n in (0, 1, 3, 500, 40_000):
        a, b = np.full((n, 8), 2.0, "float32"), np.zeros((n, 8), "float32")
        for _ in range(3):
            kernel(a, b)
        assert (b == 3).all()


def test_symbolic_work_of_iterations_is_a_number_of_each_call() -> None:
    n, m = te.var("n"), te.var("m")
    s, args = rows(n, m)
    _, found = work(s, args)
    assert isinstance(found, Expr)
    at = [float(_value(found, {m: size})) for size in (0, 10, 1000)]
    per_element = (at[1] - at[0]) / 10
    assert at[0] == 1 and per_element >= 2 and at[2] == pytest.approx(1 + 1000 * per_element)
    kernel = tewb.build(s, args)
    for shape in [(0, 0), (5, 0), (0, 7), (1, 1), (3, 5000), (2000, 30)]:
        a, b = np.full(shape, 2.0, "float32"), np.zeros(shape, "float32")
        for _ in range(3):
            kernel(a, b)
        assert (b == 3).all()


def _value(e: Expr, at: dict[Var, int]) -> float:
    """A sum of sizes and products, with numbers for variables."""
    match substitute(e, {v: const(n, v.dtype) for v, n in at.items()}):
        case IntImm(n) | FloatImm(n):
            return float(n)
        case Cast(x):
            return _value(x, at)
        case Binary() as op:
            rules: dict[str, Any] = {"Add": float.__add__, "Mul": float.__mul__, "Max": max}
            return float(rules[type(op).__name__](_value(op.a, at), _value(op.b, at)))
    raise AssertionError(e)


def triangle(n: Any) -> tuple[Any, list[Any]]:
    @te.hybrid.script  # type: ignore[untyped-decorator]
    def sums(a: Any) -> Any:
        b = output_tensor((a.shape[0],), "float32")  # type: ignore[name-defined]  # noqa: F821
        for i in parallel(a.shape[0]):  # type: ignore[name-defined]  # noqa: F821
            b[i] = 0.0
            for k in range(i + 1):
                b[i] += a[i, k]
        return b

    A = te.placeholder((n, n), name="A")
    B = sums(A)
    return te.create_schedule(B.op), [A, B]


def test_of_uneven_iterations_the_middle_one_counts() -> None:
    _, small = work(*triangle(100))
    _, large = work(*triangle(200))
    assert isinstance(small, Expr) and isinstance(large, Expr)
    ratio = (_value(large, {}) - 3) / (_value(small, {}) - 3)
    assert ratio == pytest.approx(2, rel=0.05)
    s, args = triangle(300)
    a, b = np.ones((300, 300), "float32"), np.zeros(300, "float32")
    tewb.build(s, args)(a, b)
    assert (b == np.arange(1, 301)).all()


def test_where_data_decide_nothing_is_known() -> None:
    @te.hybrid.script  # type: ignore[untyped-decorator]
    def counted(n: Any) -> Any:
        b = output_tensor((8,), "float32")  # type: ignore[name-defined]  # noqa: F821
        for i in parallel(8):  # type: ignore[name-defined]  # noqa: F821
            b[i] = 0.0
            for _k in range(n[i]):
                b[i] += 1.0
        return b

    N = te.placeholder((8,), "int32", name="N")
    B = counted(N)
    assert sizes(te.create_schedule(B.op), [N, B]) == (str(UNKNOWN_WORK), "1")


def test_calls_of_python_are_shared_however_few() -> None:
    met = threading.Barrier(2)
    name = "tests.tasks.meet"
    tewb.register_func(name, lambda a, b: (met.wait(30), b.__setitem__(..., a))[0] and None, override=True)
    A = te.placeholder((2, 4), name="A")
    B = te.extern(
        (2, 4), [A], lambda ins, outs: te.call_packed(name, ins[0], outs[0]), name="B", access=te.access.elementwise
    )  # fmt: skip
    s = te.create_schedule(B.op)
    s[B].parallel(s[B].split(B.op.axis[0], 1)[0])
    assert sizes(s, [A, B]) == ("1", "1")
    b = np.zeros((2, 4), "float32")
    tewb.build(s, [A, B])(np.ones((2, 4), "float32"), b)
    assert (b == 1).all()
    tewb.runtime.remove_global_func(name)


# ---------------------------------------------------------------- grain


def test_a_grain_is_what_a_task_has_at_least() -> None:
    assert sizes(*rows(64, 64, grain=5))[1] == "5"
    assert sizes(*rows(2, 4, grain=1))[1] == "1"
    assert sizes(*rows(te.var("n"), te.var("m"), grain=3))[1] == "3"


@pytest.mark.parametrize("n, grain", [(1, 1), (7, 2), (64, 5), (65, 64), (65, 100), (30, 1 << 40)])
def test_a_grain_changes_no_result(n: int, grain: int) -> None:
    set_num_threads(4)
    s, args = rows(n, 6, grain)
    a, b = np.random.default_rng(0).random((n, 6), dtype="float32"), np.zeros((n, 6), "float32")
    tewb.build(s, args)(a, b)
    np.testing.assert_array_equal(b, a + 1)


def test_each_loop_has_its_own_grain_through_guards_and_stages() -> None:
    A = te.placeholder((50, 41), name="A")
    B = te.compute(A.shape, lambda i, j: A[i, j] * 3.0, name="B")
    C = te.compute(A.shape, lambda i, j: B[i, 40 - j] + 1.0, name="C")
    s = te.create_schedule(C.op)
    io, _ii = s[C].split("i", 8)
    jo, ji = s[C].split("j", 16)
    s[C].parallel(io, grain=2)
    s[C].parallel(jo, grain=7)
    s[C].vectorize(ji)
    s[B].compute_at(s[C], io)
    assert s[C].grains == {io: 2, jo: 7}
    text = tewb.build(s, [A, C]).get_source("ll0")
    assert {least for least in re.findall(r"call i32 @tewb_rt_parallel\(.*, i64 (\d+)\)", text)} == {"2", "7"}
    a = np.random.default_rng(0).random((50, 41), dtype="float32")
    c = np.zeros_like(a)
    tewb.build(s, [A, C])(a, c)
    np.testing.assert_array_equal(c, (a * np.float32(3))[:, ::-1] + 1)


def test_a_grain_is_found_in_the_body_of_its_loop() -> None:
    (loop,) = [x for x in walk(tewb.lower(*rows(64, 64, 9))["main"].body) if isinstance(x, For)][:1]
    assert grain_of(loop.body) == 9 and grain_of(loop) is None
    assert [const_int(x.value) for x in walk(loop) if isinstance(x, AttrStmt) and x.key == GRAIN] == [9]
    (plain,) = [x for x in walk(tewb.lower(*rows(64, 64))["main"].body) if isinstance(x, For)][:1]
    assert grain_of(plain.body) is None


@pytest.mark.parametrize("grain", [0, -3, 1 << 62])
def test_a_grain_that_no_thread_could_take(grain: int) -> None:
    s, _ = rows(8, 8)
    with pytest.raises(ScheduleError, match=f"parallel on stage B: grain={grain} is no number of iterations"):
        s["B"].parallel("j", grain=grain)
    with pytest.raises(ScheduleError, match="is not a whole number"):
        s["B"].parallel("j", grain="many")
    assert s["B"].grains == {}


def test_the_last_word_on_a_loop_counts() -> None:
    s, _ = rows(8, 8, grain=4)
    s["B"].unroll("i")
    assert s["B"].grains == {}
    s["B"].parallel("i")
    assert s["B"].grains == {} and "i(8, parallel)" in s["B"].loops()


def test_memory_of_threads_is_kept_beside_a_grain() -> None:
    n = 20_000
    A = te.placeholder((8, n), name="A")
    B = te.compute((8, n), lambda i, j: A[i, j] + 1.0, name="B")
    C = te.compute((8, n), lambda i, j: B[i, n - 1 - j] * 2.0, name="C")
    s = te.create_schedule(C.op)
    s[C].parallel("i", grain=2)
    s[B].compute_at(s[C], "i")
    text = tewb.build(s, [A, C]).get_source("ll0")
    assert "%kept = alloca [1 x ptr]" in text and re.search(r"i64 2\), !dbg", text)
    a, c = np.random.default_rng(0).random((8, n), dtype="float32"), np.zeros((8, n), "float32")
    tewb.build(s, [A, C])(a, c)
    np.testing.assert_array_equal(c, (a + np.float32(1))[:, ::-1] * 2)


def test_a_range_that_an_iteration_finds_is_not_that_of_a_copy_of_the_loops() -> None:
    """Each order of strides has its copy of the loops, with a range that is told inside: the value of the first copy is no
    value in the second one."""
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((m,), name="A")

    def row(i: Any) -> Any:
        k = te.reduce_axis((i, n + 1), name="k")
        return te.sum(A[te.max(te.min(i, m - 1), 0)], axis=k)

    B = te.compute((n + 1,), row, name="B")
    C = te.compute((m, 6), lambda i, j: A[i] * 2.0, name="C")
    s = te.create_schedule([B.op, C.op])
    s[B].parallel(s[B].split("i", 3)[0])
    strides = {C: te.decl_buffer(C.shape, C.dtype, "C", strides=[te.var("s0"), te.var("s1")])}
    loops = [x for x in walk(tewb.lower(s, [A, B, C], binds=strides)["main"].body) if isinstance(x, For)]
    parallel = [x for x in loops if x.kind is ForKind.PARALLEL]
    (extent,) = {x.var for x in walk(parallel[0]) if isinstance(x, LetStmt)}
    assert len(parallel) > 1
    for x in parallel:
        known = {extent: "%stale", n: "%n", m: "%m"}
        found = iteration_work(x, known)
        assert isinstance(found, Expr) and not any(v is extent for v in walk(found))
    a, b = np.arange(5, dtype="float32"), np.zeros(8, "float32")
    c = np.zeros((6, 5), "float32").T
    tewb.build(s, [A, B, C], binds=strides)(a, b, c)
    np.testing.assert_array_equal(b, [min(i, 4) * (8 - i) for i in range(8)])
    np.testing.assert_array_equal(c, np.repeat(a[:, None] * 2, 6, axis=1))
