"""Assignments: one value, several at once, and what is computed before anything is stored."""

# ruff: noqa: F821
from __future__ import annotations

import numpy as np
import pytest

from tests.tensor.hybrid.translate import loops
from tests.tensor.hybrid.ways import three_ways
from tests.tensor.test_hybrid import tensor
from tewb import te
from tewb.base import HybridError

script = te.hybrid.script


def test_swapping_two_elements() -> None:
    @script
    def f(a):
        b = output_tensor((4,), "int32")
        b[:] = a[:]
        b[0], b[1] = b[1], b[0]
        x, y = a[2], a[3]
        x, y = y, x
        b[2] = x * 10
        b[3] = y
        return b

    three_ways(f, np.array([1, 2, 3, 4], "int32"))


def test_swapped_elements_are_checked_before_they_are_read() -> None:
    @script
    def f(a, i):
        b = output_tensor((4,), "int32")
        b[:] = a[:]
        b[i[0]], b[1] = b[1], b[i[0]]
        return b

    text = str(f(tensor(4, dtype="int32"), tensor(1, dtype="int32")).op.body)
    assert text.index("f leaves b in dimension 0") < text.index("value1[0] = b[")
    three_ways(f, np.array([1, 2, 3, 4], "int32"), np.array([3], "int32"))


def test_what_reads_memory_is_copied_before_the_first_store() -> None:
    text = loops("b[0], b[1] = b[1], 2.0", tensor(8))
    assert text.splitlines()[1:] == ["value0[0] = b[1]", "b[0] = value0[0]", "b[1] = T.float32(2.0)"]
    assert "allocate" not in loops("b[0], b[1] = 1.0, 2.0")


def test_augmented_assignments_read_and_store_one_element() -> None:
    assert loops("b[3] *= a[0] + 1.0") == "b[3] = b[3] * (A[0] + T.float32(1.0))"


@pytest.mark.parametrize(
    ("line", "said", "hint"),
    [
        ("x = y = 1.0", "a = b = c is not part of the hybrid language", "write two assignments"),
        ("x, y = 1.0, 2.0, 3.0", "the sides of this assignment do not match", "as many values as names"),
        ("x, y = a", "the sides of this assignment do not match", "as many values as names"),
        ("x, y = a[:], b[:]", "slices are assigned one at a time", "write two assignments"),
        ("x += 1", "x has no value here|x is read before it is set", ""),
    ],
)
def test_assignments_that_are_none(line: str, said: str, hint: str) -> None:
    with pytest.raises(HybridError, match=said) as e:
        loops(line)
    assert hint in (e.value.hint or "")
