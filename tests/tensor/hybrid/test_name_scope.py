"""The names of a function: what is set in a block ends with it."""

from __future__ import annotations

import pytest

from tewb.tensor.hybrid.name_scope import NameScope


def test_names_end_with_their_block() -> None:
    names = NameScope({}, {})
    names.set("x", 1)
    with names.block():
        names.set("y", 2)
        assert (names.find("x"), names.find("y")) == (1, 2)
        assert names.is_set_around("x") and not names.is_set_around("y")
    assert names.find("y") is None and names.ended == {"y"}


def test_the_innermost_meaning_counts() -> None:
    names = NameScope({"z": 0}, {"x": 2})
    names.set("x", 1)
    with names.block():
        names.set("x", 2)
        assert names.find("x") == 2
    assert (
        names.find("x") == 1 and names.find("z") is None and names.outer == {"z": 0} and names.own == {"x": 2}
    )


def test_a_name_may_stand_for_nothing() -> None:
    names = NameScope({}, {})
    names.set("x", None)
    assert names.is_set("x") and names.find("x") is None and not names.is_set("y")


def test_blocks_end_when_a_mistake_leaves_them() -> None:
    names = NameScope({}, {})
    with pytest.raises(KeyError), names.block(), names.block():
        names.set("x", 1)
        raise KeyError
    assert len(names.blocks) == 1 and names.ended == {"x"}
