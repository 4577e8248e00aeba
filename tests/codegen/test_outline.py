"""Outlined functions: what they take from outside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import assert_same_result, matmul, schedule_for
from tewb import te
from tewb.base import TewbError
from tewb.codegen.outline import captured_by
from tewb.ir import For, walk


def test_a_parallel_loop_takes_the_buffers_and_sizes_that_it_uses() -> None:
    n = te.var("n")
    A = te.placeholder((n, 4), name="A")
    B = te.compute(A.shape, lambda i, j: A[i, j] * n.astype("float32"), name="B")
    s = te.create_schedule(B.op)
    s[B].parallel(B.op.axis[0])
    (loop, inner) = [x for x in walk(tewb.lower(s, [A, B])["main"].body) if isinstance(x, For)]
    assert {v.name for v in captured_by(loop)} == {"A", "B", "n"}
    assert loop.var in set(captured_by(inner)) and not {inner.var, loop.var} & set(captured_by(loop))


@pytest.mark.parametrize("debug", [False, True])
def test_each_parallel_loop_is_a_function_of_its_own(debug: bool) -> None:
    inputs, outputs = matmul(6, 5, 7)
    s = schedule_for(outputs)
    copy = s.cache_write(outputs[0], "local")
    s[copy].parallel(s[copy].op.axis[0])
    s["C"].parallel("i")
    text = tewb.build(s, inputs + outputs, debug=debug).get_source("ll0")
    assert text.count("call i32 @tewb_rt_parallel(") == 2
    assert_same_result(s, inputs, outputs, debug=debug)


def test_a_loop_inside_of_a_parallel_one_has_the_value_of_its_own_iteration() -> None:
    A = te.placeholder((9, 8), "int32", name="A")
    B = te.compute(A.shape, lambda i, j: A[i, j] + i * 100, name="B")
    s = te.create_schedule(B.op)
    s[B].parallel(s[B].split(B.op.axis[0], factor=4)[0])
    a = np.arange(72, dtype="int32").reshape(9, 8)
    assert (tewb.build(s, [A, B])(a) == a + 100 * np.arange(9)[:, None]).all()


# ---------------------------------------------------------------- memory of threads


def squares_of_rows(n: Any, m: Any) -> tuple[Any, list[Any]]:
    """Each row is kept, and added up from its end."""
    A = te.placeholder((n, m), name="A")
    E = te.compute((n, m), lambda i, j: A[i, j] * A[i, j], name="E")
    k = te.reduce_axis((0, m), name="k")
    R = te.compute((n,), lambda i: te.sum(E[i, m - 1 - k], axis=k), name="R")
    s = te.create_schedule(R.op)
    s[E].compute_at(s[R], "i")
    s[R].parallel("i")
    return s, [A, R]


def test_memory_is_taken_once_for_the_iterations_that_a_thread_is_given() -> None:
    s, args = squares_of_rows(te.var("n"), te.var("m"))
    kernel = tewb.build(s, args)
    text = kernel.get_source("ll0")
    body, wrapper = (
        text[text.index("@main.par0.body(") :],
        text[text.index("define internal i32 @main.par0(") :],
    )
    body, wrapper = body[: body.index("\n}")], wrapper[: wrapper.index("\n}")]
    assert "load ptr, ptr %" in body and body.count("@tewb.alloc(") == 1 and "@tewb.free" not in body
    assert wrapper.count("call void @tewb.free(") == 1
    for shape in [(0, 3), (1, 5), (700, 33), (5, 0), (64, 1200)]:
        a = np.random.default_rng(0).standard_normal(shape).astype("float32")
        r = np.zeros(shape[0], "float32")
        kernel(a, r)
        np.testing.assert_allclose(r, (a * a).sum(1), rtol=1e-4)


def test_small_memory_stays_on_the_stack() -> None:
    s, args = squares_of_rows(40, 50)
    assert "%kept" not in tewb.build(s, args).get_source("ll0")


def test_a_thread_gives_its_memory_back_when_an_iteration_fails() -> None:
    s, args = squares_of_rows(te.var("n"), te.var("m"))
    a, r = np.ones((64, 1000), "float32"), np.zeros(64, "float32")
    with tewb.PassContext(config={"tewb.memory_limit": 3000}):
        kernel = tewb.build(s, args)
        for _ in range(3):
            with pytest.raises(TewbError, match="the intermediate E"):
                kernel(a, r)
            kernel(a[:, :100], r)  # fits, on two threads at once too
            np.testing.assert_array_equal(r, 100)


def test_two_memories_of_an_iteration_are_apart() -> None:
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((n, m), name="A")
    E = te.compute((n, m), lambda i, j: A[i, j] + 1.0, name="E")
    F = te.compute((n, m), lambda i, j: E[i, m - 1 - j] * 2.0, name="F")
    R = te.compute((n, m), lambda i, j: F[i, j] - E[i, j], name="R")
    s = te.create_schedule(R.op)
    s[E].compute_at(s[R], "i")
    s[F].compute_at(s[R], "i")
    s[R].parallel("i")
    kernel = tewb.build(s, [A, R])
    assert "%kept = alloca [2 x ptr]" in kernel.get_source("ll0")
    a, r = (
        np.random.default_rng(0).standard_normal((300, 77)).astype("float32"),
        np.zeros((300, 77), "float32"),
    )
    kernel(a, r)
    np.testing.assert_allclose(r, (a[:, ::-1] + 1) * 2 - (a + 1), rtol=1e-5, atol=1e-5)
