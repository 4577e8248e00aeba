"""Reductions, softmax and norms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.topi.compare import Case, check_schedule, floats, integers, words
from tewb import te, topi
from tewb.topi import testing as reference
from tewb.topi import x86

x, ties = floats(3, 70, 5), integers(4, 130, low=0, high=9)


@pytest.mark.one_in(2)
@pytest.mark.parametrize("axis", [None, 0, 1, 2, (0, 2)])
@pytest.mark.parametrize("name", ["sum", "max"])
def test_reductions(name: str, axis: Any) -> None:
    case = Case(
        lambda t: getattr(topi, name)(topi.exp(t), axis, True),
        lambda v: getattr(np, name)(np.exp(v), axis=axis, keepdims=True),
        (x,),
    )
    check_schedule(x86.schedule_reduce, case)


def test_places() -> None:
    check_schedule(x86.schedule_reduce, Case(lambda t: topi.argmax(t, 1), lambda v: v.argmax(1), (ties,)))
    check_schedule(x86.schedule_reduce, Case(lambda t: topi.argmin(t, 0), lambda v: v.argmin(0), (ties,)))


@pytest.mark.one_in(2)
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax(name: str, axis: int) -> None:
    operator, ref = getattr(topi.nn, name), getattr(reference, f"{name}_python")
    case = Case(lambda t: topi.multiply(operator(t, axis), 2.0), lambda v: ref(v, axis) * 2, (x,))
    check_schedule(x86.schedule_softmax, case)


def test_norms() -> None:
    g, b, c = floats(70, 5), floats(70, 5, seed=1), floats(70)
    check_schedule(
        x86.schedule_layer_norm,
        Case(
            lambda *t: topi.nn.layer_norm(*t, (1, 2)),
            lambda *v: reference.layer_norm_python(*v, (1, 2)),
            (x, g, b),
        ),
    )
    check_schedule(
        x86.schedule_rms_norm,
        Case(
            lambda *t: topi.nn.rms_norm(*t, -1), lambda *v: reference.rms_norm_python(*v, -1), (x, floats(5))
        ),
    )
    check_schedule(
        x86.schedule_group_norm,
        Case(
            lambda *t: topi.nn.group_norm(*t, 7, 1, [2]),
            lambda *v: reference.group_norm_python(*v, 7, 1, [2]),
            (x, c, c),
        ),
    )
    check_schedule(
        x86.schedule_batch_norm,
        Case(
            lambda *t: topi.nn.batch_norm(*t, training=True),
            lambda *v: reference.batch_norm(*v, 1, 1e-5, True, True, True, 0.1),
            (x, c, c, c, c),
        ),
    )


def test_a_row_stays_in_the_cache() -> None:
    A = te.placeholder((512, 1024), name="A")
    B = topi.nn.softmax(A)
    s = x86.schedule_softmax(B)
    assert {"compute_at", "vectorize", "parallel"} <= words(s)
    assert "T.allocate((1, 1024)" in str(tewb.lower(s, [A, B])) or "T.allocate((1024" in str(
        tewb.lower(s, [A, B])
    )
