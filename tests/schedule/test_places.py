"""The loops around the place of a stage, and those inside of its memory."""

from __future__ import annotations

from tests.programs import chain, schedule_for
from tewb.schedule import At, Schedule
from tewb.schedule.places import enclosing, inside_of, loops_at


def nested() -> Schedule:
    """B in the inner loop of C, which is in the outer one of D."""
    s = schedule_for(chain(6, 4)[1])
    s["C"].compute_at(s["D"], "i")
    s["B"].compute_at(s["C"], "j")
    return s


def names(loops: object) -> list[str]:
    return [f"{s.name}.{s.axis_name(iv)}" for s, iv in loops]  # type: ignore[attr-defined]


def test_loops_around_a_place_come_innermost_first() -> None:
    s = nested()
    assert names(enclosing(s["B"])) == ["C.j", "C.i", "D.i"]
    assert names(enclosing(s["C"])) == ["D.i"] and enclosing(s["D"]) == []
    assert names(loops_at(At(s["D"], s["D"].leaf_iter_vars[1]))) == ["D.j", "D.i"]


def test_a_circle_ends() -> None:
    s = nested()
    s["D"].attach = At(s["B"], s["B"].leaf_iter_vars[0])
    assert names(enclosing(s["B"])) == ["C.j", "C.i", "D.i"]


def test_loops_inside_of_memory_are_those_to_its_loop() -> None:
    s = nested()
    around = enclosing(s["B"])
    assert names(inside_of(At(s["D"], s["D"].leaf_iter_vars[0]), around)) == ["C.j", "C.i"]
    assert names(inside_of("root", around)) == names(around)
    assert inside_of(None, around) == []
    assert inside_of(At(s["D"], s["D"].leaf_iter_vars[1]), around) is None
