"""Index maps and their inverses, tried on all elements."""

from __future__ import annotations

import itertools
import random

import pytest

from tewb.arith import Analyzer
from tewb.base import INT32, INT64, ScheduleError
from tewb.ir import Expr, Var, const, const_int, substitute
from tewb.schedule.index_map import NotInvertible, counts_in, inverse, map_text, read_map


def number(e: Expr, at: dict[Var, Expr] | None = None) -> int | None:
    return const_int(Analyzer().simplify(substitute(e, at or {})))


def check(text: str, shape: tuple[int, ...]) -> int:
    """Every element lies at a place of its own, from which it is found. Returns the number of places."""
    m = read_map(text, len(shape), {}, INT32)
    back = inverse(m, [const(n) for n in shape], [])
    size = [const_int(n) or 0 for n in back.extents]
    places = {}
    for element in itertools.product(*map(range, shape)):
        place = tuple(number(e) for e in m.at([const(i) for i in element]))
        assert all(i is not None and 0 <= i < n for i, n in zip(place, size, strict=True))
        places[place] = element
    assert len(places) == len(list(itertools.product(*map(range, shape))))
    for place in itertools.product(*map(range, size)):
        at = dict(zip(back.axes, map(const, place), strict=True))
        holds = all(number(g, at) == 1 for g in back.guards)
        assert holds == (place in places), place
        if holds:
            assert tuple(number(e, at) for e in back.values) == places[place]
    return len(list(itertools.product(*map(range, size))))


@pytest.mark.parametrize(
    ("text", "shape", "places"),
    [
        ("lambda i, j: [i, j]", (5, 7), 35),
        ("lambda i, j: [j, i]", (5, 7), 35),
        ("lambda i, j: [j, i // 4, i % 4]", (5, 7), 56),
        ("lambda i, j: [i // 8, i % 8, j]", (5, 7), 35),
        ("lambda i, j: [i * 7 + j]", (5, 7), 35),
        ("lambda i, j: [i * 8 + j]", (5, 7), 39),
        ("lambda i, j: [(i * 7 + j) // 3, (i * 7 + j) % 3]", (5, 7), 36),
        ("lambda i: [i // 6, i // 2 % 3, i % 2]", (23,), 24),
        ("lambda i: [i % 12 // 4, i // 12, i % 4]", (23,), 24),
        ("lambda i, j: [i // 2 * 7 + j, i % 2]", (5, 7), 42),
        ("lambda i, j: [j + 7 * i, 0]", (5, 7), 35),
        ("lambda i, j: [i, j]", (1, 1), 1),
        ("lambda i, j: [j]", (1, 7), 7),
        ("lambda i: [i // 4, i % 4]", (0,), 0),
    ],
)
def test_elements_are_found_back(text: str, shape: tuple[int, ...], places: int) -> None:
    assert check(text, shape) == places


def test_random_digits_are_found_back() -> None:
    rng = random.Random(0)
    for _ in range(15):
        shape = tuple(rng.randint(1, 9) for _ in range(2))
        parts = []
        for name in "ij":
            c, d = rng.randint(1, 4), rng.randint(1, 4)
            parts += rng.choice(
                [[name], [f"{name} // {c}", f"{name} % {c}"],
                 [f"{name} // {c * d}", f"{name} // {c} % {d}", f"{name} % {c}"]]
            )  # fmt: skip
        rng.shuffle(parts)
        check(f"lambda i, j: [{', '.join(parts)}]", shape)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lambda i, j: [i]", "j is not told"),
        ("lambda i, j: [i // 4, i % 2, j]", "i is not told"),
        ("lambda i, j: [i % 4, j]", "i is not told"),
        ("lambda i, j: [i * 3 + j]", "several elements have one index"),
        ("lambda i, j: [i * 2, j]", "several elements have one index"),
        ("lambda i, j: [i + 1, j]", "of 1 it is not known"),
        ("lambda i, j: [i, j, i]", "i is told twice"),
    ],
)
def test_what_cannot_be_turned_round(text: str, said: str) -> None:
    m = read_map(text, 2, {}, INT32)
    with pytest.raises(NotInvertible, match=said):
        inverse(m, [const(5), const(7)], [])


def test_a_size_that_a_call_tells() -> None:
    n, size = Var("n", INT32), Var("m", INT32)
    m = read_map("lambda i, j: [(i * m + j) // 4, (i * m + j) % 4]", 2, {"m": size}, counts_in([n, size]))
    back = inverse(m, [n, size], [n, size])
    assert [v.dtype for v in back.axes] == [INT64, INT64]
    assert const_int(back.extents[1]) == 4 and len(back.guards) >= 1


def test_the_text_is_that_of_a_function_and_is_read_back() -> None:
    text = map_text(lambda *rest, last: [last % 3, *rest, last // 3], 3, {})
    assert text == "lambda i0, i1, last: [last % 3, i0, i1, last // 3]"
    assert map_text(text, 3, {}) == text
    with pytest.raises(ScheduleError, match="takes 3 indices, and the tensor has 2"):
        map_text(text, 2, {})
