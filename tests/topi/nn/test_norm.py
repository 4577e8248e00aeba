"""Normalisation over a batch, a layer, an instance, groups, or neighbours."""

from __future__ import annotations

from typing import Any

import pytest

from tests.topi.compare import Case, check, floats
from tewb import te, topi
from tewb.base import DTypeError, ShapeError, TewbError
from tewb.topi.testing import norms as reference

x = floats(2, 6, 3, 5)
gamma, beta, mean, var = (floats(6, low=0.5, high=1.5, seed=n) for n in range(4))
plane, line = floats(3, 5, low=0.5, high=1.5), floats(5, low=0.5, high=1.5)


def test_batches() -> None:
    def trained(v: Any, *rest: Any) -> Any:
        return reference.batch_norm(v, *rest, 1, 1e-3, True, True, True, 0.2)

    check(
        [
            Case(
                topi.nn.batch_norm,
                lambda v, *rest: reference.batch_norm(v, *rest, 1, 1e-5, True, True, False, 0.1),
                (x, gamma, beta, mean, var),
            ),
            Case(
                lambda t, *rest: topi.nn.batch_norm(t, *rest, -3, 1e-3, False, False),
                lambda v, *rest: reference.batch_norm(v, *rest, 1, 1e-3, False, False, False, 0.1),
                (x, gamma, beta, mean, var),
            ),
            Case(
                lambda t, *rest: topi.nn.batch_norm(t, *rest, epsilon=1e-3, training=True, momentum=0.2),
                trained,
                (x, gamma, beta, mean, var),
            ),
        ],
        rtol=1e-4,
        atol=1e-5,
    )


def test_layers_instances_groups_and_lengths() -> None:
    check(
        [
            Case(
                lambda t, g, b: topi.nn.layer_norm(t, g, b, axis=(2, 3)),
                lambda v, g, b: reference.layer_norm_python(v, g, b, (2, 3)),
                (x, plane, plane - 1),
            ),
            Case(
                lambda t, g: topi.nn.layer_norm(t, g, None, -1, 1e-3),
                lambda v, g: reference.layer_norm_python(v, g, None, -1, 1e-3),
                (x, line),
            ),
            Case(
                lambda t, g, b: topi.nn.instance_norm(t, g, b, 1, [2, 3]),
                lambda v, g, b: reference.instance_norm_python(v, g, b, 1, [2, 3]),
                (x, gamma, beta),
            ),
            Case(
                lambda t, g, b: topi.nn.group_norm(t, g, b, 3, 1, [2, 3]),
                lambda v, g, b: reference.group_norm_python(v, g, b, 3, 1, [2, 3]),
                (x, gamma, beta),
            ),
            Case(
                lambda t, g: topi.nn.rms_norm(t, g, -1),
                lambda v, g: reference.rms_norm_python(v, g, -1),
                (x, line),
            ),
            Case(
                lambda t: topi.nn.lrn(t, 3, 1, 0.1, 0.5, 1),
                lambda v: reference.lrn_python(v, 3, 1, 1, 0.1, 0.5),
                (x,),
            ),
            Case(
                lambda t: topi.nn.lrn(t, 5, 3),
                lambda v: reference.lrn_python(v, 5, 3, 2, 0.0001, 0.75),
                (x,),
            ),
            Case(
                lambda t: topi.nn.l2_normalize(t, 1e-3, (1, -1)),
                lambda v: reference.l2_normalize_python(v, 1e-3, (1, 3)),
                (x,),
            ),
            Case(
                lambda t: topi.nn.l2_normalize(t, 99),
                lambda v: reference.l2_normalize_python(v, 99),
                (x,),
            ),
        ],
        rtol=1e-4,
        atol=1e-5,
    )


A, C = te.placeholder((2, 6, 3), name="A"), te.placeholder((5,), name="C")
I8 = te.placeholder((2, 6), "int8", name="I")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: topi.nn.batch_norm(A, C, C, C, C), ShapeError, "the size of C and the channels are 5 and 6"),
        (lambda: topi.nn.batch_norm(I8, C, C, C, C), DTypeError, "takes floats, and I is int8"),
        (
            lambda: topi.nn.batch_norm(A, *[te.placeholder((6,))] * 4, training=True, momentum=2),
            TewbError,
            "momentum 2 is not from 0 to 1",
        ),
        (lambda: topi.nn.layer_norm(A, C, C, -1), ShapeError, "the size of C and of axis 2 are 5 and 3"),
        (lambda: topi.nn.layer_norm(A, C, C, (1, 2)), ShapeError, "C has 1 dimensions, not 2"),
        (lambda: topi.nn.group_norm(A, C, C, 4, 1, [2]), ShapeError, "6 channels do not make 4 equal groups"),
        (lambda: topi.nn.lrn(A, 4), ShapeError, "4 neighbours have no middle"),
        (lambda: topi.nn.layer_norm(A, None, None, []), ShapeError, "no axis to normalise over"),
    ],
)
def test_misuse(make: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        make()
    assert raised.value.hint
