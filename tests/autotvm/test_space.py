"""Spaces and configurations: their sizes, their order, and how they are read and written."""

from __future__ import annotations

from typing import Any

import pytest

from tewb.autotvm.entities import SplitEntity
from tewb.autotvm.space import ConfigEntity, ConfigSpace, FallbackConfigEntity
from tewb.base import ScheduleError


def space(kind: type[ConfigSpace] = ConfigSpace) -> ConfigSpace:
    cfg = kind()
    cfg.define_split("y", 8, num_outputs=2)
    cfg.define_split("x", cfg.axis(12), num_outputs=3, filter=lambda e: e.size[-1] > 1)
    cfg.define_reorder("order", [0, 1, 2], policy="all")
    cfg.define_annotate("marks", [0, 1], policy="try_vec")
    cfg.define_knob("pack", [1, "two", None])
    return cfg


def test_policies_of_splits() -> None:
    cfg = ConfigSpace()
    cfg.define_split("factors", 12, policy="factors", num_outputs=2)
    cfg.define_split("power2", 12, policy="power2", num_outputs=2)
    cfg.define_split("verbose", 12, policy="verbose", num_outputs=2, max_factor=6)
    cfg.define_split("given", 12, policy="candidate", candidate=[[-1, 5], [-1, 7]])
    sizes = {name: [e.size[1] for e in s.entities] for name, s in cfg.space_map.items()}
    assert sizes == {
        "factors": [1, 2, 3, 4, 6, 12],
        "power2": [1, 2, 4, 8],
        "verbose": [1, 2, 3, 4, 6],
        "given": [5, 7],
    }
    cfg.define_split("three", 4, num_outputs=3)
    assert [e.size for e in cfg.space_map["three"].entities] == [
        [-1, 1, 1],
        [-1, 2, 1],
        [-1, 4, 1],
        [-1, 1, 2],
        [-1, 2, 2],
        [-1, 1, 4],
    ]


def test_configurations_have_numbers_and_the_first_knob_changes_fastest() -> None:
    cfg = space()
    assert len(cfg) == 4 * 12 * 6 * 3 * 3 == len({repr(cfg.get(i)) for i in range(len(cfg))})
    assert [cfg.get(i)["y"].size[1] for i in range(5)] == [1, 2, 4, 8, 1]
    assert all(cfg.index_of(cfg.numbers_of(i)) == i for i in range(0, len(cfg), 7))
    with pytest.raises(IndexError):
        cfg.get(len(cfg))
    assert str(cfg).splitlines()[1] == "   0 y: Split(policy=factors, product=8, num_outputs=2) len=4"


def test_a_configuration_as_json() -> None:
    one = space().get(77)
    again = ConfigEntity.from_json_dict(one.to_json_dict())
    assert again == one and again.index == 77 and repr(again) == repr(one)
    old = ConfigEntity.from_json_dict(
        {"i": 3, "c": None, "t": "", "e": [["y", "sp", [-1, 4]], ["pack", "ot", 1]]}
    )
    assert old["y"].size == [-1, 4] and old["pack"].val == 1
    with pytest.raises(ScheduleError, match="is no configuration"):
        ConfigEntity.from_json_dict({"entity": 3})


def test_fallback() -> None:
    cfg = space(FallbackConfigEntity)
    assert cfg.is_fallback and cfg["y"].size == [-1, 1]
    cfg.fallback_split("y", [-1, 4])  # type: ignore[attr-defined]
    assert cfg["y"].size == [-1, 4]
    cfg["y"] = SplitEntity([-1, 8])  # type: ignore[index]
    assert cfg["y"].size == [-1, 8]


@pytest.mark.parametrize(
    ("define", "message"),
    [
        (lambda c: c.define_split("y", 8, policy="some"), "policy 'some' is not known"),
        (lambda c: c.define_split("y", "n"), "the length of n is not known"),
        (lambda c: c.define_split("y", 8, filter=lambda e: False), "knob y has no values"),
        (lambda c: c.define_annotate("y", [0], policy="try_this"), "policy 'this' is not known"),
        (lambda c: c["nothing"], "no knob 'nothing'"),
    ],
)
def test_misuse(define: Any, message: str) -> None:
    with pytest.raises(ScheduleError, match=message):
        define(ConfigSpace())
