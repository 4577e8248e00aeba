"""Activations, scales and shifts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.topi.compare import Case, check, floats, integers
from tewb import te, topi
from tewb.base import ShapeError

x, c = floats(2, 3, 1, 5), floats(3, seed=1)
blocks = floats(2, 3, 1, 5, 4)


def test_activations_and_scales() -> None:
    def column(v: Any) -> Any:
        return v.reshape(3, 1, 1)

    wide = np.array([-30, -1, 0, 1, 30], "float32")
    check(
        [
            Case(topi.nn.relu, lambda v: np.maximum(v, 0), (x,)),
            Case(topi.nn.relu, lambda v: np.maximum(v, 0), (integers(7, dtype="int8"),)),
            Case(lambda t: topi.nn.leaky_relu(t, 0.1), lambda v: np.where(v > 0, v, v * 0.1), (x,)),
            Case(topi.nn.prelu, lambda v, s: np.where(v > 0, v, v * column(s)), (x, c)),
            Case(lambda t, s: topi.nn.prelu(t, s, -1), lambda v, s: np.where(v > 0, v, v * s), (x, c[:1])),
            Case(topi.nn.softplus, lambda v: np.log1p(np.exp(v)), (wide,)),
            Case(topi.nn.bias_add, lambda v, b: v + column(b), (x, c)),
            Case(lambda t, b: topi.nn.bias_add(t, b, -1), lambda v, b: v + b, (x, floats(5))),
            Case(topi.nn.scale_shift_nchw, lambda v, a, b: v * column(a) + column(b), (x, c, c + 1)),
            Case(topi.nn.scale_shift_nhwc, lambda v, a, b: v * a + b, (x, floats(5), floats(5, seed=2))),
            Case(
                topi.nn.scale_shift_nchwc,
                lambda v, a, b: v * a[:, None, None] + b[:, None, None],
                (blocks, floats(3, 4), floats(3, 4, seed=2)),
            ),
            Case(topi.nn.flatten, lambda v: v.reshape(len(v), -1), (x,)),
        ]
    )


def test_names_and_dtypes() -> None:
    A = te.placeholder((2, 3), dtype="int8", name="A")
    assert (topi.nn.relu(A).op.name, topi.nn.relu(A).dtype, topi.nn.relu(A).op.tag) == (
        "T_relu",
        "int8",
        "elemwise",
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda A, B: topi.nn.prelu(A, B), "the number of slopes and the channels are 4 and 3"),
        (lambda A, B: topi.nn.bias_add(A, B, 3), "axis 3 of a tensor of 2 dimensions"),
        (lambda A, B: topi.nn.bias_add(A, B), "biases and the channels are 4 and 3"),
        (lambda A, B: topi.nn.scale_shift_nchw(A, B, B), "A has 2 dimensions, not 4"),
        (lambda A, B: topi.nn.flatten(te.placeholder(())), "no dimensions"),
    ],
)
def test_misuse(make: Any, message: str) -> None:
    with pytest.raises(ShapeError, match=message) as raised:
        make(te.placeholder((2, 3), name="A"), te.placeholder((4,), name="B"))
    assert raised.value.hint
