"""Collection of garbage: when it waits, and that it comes back."""

from __future__ import annotations

import gc

import pytest

from tewb.base import collection_waits


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
