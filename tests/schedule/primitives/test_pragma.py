"""Pragmas of classic schedules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tewb
from tests.programs import assert_same_result, matmul, schedule_for
from tewb import te
from tewb.base import ScheduleError
from tewb.ir import For, ForKind, walk
from tewb.lowering import scheduled_loops
from tewb.workbench import Session


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


def on(*args: Any) -> Callable[[Any], object]:
    return lambda s: s["C"].pragma(*args)


def split_after(s: Any) -> None:
    s["C"].pragma("i", "unroll_explicit", 0)
    s["C"].split("i", factor=4)


def write_after(s: Any) -> None:
    s["C"].pragma("i", "unroll_explicit", 0)
    s.cache_write(s["C"].op.output(0), "local")


def factor_after(s: Any) -> None:
    s["C"].pragma("k", "unroll_explicit", 0)
    s.rfactor(s["C"].op.output(0), "k")


def twice(s: Any) -> None:
    on("i", "unroll_explicit", 0)(s)
    on("i", "unroll_explicit", 1)(s)


@pytest.mark.parametrize(
    ("misuse", "said"),
    [
        (on("i", "import_c", 0), "there is no pragma import_c here.*\n.*\n  hint: call C functions by te.call_extern"),
        (on("i", "parallel_launch_point"), "hint: call parallel on a loop"),
        (on("i", "vectorize"), "hint: call vectorize on the loop"),
        (on("i", "frobnicate"), "hint: there are auto_unroll_max_step: unroll the loops.*unroll_explicit"),
        (on("i", 7), "7 is not a word"),
        (on("i", "auto_unroll_max_step", 5000), "auto_unroll_max_step=5000 must be from 0 to 4096"),
        (on("i", "unroll_explicit", 2), "unroll_explicit=2 must be from 0 to 1"),
        (on("x", "unroll_explicit", 0), "it has no axis x"),
        (split_after, "loop i has the pragma unroll_explicit.*\n.*\n  hint: split or fuse before pragma"),
        (write_after, "its loops are scheduled already"),
        (factor_after, "loop k has the pragma unroll_explicit.*\n.*\n  hint: call rfactor before pragma"),
        (twice, "loop i has the pragma unroll_explicit already"),
    ],
)  # fmt: skip
def test_misuse_is_refused(misuse: Callable[[Any], object], said: str) -> None:
    with pytest.raises(ScheduleError, match=said):
        misuse(schedule_for(matmul(8, 8, 8)[1]))


def test_the_workbench_shows_and_replays_it() -> None:
    inputs, outputs = matmul(8, 8, 8)
    bench = Session(schedule_for(outputs), [*inputs, *outputs])
    bench.apply(
        {
            "primitive": "pragma",
            "stage": "C",
            "args": {"axis": "i", "key": "auto_unroll_max_step", "value": 8},
        }
    )
    assert bench.schedule["C"].loops() == "i(8, auto_unroll_max_step 8), j(8), k(8)"
    assert 's[C].pragma(i, "auto_unroll_max_step", 8)' in bench.code
    assert bench.verify().ok
    found: dict[str, Any] = {}
    exec(bench.code, found)
    assert found["s"].journal == bench.journal
