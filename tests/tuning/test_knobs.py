"""Knobs: their values, their defaults, and the points of a space of which one path is seen at a time."""

from __future__ import annotations

import numpy as np
import pytest

from tewb import te
from tewb.base import ArgumentError
from tewb.tuning.knobs import Chooser, Config, Knob, at, every_point


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


def test_lists_are_choices_and_tuples_in_a_point() -> None:
    config = Config(lambda knob: len(knob.values) - 1)
    assert config.choice("tile", [[4, 8], [8, 4], [2, 2]]) == [2, 2]
    assert config.point == {"tile": (2, 2)} and config.knobs["tile"].index_of([8, 4]) == 1
    assert Config(by_default).choice("tile", [[4, 8], [8, 4]], default=[8, 4]) == [8, 4]
    assert Config(at({"tile": (8, [4])})).choice("tile", [[8, [2]], [8, [4]]]) == [8, [4]]


def test_numbers_of_numpy_are_numbers() -> None:
    config = Config(lambda knob: 1)
    assert config.choice("wide", np.array([16, 32])) == 32 and type(config.point["wide"]) is int
    assert config.split("x", np.int64(12), default=np.int64(3)) == 2 and config.knobs["x"].default == 2
    assert Config(by_default).order("loops", ["i", "j"], default=[1, 0]) == ["j", "i"]


def test_the_extent_of_a_split_is_a_number_or_that_of_an_axis() -> None:
    n = te.var("n")
    A = te.placeholder((12, n), name="A")
    s = te.create_schedule(te.compute(A.shape, lambda i, j: A[i, j] + 1.0, name="B").op)
    i, j = s["B"].op.axis
    for extent in (12, np.int64(12), 12.0, np.float32(12), i, A.shape[0]):
        config = Config(by_default)
        config.split("x", extent)
        assert config.knobs["x"].values == (1, 2, 3, 4, 6, 8, 12)
    for symbolic in (j, n, n + 1):
        config = Config(by_default)
        config.split("x", symbolic, divides=True)
        assert config.knobs["x"].values == tuple(2**e for e in range(11))


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
        (lambda c: c.order("x", 2), "what it is one of is a list of values, not 2"),
        (lambda c: c.choice("x", 5), "knob x: what it is one of is a list of values, not 5"),
        (lambda c: c.choice("x", "abc"), "a list of values, not 'abc'"),
        (lambda c: c.choice("x", {4, 8}), "a list of values, not {"),
        (lambda c: c.choice("x", [4, lambda: 8]), "knob x: <function .* is no value that a journal can hold"),
        (lambda c: c.choice("x", [(4, te.var("n"))]), "is no value that a journal can hold"),
        (lambda c: c.split("x", 8, lanes=0), "knob x: lanes is a number from 1, not 0"),
        (lambda c: c.split("x", 8, most="4"), "knob x: most is a number from 1, not '4'"),
        (lambda c: c.split("x", 8.5), "the extent of its loop is a number of iterations, not 8.5"),
        (lambda c: c.split("x", "i"), "the extent of its loop is a number of iterations, not 'i'"),
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

    seen = [tuple(p.values()) for p in every_point(run)]
    packs = [(False,), (True, 4), (True, 8), (True, 16)]
    assert seen == [(*p, *rest) for p in packs for rest in (("a", False), ("a", True), ("b",))]


def test_a_space_without_knobs_has_one_point() -> None:
    assert list(every_point(lambda choose: None)) == [{}]
