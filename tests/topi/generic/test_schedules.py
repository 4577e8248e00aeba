"""The schedules of any target."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.topi.compare import Case, check_schedule, floats, words
from tewb import te, topi
from tewb.base import ScheduleError
from tewb.topi import generic
from tewb.topi.testing import conv2d_nchw_python, softmax_python

a, w, x = floats(1, 3, 5, 5), floats(2, 3, 3, 3), floats(3, 5)


@pytest.mark.parametrize(
    ("schedule", "case"),
    [
        (generic.schedule_injective, Case(lambda t: topi.exp(topi.add(t, t)), lambda v: np.exp(v + v), (x,))),
        (generic.schedule_softmax, Case(topi.nn.softmax, softmax_python, (x,))),
        (generic.schedule_reduce, Case(lambda t: topi.sum(topi.exp(t), 1), lambda v: np.exp(v).sum(1), (x,))),
        (
            generic.schedule_conv2d_nchw,
            Case(
                lambda t, k: topi.nn.relu(topi.nn.conv2d_nchw(t, k, 1, 1, 1)),
                lambda t, k: conv2d_nchw_python(t, k, 1, 1).clip(0),
                (a, w),
            ),
        ),
        (
            generic.schedule_injective,
            Case(
                lambda t: [topi.negative(b := topi.exp(t)), topi.sort(b)],
                lambda v: [-np.exp(v), np.sort(np.exp(v))],
                (x,),
            ),
        ),
        (generic.schedule_sort, Case(lambda t: topi.negative(topi.sort(t)), lambda v: -np.sort(v), (x,))),
    ],
)
def test_results_stay(schedule: Any, case: Case) -> None:
    check_schedule(schedule, case)


def test_what_is_injective_is_computed_where_it_is_used() -> None:
    A = te.placeholder((3, 5), name="A")
    B = topi.exp(topi.add(A, A))
    text = str(tewb.lower(generic.schedule_injective(B), [A, B]))
    assert "T_add" not in text
    s = generic.schedule_injective_from_existing(te.create_schedule(B.op), B)
    assert words(s) == {"fuse"}


def test_programs_get_the_schedules_of_the_processor() -> None:
    A, W = te.placeholder((64, 64), name="A"), te.placeholder((64, 64), name="W")
    C = topi.nn.relu(topi.nn.dense(A, W))
    with tewb.target.Target("llvm"):
        assert {"vectorize", "transform_layout"} <= words(generic.schedule_dense([C]))
    image, kernel = te.placeholder((1, 3, 8, 8), name="I"), te.placeholder((4, 3, 3, 3), name="K")
    assert "vectorize" in words(
        generic.schedule_conv2d_nchw(topi.nn.conv2d_nchw(image, kernel, 1, 1, 1), "NCHW")
    )
    assert not words(generic.schedule_default([topi.nn.dense(A, W)]))


def test_every_name_is_a_function() -> None:
    assert all(callable(getattr(generic, name)) for name in generic.__all__)


def test_what_is_no_output() -> None:
    with pytest.raises(ScheduleError, match="made for the outputs of a graph, not for 5") as raised:
        generic.schedule_injective(5)
    assert raised.value.hint
