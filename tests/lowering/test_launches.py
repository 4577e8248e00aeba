"""The threads of a launch: how many there are, and which loops they run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tewb
from tests.programs import assert_same_result, chain, schedule_for
from tewb import te
from tewb.base import LowerError
from tewb.ir import launched, walk

Scheduled = tuple[Any, list[Any], list[Any]]
TX = te.thread_axis("threadIdx.x")


def launches(scheduled: Scheduled) -> list[tuple[str, int]]:
    """What the lowered program launches, in order."""
    s, inputs, outputs = scheduled
    found = [n for n in walk(tewb.lower(s, inputs + outputs)["main"].body) if launched(n) is not None]  # type: ignore[arg-type]
    return [(n.node.thread_tag, n.value.value) for n in found]  # type: ignore[attr-defined]


def nested(inner: Callable[[Any, Any], None], n: int = 8, m: int = 8) -> Scheduled:
    """D by threads, with C computed in them."""
    inputs, outputs = chain(n, m)
    s = schedule_for(outputs)
    s["C"].compute_at(s["D"], "i")
    s["D"].bind("i", TX)
    inner(s, s["C"])
    return s, inputs, outputs


def test_threads_that_run_already_are_not_launched_again() -> None:
    scheduled = nested(lambda s, c: c.bind("j", TX))
    assert launches(scheduled) == [("threadIdx.x", 8)]
    assert_same_result(*scheduled, debug=True)


def test_stages_beside_each_other_have_launches_of_their_own() -> None:
    inputs, outputs = chain(6, 5)
    s = schedule_for(outputs)
    s["C"].bind("i", TX)
    s["D"].bind("j", TX)
    assert launches((s, inputs, outputs)) == [("threadIdx.x", 6), ("threadIdx.x", 5)]
    assert_same_result(s, inputs, outputs, debug=True)


def test_virtual_threads_are_told_apart_by_their_axes() -> None:
    inputs, outputs = chain(6, 5)
    s = schedule_for(outputs)
    s["D"].bind("i", te.thread_axis("vthread"))
    s["D"].bind("j", te.thread_axis("vthread"))
    assert launches((s, inputs, outputs)) == [("vthread", 6), ("vthread", 5)]
    assert [step.args["thread"] for step in s.journal] == ["vthread", "vthread vthread_1"]
    assert_same_result(s, inputs, outputs, debug=True)


def test_a_launch_is_as_large_as_the_split_asked_for() -> None:
    def split(s: Any, c: Any) -> None:
        c.bind(c.split("j", nparts=8)[0], TX)

    assert launches(nested(split, 8, 5)) == [("threadIdx.x", 8)]
    assert_same_result(*nested(split, 8, 5), debug=True)


def declared(s: Any, c: Any) -> None:
    c.bind("j", te.thread_axis((0, 6), "threadIdx.x"))


@pytest.mark.parametrize(
    ("inner", "m", "said"),
    [
        (lambda s, c: c.bind("j", TX), 5, "5 in loop j of C, and 8 in loop i of D"),
        (declared, 6, "8 in loop i of D, and 6 as it is declared"),
        (
            lambda s, c: c.bind(c.split("j", nparts=7)[0], TX),
            8,
            "7 in loop j.outer of C, and 8 in loop i of D",
        ),
    ],
)
def test_two_sizes_of_one_kind_are_refused_with_both(
    inner: Callable[[Any, Any], None], m: int, said: str
) -> None:
    with pytest.raises(LowerError, match="threadIdx.x has two sizes in one launch") as e:
        launches(nested(inner, 8, m))
    assert said in str(e.value) and e.value.hint and e.value.loops
