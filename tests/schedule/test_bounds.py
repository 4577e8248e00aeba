"""What is computed of a stage: all of it, where readers tell only at run time which elements they read."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import assert_same_result
from tewb import te
from tewb.ir import Allocate, BufferLoad, BufferStore, const_int, free_vars, walk
from tewb.lowering.lower import scheduled_loops
from tewb.schedule import bounds, places

READ: dict[str, Callable[[Any, Any], Any]] = {
    "the index of the reader": lambda A, i: A[i],
    "one element": lambda A, i: A[0],
    "one element and more": lambda A, i: A[0] + i - i,
    "clamped": lambda A, i: te.max(te.min(A[0], 2), 0),
    "far inside": lambda A, i: A[A[A[0]]],
}


@pytest.mark.parametrize("at", [False, True])
@pytest.mark.parametrize("read", READ.values(), ids=READ)
def test_a_stage_is_read_at_an_index_from_data(read: Callable[[Any, Any], Any], at: bool) -> None:
    A = te.placeholder((3,), "int32", name="A")
    S = te.compute((3,), lambda i: i * 2 + 1, name="S")
    B = te.compute((3,), lambda i: S[read(A, i)] + S[i], name="B")
    s = te.create_schedule(B.op)
    if at:
        s[S].compute_at(s[B], s[B].op.axis[0])
    a, b = np.array([2, 0, 1], "int32"), np.zeros(3, "int32")
    tewb.build(s, [A, B])(a, b)
    at_read = {"the index of the reader": a, "far inside": a[a[a[0]]]}
    name = next(k for k, f in READ.items() if f is read)
    np.testing.assert_array_equal(b, at_read.get(name, a[0]) * 2 + 1 + np.arange(3) * 2 + 1)


def test_a_rank_of_zero_is_an_index_too() -> None:
    A = te.placeholder((), "int32", name="A")
    S = te.compute((3,), lambda i: i * 2, name="S")
    B = te.compute((2,), lambda i: S[A()], name="B")
    b = np.zeros(2, "int32")
    tewb.build(te.create_schedule(B.op), [A, B])(np.array(2, "int32"), b)
    np.testing.assert_array_equal(b, [4, 4])


def test_stages_nested_deep_are_not_placed_at_a_sum_of_all_loops_around() -> None:
    tensors = [te.placeholder((64,), name="A")]
    for n in range(40):
        tensors.append(te.compute((64,), lambda i, t=tensors[-1]: t[i] + 1.0, name=f"S{n}"))
    s = te.create_schedule(tensors[-1].op)
    for inner, outer in pairwise(tensors[1:]):
        s[inner].compute_at(s[outer], s[outer].op.axis[0])
    f = scheduled_loops(s, [tensors[0], tensors[-1]])
    places = [n.indices[0] for n in walk(f.body) if isinstance(n, BufferLoad | BufferStore)]
    assert max(len(free_vars(i)) for i in places) <= 2
    a, c = np.arange(64, dtype="float32"), np.zeros(64, "float32")
    tewb.build(s, [tensors[0], tensors[-1]])(a, c)
    np.testing.assert_array_equal(c, a + 40)


def nested(depth: int) -> tuple[Any, list[Any]]:
    """A chain of stages, each computed in a loop of the next, which is split."""
    tensors = [te.placeholder((64,), name="A")]
    for n in range(depth):
        tensors.append(te.compute((64,), lambda i, t=tensors[-1]: t[i] + 1.0, name=f"S{n}"))
    s = te.create_schedule(tensors[-1].op)
    for inner, outer in pairwise(tensors[1:]):
        s[inner].compute_at(s[outer], s[outer].split("i", factor=8)[1])
    return s, [tensors[0], tensors[-1]]


def test_the_loops_around_a_stage_are_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not for every stage that stands deeper again."""
    asked: list[Any] = []

    def loops_to(stage: Any, axis: Any) -> list[Any]:
        asked.append(stage)
        return found(stage, axis)

    found = places.loops_to
    monkeypatch.setattr(places, "loops_to", loops_to)
    s, args = nested(30)
    bounds.infer_bounds(s)
    assert len(asked) == 29
    tewb.lower(s, args)


def test_bounds_of_deep_stages_are_found_again_and_change_with_the_loops_around() -> None:
    s, args = nested(6)
    first = bounds.infer_bounds(s)
    again = bounds.infer_bounds(s)
    assert all(again.stages[x] is own for x, own in first.stages.items())
    last = s[args[1]]
    last.reorder("i.inner", "i.outer")
    s[s.stages[-2].op.output(0)].compute_at(last, last.leaf_iter_vars[0])
    c, a = np.zeros(64, "float32"), np.arange(64, dtype="float32")
    tewb.build(s, args)(a, c)
    np.testing.assert_array_equal(c, a + 6)


# ---------------------------------------------------------------- how much is kept


def kept(
    index: Callable[[Any, Any], Any], shape: tuple[int, ...], place: str, factor: int, size: int
) -> list[int | None]:
    """The shape that is allocated for a stage B of `size` elements (or rows of 48) that is read at `index`."""
    rank = 1 if not isinstance(index(te.var("i"), te.var("j")), tuple) else 2
    A = te.placeholder((size, 48)[:rank], name="A")
    B = te.compute(A.shape, lambda *at: A[at] + 1.0, name="B")

    def read(i: Any, j: Any) -> Any:
        at = index(i, j)
        return B[at] if rank == 2 else B[at,]

    C = te.compute(shape, lambda i, j: read(i, j) * 2.0, name="C")
    s = te.create_schedule(C.op)
    if "fused" in place:
        s[C].fuse("i", "j")
    s[C].split(place.removesuffix(".outer"), factor=factor)
    s[B].compute_at(s[C], place)
    (b,) = {n.buffer for n in walk(tewb.lower(s, [A, C])["main"].body) if isinstance(n, Allocate)}
    assert_same_result(s, [A], [C])
    return [const_int(n) for n in b.shape]


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    ("index", "shape", "place", "factor", "size", "shape_kept"),
    [
        (lambda i, j: (i, j), (64, 48), "i.j.fused.outer", 16, 64, [1, 16]),  # fused, then split
        (lambda i, j: (i, j), (64, 48), "i.j.fused.outer", 48, 64, [1, 48]),
        (lambda i, j: (i, j), (64, 48), "i.j.fused.outer", 96, 64, [2, 48]),
        (lambda i, j: (i, j), (64, 48), "i.j.fused.outer", 7, 64, [2, 48]),
        (lambda i, j: (te.max(i - 1, 0), j), (64, 48), "i.outer", 8, 64, [8, 48]),  # clamped
        (lambda i, j: (te.min(te.max(i - 2, 0), 63), j), (68, 48), "i.outer", 4, 64, [4, 48]),
        (lambda i, j: (i, j), (60, 48), "i.outer", 64, 60, [60, 48]),  # never more than declared
        (lambda i, j: (i, j), (60, 48), "i.outer", 40, 60, [40, 48]),
        (lambda i, j: i * 2 + j, (32, 2), "i.outer", 8, 64, [16]),
        (lambda i, j: (i * 16 + j) // 4, (4, 16), "i.outer", 1, 64, [4]),
        (lambda i, j: i + j * 5, (20, 3), "j.outer", 1, 64, [1]),
    ],
)  # fmt: skip
def test_what_is_kept_is_what_is_touched(
    index: Any, shape: Any, place: str, factor: int, size: int, shape_kept: list[int]
) -> None:
    assert kept(index, shape, place, factor, size) == shape_kept


def test_bounds_that_are_known_are_those_of_the_schedule_as_it_is() -> None:
    A = te.placeholder((64,), name="A")
    B = te.compute((64,), lambda i: A[i] + 1, name="B")
    C = te.compute((64,), lambda i: B[i] * 2, name="C")
    s = te.create_schedule(C.op)
    tewb.lower(s, [A, B, C])
    known = bounds.known_bounds(s, [s[B], s[C]])
    assert known is bounds.known_bounds(s, [s[C], s[B]]) is not bounds.known_bounds(s, [s[C]])
    s[C].split(C.op.axis[0], 16)
    s[B].compute_at(s[C], s[C].leaf_iter_vars[0])
    narrow = bounds.known_bounds(s)
    assert const_int(narrow.stages[s[B]].regions[0][0].extent) == 16
    s.restore(s.journal[:1])
    assert const_int(bounds.known_bounds(s).stages[s[B]].regions[0][0].extent) == 64
