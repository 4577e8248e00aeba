"""Threads and conditions on them as text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tewb import te
from tewb.base import ScheduleError
from tewb.ir import script
from tewb.schedule.thread import Thread, condition_text, condition_threads, read_condition, thread_text


@pytest.mark.parametrize(
    "text", ["threadIdx.x", "blockIdx.z(4)", "vthread(2) vx", "vthread vx", "threadIdx.y(16) ty"]
)
def test_a_thread_is_its_text(text: str) -> None:
    assert Thread.parse(text).text == text


def test_real_threads_are_known_by_their_tag_and_virtual_ones_by_their_name() -> None:
    assert Thread.parse("threadIdx.x(4) tx").key == "threadIdx.x"
    assert Thread.parse("vthread vx").key == "vx"
    assert Thread.parse("blockIdx.x").is_block and not Thread.parse("threadIdx.x").is_block


def test_virtual_threads_of_one_name_get_names_of_their_own() -> None:
    names: Any = {}
    first, second = te.thread_axis((0, 2), "vthread", name="v"), te.thread_axis((0, 2), "vthread", name="v")
    texts = [thread_text(names, axis) for axis in (first, second, first)]
    assert texts == ["vthread(2) v", "vthread(2) v_1", "vthread(2) v"]
    assert thread_text(names, te.thread_axis("threadIdx.x", name="tx")) == "threadIdx.x"


def test_conditions_are_text_of_the_threads_they_use() -> None:
    names: Any = {}
    tx, vx = te.thread_axis("threadIdx.x", name="tx"), te.thread_axis((0, 4), "vthread", name="vx")
    for axis in (tx, vx):
        thread_text(names, axis)
    text = condition_text(names, te.all(tx.var.equal(0), vx.var < 2))
    assert text == "threadIdx.x == 0 and vx < 2" == condition_text(names, text)
    assert condition_threads(text) == ["threadIdx.x", "vx"]
    assert script(read_condition(text, {"vx": te.const(1)})) == "threadIdx.x == 0 and 1 < 2"


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (lambda: Thread.parse("warp"), "warp is no thread axis"),
        (lambda: thread_text({}, 3), "3 is no thread axis"),
        (lambda: condition_text({}, te.var("q") < 2), "the condition uses q, which is no thread"),
        (lambda: condition_text({}, 3), "3 is no condition"),
        (lambda: condition_text({}, "threadIdx.x ="), "is no condition on threads: this is not Python"),
        (lambda: condition_text({}, "threadIdx.x + 1"), "a condition is bool, not int32"),
        (lambda: condition_text({}, "A[0] == 1"), "is no condition on threads"),
        (lambda: condition_text({}, "import os"), "is no condition on threads"),
    ],
)  # fmt: skip
def test_what_is_no_thread_and_no_condition_is_refused(read: Callable[[], Any], said: str) -> None:
    with pytest.raises(ScheduleError, match=said.replace("[", r"\[")) as e:
        read()
    assert e.value.hint
