"""Arguments by position and by name, and refusals that say which argument they are about."""

from __future__ import annotations

import pytest

from tewb.base import ArgumentError
from tewb.runtime.abi import ParamSpec
from tewb.runtime.argument_order import in_order, position_of, refusal

A, B, C = (ParamSpec(name, "buffer", "float32", position=i) for i, name in enumerate("ABB", 1))


def test_names_and_positions_are_put_in_order() -> None:
    assert in_order("f", (A, B), (1,), {"B": 2}) == in_order("f", (A, B), (), {"B": 2, "A": 1}) == [1, 2]
    assert position_of("f", (A, B), "B") == 1


@pytest.mark.parametrize(
    ("args", "keywords", "said"),
    [
        ((1, 2, 3), {}, "takes 2 arguments"),
        ((1,), {}, "missing: B"),
        ((1,), {"A": 2}, "A is given twice"),
        ((1,), {"D": 2}, "has no parameter D"),
    ],
)
def test_what_does_not_fit_is_refused(args: tuple[int, ...], keywords: dict[str, int], said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        in_order("f", (A, B), args, keywords)


def test_a_name_of_several_and_places_of_arguments() -> None:
    with pytest.raises(ArgumentError, match="2 parameters B"):
        position_of("f", (A, B, C), "B")
    assert str(refusal("no", C, A)) == "no\n  at the 1st argument, A, and the 3rd argument, B"
