"""Outlined functions: what they take from outside."""

from __future__ import annotations

import random
import re
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import assert_same_result, matmul, schedule_for
from tewb import te
from tewb.base import TewbError
from tewb.codegen.function import STACK_LIMIT
from tewb.codegen.outline import captured_by
from tewb.ir import For, walk
from tewb.runtime import set_num_threads


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


# ---------------------------------------------------------------- the stack


def stack_of_chains(text: str) -> int:
    """The most bytes of buffers on a stack along calls of a kernel's functions; all of them must be taken at their entry."""
    functions = dict(re.findall(r"^define [^@]*@([^(]+)\((.*?)^}", text, re.DOTALL | re.MULTILINE))

    def bytes_of(name: str) -> int:
        body = functions[name]
        for block in re.split(r"^\S+:$", body, flags=re.MULTILINE)[2:]:
            assert "alloca" not in block, f"{name} takes stack in a loop"
        found = re.findall(r"alloca \[(\d+) x (?:i|float|double)(\d*)\], align 64", body)
        own = sum(int(n) * int(bits or 32) // 8 for n, bits in found if bits != "64")  # i64 are records
        return own + max(
            [bytes_of(c) for c in set(re.findall(r"@([\w.]+)", body)) if c in functions], default=0
        )

    return max(map(bytes_of, functions))


def nested(rng: random.Random) -> tuple[Any, list[Any], int]:
    """Stages inside of each other in loops of which some are parallel, each with memory of its own."""
    n = rng.choice([200, 1000, 3000, 5000])
    A = te.placeholder((2, 3, 2, n), name="A")
    before, stages = A, []
    for number in range(rng.randint(5, 9)):

        def step(i: Any, j: Any, k: Any, x: Any, before: Any = before) -> Any:
            return before[i, j, k, n - 1 - x] + before[i, j, k, x]

        before = te.compute(A.shape, step, name=f"S{number}")
        stages.append(before)
    s = te.create_schedule(before.op)
    for loop in range(rng.randint(1, 3)):
        s[before].parallel(s[before].op.axis[loop], grain=rng.choice([None, 1]))
    places = sorted(rng.randrange(3) for _ in stages[:-1])
    for stage, place in zip(stages[:-1], places, strict=True):
        s[stage].compute_at(s[before], s[before].op.axis[place])
    return s, [A, before], len(stages)


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 8))])
def test_buffers_on_the_stack_are_bounded_through_loops_in_loops(seed: int, two_threads: None) -> None:
    set_num_threads(4)
    s, args, count = nested(random.Random(seed))
    kernel = tewb.build(s, args)
    assert stack_of_chains(kernel.get_source("ll0")) <= STACK_LIMIT
    a = np.random.default_rng(seed).integers(0, 3, [int(x) for x in args[0].shape]).astype("float32")
    want = a
    for _ in range(count):
        want = want[..., ::-1] + want
    got = np.zeros_like(a)
    kernel(a, got)
    np.testing.assert_array_equal(got, want)


def test_small_buffers_that_the_stack_does_not_hold_are_taken_once_by_each_thread() -> None:
    A = te.placeholder((64, 900), name="A")
    stages = [A]
    for number in range(28):
        before = stages[-1]
        stages.append(te.compute(A.shape, lambda i, j, b=before: b[i, 899 - j] + b[i, j], name=f"S{number}"))
    s = te.create_schedule(stages[-1].op)
    for stage in stages[1:-1]:
        s[stage].compute_at(s[stages[-1]], "i")
        s[stage].set_scope("local")
    s[stages[-1]].parallel("i")
    with tewb.PassContext(config={"tir.disable_storage_rewrite": True}):
        kernel = tewb.build(s, [A, stages[-1]])
    text = kernel.get_source("ll0")
    body = text[text.index("@main.par0.body(") : text.index("define internal i32 @main.par0(")]
    assert stack_of_chains(text) <= STACK_LIMIT
    assert body.count("@tewb.alloc(") > 5 > 1 >= body.count("call void @tewb.free")
    a = np.zeros((64, 900), "float32")
    kernel(a, got := np.ones_like(a))
    assert (got == 0).all()
