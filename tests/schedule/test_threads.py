"""Which memory threads share."""

from __future__ import annotations

import contextlib
import random

import pytest

from tests.fuzz.gpu_steps import gpu_steps
from tests.programs import assert_same_result, blur, random_program, schedule_for
from tewb import te
from tewb.base import LowerError, ScheduleError
from tewb.schedule import Schedule
from tewb.schedule.bounds import infer_bounds
from tewb.schedule.threads import (
    Thread,
    bound,
    is_exchanged,
    is_shared_by,
    scope_of,
    shared_loops,
    threads_around,
    uses_threads,
    wanted_iterations,
)


def stencil(scope: str | None) -> Schedule:
    s = schedule_for(blur(12, 10)[1])
    assert not uses_threads(s)
    block, row = s["Y"].split("i", factor=4)
    s["Y"].bind(block, te.thread_axis("blockIdx.x"))
    s["Y"].bind(row, te.thread_axis("threadIdx.x"))
    s["X"].compute_at(s["Y"], row)
    if scope is not None:
        s["X"].set_scope(scope)
    return s


@pytest.mark.parametrize(
    ("scope", "resolved", "rows"),
    [(None, "local", 3), ("local", "local", 3), ("shared", "shared", 6), ("warp", "warp", 6)],
)
def test_shared_memory_is_as_large_as_all_threads_need(scope: str | None, resolved: str, rows: int) -> None:
    s = stencil(scope)
    assert uses_threads(s) and scope_of(s["X"]) == resolved
    assert is_exchanged(s["X"]) == (rows == 6)
    assert [loop.name for _, loop in shared_loops(s["X"])] == (["i.inner"] if rows == 6 else [])
    region = infer_bounds(s).stages[s["X"]].regions[0]
    assert region[0].extent.value == rows  # type: ignore[attr-defined]


def test_threads_are_those_of_the_loops_around() -> None:
    s = stencil(None)
    assert list(threads_around(s["X"])) == ["threadIdx.x", "blockIdx.x"]
    assert threads_around(s["Y"]) == {}
    assert {s["Y"].axis_name(iv): t.text for iv, t in bound(s["Y"]).items()} == {
        "i.outer": "blockIdx.x",
        "i.inner": "threadIdx.x",
    }
    loops = {s["Y"].axis_name(iv): wanted_iterations(s["Y"], iv) for iv in s["Y"].leaf_iter_vars}
    assert loops == {"i.outer": None, "i.inner": 4, "j": None}


def test_what_the_splits_and_fusions_of_a_loop_ask_for() -> None:
    s = schedule_for(blur(6, 5)[1])
    outer, inner = s["Y"].split("i", factor=32)
    rest, four = s["Y"].split(inner, factor=4)
    two, _ = s["Y"].split("j", nparts=2)
    s["Y"].reorder(outer, four, rest, two)
    fused = s["Y"].fuse(rest, two)
    wanted = {iv: wanted_iterations(s["Y"], iv) for iv in (outer, rest, four, two, fused)}
    assert list(wanted.values()) == [None, 8, 4, 2, 16]
    assert wanted_iterations(s["Y"], s["Y"].split(fused, nparts=3)[1]) == 6


@pytest.mark.parametrize(
    ("scope", "thread", "shared"),
    [("shared", "threadIdx.x", True), ("shared", "vthread vx", True), ("shared", "blockIdx.x", False),
     ("shared.dyn", "threadIdx.z", True), ("warp", "threadIdx.x", True), ("warp", "threadIdx.y", False),
     ("local", "threadIdx.x", False), ("local.acc", "vthread v", False), ("global.texture", "threadIdx.x", True)],
)  # fmt: skip
def test_which_threads_share_a_scope(scope: str, thread: str, shared: bool) -> None:
    assert is_shared_by(scope, Thread.parse(thread)) == shared


@pytest.mark.one_in(3)
@pytest.mark.parametrize("seed", range(12))
def test_random_schedules_as_gpus_have_them_compute_the_same(seed: int) -> None:
    rng = random.Random(seed)
    inputs, outputs = random_program(rng.choice(["matmul", "blur", "chain", "rows", "transposed"]), rng, 12)
    s = schedule_for(outputs)
    for primitive, stage, args in gpu_steps(s, rng):
        with contextlib.suppress(ScheduleError):
            s.do(primitive, s[stage], args)
    # What threads would not share is refused, and what no later step has made right.
    with contextlib.suppress(LowerError, ScheduleError):
        assert_same_result(s, inputs, outputs, debug=True)
