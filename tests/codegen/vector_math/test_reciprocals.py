"""The table of reciprocals: what its intervals promise."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf

from tewb.codegen.vector_math.reciprocals import interval_ends, logarithms, reciprocals

rng = np.random.default_rng(0)
FLOATS: dict[int, Any] = {32: np.float32, 64: np.float64}


@pytest.mark.parametrize("bits", [32, 64])
def test_the_product_with_a_reciprocal_is_near_one_by_an_exact_float(bits: int) -> None:
    ends = interval_ends(bits)
    for c, (lo, hi) in zip(reciprocals(bits), pairwise(ends), strict=True):
        below = float(np.nextafter(FLOATS[bits](hi), FLOATS[bits](0)))
        for m in [lo, below, *rng.uniform(lo, below, 50).astype(FLOATS[bits]).tolist()]:
            r = Fraction(m) * Fraction(c) - 1
            assert Fraction(float(FLOATS[bits](float(r)))) == r
            assert abs(r) <= (Fraction(199, 10000) if bits == 32 else Fraction(343, 10000))  # as fitted


@pytest.mark.parametrize("bits", [32, 64])
def test_one_is_inside_an_interval_and_nothing_cancels_in_the_others(bits: int) -> None:
    ends = interval_ends(bits)
    assert ends[-1] == 2 * ends[0]
    for c, (lo, hi) in zip(reciprocals(bits), pairwise(ends), strict=True):
        if c == 1:
            assert lo < 1 < hi
        else:
            assert abs(c - 1) > 1.01 * max(abs(lo * c - 1), abs(hi * c - 1))


@pytest.mark.parametrize("bits, base, digits", [(32, 2, 15), (64, 2, 41), (32, 10, None), (64, 10, None)])
def test_logarithms_are_the_sum_of_their_parts(bits: int, base: int, digits: int | None) -> None:
    with mp.workdps(40):
        for c, first, rest in zip(reciprocals(bits), *logarithms(bits, base, digits), strict=True):
            assert abs(mpf(first) + mpf(rest) + mp.log(c, base)) < mpf(2) ** (-70 if bits == 32 else -90)
            assert first == FLOATS[bits](first)
            if digits is not None:
                assert (first * 2.0**digits).is_integer()
