"""Arithmetic on ranges, compared with all numbers in them."""

from __future__ import annotations

import itertools

from tewb.arith.const_ranges import UNKNOWN, Bound, Bounds, hull, quotient, times

ENDS: list[Bound] = [None, -3, -1, 0, 2, 4]
RANGES: list[Bounds] = [
    (lo, hi) for lo, hi in itertools.product(ENDS, ENDS) if lo is None or hi is None or lo <= hi
]


def numbers(r: Bounds) -> range:
    """Numbers of a range: where it has no end, some far ones."""
    return range(-9 if r[0] is None else r[0], (9 if r[1] is None else r[1]) + 1)


def is_within(x: int, r: Bounds) -> bool:
    return (r[0] is None or r[0] <= x) and (r[1] is None or x <= r[1])


def test_a_hull_holds_both() -> None:
    assert hull((1, 4), (-2, 3)) == (-2, 4) and hull((1, None), (0, 3)) == (0, None)
    for a, b in itertools.product(RANGES, RANGES):
        assert all(is_within(x, hull(a, b)) for x in (*numbers(a), *numbers(b)))


def test_products_of_all_numbers_are_within_the_product() -> None:
    for a, b in itertools.product(RANGES, RANGES):
        assert all(is_within(x * y, times(a, b)) for x in numbers(a) for y in numbers(b)), (a, b)


def test_products_are_bounded_where_they_can_be() -> None:
    assert times((-3, 2), (-1, 4)) == (-12, 8)
    assert times((0, None), (2, 5)) == (0, None)
    assert times((None, 3), (2, 5)) == times((-1, None), (2, 5)) == UNKNOWN


def test_quotients_of_both_kinds_are_within_the_quotient() -> None:
    for a, b in itertools.product(RANGES, RANGES):
        for x, y in itertools.product(numbers(a), numbers(b)):
            if y > 0:
                assert is_within(x // y, quotient(a, b)) and is_within(int(x / y), quotient(a, b)), (
                    a,
                    b,
                    x,
                    y,
                )


def test_quotients_are_bounded_where_the_divisor_is_positive() -> None:
    assert quotient((0, 17), (4, 4)) == (0, 4)
    assert quotient((7, 17), (2, None)) == (0, 8)
    assert quotient((-7, None), (2, 3)) == (-4, None)
    assert quotient((-17, -8), (4, 4)) == (-5, 0)  # a truncating quotient of -3 is 0
    assert quotient((0, 17), (0, 4)) == quotient((0, 17), (None, 4)) == UNKNOWN
    assert quotient((0, 17), (4, 2)) == UNKNOWN  # no number is in that range
