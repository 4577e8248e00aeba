"""Operators on each element by itself."""

from __future__ import annotations

from math import erf
from typing import Any

import numpy as np
import pytest

from tests.topi.compare import Case, check, floats, integers
from tewb import te, topi
from tewb.base import DTypeError, TewbError

x, unit, above = floats(3, 5), floats(3, 5, low=-0.9, high=0.9), floats(3, 5, low=1.1, high=9)
positive = floats(3, 5, low=0.1, high=9)
odd = np.array([0.0, -0.0, 1e-20, -1e-20, 1e30, -1e30, np.inf, -np.inf, np.nan, 0.5, 1.5, 2.5], "float32")
FUNCTIONS: dict[str, tuple[Any, Any]] = {
    "negative": (np.negative, x), "abs": (np.abs, x), "sign": (np.sign, odd), "exp": (np.exp, x), "log": (np.log, positive),
    "log2": (np.log2, positive), "log10": (np.log10, positive), "sqrt": (np.sqrt, positive),
    "rsqrt": (lambda v: 1 / np.sqrt(v), positive), "sin": (np.sin, x), "cos": (np.cos, x), "tan": (np.tan, unit),
    "asin": (np.arcsin, unit), "acos": (np.arccos, unit), "atan": (np.arctan, x), "sinh": (np.sinh, x),
    "cosh": (np.cosh, x), "tanh": (np.tanh, x), "asinh": (np.arcsinh, odd), "acosh": (np.arccosh, above),
    "atanh": (np.arctanh, unit), "erf": (np.vectorize(erf), x), "sigmoid": (lambda v: 1 / (1 + np.exp(-v)), x),
    "floor": (np.floor, x), "ceil": (np.ceil, x), "trunc": (np.trunc, x), "round": (np.rint, odd), "isnan": (np.isnan, odd),
    "isfinite": (np.isfinite, odd), "isinf": (np.isinf, odd), "fast_exp": (np.exp, x), "fast_tanh": (np.tanh, x),
    "fast_erf": (np.vectorize(erf), x), "identity": (lambda v: v, x), "ceil_log2": (lambda v: np.ceil(np.log2(v)), above),
}  # fmt: skip
NAMES = sorted(FUNCTIONS)


@pytest.mark.parametrize("part", range(3))
def test_functions_of_floats(part: int) -> None:
    chosen = NAMES[part::3]
    check([Case(getattr(topi, name), *(FUNCTIONS[name][0], (FUNCTIONS[name][1],))) for name in chosen])


def test_what_keeps_its_dtype() -> None:
    i, u = integers(3, 5), integers(3, 5, low=0, high=200, dtype="uint8")
    flags = i > 0
    powers = np.array([1, 2, 3, 4, 5, 8, 9, 1 << 30, (1 << 30) + 1], "int32")
    check(
        [
            Case(topi.bitwise_not, np.invert, (i,)),
            Case(topi.logical_not, np.logical_not, (flags,)),
            Case(topi.abs, np.abs, (i,)),
            Case(topi.isnan, np.isnan, (i,)),
            Case(topi.isfinite, np.isfinite, (i,)),
            Case(topi.isinf, np.isinf, (u,)),
            Case(topi.sign, np.sign, (i,)),
            Case(topi.sign, np.sign, (u,)),
            Case(topi.negative, np.negative, (i,)),
            Case(topi.ceil_log2, lambda v: np.ceil(np.log2(v)), (powers,)),
            Case(lambda t: topi.clip(t, -1, 0.5), lambda v: v.clip(-1, 0.5), (x,)),
            Case(lambda t: topi.clip(t, -3.5, 4.5), lambda v: v.clip(-3, 4), (i,)),
            Case(lambda t: topi.clip(t, -3, 999), lambda v: v, (u,)),
            Case(lambda t: topi.clip(t, 300, 400), lambda v: np.full_like(v, 255), (u,)),
            Case(lambda t: topi.cast(t, "int32"), lambda v: v.astype("int32"), (x,)),
            Case(lambda t: topi.cast(t, "float64"), lambda v: v.astype("float64"), (u,)),
            Case(lambda t: topi.reinterpret(t, "int32"), lambda v: v.view("int32"), (x,)),
            Case(lambda *t: topi.elemwise_sum(t), lambda *v: sum(v), (x, positive, unit)),
            Case(
                lambda t: topi.fixed_point_multiply(t, 1 << 30, 3),
                lambda v: np.floor(v * 4.0 + 0.5).astype("int32"),
                (i,),
            ),
            Case(
                lambda t: topi.fixed_point_multiply(t, 1 << 30, -1),
                lambda v: np.floor(v * 0.25 + 0.5).astype("int32"),
                (i,),
            ),
        ]
    )


def test_tensors_convert_as_elements_do() -> None:
    made = topi.greater(te.placeholder((3,), name="A"), 0.5).astype("int8")
    assert (made.dtype, made.op.name) == ("int8", "T_cast")
    check([Case(lambda t: topi.exp(t).astype("int32"), lambda v: np.exp(v).astype("int32"), (x,))])


def test_names_and_dtypes() -> None:
    A = te.placeholder((3,), dtype="float64", name="A")
    assert (
        topi.exp(A).dtype == "float64" and topi.exp(A).op.name == "T_exp" and topi.exp(A).op.tag == "elemwise"
    )
    assert topi.clip(A, 0, 1).dtype == "float64" and topi.sign(A).dtype == "float64"
    assert topi.isnan(A).dtype == "bool"
    assert topi.sqrt(te.const(4.0)).dtype == "float32"


I8 = te.placeholder((3,), dtype="int8", name="I")


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: topi.asinh(I8), DTypeError, "asinh takes floats, not int8"),
        (lambda: topi.exp(I8), DTypeError, "exp takes floats"),
        (lambda: topi.reinterpret(I8, "int32"), DTypeError, "int8 has 8 bits and int32 has 32"),
        (lambda: topi.fixed_point_multiply(I8, 3, 1), DTypeError, "takes int32, not int8"),
        (
            lambda: topi.fixed_point_multiply(te.placeholder((3,), "int32"), 3, 40),
            TewbError,
            "from -31 to 30",
        ),
        (lambda: topi.elemwise_sum([]), TewbError, "at least one tensor"),
        (lambda: topi.clip(5, 0, 1), TewbError, "clip takes a tensor, not 5"),
    ],
)
def test_misuse(make: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        make()
    assert raised.value.hint
