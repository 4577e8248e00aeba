"""Boxes that have a score, and those that overlap no better one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.topi.compare import Case, check
from tewb import te, topi
from tewb.base import ShapeError

# class, score, left, top, right, bottom
boxes = np.array(
    [
        [
            [0, 0.8, 1, 20, 25, 45],
            [1, 0.7, 30, 60, 50, 80],
            [0, 0.4, 4, 21, 19, 40],
            [2, 0.9, 35, 61, 52, 79],
            [1, 0.5, 100, 60, 70, 110],
        ]
    ],
    "float32",
)


def expected(rows: list[int]) -> Any:
    kept = [boxes[0, r] if r >= 0 else np.full(6, -1) for r in rows]
    return np.array([kept], "float32")


def suppressed(**options: Any) -> Any:
    def operator(t: Any) -> Any:
        counts, out, places = topi.vision.get_valid_counts(t, 0, -1)
        return topi.vision.non_max_suppression(out, counts, places, **options)

    return operator


def test_the_best_of_boxes_that_overlap() -> None:
    only = dict(return_indices=False, iou_threshold=0.7)
    check(
        [
            Case(suppressed(**only, force_suppress=True), lambda _: expected([3, 0, 1, 4, 2]), (boxes,)),
            Case(suppressed(**only, top_k=2), lambda _: expected([3, 0, -1, -1, -1]), (boxes,)),
            Case(
                suppressed(
                    return_indices=False, iou_threshold=0.3, force_suppress=True, invalid_to_bottom=True
                ),
                lambda _: expected([3, 0, 4, -1, -1]),
                (boxes,),
            ),
            Case(
                suppressed(iou_threshold=0.3),
                lambda _: [np.array([[3, 0, 1, 4, -1]]), np.array([[4]])],
                (boxes,),
            ),
            Case(
                suppressed(max_output_size=1),
                lambda _: [np.array([[3, -1, -1, -1, -1]]), np.array([[1]])],
                (boxes,),
            ),
        ]
    )


def test_boxes_of_some_score_are_in_front() -> None:
    check(
        [
            Case(
                lambda t: topi.vision.get_valid_counts(t, 0.6),
                lambda _: [np.array([3]), expected([0, 1, 3, -1, -1]), np.array([[0, 1, 3, -1, -1]])],
                (boxes,),
            )
        ]
    )


def test_misuse() -> None:
    data, counts = te.placeholder((1, 5, 5), name="A"), te.placeholder((1,), "int32", name="n")
    with pytest.raises(ShapeError, match="boxes of 5 elements have no 4 coordinates from 2 on"):
        topi.vision.non_max_suppression(data, counts)
    assert (
        topi.vision.non_max_suppression(data, counts, -1, 0.5, coord_start=1, return_indices=False)
        is not None
    )
