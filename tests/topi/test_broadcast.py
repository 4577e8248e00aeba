"""Operators on two tensors, with numpy's broadcasting."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.topi.compare import Case, check, floats, integers
from tewb import te, topi
from tewb.base import ShapeError

a, b = floats(3, 1, 5), floats(7, 1, seed=1)
positive = floats(3, 1, 5, low=0.5)
i, j = integers(3, 1, 5), integers(7, 1, low=1, high=5, seed=1)
p, q = integers(3, 5, low=0, high=2) > 0, integers(5, low=0, high=2, seed=1) > 0
infinite = np.array([-np.inf, 0, np.inf, 700], "float32")


def test_arithmetic_of_floats() -> None:
    check(
        [
            Case(topi.add, np.add, (a, b)),
            Case(topi.subtract, np.subtract, (a, b)),
            Case(topi.multiply, np.multiply, (a, b)),
            Case(topi.divide, np.divide, (a, b)),
            Case(topi.maximum, np.maximum, (a, b)),
            Case(topi.minimum, np.minimum, (a, b)),
            Case(topi.mod, np.fmod, (a, b)),
            Case(topi.floor_mod, np.mod, (a, b)),
            Case(topi.floor_divide, np.floor_divide, (a, b)),
            Case(topi.power, np.power, (positive, b)),
            Case(topi.atan2, np.arctan2, (a, b)),
            Case(topi.log_add_exp, np.logaddexp, (a, b)),
            Case(topi.log_add_exp, np.logaddexp, (infinite, infinite)),
            Case(lambda t: topi.add(t, 1.5), lambda x: x + 1.5, (a,)),
            Case(lambda t: topi.subtract(1.5, t), lambda x: 1.5 - x, (a,)),
            Case(
                lambda t: topi.broadcast_to(t, (2, 3, 4, 5)), lambda x: np.broadcast_to(x, (2, 3, 4, 5)), (a,)
            ),
        ]
    )


def test_integers_bits_and_comparisons() -> None:
    check(
        [
            Case(topi.add, np.add, (i, j)),
            Case(topi.floor_divide, np.floor_divide, (i, j)),
            Case(topi.divide, lambda x, y: np.trunc(x / y).astype("int32"), (i, j)),
            Case(topi.trunc_divide, lambda x, y: np.trunc(x / y).astype("int32"), (i, j)),
            Case(topi.floor_mod, np.mod, (i, j)),
            Case(topi.mod, np.fmod, (i, j)),
            Case(topi.trunc_mod, np.fmod, (i, j)),
            Case(topi.left_shift, np.left_shift, (i, j)),
            Case(topi.right_shift, np.right_shift, (i, j)),
            Case(topi.bitwise_and, np.bitwise_and, (i, j)),
            Case(topi.bitwise_or, np.bitwise_or, (i, j)),
            Case(topi.bitwise_xor, np.bitwise_xor, (i, j)),
            Case(topi.greater, np.greater, (i, j)),
            Case(topi.less, np.less, (i, j)),
            Case(topi.equal, np.equal, (i, j)),
            Case(topi.not_equal, np.not_equal, (i, j)),
            Case(topi.greater_equal, np.greater_equal, (a, b)),
            Case(topi.less_equal, np.less_equal, (a, b)),
            Case(topi.logical_and, np.logical_and, (p, q)),
            Case(topi.logical_or, np.logical_or, (p, q)),
            Case(topi.logical_xor, np.logical_xor, (p, q)),
            Case(topi.where, np.where, (p, integers(3, 5), integers(5, seed=2))),
            Case(topi.where, lambda c, x, y: np.where(c != 0, x, y), (integers(5, low=0, high=2), a, b)),
        ]
    )


def test_names_tags_and_dtypes_are_classic() -> None:
    A = te.placeholder((3, 4), name="A")
    t = topi.add(A, A)
    assert (t.op.name, t.op.tag, t.dtype) == ("T_add", "broadcast", "float32")
    assert topi.less(A, A).dtype == "bool"
    assert topi.add(te.const(2), te.const(3)).value == 5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda A: topi.add(A, te.placeholder((4,), name="B")), r"add: the shapes \(2, 3\) and \(4,\)"),
        (lambda A: topi.where(A, A, te.placeholder((2, 1, 2, 4))), "where: the shapes"),
        (lambda A: topi.broadcast_to(A, (3,)), r"broadcast_to: A of shape \(2, 3\) does not become \(3,\)"),
        (lambda A: topi.broadcast_to(A, (2, 1)), "does not become"),
    ],
)
def test_shapes_that_do_not_go_together(make: Any, message: str) -> None:
    with pytest.raises(ShapeError, match=message) as raised:
        make(te.placeholder((2, 3), name="A"))
    assert raised.value.hint
    assert "test_broadcast" in str(raised.value)


def test_symbolic_sizes() -> None:
    n, m = te.var("n"), te.var("m")
    A, B = te.placeholder((n, m), name="A"), te.placeholder((m,), name="B")
    C = topi.multiply(topi.add(A, B), A)
    kernel = tewb.build(te.create_schedule(C.op), [A, B, C])
    x, y = floats(3, 7), floats(7)
    np.testing.assert_allclose(kernel(x, y), (x + y) * x, rtol=1e-6)
    with pytest.raises(ShapeError, match="do not go together"):
        topi.add(A, te.placeholder((n,), name="B"))
