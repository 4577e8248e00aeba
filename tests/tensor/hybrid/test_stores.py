"""Stores: what a name stands for, which tensors may be written, and what fits into an element."""

from __future__ import annotations

import pytest

from tests.tensor.hybrid.translate import loops
from tewb.base import HybridError


def test_a_name_set_once_needs_no_memory() -> None:
    assert loops("k = 3\nb[k] = a[k]") == "b[3] = A[3]"
    assert (
        loops("for i in range(4):\n    k = i * 2\n    b[k] = 1.0").splitlines()[1]
        == "    b[i * 2] = T.float32(1.0)"
    )
    assert "x = T.allocate" in loops("x = a[0]\nb[0] = x")  # memory may change before it is read
    assert "x = T.allocate" in loops("for i in range(4):\n    x = i * 0.5\n    b[i] = x")


def test_names_of_tensors_and_tuples_are_other_names() -> None:
    assert loops("t = a\np = (a, 2)\nb[0] = t[1] + p[0][p[1]]") == "b[0] = A[1] + A[2]"


def test_values_are_converted_to_the_dtype_of_the_tensor() -> None:
    assert loops("b[0] = 1\nb[1] = int8(a[0])").splitlines() == [
        "b[0] = T.float32(1.0)",
        'b[1] = T.Cast("float32", T.Cast("int8", A[0]))',
    ]


@pytest.mark.parametrize(
    ("lines", "said", "hint"),
    [
        ("a[0] = 1.0", "A is an input and cannot be written", "allocate a copy"),
        ("b = 3", "b is a tensor", "b[i] = ..., b[:] = ..."),
        ("for i in range(8):\n    i = 2", "i is the variable of a loop and cannot be set", "copy it: k = i"),
        ("s = a[:]", "a slice gets no name", "allocate s and set s[:]"),
        ("b[0] = a[:]", "a slice does not fit into one element", "write b[:] = ..."),
        ("b[0] = a", "A is no number or element: it is a tensor", "take an element a[i]"),
        ("b[0] = (1, 2)", "it is no number or element: it is a tuple", "take an element"),
        ("b[0] = 'x'", "it is a string", "take an element"),
        ("a.x = 1", "this cannot be assigned to", "names and elements can"),
    ],
)
def test_stores_that_are_refused(lines: str, said: str, hint: str) -> None:
    with pytest.raises(HybridError, match=said) as e:
        loops(lines)
    assert hint in (e.value.hint or "")
