"""How often conditions hold."""

from __future__ import annotations

import pytest

from tewb import te
from tewb.tir import all as both
from tewb.workbench.measure.holds import share_that_holds

i, j, n = te.var("i"), te.var("j"), te.var("n")
A = te.placeholder((8,), name="A")


def test_a_condition_on_loops_is_looked_at_in_all_of_their_values() -> None:
    ranges = {i: (0.0, 64.0), j: (0.0, 3.0)}
    assert share_that_holds(te.any(i < 1, j >= 2), ranges, {}) == pytest.approx(66 / 192)
    assert share_that_holds(both(i >= 32, j < 1), ranges, {}) == pytest.approx(32 / 192)
    assert share_that_holds(j >= 2, {j: (1.0, 2.0)}, {}) == 0.5


def test_sizes_have_their_values_and_large_loops_are_looked_at_here_and_there() -> None:
    assert share_that_holds(i < n, {i: (0.0, 256.0)}, {"n": 64}) == 0.25
    assert share_that_holds(i < 500_000, {i: (0.0, 1e6)}, {}) == pytest.approx(0.5, abs=0.01)
    assert share_that_holds(n > 3, {}, {"n": 64}) == 1


def test_conditions_on_elements_are_taken_to_hold() -> None:
    assert share_that_holds(A[i] > 0.0, {i: (0.0, 8.0)}, {}) == 1
