"""What is given to a recipe: kept by name, and found again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.programs import PROGRAMS, matmul, schedule_for, two_outputs
from tewb import te
from tewb.base import ScheduleError
from tewb.schedule.recipe_values import given_value, kept_value

assert PROGRAMS


def test_what_has_a_name_is_kept_by_it_and_means_the_same() -> None:
    _, outputs = matmul()
    s, C = schedule_for(outputs), outputs[0]
    outer, _ = s[C].split("i", 4)
    for what, kept in (
        (C, {"tensor": "C"}),
        (C.op, {"operation": "C"}),
        (s[C], {"stage": "C"}),
        (outer, {"loop": "i.outer", "stage": "C"}),
        (C.op.reduce_axis[0], {"loop": "k", "stage": "C"}),
    ):
        assert kept_value(s, what) == kept
        assert given_value(s, kept) is what
    assert kept_value(s, [outer, (1, "x")]) == [{"loop": "i.outer", "stage": "C"}, [1, "x"]]
    assert given_value(s, [{"stage": "C"}, [1]]) == [s[C], [1]]


def test_the_outputs_of_an_operation_are_told_apart() -> None:
    _, outputs = two_outputs()
    s = schedule_for(outputs)
    kept = [kept_value(s, t) for t in outputs]
    assert kept == [{"tensor": "PQ"}, {"tensor": "PQ", "output": 1}]
    assert [given_value(s, k) for k in kept] == outputs


@pytest.mark.parametrize(
    ("what", "kept"),
    [
        (8, 8), (np.int64(8), 8), (te.const(8), 8), (True, True), (2.5, 2.5), ("local", "local"), (None, None),
        (te.thread_axis((0, 4), "threadIdx.x"), "threadIdx.x"),
    ],
)  # fmt: skip
def test_numbers_and_words_are_values(what: Any, kept: Any) -> None:
    value = kept_value(schedule_for(matmul()[1]), what)
    assert value == kept or str(value).startswith(str(kept))
    assert type(value) is type(kept)


def test_sizes_are_texts_of_variables() -> None:
    n = te.size_var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    s = te.create_schedule(B.op)
    assert kept_value(s, n // 4) == {"size": "n // 4"}
    assert str(given_value(s, {"size": "n // 4"})) == str(n // 4)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (object(), "cannot be given to a recipe"),
        (np.zeros(3), "cannot be given to a recipe"),
        (float("nan"), "cannot be given to a recipe"),
        ({"a": 1}, "cannot be given to a recipe"),
        (te.placeholder((4,), name="Z"), "Z is not a stage"),
        (te.compute((4,), lambda i: 1.0, name="Z").op.axis[0], "is a loop of no stage here"),
    ],
)
def test_what_cannot_be_kept_is_refused(what: Any, said: str) -> None:
    with pytest.raises(ScheduleError, match=said):
        kept_value(schedule_for(matmul()[1]), what)


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ({"tensor": "Z"}, "Z is not a stage"),
        ({"tensor": "C", "output": 3}, "C has 1 outputs, and none of number 3"),
        ({"loop": "x", "stage": "C"}, "stage C has no loop x"),
        ({"size": "q"}, "no variable q"),
        ({}, "is nothing that is given to a recipe"),
    ],
)
def test_what_is_not_there_any_more_is_refused(kept: Any, said: str) -> None:
    with pytest.raises(ScheduleError, match=said):
        given_value(schedule_for(matmul()[1]), kept)
