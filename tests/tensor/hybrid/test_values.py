"""What an expression means while it is translated: memory, numbers, slices, and what to call them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tewb.base import FLOAT32, INT32
from tewb.ir import Buffer, BufferLoad, Var, const, ops
from tewb.tensor.hybrid.values import (
    CountedRange,
    LoopVariable,
    ScalarVariable,
    Slice,
    buffers_of,
    element_of,
    elementwise,
    kind_of,
    reads_memory,
)

i, j = Var("i", INT32), Var("j", INT32)
A = Buffer("a", FLOAT32, (const(8),))
ROW = Slice((const(8),), lambda at: BufferLoad(A, tuple(at), A.dtype))
LOADED = BufferLoad(A, (i,), A.dtype)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (A, "a tensor"),
        ((1, 2), "a tuple"),
        ("x", "a string"),
        (ROW, "a slice"),
        (CountedRange("parallel", (3,)), "parallel(...)"),
        (3, "a number"),
        (i, "a number"),
        (math, "a module"),
        (None, "a NoneType"),
    ],
)
def test_what_values_are_called(value: Any, name: str) -> None:
    assert kind_of(value) == name


def test_what_reads_memory() -> None:
    assert reads_memory(LOADED + 1.0) and reads_memory(ops.cast(LOADED, "int32")) and not reads_memory(i * 2)


def test_the_memory_that_a_value_stands_for() -> None:
    b = Buffer("b", FLOAT32, (const(1),))
    assert buffers_of((A, (3, LoopVariable((b,)), ScalarVariable(A)))) == [A, b, A] and buffers_of(i) == []


def test_elements_of_a_box_repeat_what_is_missing_or_one() -> None:
    one = Slice((const(1),), lambda at: BufferLoad(A, tuple(at), A.dtype))
    shape = (const(4), const(8))
    assert str(element_of(ROW, [i, j], shape)) == "a[j]" and str(element_of(one, [i, j], shape)) == "a[0]"
    assert element_of(7, [i, j], shape) == 7
    assert str(element_of(one, [i], (const(1),))) == "a[i]"


def test_functions_are_applied_element_by_element() -> None:
    total = elementwise(lambda a, k: a + k, (const(8),), ROW, 2.0)
    assert total.shape == (total.shape[0],) and str(total.element([i])) == "a[i] + T.float32(2.0)"
    assert total.dtype == "float32" and elementwise(lambda: 3, ()).dtype == "int32"
