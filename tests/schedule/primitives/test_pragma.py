"""Pragmas of classic schedules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import assert_same_result, lower_all, matmul, schedule_for
from tewb import te
from tewb.base import ScheduleError
from tewb.ir import AttrStmt, structural_equal, walk
from tewb.ir.parser import parse
from tewb.workbench import Session


def on(*args: Any) -> Callable[[Any], object]:
    return lambda s: s["C"].pragma(*args)


def split_after(s: Any) -> None:
    s["C"].pragma("i", "unroll_explicit", 0)
    s["C"].split("i", factor=4)


def factor_after(s: Any) -> None:
    s["C"].pragma("k", "unroll_explicit", 0)
    s.rfactor(s["C"].op.output(0), "k")


def twice(s: Any) -> None:
    on("i", "unroll_explicit", 0)(s)
    on("i", "unroll_explicit", 1)(s)


def test_it_stays_on_a_loop_that_copies_the_result() -> None:
    s = schedule_for(matmul(8, 8, 8)[1])
    s["C"].pragma("i", "unroll_explicit", 0)
    s.cache_write(s["C"].op.output(0), "local")
    assert "unroll_explicit" in s["C"].loops() and "unroll" not in s["C.local"].loops()


@pytest.mark.parametrize(
    ("misuse", "said"),
    [
        (on("i", ""), "the pragma has no name.*\n.*\n  hint: there are auto_unroll_max_step, unroll_explicit"),
        (on("i", "unroll_explicit", "yes"), "unroll_explicit=yes must be from 0 to 1"),
        (on("i", "frobnicate", 1.5), "1.5 is not a whole number"),
        (on("k", "vectorize", 1, 2), "pragma on stage C: 4 arguments are given, and it takes 3"),
        (on("i", 7), "7 is not a word"),
        (on("i", "auto_unroll_max_step", 5000), "auto_unroll_max_step=5000 must be from 0 to 4096"),
        (on("i", "unroll_explicit", 2), "unroll_explicit=2 must be from 0 to 1"),
        (on("x", "unroll_explicit", 0), "it has no axis x"),
        (split_after, "loop i has the pragma unroll_explicit.*\n.*\n  hint: split or fuse before pragma"),
        (factor_after, "loop k has the pragma unroll_explicit.*\n.*\n  hint: call rfactor before pragma"),
        (twice, "loop i has the pragma unroll_explicit already"),
    ],
)  # fmt: skip
def test_misuse_is_refused(misuse: Callable[[Any], object], said: str) -> None:
    with pytest.raises((ScheduleError, TypeError), match=said):
        misuse(schedule_for(matmul(8, 8, 8)[1]))


@pytest.mark.parametrize(
    ("word", "value"),
    [("import_c", "int f();"), ("parallel_launch_point", None), ("frobnicate", 7), ("prefetch_scope", 1)],
)
def test_any_word_is_kept(word: str, value: Any) -> None:
    inputs, outputs = matmul(8, 8, 8)
    s = schedule_for(outputs)
    s["C"].vectorize(s["C"].split("j", factor=4)[1])
    s["C"].pragma("i", word, value)
    module = lower_all(s)
    (attr,) = [n for n in walk(module["main"].body) if isinstance(n, AttrStmt)]
    assert attr.key == f"pragma_{word}"
    assert attr.value.value == (1 if value is None else value)  # type: ignore[attr-defined]
    assert structural_equal(parse(str(module)), module)
    assert_same_result(s, inputs, outputs)
    bench = Session(s, [*inputs, *outputs])
    for text in (bench.code, bench.to_string(), bench.to_json()):
        other = Session(schedule_for(outputs), [*inputs, *outputs])
        other.load(text)
        assert other.journal == bench.journal


def test_two_pragmas_are_primitives() -> None:
    s = schedule_for(matmul(8, 8, 8)[1])
    s["C"].pragma("i", "unroll")
    s["C"].pragma("j", "vectorize")
    assert s["C"].loops() == "i(8, unroll), j(8, vectorize), k(8)"
    with pytest.raises(ScheduleError, match="pragma on stage C: C is an input|it has no axis x"):
        s["C"].pragma("x", "unroll")


def test_a_skipped_region_does_nothing() -> None:
    inputs, outputs = matmul(4, 4, 4)
    s = schedule_for(outputs)
    s["C"].pragma("i", "debug_skip_region")
    assert "A[" not in str(lower_all(s)["main"].body)
    a, c = np.ones((4, 4), "float32"), np.full((4, 4), 7, "float32")
    tewb.build(s, [*inputs, *outputs])(a, a, c)
    assert (c == 7).all()


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


def test_pragmas_of_classic_parallel_loops_change_nothing() -> None:
    A = te.placeholder((24, 6), name="A")
    B = te.compute(A.shape, lambda i, j: A[i, j] + 1.0, name="B")
    s = te.create_schedule(B.op)
    outer, inner = s[B].split("i", 4)
    s[B].pragma(outer, "parallel_launch_point")
    s[B].pragma(inner, "parallel_stride_pattern")
    s[B].pragma(inner, "parallel_barrier_when_finish")
    s[B].parallel(inner, grain=1)
    a, b = np.ones((24, 6), "float32"), np.zeros((24, 6), "float32")
    tewb.build(s, [A, B])(a, b)
    assert (b == 2).all()
