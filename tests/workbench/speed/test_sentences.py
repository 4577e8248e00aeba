"""Sentences: numbers and lists as people read them."""

from __future__ import annotations

import pytest

from tewb.workbench.speed.sentences import counted, listed, number


@pytest.mark.parametrize(
    ("x", "text"), [(32, "32"), (32.08, "32"), (5.33, "5.3"), (4.0, "4"), (0.0712, "0.071"), (4.02, "4")]
)
def test_numbers_have_what_is_of_interest(x: float, text: str) -> None:
    assert number(x) == text


def test_names_are_listed() -> None:
    assert [listed(x) for x in (["A"], ["A", "B"], ["A", "B", "C"])] == ["A", "A and B", "A, B and C"]


def test_one_and_many() -> None:
    assert (counted("fma", 1), counted("fma", 8), counted("nothing known", 2)) == (
        "1 multiply-add", "8 multiply-adds", "2 other instructions",
    )  # fmt: skip
