"""What results say of themselves."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from tewb.base import digits, readable


@readable
@dataclass(frozen=True, slots=True)
class Said:
    number: float

    def __str__(self) -> str:
        return f"it is {self.number}"


@readable
@dataclass(frozen=True, slots=True)
class Plain:
    name: str
    share: float = 0.0
    inner: tuple[Said, ...] = ()
    rows: list[int] = field(default_factory=list)
    other: object = None


def test_a_result_with_a_text_says_it() -> None:
    assert repr(Said(3)) == "it is 3" and repr([Said(1)]) == "[it is 1]"


def test_a_result_without_one_tells_its_fields_that_are_not_as_by_default() -> None:
    assert repr(Plain("x")) == "Plain(name='x')"
    assert repr(Plain("x", 0.123456789)) == "Plain(name='x', share=0.1235)"
    assert repr(Plain("x", inner=(Said(1),))) == "Plain(name='x', inner=[it is 1])"


def test_what_is_long_is_cut() -> None:
    assert repr(Plain("x", rows=list(range(1000)))) == "Plain(name='x', rows=<1000 of them>)"
    assert len(repr(Plain("x" * 1000, other="y" * 1000))) < 250


@pytest.mark.parametrize(
    "x, text",
    [
        (0.0046, "0.0046"),
        (0.0, "0"),
        (12.34, "12.3"),
        (999.4, "999"),
        (1234567.0, "1,234,567"),
        (-0.00461, "-0.00461"),
        (1e-9, "1e-09"),
        (float("inf"), "inf"),
    ],
)
def test_numbers_have_three_digits_that_count(x: float, text: str) -> None:
    assert digits(x) == text


def test_zeros_at_the_end_can_be_kept() -> None:
    assert [digits(x, zeros=True) for x in (2.0, 0.0046, 123.4, 4000.0)] == [
        "2.00",
        "0.00460",
        "123",
        "4,000",
    ]
