"""Which loop of the program an inner loop is, and how often it runs."""

from __future__ import annotations

import pytest

from tests.workbench.speed import programs
from tewb.workbench.session import Session
from tewb.workbench.speed.inner_loops import constant_trips, inner_loops, instructions_of
from tewb.workbench.speed.loop_places import LoopPlace, loops_of_lines, place_of, steps_of


def places(session: Session) -> list[tuple[LoopPlace, float]]:
    """Every inner loop's place, and its steps."""
    compiled = session.code_forms.compiled().for_target("llvm -mcpu=haswell")
    lines = loops_of_lines(compiled.module)
    found = []
    for x in inner_loops(compiled.assembly):
        place = place_of(x, lines, session.sizes)
        assert place is not None
        body = instructions_of(x.rows)
        found.append((place, steps_of(body, place, constant_trips(body, x.before))))
    return found


def test_a_loop_knows_its_name_its_entries_and_its_trips() -> None:
    ((place, steps),) = places(programs.matmul(64))
    assert (place.name, place.entries, place.trips, place.is_parallel) == ("C.k", 64 * 64, 64, False)
    assert steps in (1, 2, 4, 8, 16, 32)


@pytest.mark.parametrize("n", [1000, 1024])
def test_steps_are_told_by_what_is_stored(n: int) -> None:
    found = places(programs.add(n))
    assert {p.name for p, _ in found} == {"C.i"}
    assert max(steps for _, steps in found) >= 8  # vectors of 8 numbers, perhaps several


def test_loops_around_count_as_they_depend_on_sizes_and_each_other() -> None:
    ((place, _), *_) = places(programs.sized_row_sum())
    assert (place.entries, place.trips) == (8, 4000)


def test_a_parallel_loop_is_known() -> None:
    session = programs.row_sum(64, 64)
    session.apply({"primitive": "parallel", "stage": "R", "args": {"axis": "i"}})
    ((place, _),) = places(session)
    assert place.name == "R.k" and place.is_parallel and place.entries == 64
