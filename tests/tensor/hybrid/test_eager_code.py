"""An eager run is Python that a debugger and a traceback show as it was written, with typed arithmetic."""

from __future__ import annotations

import traceback
from typing import Any

import numpy as np
import pytest

from tewb import te

script = te.hybrid.script

# ruff: noqa: F821


def test_a_traceback_shows_the_line_and_marks_its_columns() -> None:
    @script
    def f(a):
        b = output_tensor((4,), "int32")
        for i in range(4):
            b[i] = a[i] + 1 + a[i + 2]
        return b

    with pytest.raises(IndexError) as e:
        f(np.zeros(4, "int32"))
    frame = traceback.TracebackException.from_exception(e.value).stack[-1]
    assert frame.filename == __file__ and frame.line == "b[i] = a[i] + 1 + a[i + 2]"
    assert frame.colno is not None and frame._original_line[frame.colno : frame.end_colno] == "a[i + 2]"  # type: ignore[attr-defined]


def test_variables_keep_the_dtype_of_their_first_value_in_each_block() -> None:
    @script
    def f(a):
        b = output_tensor((3, 2), "float64")
        for i in range(2):
            x = a[i]
            x = x + 250
            b[0, i] = x
        for i in range(2):
            x = 0.25
            x = x + a[i]
            b[1, i] = x
        for i in range(2):
            x, y = a[i], 7
            x, y = y + x, x
            b[2, i] = x * 1000 + y
        return b

    a = np.array([10, 3], "uint8")
    assert f(a).tolist() == [[4, 253], [10.25, 3.25], [17010, 10003]]
    np.testing.assert_array_equal(f.check(a), f(a))


def test_a_parameter_that_is_set_is_a_variable() -> None:
    @script
    def f(a, k):
        b = output_tensor((2,), "int64")
        k = k + 1
        for i in range(2):
            b[i] = a[i] * k
        return b

    a = np.array([1 << 30, 1], "int32")
    np.testing.assert_array_equal(f(a, 3), f.check(a, 3))


def test_comparisons_in_a_chain_evaluate_the_middle_once_and_stop_early() -> None:
    @script
    def f(a, small):
        b = output_tensor((4,), bool)
        for i in range(4):
            b[i] = 0 <= i - 1 < 2 < 7 and a[i - 1] < small[i]
        return b

    a, small = np.array([3, 200, 0, 0], "uint8"), np.full(4, -1, "int8")
    assert f(a, small).tolist() == [False, True, True, False]  # -1 is 255 beside an uint8
    np.testing.assert_array_equal(f.check(a, small), f(a, small))


def test_free_variables_defaults_and_other_functions_are_those_of_the_function() -> None:
    offset, table = 5, np.array([1, 2, 3], "uint8")

    @script
    def inner(a):
        b = output_tensor((3,), "int32")
        for i in range(3):
            b[i] = a[i] - offset
        return b

    @script
    def f(a, by=2):
        t = inner(a)
        b = output_tensor((3,), "int32")
        for i in range(3):
            b[i] = t[i] * by + table[i]
        return b

    assert f(np.array([0, 1, 2], "uint8")).tolist() == [-9, -6, -3]
    offset = 0
    assert f(np.array([0, 1, 2], "uint8"), by=3).tolist() == [1, 5, 9]


def test_stores_convert_as_a_kernel_does() -> None:
    @script
    def f(a: Any) -> Any:
        b = output_tensor((3,), "uint8")
        for i in range(3):
            b[i] = a[i] * 1.0
        b[1:3] += 250
        return b

    a = np.array([-5.0, 300.0, 7.9], "float32")
    np.testing.assert_array_equal(f(a), f.check(a))
