"""Timers around the parts of a program: what they stand around, and that nothing else changes."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from tests.lowering.timed import named, run_timed, timed_kernel
from tests.programs import BEGINNINGS, PROGRAMS, matmul, random_program, random_schedule, schedule_for
from tewb.ir import IRModule, parse, structural_equal
from tewb.lowering import BUILD, Trace, loop_parts, lower_schedule, run, time_loops
from tewb.testing import evaluate, random_array, tolerance


def test_timers_stand_around_the_chosen_parts() -> None:
    inputs, outputs = matmul(2, 3, 4)
    trace: Trace = []
    f = run(lower_schedule(schedule_for(outputs), [*inputs, *outputs], trace=trace)["main"], BUILD)
    kernel = loop_parts(f, trace[0][1], lambda v: 0.0)
    timed = time_loops(f, trace[0][1], kernel, [kernel, named(kernel, "C", "C/i", "C/j", "C/k")])
    text = timed.script()
    assert [line.strip() for line in text.splitlines()[-7:]] == [
        'with T.attr(None, "tewb.timer", counters[T.int64(0)]):',
        "for i in range(2):",
        "for j in range(3):",
        "C[i * 3 + j] = T.float32(0.0)",
        'with T.attr(None, "tewb.timer", counters[T.int64(2)]):',
        "for k in range(4):",
        "C[i * 3 + j] = C[i * 3 + j] + A[i * 4 + k] * B[k * 3 + j]",
    ]
    assert structural_equal(parse(text), timed)
    assert timed.outputs == (2, 3) and timed.params[-1].name == "counters"


def test_without_timers_the_body_is_the_same_object() -> None:
    inputs, outputs = matmul(2, 3, 4)
    trace: Trace = []
    f = run(lower_schedule(schedule_for(outputs), [*inputs, *outputs], trace=trace)["main"], BUILD)
    kernel = loop_parts(f, trace[0][1], lambda v: 0.0)
    assert time_loops(f, trace[0][1], kernel, []).body is f.body


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("seed", range(8))
def test_results_with_timers_are_those_without_and_every_entry_is_counted(name: str, seed: int) -> None:
    rng = random.Random(f"timers {name} {seed}")
    inputs, outputs = random_program(name, rng, 20)
    s = random_schedule(outputs, rng, rng.randint(1, 8), BEGINNINGS.get(name, [])[: rng.randint(0, 4)])
    values = np.random.default_rng(seed)
    arrays = [random_array([n.value for n in t.shape], t.dtype, values) for t in inputs]
    expected = evaluate(outputs, dict(zip(inputs, arrays, strict=True)))
    results = [np.full(e.shape, 77).astype(e.dtype) for e in expected]
    _, counted = run_timed(s, [*inputs, *outputs], *arrays, *results, debug=seed % 4 == 0)
    for t, got, want in zip(outputs, results, expected, strict=True):
        rtol, atol = tolerance(t.dtype, 64)
        np.testing.assert_allclose(got, want, rtol=rtol, atol=atol, err_msg=f"{t.name}: {s.journal}")
    for p, (_, entries) in counted.items():  # the guess is right, but for ranges that depend on other loops
        assert entries == pytest.approx(p.entries, rel=0.1, abs=1), (p.stage, p.loop, s.journal)
    assert all(ticks > 0 for ticks, _ in counted.values())


def test_tasks_of_a_parallel_loop_lose_no_entry() -> None:
    inputs, outputs = matmul(97, 8, 8)
    s = schedule_for(outputs)
    s[outputs[0]].parallel("i")
    arrays: list[Any] = [
        np.ones((97, 8), "float32"),
        np.ones((8, 8), "float32"),
        np.zeros((97, 8), "float32"),
    ]
    kernel, whole, parts = timed_kernel(s, [*inputs, *outputs])
    counters = np.zeros(2 * len(parts), np.int64)
    for _ in range(50):
        kernel(*arrays, counters)
    tasks = named(whole, "C", "C/i", "parallel", "tasks")
    assert counters[2 * parts.index(tasks) + 1] == 50 * 97
    assert counters[2 * parts.index(named(tasks, "C/j", "C/k")) + 1] == 50 * 97 * 8
    assert (arrays[-1] == 8).all()


def test_a_kernel_with_timers_is_not_taken_for_the_one_without() -> None:
    inputs, outputs = matmul(3, 5, 7)
    args = [*inputs, *outputs]
    s = schedule_for(outputs)
    plain = IRModule(dict(lower_schedule(s, args).functions))
    kernel, _, parts = timed_kernel(s, args)
    assert len(kernel.signature.params) == 4 and len(plain["main"].params) == 3 and len(parts) > 1
