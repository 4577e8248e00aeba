"""Softmax along an axis."""

from __future__ import annotations

import numpy as np
import pytest

import tewb
from tests.topi.compare import Case, check, floats
from tewb import te, topi
from tewb.base import ShapeError
from tewb.topi.testing.norms import log_softmax_python, softmax_python

x, large = floats(3, 7, 2), floats(3, 5, low=-900, high=900)


def test_along_an_axis() -> None:
    check(
        [
            Case(topi.nn.softmax, lambda v: softmax_python(v, -1), (x,)),
            Case(lambda t: topi.nn.softmax(t, 1), lambda v: softmax_python(v, 1), (x,)),
            Case(topi.nn.softmax, lambda v: softmax_python(v, -1), (large,)),
            Case(lambda t: topi.nn.fast_softmax(t, 0), lambda v: softmax_python(v, 0), (x,)),
            Case(topi.nn.log_softmax, lambda v: log_softmax_python(v, -1), (large,)),
            Case(lambda t: topi.nn.log_softmax(t, 1), lambda v: log_softmax_python(v, 1), (x,)),
            Case(topi.nn.softmax, lambda v: softmax_python(v, 0), (floats(5),)),
        ]
    )


def test_names_and_tags() -> None:
    A = te.placeholder((3, 7), dtype="float64", name="A")
    B = topi.nn.softmax(A)
    assert (B.op.name, B.op.tag, B.op.attrs["axis"], B.dtype) == (
        "T_softmax_norm",
        "softmax_output",
        1,
        "float64",
    )
    assert topi.nn.log_softmax(A).op.tag == "log_softmax_output"


def test_symbolic_sizes() -> None:
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((n, m), name="A")
    B = topi.nn.softmax(A)
    kernel = tewb.build(te.create_schedule(B.op), [A, B])
    np.testing.assert_allclose(kernel(large), softmax_python(large), rtol=1e-5, atol=1e-7)


def test_a_tensor_without_dimensions() -> None:
    with pytest.raises(ShapeError, match="softmax: placeholder has no dimensions"):
        topi.nn.softmax(te.placeholder(()))
