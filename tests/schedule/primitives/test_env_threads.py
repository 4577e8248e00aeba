"""Threads that are launched around a stage."""

from __future__ import annotations

from typing import Any

import pytest

import tewb
from tests.programs import assert_same_result, chain, schedule_for
from tewb import te
from tewb.base import ScheduleError
from tewb.ir import script


def inside(scope: str | None = "shared", bind: bool = True) -> tuple[Any, list[Any], list[Any]]:
    """C by threads that are launched around D."""
    inputs, outputs = chain(4, 8)
    s = schedule_for(outputs)
    s["C"].compute_at(s["D"], "i")
    if scope is not None:
        s["C"].set_scope(scope)
    if bind:
        s["C"].bind("j", te.thread_axis("threadIdx.x"))
    s["D"].env_threads([te.thread_axis((0, 8), "threadIdx.x"), te.thread_axis((0, 2), "blockIdx.x")])
    return s, inputs, outputs


@pytest.mark.parametrize("bind", [True, False])
@pytest.mark.parametrize("scope", ["shared", None])
def test_stages_inside_share_the_work_of_threads_that_are_launched_around(
    scope: str | None, bind: bool
) -> None:
    s, inputs, outputs = inside(scope, bind)
    assert 'threadIdx.x = T.launch_thread("threadIdx.x", 8)' in script(tewb.lower(s, inputs + outputs))
    assert_same_result(s, inputs, outputs, debug=True)


def test_the_loops_of_the_stage_itself_may_be_bound_to_them() -> None:
    inputs, outputs = chain(4, 8)
    s = schedule_for(outputs)
    s["D"].env_threads(te.thread_axis((0, 8), "threadIdx.x"))
    s["D"].bind("j", te.thread_axis("threadIdx.x"))
    assert script(tewb.lower(s, inputs + outputs)).count("launch_thread") == 1
    assert [t.text for t in s["D"].env] == ["threadIdx.x(8)"]
    assert_same_result(s, inputs, outputs, debug=True)


@pytest.mark.parametrize(
    ("threads", "said"),
    [
        ([], "no threads are named"),
        ([te.thread_axis("threadIdx.x")], "how many threadIdx.x there are is not said"),
        (["threadIdx.x(4)", "threadIdx.x(2)"], "threadIdx.x is named twice"),
        (["threads"], "threads is no thread axis"),
        ([4], "4 is no thread axis"),
    ],
)
def test_threads_without_a_number_are_refused(threads: list[Any], said: str) -> None:
    s = schedule_for(chain()[1])
    with pytest.raises(ScheduleError, match=f"env_threads on stage D: {said}") as e:
        s["D"].env_threads(threads)
    assert e.value.hint and e.value.loops


def test_threads_are_launched_around_a_stage_once() -> None:
    s = inside()[0]
    with pytest.raises(ScheduleError, match="threads are launched around it already"):
        s["D"].env_threads(["threadIdx.y(2)"])
