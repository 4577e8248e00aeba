"""Pragmas done: which loops inside of a loop become unrolled."""

from __future__ import annotations

from typing import Any

import pytest

import tewb
from tests.programs import assert_same_result, matmul, schedule_for
from tewb import te
from tewb.ir import For, ForKind, walk
from tewb.lowering import scheduled_loops


def unrolled(s: Any, args: list[Any]) -> set[str]:
    nodes = walk(scheduled_loops(s, args).body)
    return {n.var.name for n in nodes if isinstance(n, For) and n.kind is ForKind.UNROLLED}


@pytest.mark.parametrize(
    ("most", "names"),
    [
        (0, set()), (3, set()), (4, {"k.inner"}), (15, {"k.inner"}),
        (16, {"k.inner", "j.inner", "j.inner.init"}),
    ],
)  # fmt: skip
def test_small_loops_inside_are_unrolled(most: int, names: set[str]) -> None:
    inputs, outputs = matmul(8, 32, 10)
    s = schedule_for(outputs)
    s["C"].split("j", factor=8)
    s["C"].split("j.inner", factor=4)
    s["C"].split("k", factor=4)
    s["C"].reorder("j.inner.outer", "k.outer", "j.inner.inner", "k.inner")
    s["C"].pragma("j.outer", "auto_unroll_max_step", most)
    found = {x.replace("j.inner.inner", "j.inner") for x in unrolled(s, inputs + outputs)}
    assert found == ({"j.inner.init", *names} if most >= 4 else names)
    assert_same_result(s, inputs, outputs)


def test_lanes_are_one_step_and_loops_around_stay() -> None:
    inputs, outputs = matmul(4, 64, 8)
    s = schedule_for(outputs)
    s["C"].split("j", factor=16)
    s["C"].reorder("j.outer", "k", "j.inner")
    s["C"].vectorize("j.inner")
    s["C"].pragma("j.outer", "auto_unroll_max_step", 8)
    assert unrolled(s, inputs + outputs) == {"k"}
    assert_same_result(s, inputs, outputs)


def test_unrolling_can_be_left_to_the_compiler() -> None:
    inputs, outputs = matmul(4, 6, 8)
    s = schedule_for(outputs)
    s["C"].unroll("k")
    s["C"].pragma("i", "unroll_explicit", 0)
    assert unrolled(s, inputs + outputs) == set()
    assert "for k in range(8):" in str(tewb.lower(s, inputs + outputs))
    assert_same_result(s, inputs, outputs)


def test_a_symbolic_loop_is_not_unrolled() -> None:
    n = te.var("n")
    A = te.placeholder((n, n), name="A")
    B = te.compute((n, n), lambda i, j: A[i, j] + 1.0, name="B")
    s = te.create_schedule(B.op)
    s[B].pragma("i", "auto_unroll_max_step", 64)
    assert unrolled(s, [A, B]) == set()
