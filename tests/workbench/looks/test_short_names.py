"""Long names, cut where they are alike."""

from __future__ import annotations

import pytest

from tewb.workbench.looks.short_names import LONGEST, short_names, told_apart


def test_where_names_differ_stays() -> None:
    names = [f"normalised_activation_of_the_hidden_layer_number_{k}_after_scaling" for k in range(24)]
    short = short_names(names)
    for k, name in enumerate(names):
        assert short[name].startswith("normalis…") and f"number_{k}_"[-5:] in short[name]
    assert len(set(short.values())) == 24 and max(map(len, short.values())) <= LONGEST


@pytest.mark.parametrize(
    "names",
    [
        ["x" * 40 + "a", "x" * 40 + "b", "x" * 40],
        [
            "conv2d_winograd_nchw_weight_transform_kernel",
            "conv2d_winograd_nchw_weight_transform_kernel.local",
        ],
        ["a" * 60],
        ["a" * n for n in range(28, 60)],
        [f"{'p' * 20}{k}{'q' * 30}{k}" for k in range(5)],
    ],
)
def test_no_two_names_become_one(names: list[str]) -> None:
    short = short_names(names)
    assert list(short) == sorted(names) and len(set(short.values())) == len(names)


def test_short_names_stay_as_they_are() -> None:
    assert short_names(["A", "C.local", "y" * LONGEST]) == {n: n for n in ("A", "C.local", "y" * LONGEST)}


def test_equal_names_are_told_apart_in_their_order() -> None:
    assert told_apart(["C.k", "X.i", "C.k", "C.k"]) == [
        "C.k, 1st of 3",
        "X.i",
        "C.k, 2nd of 3",
        "C.k, 3rd of 3",
    ]
    assert (
        told_apart([]) == []
        and len(set(told_apart(["a"] * 23))) == 23
        and told_apart(["a"] * 11)[-1] == "a, 11th of 11"
    )
