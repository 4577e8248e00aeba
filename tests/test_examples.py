"""What the default run takes of many parameter sets."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace
from typing import Any

from tests.examples import spread

NAMES, SEEDS = ["add", "sub", "mul", "div", "mod"], [str(n) for n in range(8)]


def parameter_sets() -> list[Any]:
    return [
        SimpleNamespace(
            nodeid=f"test[{name}-{seed}]", callspec=SimpleNamespace(params={"name": name, "seed": seed})
        )
        for name, seed in product(NAMES, SEEDS)
    ]


def test_every_value_has_its_turn_where_there_is_room() -> None:
    chosen = spread(parameter_sets(), 12)
    assert len(chosen) == len({item.nodeid for item in chosen}) == 12
    assert {item.callspec.params["name"] for item in chosen} == {*NAMES}
    assert {item.callspec.params["seed"] for item in chosen} == {*SEEDS}


def test_the_order_of_the_sets_does_not_matter() -> None:
    chosen = [
        [item.nodeid for item in spread(items, 7)] for items in (parameter_sets(), parameter_sets()[::-1])
    ]
    assert chosen[0] == chosen[1]
