"""Axes are cut where what they read is cut."""

from __future__ import annotations

from typing import Any

import pytest

from tewb import te
from tewb.blocks.cuts import alike, cuts_of_axes, cuts_of_chunks, parts_of


def test_places_between_chunks() -> None:
    assert cuts_of_chunks((4, 0, 4, 2)) == (4, 8)
    assert cuts_of_chunks((0, 10)) == cuts_of_chunks((10,)) == ()
    assert parts_of((4, 8), 1, 9) == [(1, 3), (4, 4), (8, 2)]
    assert parts_of((), 0, 0) == [(0, 0)]


def test_parts_inside_are_alike_when_their_extents_are() -> None:
    assert alike([(0, 4), (4, 4), (8, 2), (10, 4), (14, 4)]) == [[0], [1, 3], [2], [4]]
    assert alike([(0, 4)]) == [[0]]


@pytest.mark.parametrize(
    ("read", "n", "cuts"),
    [
        (lambda A, i: A[i], 20, (5, 12)),
        (lambda A, i: A[i - 1 + 1] + A[i], 20, (5, 12)),
        (lambda A, i: A[i] + A[i + 1] + A[i + 2], 18, (5, 12)),  # at the nearest read, not at each
        (lambda A, i: A[i + 2], 18, (3, 10)),
        (lambda A, i: A[2 * i] + A[2 * i + 1], 10, (3, 6)),
        (lambda A, i: A[i // 3], 60, (15, 36)),
        (lambda A, i: A[19 - i], 20, (8, 15)),
        (lambda A, i: A[19 - i] + A[20 - i - 1] + A[te.max(18 - i, 0)], 20, (8, 15)),
        (lambda A, i: A[te.min(te.max(i - 2, 0), 19)], 24, (7, 14)),
        (lambda A, i: A[te.max(3 * i, i + 1)], 6, (2, 4)),
        (lambda A, i: A[(i + 1) % 20], 20, (4, 11, 19)),
        (lambda A, i: A[(i + 1) % 20] + A[i] + A[(i + 19) % 20], 20, (5, 12)),
        (lambda A, i: A[(39 - i) % 20], 40, (8, 15, 20, 28, 35)),
        (lambda A, i: A[i % 20], 60, (5, 12, 20, 25, 32, 40, 45, 52)),
        (lambda A, i: A[te.if_then_else(i < 3, 3 - i, te.if_then_else(i < 23, i - 3, 41 - i))], 26, (8, 15)),
        (lambda A, i: A[i // 2 + i % 2], 30, (9, 23)),
        (lambda A, i: te.if_then_else(i < 20, A[i], A[i - 20]), 40, (5, 12, 20, 25, 32)),
        (lambda A, i: A[7], 20, ()),
    ],
)
def test_an_axis_follows_an_index(read: Any, n: int, cuts: tuple[int, ...]) -> None:
    A = te.placeholder((20,), name="A")
    B = te.compute((n,), lambda i: read(A, i), name="B")
    assert cuts_of_axes(B.op, {A: [(5, 12)]}) == {B.op.axis[0]: cuts}


def test_of_an_index_of_several_axes_the_longest_is_cut() -> None:
    A, r = te.placeholder((22,), name="A"), te.reduce_axis((0, 3), name="r")
    B = te.compute((20,), lambda i: te.sum(A[i + r], axis=r), name="B")
    assert cuts_of_axes(B.op, {A: [(5, 12)]}) == {B.op.axis[0]: (5, 12), r: ()}


def test_of_an_index_of_several_axes_that_which_moves_it_farthest_is_cut() -> None:
    A = te.placeholder((40,), name="A")
    B = te.compute((10, 4), lambda i, c: A[i * 4 + c // 2 + c % 2], name="B")
    assert tuple(cuts_of_axes(B.op, {A: [(5, 12)]}).values()) == ((2, 3), ())
    r = te.reduce_axis((0, 3), name="r")
    C = te.compute((38,), lambda i: te.sum(A[i + 2 - r], axis=r), name="C")
    assert tuple(cuts_of_axes(C.op, {A: [(5, 12)]}).values()) == ((3, 10), ())


def test_an_index_that_begins_again_often_is_not_followed_to_each_chunk() -> None:
    A = te.placeholder((100, 40), name="A")
    B = te.compute((4000,), lambda i: A[i // 40, i % 40], name="B")
    assert cuts_of_axes(B.op, {A: [(30,), (10, 20, 30)]}) == {B.op.axis[0]: (1200,)}
    assert cuts_of_axes(B.op, {A: [(), (10, 20, 30)]}) == {B.op.axis[0]: (1000, 2000, 3000)}


def test_tensors_side_by_side_are_cut_as_each_is() -> None:
    A, B, D = (te.placeholder((20,), name=name) for name in "ABD")
    C = te.compute(
        (60,),
        lambda i: te.if_then_else(i < 20, A[i], te.if_then_else(i < 40, B[i - 20], D[i - 40])),
        name="C",
    )
    cuts = {A: [(10,)], B: [(4, 8, 12)], D: [()]}
    assert cuts_of_axes(C.op, cuts) == {C.op.axis[0]: (10, 20, 24, 28, 32)}
    cuts = {A: [(10,)], B: [()], D: [(5, 9)]}
    assert cuts_of_axes(C.op, cuts) == {C.op.axis[0]: (10, 20, 45, 49)}


def test_the_finest_cut_is_taken() -> None:
    A, B = te.placeholder((20,), name="A"), te.placeholder((20,), name="B")
    C = te.compute((20,), lambda i: A[i] + B[i], name="C")
    assert cuts_of_axes(C.op, {A: [(9,)], B: [(5, 10, 15)]}) == {C.op.axis[0]: (5, 10, 15)}


def test_an_axis_of_a_sum_is_cut_from_its_beginning_on() -> None:
    A, k = te.placeholder((20,), name="A"), te.reduce_axis((6, 20), name="k")
    S = te.compute((1,), lambda _: te.sum(A[k], axis=k), name="S")
    assert cuts_of_axes(S.op, {A: [(5, 12)]})[k] == (12,)
