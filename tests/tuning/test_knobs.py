"""Knobs: their values, their defaults, and the points of a space of which one path is seen at a time."""

from __future__ import annotations

import pytest

from tewb.base import ArgumentError
from tewb.tuning.knobs import Chooser, Config, Knob, all_points, at


def by_default(knob: Knob) -> int:
    return knob.default


def test_a_split_has_powers_of_two_and_divisors() -> None:
    config = Config(by_default)
    config.split("x", 12)
    assert config.knobs["x"].values == (1, 2, 3, 4, 6, 8, 12)
    assert Config(by_default).split("y", 12, default=3) == 3
    config = Config(by_default)
    config.split("x", 96, lanes=16, most=64)
    config.split("y", 10, divides=True)
    assert config.knobs["x"].values == (16, 32, 48, 64)
    assert config.knobs["y"].values == (1, 2, 5, 10)


def test_choices_flags_and_orders() -> None:
    config = Config(at({"dtype": "b", "pack": True, "loops": (1, 0)}))
    assert config.choice("dtype", ["a", "b"]) == "b"
    assert config.flag("pack") is True and config.flag("other") is False
    assert config.order("loops", ["i", "j"]) == ["j", "i"]
    assert config.order("more", ["i", "j", "k"], default=(2, 0, 1)) == ["k", "i", "j"]
    assert config.point == {"dtype": "b", "pack": True, "other": False, "loops": (1, 0), "more": (2, 0, 1)}


def test_a_knob_asked_for_again_has_the_same_value() -> None:
    config = Config(lambda knob: len(knob.values) - 1)
    assert config.split("x", 8) == config.split("x", 8) == 8
    with pytest.raises(ArgumentError, match="knob x is asked for twice, with other values"):
        config.split("x", 16)


def test_numbers_and_truths_are_told_apart() -> None:
    knob = Knob("x", (0, 1, False), 0, False)
    assert knob.index_of(False) == 2 and knob.index_of(0) == 0


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda c: c.split("x", 0), "a loop of 0 iterations cannot be split"),
        (lambda c: c.split("x", 8, default=5), "knob x has no value 5"),
        (lambda c: c.split("x", 8, lanes=16), "knob x has no values"),
        (lambda c: c.choice("x", []), "knob x has no values"),
        (lambda c: c.choice("", [1]), "name"),
        (lambda c: c.order("x", range(8)), "8 items have 40,320 orders"),
    ],
)
def test_misuse(ask: object, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        ask(Config(by_default))  # type: ignore[operator]


def test_all_points_of_a_space_whose_knobs_depend_on_each_other() -> None:
    def run(choose: Chooser) -> None:
        config = Config(choose)
        if config.flag("pack"):
            config.choice("width", [4, 8, 16])
        if config.choice("order", ["a", "b"]) == "b":
            raise ValueError("refused")
        config.flag("last")

    points = all_points(run, 100)
    assert points is not None
    seen = [tuple(p.values()) for p in points]
    packs = [(False,), (True, 4), (True, 8), (True, 16)]
    assert seen == [(*p, *rest) for p in packs for rest in (("a", False), ("a", True), ("b",))]
    assert all_points(run, 12) is None and all_points(run, 13) is not None


def test_a_space_without_knobs_has_one_point() -> None:
    assert all_points(lambda choose: None, 5) == [{}]
