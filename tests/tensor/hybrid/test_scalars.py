"""Scalar variables keep the dtype of their first value."""

from __future__ import annotations

import pytest

from tests.tensor.hybrid.translate import loops, translation
from tewb.base import HybridError
from tewb.tensor.hybrid.arithmetic import Arithmetic
from tewb.tensor.hybrid.scalars import ScalarTranslator
from tewb.tensor.hybrid.values import ScalarVariable


def test_a_scalar_variable_keeps_the_dtype_of_its_first_value() -> None:
    t = translation()
    scalars = ScalarTranslator(t, Arithmetic(t))
    scalars.declare("x", 0, t.source.tree)
    x = t.names.find("x")
    assert isinstance(x, ScalarVariable) and x.buffer.dtype == "int32"
    with pytest.raises(HybridError, match="x holds int32, from its first value, and this is float32"):
        scalars.store(x, 0.5, t.source.tree)


@pytest.mark.parametrize(
    ("first", "later", "stored"),
    [
        ("0", "7", "7"),
        ("0.0", "7", "T.float32(7.0)"),
        ("float64(0)", "a[0]", 'T.Cast("float64", A[0])'),
        ("int64(0)", "int32(a[0])", 'T.Cast("int64", T.Cast("int32", A[0]))'),
        ("int8(0)", "100", "T.int8(100)"),
        ("False", "a[0] > 1.0", "A[0] > T.float32(1.0)"),
    ],
)
def test_values_that_fit_are_converted(first: str, later: str, stored: str) -> None:
    text = loops(f"x = {first}\nx = {later}\nb[0] = 1.0")
    assert f"x[0] = {stored}" in text.splitlines()


@pytest.mark.parametrize(
    ("first", "later", "said"),
    [
        ("0", "0.5", "x holds int32, from its first value, and this is float32"),
        ("0", "int64(a[0])", "x holds int32, from its first value, and this is int64"),
        ("int8(0)", "int64(a[0])", "x holds int8, from its first value, and this is int64"),
        ("False", "2", "x holds bool, from its first value, and this is int32"),
        ("int8(0)", "300", "300 does not fit int8"),
        ("0.0", "a[:]", "a slice is no number or element"),
    ],
)
def test_values_that_do_not_fit_are_refused(first: str, later: str, said: str) -> None:
    with pytest.raises(HybridError, match=said) as e:
        loops(f"x = {first}\nx = {later}\nb[0] = 1.0")
    assert e.value.hint


def test_a_variable_is_memory_of_one_element_in_the_rest_of_its_block() -> None:
    text = loops("for i in range(8):\n    x = a[i]\n    x += 1.0\n    b[i] = x")
    assert text.splitlines()[1] == '    x = T.allocate((1,), "float32", scope="local")'
