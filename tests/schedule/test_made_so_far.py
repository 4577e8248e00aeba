"""What iterations have made: exact boxes, the order of elements, and the parts of readers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tewb import te
from tewb.base import ScheduleError
from tewb.ir import const_int, script
from tewb.schedule import Schedule
from tewb.schedule.bounds import infer_bounds
from tewb.schedule.made_so_far import Made, made


def program(steps: Callable[[Schedule], Any], n: int = 12) -> Schedule:
    A = te.placeholder((n, 6), "int32", name="A")
    P = te.compute((n, 6), lambda i, j: A[i, j] + 1, name="P")
    C = te.compute((n, 6), lambda i, j: P[i, j] * 2, name="C")
    s = te.create_schedule(C.op)
    steps(s)
    return s


def made_of(s: Schedule, *loops: str) -> Made | str:
    P = s["P"]
    return made(P, 0, {(P, P.find_axis(x)) for x in loops}, infer_bounds(s))  # type: ignore[misc]


def ends(m: Made | str) -> list[tuple[str, str] | None]:
    assert isinstance(m, Made)
    return [None if x is None else (script(x.lo), script(x.hi)) for x in m.box]


def test_an_iteration_makes_a_box() -> None:
    s = program(lambda s: s["P"].tile("i", "j", 4, 2))
    assert ends(made_of(s, "i.outer")) == [("i.outer * 4", "i.outer * 4 + 3"), None]
    assert ends(made_of(s, "i.outer", "j.outer"))[1] == ("j.outer * 2", "j.outer * 2 + 1")
    assert ends(made_of(s)) == [None, None]


@pytest.mark.parametrize(
    ("steps", "loops", "why"),
    [
        (lambda p: p.split("i", 4), ("i.inner",), "with gaps between them"),
        (lambda p: (p.split("i", 4), p.split("i.inner", 3)), ("i.outer", "i.inner.outer"), "does not divide"),
        (lambda p: p.split(p.fuse("i", "j"), 4), ("i.j.fused.outer",), "no box of i and j"),
    ],
)
def test_what_is_no_box_is_told(steps: Any, loops: tuple[str, ...], why: str) -> None:
    found = made_of(program(lambda s: steps(s["P"])), *loops)
    assert isinstance(found, str) and why in found


@pytest.mark.parametrize(
    ("steps", "loops", "why"),
    [
        (lambda p: p.split("i", 4), ("i.outer", "i.inner"), None),
        (lambda p: (p.split("i", 4), p.parallel("i.outer")), ("i.outer",), "do not come one after the other"),
        (lambda p: p.split("i", 5, tail="shift"), ("i.outer",), "do not run in the order"),
        (lambda p: (p.split("i", 4), p.reorder("i.inner", "i.outer")), ("i.inner", "i.outer"), "do not run in the order"),
        (lambda p: p.fuse("i", "j"), ("i.j.fused",), "is fused"),
    ],
)  # fmt: skip
def test_what_is_before_is_made_where_loops_run_in_the_order_of_elements(
    steps: Any, loops: Any, why: Any
) -> None:
    found = made_of(program(lambda s: steps(s["P"])), *loops)
    assert isinstance(found, Made)
    assert (found.not_before[0] is None) if why is None else (why in (found.not_before[0] or ""))


def test_a_reader_has_the_part_that_an_iteration_completes() -> None:
    A = te.placeholder((12,), "int32", name="A")
    P = te.compute((12,), lambda i: A[i] + 1, name="P")
    C = te.compute((9,), lambda i: P[i + 1] * P[i + 3], name="C")
    s = te.create_schedule(C.op)
    s[P].split("i", 4)
    s[C].reverse_compute_at(s[P], "i.outer")
    (r,) = infer_bounds(s).stages[s[C]].ranges.values()
    assert script(r.min) in ("i.outer * 4 - 3", "i.outer * 4 + -3") and const_int(r.extent) == 4


def test_elements_that_no_iteration_completes_are_refused() -> None:
    A = te.placeholder((12,), "int32", name="A")
    P = te.compute((12,), lambda i: A[i] + 1, name="P")
    C = te.compute((14,), lambda i: te.if_then_else(i < 12, P[i], 0), name="C")
    s = te.create_schedule(C.op)
    s[P].split("i", 4)
    s[C].reverse_compute_at(s[P], "i.outer")
    with pytest.raises(ScheduleError, match="C has more elements than what it reads"):
        infer_bounds(s)
