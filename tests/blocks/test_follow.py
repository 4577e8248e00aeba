"""Which axis an index follows, and where it passes from one chunk into another: as counting says it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tewb import te
from tewb.blocks.follow import follower

N = 40
CUTS = (5, 12, 20, 33)

INDICES: dict[str, Callable[[Any], Any]] = {
    "along": lambda i: i + 2,
    "backwards": lambda i: N - 1 - i,
    "in steps": lambda i: 3 * i,
    "a part": lambda i: i // 3,
    "clamped": lambda i: te.max(te.min(i - 1, N - 4), 0),
    "beginning again": lambda i: (i + 7) % N,
    "a choice": lambda i: te.select(i < 10, i, 49 - i),
}


def chunk(index: int) -> int:
    return sum(index >= cut for cut in CUTS)


@pytest.mark.parametrize("name", INDICES)
def test_places_are_those_where_the_chunk_changes(name: str) -> None:
    i = te.compute((N,), lambda i: i, name="C").op.axis[0]
    found = follower(INDICES[name](i.var), {i: (0, N)})
    assert found is not None and found.axis is i
    values = [int(found.at([x])[0]) for x in range(N)]
    wanted = [x for x in range(1, N) if chunk(values[x]) != chunk(values[x - 1])]
    assert list(found.places(CUTS)) == wanted


def test_of_several_axes_the_one_that_moves_farthest_is_followed() -> None:
    i, c = te.compute((10, 4), lambda i, c: i + c, name="C").op.axis
    ranges = {i: (0, 10), c: (0, 4)}
    found = follower(4 * i.var + c.var // 2, ranges)
    assert found is not None and found.axis is i
    found = follower(i.var // 10 + 7 * c.var, ranges)
    assert found is not None and found.axis is c


def test_an_index_without_axes_follows_none() -> None:
    i = te.compute((N,), lambda i: i, name="C").op.axis[0]
    assert follower(te.const(3), {i: (0, N)}) is None


def test_the_part_of_an_axis_on_which_an_index_is_inside_is_known() -> None:
    i = te.compute((N,), lambda i: i, name="C").op.axis[0]
    found = follower(i.var - 10, {i: (0, N)})
    assert found is not None and found.covered(20) == (10, 30)
