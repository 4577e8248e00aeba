"""Whether the places of a stage that is computed in loops make all of its elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tewb import te
from tewb.schedule import computes_all
from tewb.schedule.bounds import infer_bounds


def covers(shape: Any, read_shape: Any, read: Callable[..., Any], place: Callable[..., Any]) -> bool:
    A = te.placeholder(shape, name="A")
    B = te.compute(shape, lambda *i: A(*i) + 1.0, name="B")
    C = te.compute(read_shape, lambda *i: read(B, *i), name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], place(s[C], *s[C].op.axis))
    return computes_all(s[B], infer_bounds(s, [s[B]]))


def innermost(stage: Any, *axes: Any) -> Any:
    return axes[-1]


def tiles_of_4(stage: Any, *axes: Any) -> Any:
    return stage.split(axes[0], 4)[0]


def fused(stage: Any, *axes: Any) -> Any:
    return stage.fuse(*axes)


@pytest.mark.parametrize(
    ("shape", "read_shape", "read", "place", "all_of_it"),
    [
        ((10,), (10,), lambda B, i: B[i], innermost, True),
        ((10,), (10,), lambda B, i: B[9 - i], tiles_of_4, True),
        ((10,), (5,), lambda B, i: B[i + 2], innermost, False),
        ((10,), (5,), lambda B, i: B[2 * i], innermost, False),
        ((10,), (5,), lambda B, i: B[2 * i] + B[2 * i + 1], innermost, True),
        ((12,), (9,), lambda B, i: B[i] + B[i + 3], tiles_of_4, True),  # what is between them is computed too
        ((5, 7), (5, 7), lambda B, i, j: B[i, j], fused, True),
        ((5, 5), (5,), lambda B, i: B[i, i], innermost, False),  # the diagonal
        ((5, 7), (5,), lambda B, i: B[i, 3], innermost, False),
        ((4, 4), (2, 2), lambda B, i, j: B[i, j] + B[i + 2, j + 2], innermost, True),
        ((4, 4), (2, 2), lambda B, i, j: B[i, j + 2], innermost, False),
        ((0,), (0,), lambda B, i: B[i], innermost, True),
    ],
)
def test_places_of_constant_size(shape: Any, read_shape: Any, read: Any, place: Any, all_of_it: bool) -> None:
    assert covers(shape, read_shape, read, place) is all_of_it


@pytest.mark.parametrize("place", [innermost, tiles_of_4])
def test_places_of_symbolic_size(place: Any) -> None:
    n = te.var("n")
    assert covers((n,), (n,), lambda B, i: B[i], place)
    assert covers((n + 1,), (n,), lambda B, i: B[i] + B[i + 1], place)
    assert not covers((n + 2,), (n,), lambda B, i: B[i + 1], place)
    assert not covers((n * 2,), (n,), lambda B, i: B[i * 2], place)


def test_fused_places_of_symbolic_size() -> None:
    n, m = te.var("n"), te.var("m")
    assert covers((n, m), (n, m), lambda B, i, j: B[i, j], fused)
