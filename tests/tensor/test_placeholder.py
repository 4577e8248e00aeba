"""Inputs and their sizes."""

from __future__ import annotations

from typing import Any

import pytest

from tewb import te
from tewb.base import DTypeError, ShapeError, TewbError
from tewb.ir import const_int
from tewb.tensor.placeholder import check_shape


def test_sizes_are_numbers_and_variables() -> None:
    n = te.var("n")
    A = te.placeholder((n, 4, n * 2), "int8", name="A")
    assert A.shape[0] is n and const_int(A.shape[1]) == 4 and A.ndim == 3
    assert (A.dtype, A.name, A.op.output(0)) == ("int8", "A", A)
    assert te.placeholder(5).shape[0].value == 5 and te.placeholder(()).ndim == 0
    assert te.placeholder([2, 0]).dtype == "float32"


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((4, -1), "X: size -1 is negative"),
        ((1.5,), r"X: 1.5 is not a size in \(1.5\): sizes are whole numbers"),
        (("n",), "X: 'n' is not a size"),
        ((None,), "X: None is not a size"),
        ((1 << 40, 1 << 40), "X: 1208925819614629174706176 elements are more than memory can address"),
        ((1 << 59,), "are more than memory can address"),
    ],
)
def test_what_is_no_shape_is_refused(shape: Any, said: str) -> None:
    with pytest.raises(ShapeError, match=said) as e:
        te.placeholder(shape, name="X")
    assert e.value.span is not None and e.value.span.file == __file__


def test_the_largest_shape() -> None:
    assert [const_int(e) for e in check_shape("X", ((1 << 59) - 1, 1))] == [(1 << 59) - 1, 1]
    assert check_shape("X", (te.var("n"), 1 << 58)) and check_shape("X", (0, 1 << 58))


@pytest.mark.parametrize("dtype", ["float32x4", "handle"])
def test_elements_are_single_numbers(dtype: str) -> None:
    with pytest.raises(DTypeError, match=f"A: a tensor has no elements of dtype {dtype}"):
        te.placeholder((4,), dtype, name="A")


def test_variables_are_single_numbers_with_names_of_text() -> None:
    assert (te.var().name, te.var("x", "float64").dtype) == ("tindex", "float64")
    with pytest.raises(DTypeError, match="te.var v is one number, not a vector int32x4") as e:
        te.var("v", "int32x4")
    assert e.value.hint == '"int32"'
    with pytest.raises(TewbError, match="a name is text, not 3"):
        te.var(3)  # type: ignore[arg-type]
    with pytest.raises(TewbError, match="a name is text, not None"):
        te.placeholder((4,), name=None)  # type: ignore[arg-type]
