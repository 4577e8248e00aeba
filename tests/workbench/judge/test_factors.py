"""Factors near one that is wanted: those that divide, for which registers suffice, in whole vectors."""

from __future__ import annotations

import pytest

from tewb.workbench.judge.factors import dividing, fitting


@pytest.mark.parametrize(
    ("n", "wanted", "more", "found"),
    [
        (100, 16, {}, [10, 20, 25]),
        (64, 10, {}, [8, 16]),
        (512, 14, {"most": 14}, [8]),
        (144, 64, {"multiple": 16, "most": 64}, [48]),
        (1000, 64, {"multiple": 16, "most": 64}, []),
        (41, 12, {}, []),
        (6, 4, {}, [2, 3, 6]),
    ],
)
def test_factors_that_divide_near_one_that_is_wanted(
    n: int, wanted: int, more: dict[str, int], found: list[int]
) -> None:
    assert dividing(n, wanted, **more) == found


@pytest.mark.parametrize(
    ("n", "wanted", "more", "taken"),
    [
        (512, 14, {"most": 14}, 8),
        (56, 14, {"most": 14}, 14),
        (144, 64, {"multiple": 16, "most": 64}, 48),
        (41, 12, {}, 12),
        (96, 10, {}, 12),
        (5, 8, {}, 8),
        (8, 8, {}, 8),
    ],
)
def test_the_nearest_is_taken_or_else_what_is_wanted(
    n: int, wanted: int, more: dict[str, int], taken: int
) -> None:
    assert fitting(n, wanted, **more) == taken


def test_a_factor_that_was_taken_has_no_better_one() -> None:
    """What advice takes it never finds fault with: a factor that does not divide is taken only where none does."""
    for n in range(2, 130):
        for wanted in range(2, n):
            taken = fitting(n, wanted)
            assert n % taken == 0 or not dividing(n, taken), (n, wanted)
