"""dtypes and constants as LLVM writes them, to the bit."""

from __future__ import annotations

import llvmlite.binding as llvm
import numpy as np
import pytest

from tests.codegen.llvm_functions import computed
from tewb.base import DType, InternalError
from tewb.codegen.types import (
    float_constant,
    int_constant,
    memory_type,
    splat_constant,
    suffix,
    value_type,
)


@pytest.mark.parametrize(
    ("dtype", "value", "memory", "name"),
    [
        ("float32", "float", "float", "f32"),
        ("float64x2", "<2 x double>", "<2 x double>", "v2f64"),
        ("uint8", "i8", "i8", "i8"),
        ("int64x4", "<4 x i64>", "<4 x i64>", "v4i64"),
        ("bool", "i1", "i8", "i1"),
        ("boolx8", "<8 x i1>", "<8 x i8>", "v8i1"),
        ("handle", "ptr", "ptr", None),
    ],
)
def test_types(dtype: str, value: str, memory: str, name: str | None) -> None:
    d = DType(dtype)
    assert (value_type(d), memory_type(d)) == (value, memory)
    assert name is None or suffix(d) == name


def test_void_is_no_type_of_a_value() -> None:
    with pytest.raises(InternalError, match="no LLVM type for void"):
        value_type(DType("void"))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_float_constants_are_exact(dtype: str) -> None:
    info = np.finfo(dtype)
    values = [0.0, -0.0, 0.1, 1 / 3, info.max, info.tiny, info.smallest_subnormal, np.inf, -np.inf, np.nan]
    for value in values:
        (got,) = computed(lambda f, x, v=value: float_constant(float(v), DType(dtype)), np.zeros(1, dtype))
        assert got.tobytes() == np.array(value, dtype).tobytes()


def test_floats_too_large_for_32_bits_are_infinite() -> None:
    assert float_constant(1e39, DType("float32")) == float_constant(float("inf"), DType("float32"))
    assert float_constant(-1e39, DType("float32")) == float_constant(float("-inf"), DType("float64"))


def test_integers_and_lanes_of_them() -> None:
    assert [int_constant(v, DType("bool")) for v in (0, 1, 2)] == ["false", "true", "true"]
    assert int_constant(-128, DType("int8")) == "-128"
    assert splat_constant("-1", DType("int8x3")) == "<i8 -1, i8 -1, i8 -1>"
    llvm.parse_assembly(f"@x = global <2 x i1> {splat_constant('true', DType('boolx2'))}")
