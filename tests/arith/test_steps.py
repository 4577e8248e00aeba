"""Sets of integers with gaps cover sums and unions, and each integer has its place."""

from __future__ import annotations

import random

import pytest

from tewb.arith.steps import (
    Steps,
    all_steps,
    at_place,
    count_of,
    has_gaps,
    is_same,
    leaves_out_half,
    place_of,
    scaled,
    span,
    sum_of,
    union_of,
    values_of,
)
from tewb.base import INT32
from tewb.ir import Var, const, const_int, script


def random_steps(rng: random.Random) -> Steps:
    s: Steps = ()
    for _ in range(rng.randrange(4)):
        more = sum_of(s, scaled(((rng.randint(2, 4), 1),), rng.choice([1, 2, 3, 5, 7, 12, -4])))
        assert more is not None
        s = more
    return s


@pytest.mark.parametrize("seed", range(40))
def test_sums_and_unions_cover_what_they_are_of(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(20):
        p, q, distance = random_steps(rng), random_steps(rng), rng.randrange(20)
        both, either = sum_of(p, q), union_of(p, q, distance)
        assert both is not None and either is not None
        a, b = values_of(p), values_of(q)
        assert a == sorted(set(a)) and a[0] == 0 and a[-1] == span(p) and len(a) == count_of(p)
        assert {x + y for x in a for y in b} <= set(values_of(both)) and span(both) == a[-1] + b[-1]
        assert {*a, *(x + distance for x in b)} <= set(values_of(either))
        assert span(either) == max(a[-1], b[-1] + distance)


@pytest.mark.parametrize("seed", range(20))
def test_each_integer_has_its_place(seed: int) -> None:
    s = random_steps(random.Random(seed))
    for q, value in enumerate(values_of(s)):
        assert const_int(at_place(s, const(q))) == value
        assert const_int(place_of(s, const(value))) == q


SUMS: list[tuple[Steps, Steps, Steps | None]] = [
    (((3, 1),), ((4, 16),), ((3, 1), (4, 16))),
    (((16, 1),), ((4, 16),), ((64, 1),)),  # side by side
    (((3, 1),), ((4, 2),), ((9, 1),)),  # overlapping
    (((4, 4),), ((4, 6),), ((16, 2),)),  # with a common step
    (((3, 5),), (), ((3, 5),)),
    (((2, 3), (2, 20)), ((2, 40),), ((2, 3), (4, 20))),
]


@pytest.mark.parametrize(("p", "q", "both"), SUMS)
def test_sums_are_as_tight_as_can_be(p: Steps, q: Steps, both: Steps) -> None:
    assert sum_of(p, q) == both == sum_of(q, p)


def test_unions_are_as_tight_as_can_be() -> None:
    assert union_of(((4, 10),), ((4, 10),), 4) == ((2, 4), (4, 10))
    assert union_of(((2, 4), (4, 10)), ((4, 10),), 8) == ((3, 4), (4, 10))
    assert union_of(((2, 5),), (), 10) == ((3, 5),)
    assert union_of(((2, 5),), (), 1) == ((6, 1),)  # 0, 1, 5 are no digits
    assert union_of(((100, 6),), ((90, 4),), 2) == ((298, 2),)
    assert union_of(None, (), 0) is None


def test_symbolic_counts_stand_last() -> None:
    n = Var("n", INT32)
    s = all_steps(n)
    assert s is not None and span(s) is None and script(count_of(s)) == "n"  # type: ignore[arg-type]
    rows = sum_of(scaled(s, 16), ((4, 1),))
    assert rows is not None and [step for _, step in rows] == [1, 16] and leaves_out_half(rows)
    assert script(count_of(rows)) in ("n * 4", "4 * n")  # type: ignore[arg-type]
    assert sum_of(s, ((4, 5),)) is None
    wide = sum_of(((4, 1),), scaled(s, 2))  # overlapping
    assert wide is not None and len(wide) == 1 and not has_gaps(wide)
    assert is_same(s, all_steps(n)) and not is_same(s, all_steps(Var("n", INT32)))
    assert union_of(s, (), 3) is None


def test_which_sets_leave_something_out() -> None:
    assert not has_gaps(()) and not has_gaps(((5, 1),)) and has_gaps(((5, 2),)) and has_gaps(((3, 1), (2, 9)))
    assert (
        leaves_out_half(((5, 2),))
        and leaves_out_half(((8, 1), (2, 16)))
        and not leaves_out_half(((9, 1), (2, 16)))
    )
    assert all_steps(const(0)) is None and all_steps(const(1)) == () and all_steps(const(4)) == ((4, 1),)
