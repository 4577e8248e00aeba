"""Spaces and configurations: their sizes, their order, and how they are read and written."""

from __future__ import annotations

from typing import Any

import pytest

from tewb import te
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


def test_policies_of_orders() -> None:
    cfg, (a, b, c, d) = ConfigSpace(), "abcd"
    cfg.define_reorder("some", [a, b, c, d], policy="interval_all", interval=(1, 3))
    assert [e.to_json() for e in cfg.space_map["some"].entities] == [[0, 1, 2, 3], [0, 2, 1, 3]]
    cfg.define_reorder("chains", [a, b, c, d], policy="interleave", spatial=[[a, b], [c]], reduce=[[d]])
    orders = ["".join("abcd"[i] for i in e.to_json()) for e in cfg.space_map["chains"].entities]
    assert orders == ["abcd", "abdc", "acbd", "acdb", "adbc", "adcb"]


def test_policies_of_marks() -> None:
    cfg = ConfigSpace()
    cfg.define_annotate("vectors", [0, 1, 2], policy="vectorize")
    cfg.define_annotate("copies", [0, 1, 2], policy="locate_cache", num_anchor=2)
    marks = {name: [e.to_json() for e in s.entities] for name, s in cfg.space_map.items()}
    assert marks == {"vectors": [["none", "none", "vec"]], "copies": [[0, 1], [0, 2], [1, 2]]}


def test_a_filter_of_several_knobs_leaves_configurations_out() -> None:
    cfg = space()
    whole = cfg.range_length
    assert cfg.filtered_length == whole == len(cfg) and cfg.is_index_valid(0)
    cfg.multi_filter(lambda e: e["y"].size[1] * e["x"].size[2] < 16)
    left = [i for i in range(whole) if cfg.is_index_valid(i)]
    assert left and len(left) == cfg.filtered_length < whole and len(cfg) == whole
    assert all(cfg.get(i)["y"].size[1] * cfg.get(i)["x"].size[2] < 16 for i in left)
    assert not cfg.is_index_valid(whole) and not cfg.is_index_valid(-1)
    assert set(cfg.sample_ints(20)) <= set(left) and sorted(cfg.sample_ints(whole)) == left
    assert cfg.get_next_index(left[3]) == left[4] and cfg.get_next_index(left[3], -2) == left[1]
    assert cfg.get_next_index(left[-1]) is None and cfg.get_next_index(left[0], end=left[1]) is None
    assert cfg.get_rand_index(left[2], left[4] + 1, to_exclude=[left[2], left[4]]) == left[3]
    with pytest.raises(ScheduleError, match="no configuration is left"):
        cfg.get_rand_index(left[2], left[2] + 1, to_exclude=[left[2]])


def test_a_walk_changes_one_knob() -> None:
    cfg = space()
    for start in (0, 77, len(cfg) - 1):
        pairs = zip(cfg.point2knob(start), cfg.point2knob(cfg.random_walk(start)), strict=True)
        assert sum(a != b for a, b in pairs) == 1 and cfg.knob2point(cfg.point2knob(start)) == start
    cfg.multi_filter(lambda e: e.index == 3)
    assert cfg.random_walk(3) == 3


def test_a_configuration_in_numbers() -> None:
    cfg = ConfigSpace()
    cfg.define_split("y", 8, num_outputs=2)
    cfg.define_reorder("order", [0, 1])
    cfg.define_annotate("marks", [0], policy="vec")
    cfg.define_knob("pack", [True])
    cfg.define_knob("name", ["a"])
    one = cfg.get(1)
    assert one.get_other_option() == {"pack": True, "name": "a"}
    assert one.get_flatten_feature().tolist() == [-1, 2, 0, 1, 0, 1, *[0] * 9, 1, 0]


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
        (lambda c: c.define_split("y", te.var("n")), 'the length of n is not known.*\n.*policy="candidate"'),
        (
            lambda c: c.define_reorder("y", [0], policy="some"),
            "there are identity, all, interval_all, interleave, candidate",
        ),
        (lambda c: c.define_split("y", 8, filter=lambda e: False), "knob y has no values"),
        (lambda c: c.define_annotate("y", [0], policy="try_this"), "policy 'this' is not known"),
        (lambda c: c["nothing"], "no knob 'nothing'"),
    ],
)
def test_misuse(define: Any, message: str) -> None:
    with pytest.raises(ScheduleError, match=message):
        define(ConfigSpace())
