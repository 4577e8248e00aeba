"""Random schedules of small programs give what the definition says."""

from __future__ import annotations

import random

import pytest

from tests.programs import BEGINNINGS, PROGRAMS, assert_same_result, random_program, random_schedule

SEEDS = range(40)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("seed", SEEDS)
def test_random_schedule_computes_the_same(name: str, seed: int) -> None:
    rng = random.Random(f"{name}{seed}")
    inputs, outputs = random_program(name, rng, 24)
    beginning = BEGINNINGS.get(name, [])[: rng.randint(0, 4)]
    s = random_schedule(outputs, rng, rng.randint(1, 9), beginning)
    assert_same_result(s, inputs, outputs, seed, debug=seed % 4 == 0)
