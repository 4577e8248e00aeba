"""Unrolling is bounded: what a function becomes is known before anything is written out."""

from __future__ import annotations

import pytest

import tewb
from tests.lowering.passes import after, vector
from tests.programs import assert_same_result, matmul, schedule_for
from tewb import te
from tewb.base import LowerError
from tewb.ir import BufferStore, For, walk
from tewb.tensor import Tensor


def stages(count: int, n: int) -> tuple[list[Tensor], Tensor]:
    A = te.placeholder((n,), name="A")
    made = [A]
    for q in range(count):
        before = made[-1]
        made.append(te.compute((n,), lambda i, before=before: before[i] * 2.0 + before[i], name=f"S{q}"))
    return made, made[-1]


@pytest.mark.slow
def test_an_unrolled_loop_of_792_guarded_iterations_computes_the_same() -> None:
    A = te.placeholder((2001,), name="A")
    C = te.compute((2001,), lambda i: te.if_then_else(i > 1, A[i - 2], 0.0) * 2.0, name="C")
    s = te.create_schedule(C.op)
    s[C].unroll(s[C].split("i", factor=792)[1])
    assert_same_result(s, [A], [C])


def test_unroll_writes_the_iterations_out() -> None:
    s, args = vector(4, 2)
    s["B"].unroll("i.inner")
    assert after("simplify again", s, args) == (
        "for i.outer in range(2):\n"
        "    B[i.outer * 2] = A[i.outer * 2] + T.float32(1.0)\n"
        "    B[i.outer * 2 + 1] = A[i.outer * 2 + 1] + T.float32(1.0)"
    )


def test_enormous_unrolling_is_refused() -> None:
    inputs, outputs = matmul(4096, 64, 4096)
    s = schedule_for(outputs)
    s["C"].unroll("i")
    s["C"].unroll("j")
    with pytest.raises(LowerError, match="would become about"):
        tewb.lower(s, inputs + outputs)


def test_the_sum_of_all_unrolled_loops_is_bounded() -> None:
    made, last = stages(6, 2000)
    s = te.create_schedule(last.op)
    for t in made[1:]:
        s[t].unroll("i")
    with pytest.raises(LowerError, match=r"i \(2000 iterations\) would become about .* and 5 others") as e:
        tewb.lower(s, [made[0], last])
    assert "split i, and unroll the inner loop" in str(e.value)


def test_nested_unrolled_loops_are_named_together() -> None:
    A = te.placeholder((200, 300), name="A")
    C = te.compute((200, 300), lambda i, j: A[i, j] + 1.0, name="C")
    s = te.create_schedule(C.op)
    s[C].unroll("i")
    s[C].unroll("j")
    with pytest.raises(LowerError, match=r"i \(200 iterations\) and j \(300 iterations\) would become about"):
        tewb.lower(s, [A, C])


def test_lanes_that_lie_apart_count() -> None:
    A = te.placeholder((64, 600), name="A")
    C = te.compute((600, 64), lambda i, j: A[j, i], name="C")
    s = te.create_schedule(C.op)
    s[C].vectorize("j")
    s[C].unroll("i")
    with pytest.raises(LowerError, match=r"i \(600 iterations\) would become about"):
        tewb.lower(s, [A, C])


def test_a_long_program_without_unrolled_loops_is_not_refused() -> None:
    A = te.placeholder((8,), name="A")
    outputs = [te.compute((8,), lambda i, q=q: A[i] * float(q), name=f"S{q}") for q in range(50)]
    s = te.create_schedule([t.op for t in outputs])
    assert len([n for n in walk(tewb.lower(s, [A, *outputs])["main"].body) if isinstance(n, For)]) == 50


def test_a_pragma_leaves_a_loop_that_would_become_enormous() -> None:
    A = te.placeholder((4, 3000), name="A")
    C = te.compute((4, 3000), lambda i, j: A[i, j] * 2.0 + 1.0, name="C")
    s = te.create_schedule(C.op)
    s[C].pragma("i", "auto_unroll_max_step", 4096)
    body = tewb.lower(s, [A, C])["main"].body
    assert len([n for n in walk(body) if isinstance(n, BufferStore)]) == 1
