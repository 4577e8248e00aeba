"""Loops of hybrid functions that threads run: for i in bind("threadIdx.x", n)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import add_one, assert_same_result
from tewb import te
from tewb.base import HybridError, ScheduleError
from tewb.ir import script

# ruff: noqa: F821


@te.hybrid.script
def blocks_of_threads(a):
    b = output_tensor(a.shape, "float32")
    for bx in bind("blockIdx.x", 3):
        for tx in bind("threadIdx.x", 4):
            own = allocate((1,), "float32", "local")
            own[0] = a[bx * 4 + tx] * 2.0
            b[bx * 4 + tx] = own[0] + 1.0
    return b


@te.hybrid.script
def one_after_the_other(a):
    b = output_tensor(a.shape, "float32")
    tile = allocate(a.shape, "float32", "shared")
    for tx in bind("threadIdx.x", 12):
        tile[tx] = a[tx]
    for tx in bind("threadIdx.x", 12):
        b[tx] = tile[11 - tx]
    return b


@te.hybrid.script
def in_order(a):
    b = output_tensor(a.shape, "float32")
    b[0] = a[0]
    for tx in bind("threadIdx.x", 11):
        b[tx + 1] = b[tx] + a[tx + 1]
    return b


@te.hybrid.script
def the_same_threads_twice(a):
    b = output_tensor(a.shape, "float32")
    for i in bind("threadIdx.x", 4):
        for j in bind("threadIdx.x", 3):
            b[i * 3 + j] = a[j * 4 + i]
    return b


FUNCTIONS = [blocks_of_threads, one_after_the_other, in_order, the_same_threads_twice]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.name)
def test_threads_compute_what_the_loops_say(function: Any) -> None:
    A = te.placeholder((12,), name="A")
    B = function(A)
    s = te.create_schedule(B.op)
    assert_same_result(s, [A], [B], debug=True)
    a, b = np.random.rand(12).astype("float32"), np.zeros(12, "float32")
    tewb.build(s, [A, B])(a, b)
    np.testing.assert_array_equal(b, function(a))


def test_loops_whose_iterations_are_independent_are_launches() -> None:
    A = te.placeholder((12,), name="A")

    def text(function: Any) -> str:
        B = function(A)
        return script(tewb.lower(te.create_schedule(B.op), [A, B]))

    assert 'bx = T.launch_thread("blockIdx.x", 3)' in text(blocks_of_threads)
    assert text(one_after_the_other).count("launch_thread") == 2
    assert "launch_thread" not in text(in_order)
    assert text(the_same_threads_twice).count("launch_thread") == 1


@pytest.mark.parametrize(("n", "factor"), [(12, 4), (12, 5), (3, 8)])
def test_a_schedule_binds_the_loops_of_a_hybrid_function(n: int, factor: int) -> None:
    A = te.placeholder((2, n), name="A")

    @te.hybrid.script
    def double(a):
        b = output_tensor(a.shape, "float32")
        for i in range(a.shape[0]):
            for j in range(a.shape[1]):
                b[i, j] = a[i, j] * 2.0
        return b

    B = double(A)
    s = te.create_schedule(B.op)
    outer, inner = s[B].split(B.op.axis[1], factor=factor)
    s[B].bind(outer, te.thread_axis("blockIdx.x"))
    s[B].bind(inner, te.thread_axis("threadIdx.x"))
    assert script(tewb.lower(s, [A, B])).count("launch_thread") == 2
    assert_same_result(s, [A], [B], debug=True)


def test_a_compute_that_a_hybrid_function_reads_is_made_in_its_threads() -> None:
    A = te.placeholder((12,), name="A")
    B = te.compute((12,), lambda i: A[i] + 1.0, name="B")
    C = add_one(B)
    s = te.create_schedule(C.op)
    s[C].bind(C.op.axis[0], te.thread_axis("threadIdx.x"))
    s[B].compute_at(s[C], C.op.axis[0])
    assert_same_result(s, [A], [C], debug=True)


def test_loops_of_threads_are_dumped_as_loops() -> None:
    A = te.placeholder((12,), name="A")
    B = te.compute((12,), lambda i: A[11 - i] + 1.0, name="B")
    s = te.create_schedule(B.op)
    copy = s.cache_read(A, "shared", [B])
    s[B].bind("i", te.thread_axis("threadIdx.x"))
    s[copy].compute_at(s[B], "i")
    s[copy].bind("ax0", te.thread_axis("threadIdx.x"))
    module = te.hybrid.build(s, [A], [B])
    a = np.arange(12).astype("float32")
    np.testing.assert_array_equal(module(a), a[::-1] + 1)


def wrong(loop: str) -> Any:
    text = f"def f(a):\n    b = output_tensor(a.shape, 'float32')\n    {loop}\n    return b\n"
    names: dict[str, Any] = {}
    exec(text, names)
    return te.hybrid.script(names["f"], source=text)


@pytest.mark.parametrize(
    ("loop", "said"),
    [
        ('for i in bind("threadIdx.q", 12): b[i] = a[i]', "no threads with the tag 'threadIdx.q'"),
        ("for i in bind(12): b[i] = a[i]", "bind takes a thread tag and a number"),
        ('for i in bind("threadIdx.x", 0, 12): b[i] = a[i]', "bind takes a thread tag and a number"),
    ],
)
def test_a_loop_over_no_threads_is_refused(loop: str, said: str) -> None:
    with pytest.raises(HybridError, match=said):
        wrong(loop)(te.placeholder((12,), name="A"))


def test_iterations_that_come_in_order_are_not_bound() -> None:
    A = te.placeholder((12,), name="A")
    B = in_order(A)
    s = te.create_schedule(B.op)
    with pytest.raises(ScheduleError, match="must run in order"):
        s[B].bind(B.op.axis[0], te.thread_axis("threadIdx.x"))
