"""The IR: constructors fold and match dtypes as numpy would, text is canonical, nodes are frozen."""

from __future__ import annotations

import numpy as np
import pytest

import tewb
from tewb.base import DType, DTypeError, ShapeError, TewbError
from tewb.ir import (
    Buffer,
    Var,
    const,
    convert,
    ops,
    script,
)

i, j = Var("i", DType("int32")), Var("j", DType("int32"))
x = Var("x", DType("float32"))
u = Var("u", DType("uint8"))


@pytest.mark.parametrize(
    ("e", "dtype"),
    [
        (i + 1, "int32"),
        (i + 1.5, "float32"),
        (x + 1, "float32"),
        (u + i, "int32"),
        (u + 1, "int32"),
        (u - const(5, "uint8"), "uint8"),
        (u + u.astype("int8"), "uint8"),
        (u.astype("int8") + u, "uint8"),
        (u.astype("int8") + u.astype("uint16"), "uint16"),
        (u.astype("uint32") + 1, "uint32"),
        (u.astype("uint32") + u.astype("int64"), "int64"),
        (u.astype("uint64") + i, "uint64"),
        (u + (1 << 31), "int64"),
        (u + True, "uint8"),
        ((u < 3) + 1, "int32"),
        (u * 0.5, "float32"),
        (u * 1e39, "float64"),
        (x * float("inf"), "float32"),
        (x.astype("float64") * 0.1, "float64"),
        (u.astype("int64") + x, "float32"),
        (u // 2, "int32"),
        (u << 1, "uint8"),  # bits of Python's numbers have the dtype of the other side, as in classic TE
        (u & 15, "uint8"),
        (15 ^ u, "uint8"),
        (u | 300, "int32"),
        (u & i, "int32"),
        (const(1, "int8x2") >> 1, "int8x2"),
        (u**2, "int32"),
        (-u, "uint8"),
        (~u, "uint8"),
        (tewb.te.min(u, 200), "int32"),
        (tewb.te.select(u > 3, u, 0), "int32"),
        (tewb.te.if_then_else(u > 3, 1.5, u), "float32"),
        (tewb.te.fmod(x, 2), "float32"),
        (tewb.te.power(x.astype("float64"), 0.1), "float64"),
        (u.astype("uint8x4") + 1, "int32x4"),
        (x * const(2.0, "float64"), "float64"),
        (i < 3, "bool"),
        (convert(1 << 40), "int64"),
        (convert(np.float64(2)), "float64"),
    ],
    ids=lambda v: v if isinstance(v, str) else script(v),
)
def test_dtypes_are_matched(e: object, dtype: str) -> None:
    assert e.dtype == dtype  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("e", "text"),
    [
        (const(3) + 4, "7"),
        (const(250, "uint8") + const(10, "uint8"), "T.uint8(4)"),
        (const(-7) // 2, "-4"),
        (const(-7) % 4, "1"),
        (ops.truncdiv(const(-7), 2), "-3"),
        (const(1.0) / const(4.0), "T.float32(0.25)"),
        (i + 0, "i"),
        (i * 0, "0"),
        (x * 1.0, "x"),
        (x + 0.0, "x + T.float32(0.0)"),  # -0.0 + 0.0 is 0.0: not the same
        ((i + 1) * 2, "(i + 1) * 2"),
        (i - (j - 1), "i - (j - 1)"),
        (ops.all_of(i < 1, ops.any_of(j < 2, i > 3)), "i < 1 and (j < 2 or i > 3)"),
        (ops.if_then_else(i < 1, x, 2.0), "T.if_then_else(i < 1, x, T.float32(2.0))"),
        (ops.cast(i, "float32"), 'T.Cast("float32", i)'),
        (ops.ramp(i, 2, 4), "T.Ramp(i, 2, 4)"),
    ],
)
def test_folding_and_text(e: object, text: str) -> None:
    assert script(e) == text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (lambda: i / 2, "does not say how to round"),
        (lambda: i // 0, "division by zero"),
        (lambda: u + const(300, "uint8"), "300 does not fit uint8"),
        (lambda: u.astype("uint32") - (-1), "-1 does not fit uint32"),
        (lambda: tewb.te.exp(i), "exp takes floats, not int32"),
        (lambda: ops.logical_and(i, j), "logical_and takes conditions"),
        (lambda: i << 40, "shift of int32 by 40"),
        (lambda: Buffer("A", DType("float32"), (const(4),))[i, j], "A has 1 dimensions, not 2"),
        (lambda: convert(object()), "cannot be part of an expression"),
    ],
)
def test_mistakes_are_explained(mistake: object, said: str) -> None:
    with pytest.raises((DTypeError, ShapeError), match=said):
        mistake()  # type: ignore[operator]


def test_an_expression_has_no_truth_value() -> None:
    with pytest.raises(TewbError, match="no truth value"):
        bool(i < 3)
