"""Values that come from those of parts."""

from __future__ import annotations

import gc

from tewb.base import FromParts


def test_each_thing_is_worked_out_once() -> None:
    asked = []

    def length(x: tuple[object, ...], part: object) -> int:
        asked.append(x)
        return 1 + sum(part(y) for y in x)  # type: ignore[operator]

    lengths = FromParts[tuple[object, ...], int](length)
    shared = ((), ())
    assert lengths[(shared, shared, ())] == 8
    assert sorted(map(len, asked)) == [0, 2, 3]
    assert lengths == {(): 1, shared: 3, (shared, shared, ()): 8}


def test_what_was_seen_is_not_left_to_the_search_for_garbage() -> None:
    gc.collect()
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        for n in range(100):
            assert FromParts[int, int](lambda x, part: x and part(x - 1) + 1)[n] == n
        assert gc.collect() < 50
    finally:
        if was_enabled:
            gc.enable()
