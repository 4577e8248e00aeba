"""Collection of garbage: when it waits, and that it comes back."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from tewb.base import catch_up_on_collections, collection_waits, put_off_full_collections
from tewb.base.collection import RARELY


def test_nothing_is_collected_meanwhile() -> None:
    ran: list[object] = []
    gc.callbacks.append(lambda phase, info: ran.append(phase))
    try:
        with collection_waits():
            ran.clear()
            rings: list[list[object]] = [[] for _ in range(20_000)]
            for ring in rings:
                ring.append(ring)
            assert ran == []
        assert gc.isenabled()
    finally:
        gc.callbacks.pop()


def test_it_comes_back_after_an_error_and_from_within() -> None:
    with pytest.raises(ValueError, match="so"), collection_waits():
        with collection_waits():
            pass
        assert not gc.isenabled()
        raise ValueError("so")
    assert gc.isenabled()


def test_who_turned_it_off_keeps_it_off() -> None:
    gc.disable()
    try:
        with collection_waits():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.fixture
def full() -> Iterator[list[int]]:
    """The generations that were looked through, while full collections come after two of what is younger."""
    catch_up_on_collections()  # a test with a session may have put them off
    usual, generations = gc.get_threshold(), list[int]()

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            generations.append(info["generation"])

    gc.set_threshold(1000, 5, 2)  # so that even of a large program RARELY is not reached
    gc.callbacks.append(note)
    gc.collect()
    generations.clear()
    yield generations
    gc.callbacks.remove(note)
    gc.set_threshold(*usual)


def keep_many() -> list[list[object]]:
    """Objects enough for some hundred collections of the young, and for full ones, which Python leaves out where little is new."""
    return [[] for _ in range(len(gc.get_objects()) + 30_000)]


def test_full_collections_are_put_off_and_caught_up_on(full: list[int]) -> None:
    kept = keep_many()
    assert 2 in full
    put_off_full_collections()
    put_off_full_collections()
    full.clear()
    more = keep_many()
    assert 2 not in full and 1 in full
    catch_up_on_collections()
    assert full[-1] == 2 and gc.get_threshold() == (1000, 5, 2)
    full.clear()
    catch_up_on_collections()
    assert full == []
    assert kept != more


def test_thresholds_that_were_set_meanwhile_stay(full: list[int]) -> None:
    put_off_full_collections()
    assert gc.get_threshold() == (1000, 5, RARELY)
    gc.set_threshold(50, 3, 4)
    catch_up_on_collections()
    assert gc.get_threshold() == (50, 3, 4)
