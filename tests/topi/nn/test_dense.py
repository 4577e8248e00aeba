"""Layers that are products of matrices."""

from __future__ import annotations

from typing import Any

import pytest

from tests.topi.compare import Case, check, floats, integers
from tewb import te, topi
from tewb.base import ShapeError

a, w, bias = floats(3, 5), floats(7, 5), floats(7)
x3, y3, single = floats(2, 3, 5), floats(2, 4, 5), floats(1, 4, 5)


def test_products() -> None:
    i8, w8 = (
        integers(3, 5, low=-128, high=128, dtype="int8"),
        integers(7, 5, low=-128, high=128, dtype="int8"),
    )
    packed = floats(3, 5, 4)
    check(
        [
            Case(topi.nn.dense, lambda v, k: v @ k.T, (a, w)),
            Case(topi.nn.dense, lambda v, k, b: v @ k.T + b, (a, w, bias)),
            Case(
                lambda t, k: topi.nn.dense(t, k, None, "int32"),
                lambda v, k: v.astype("int32") @ k.T.astype("int32"),
                (i8, w8),
            ),
            Case(topi.nn.matmul, lambda v, k: v @ k, (a, floats(5, 4))),
            Case(
                lambda t, k: topi.nn.matmul(t, k, transpose_a=True, transpose_b=True),
                lambda v, k: v.T @ k.T,
                (floats(5, 3), w),
            ),
            Case(
                topi.nn.dense_pack,
                lambda v, k, b: v @ k.transpose(1, 0, 2).reshape(5, 12) + b,
                (a, packed, floats(12)),
            ),
            Case(topi.nn.batch_matmul, lambda v, k: v @ k.swapaxes(1, 2), (x3, y3)),
            Case(topi.nn.batch_matmul, lambda v, k: v @ k.swapaxes(1, 2), (x3, single)),
            Case(topi.nn.batch_matmul, lambda v, k: v @ k.swapaxes(1, 2), (single, y3)),
            Case(
                lambda t, k: topi.nn.batch_matmul(t, k, (2, 5, 6), "float64", True, False),
                lambda v, k: v.swapaxes(1, 2).astype("float64") @ k,
                (x3, floats(2, 3, 6)),
            ),
        ],
        rtol=1e-4,
    )


def test_names_and_dtypes() -> None:
    A, B = te.placeholder((3, 5), "int8", name="A"), te.placeholder((7, 5), "int8", name="B")
    t = topi.nn.dense(A, B)
    assert (t.op.name, t.op.tag, t.dtype) == ("T_matmul_NT", "dense", "int8")
    assert topi.nn.dense(A, B, out_dtype="int32").dtype == "int32"
    assert topi.nn.matmul(A, B, transpose_b=True).op.tag == "dense"


A, B = te.placeholder((3, 5), name="A"), te.placeholder((7, 4), name="B")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: topi.nn.dense(A, B), "the sizes of A and B that are summed over are 5 and 4"),
        (lambda: topi.nn.dense(A, te.placeholder((7, 5)), te.placeholder((3,))), "biases and of outputs are 3 and 7"),
        (lambda: topi.nn.batch_matmul(A, B), "A has 2 dimensions, not 3"),
        (lambda: topi.nn.batch_matmul(te.placeholder((2, 3, 5)), te.placeholder((3, 4, 5))), "the batches are 2 and 3"),
        (
            lambda: topi.nn.batch_matmul(te.placeholder((2, 3, 5)), te.placeholder((2, 4, 5)), (2, 3, 5)),
            "of oshape and of the product are 5 and 4",
        ),
    ],
)  # fmt: skip
def test_misuse(make: Any, message: str) -> None:
    with pytest.raises(ShapeError, match=message) as raised:
        make()
    assert raised.value.hint
