"""Sizes that are expressions of symbols."""

from __future__ import annotations

import pytest

from tewb.runtime.symbolic_sizes import evaluated


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("n", 7),
        ("n*2 + 1", 15),
        ("min(n, m) - 3", -3),
        ("n // m", 0),
        ("n % m + max(n, 2)", 7),
        ("-(n // m) - n", -7),
    ],
)
def test_a_quotient_by_0_is_0(text: str, value: int) -> None:
    assert evaluated(text, {"n": 7, "m": 0}) == value


def test_an_unknown_symbol_is_named() -> None:
    with pytest.raises(NameError) as e:
        evaluated("n + k", {"n": 1})
    assert e.value.name == "k"
