"""Pools in vectors."""

from __future__ import annotations

from typing import Any

import pytest

from tests.topi.compare import Case, check_schedule, floats
from tewb import topi
from tewb.topi import testing as reference
from tewb.topi import x86

x = floats(2, 3, 7, 21)
PAD = (1, 1, 1, 1)


@pytest.mark.parametrize(
    ("schedule", "case"),
    [
        (
            x86.schedule_pool,
            Case(
                lambda t: topi.nn.pool2d(t, 3, 2, 1, PAD, "max"),
                lambda v: reference.poolnd_python(v, (3, 3), (2, 2), (1, 1), (1, 1), (1, 1), "max"),
                (x,),
            ),
        ),
        (
            x86.schedule_pool,
            Case(
                lambda t: topi.nn.relu(topi.nn.pool2d(t, 2, 1, 1, 0, "avg")),
                lambda v: reference.poolnd_python(v, (2, 2), (1, 1), (1, 1), (0, 0), (0, 0), "avg").clip(0),
                (x,),
            ),
        ),
        (
            x86.schedule_adaptive_pool,
            Case(
                lambda t: topi.nn.adaptive_pool(t, (3, 4), "avg"),
                lambda v: reference.adaptive_pool(v, (3, 4), "avg", "NCHW"),
                (x,),
            ),
        ),
        (
            x86.schedule_adaptive_pool,
            Case(lambda t: topi.nn.global_pool(t, "max"), lambda v: v.max((2, 3), keepdims=True), (x,)),
        ),
        (
            x86.schedule_pool,
            Case(
                lambda t: topi.nn.adaptive_pool(t, (3, 4), "max"),
                lambda v: reference.adaptive_pool(v, (3, 4), "max", "NCHW"),
                (x,),
            ),
        ),
        (
            x86.schedule_pool_grad,
            Case(
                lambda g, t: topi.nn.pool_grad(g, t, 2, 2, (0, 0, 0, 0), "max"),
                lambda g, t: reference.pool_grad_nchw(t, g, (2, 2), (2, 2), (0, 0, 0, 0), "max", False),
                (floats(2, 3, 3, 10), x),
            ),
        ),
        (
            x86.schedule_lrn,
            Case(lambda t: topi.nn.lrn(t, 3), lambda v: reference.lrn_python(v, 3, 1, 2, 1e-4, 0.75), (x,)),
        ),
    ],
)
@pytest.mark.one_in(2)
def test_results_stay(schedule: Any, case: Case) -> None:
    check_schedule(schedule, case)
