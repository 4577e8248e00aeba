"""Elements of a checked run: inside, written before they are read, and only outputs are stored."""

# ruff: noqa: F821
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.tensor.hybrid.translate import function
from tests.tensor.test_hybrid import floats
from tewb import te
from tewb.base import BoundError, HybridError

script = te.hybrid.script


@script
def gather(a, at):
    b = output_tensor((2, 3), "float32")
    for i in range(2):
        for j in range(3):
            b[i, j] = a[at[i, j]]
    return b


@script
def half_filled(a, k):
    t = allocate((6,), "float32")
    b = output_tensor((6,), "float32")
    for i in range(k):
        t[i] = a[i]
    for i in range(6):
        b[i] = t[i] * 2.0
    return b


def test_a_good_run_returns_the_outputs() -> None:
    at = np.array([[0, 1, 2], [3, 2, 1]], "int32")
    np.testing.assert_array_equal(gather.check(floats(4), at), gather(floats(4), at))


def test_a_read_outside() -> None:
    with pytest.raises(BoundError) as e:
        gather.check(floats(4), np.array([[0, 1, 2], [3, 4, 1]], "int32"))
    lines = str(e.value).splitlines()
    assert lines[0] == (
        "hybrid function gather: this leaves a: the index of dimension 0 is 4, and the size is 4"
    )
    assert lines[1].strip() == "b[i, j] = a[at[i, j]]"
    assert lines[2].index("^") == lines[1].index("a[at")
    assert lines[3] == "  with i = 1, j = 1"
    assert lines[-1].endswith(f"test_checked_elements.py, line {gather.text.first_line + 5}")


def test_a_negative_index_that_is_not_a_constant() -> None:
    """Python counts from the end, the compiled function refuses to."""
    with pytest.raises(BoundError, match="the index of dimension 0 is -1"):
        gather.check(floats(4), np.array([[0, 1, 2], [3, -1, 1]], "int32"))


def test_a_read_of_what_was_never_written() -> None:
    np.testing.assert_array_equal(half_filled.check(floats(6), 6), floats(6) * 2)
    with pytest.raises(HybridError, match=r"t\[4\] is read and was never written\n(.*\n)+  with i = 4"):
        half_filled.check(floats(6), 4)


def test_a_write_outside_and_slices() -> None:
    @script
    def f(a, k):
        t = allocate((6,), "float32")
        b = output_tensor((6,), "float32")
        t[0:3] = a[0:3]
        b[k : k + 3] = a[0:3]
        b[k : k + 3] = t[k : k + 3]
        b[k] = 1.0
        b[:] = 0.0
        b[k + 3] = 2.0
        return b

    f.check(floats(6), np.int32(0))
    with pytest.raises(
        BoundError, match="this slice leaves b: it ends at 7, and the size of dimension 0 is 6"
    ):
        f.check(floats(6), np.int32(4))
    with pytest.raises(HybridError, match="element 1 of this slice of t was never written"):
        f.check(floats(6), np.int32(2))
    with pytest.raises(BoundError, match="this slice leaves b: it ends at -1"):
        f.check(floats(6), np.int32(-1))


def checked(lines: str, *args: Any) -> Any:
    body = "b = output_tensor((4,), 'float32')\n" + lines + "\nreturn b"
    return function(body).check(*(args or (floats(4),)))


def test_slices_count_as_in_python() -> None:
    a = floats(4)
    np.testing.assert_array_equal(checked("b[:] = a[::-1]", a), a[::-1])
    np.testing.assert_array_equal(checked("b[-3:] = a[:-1]\nb[0] = a[-1]", a), np.roll(a, 1))
    np.testing.assert_array_equal(checked("b[::2] = a[2:]\nb[1::2] = 0.0", a), [a[2], 0, a[3], 0])


@pytest.mark.parametrize(
    ("lines", "said", "kind"),
    [
        ("b[0] = a[0, 0]", "a has 1 dimensions, not 2", HybridError),
        ("b[0.5] = 1.0", "an index is an integer", HybridError),
        ("b[-5] = 1.0", "this leaves b: the index of dimension 0 is -5, and the size is 4", BoundError),
        ("b[:5] = 1.0", "this slice leaves b: it ends at 5, and the size of dimension 0 is 4", BoundError),
        ("b[::0] = 1.0", "the step of a slice is a number other than 0", HybridError),
        ("b[0:3] = a[0:2]", "could not broadcast", HybridError),
        ("a[0] = 1.0", "a is an input and cannot be written", HybridError),
        ("x = 1\nx[0] = 1.0", "this is no tensor and has no elements", HybridError),
        ("b[0] = b[1]", r"b\[1\] is read and was never written", HybridError),
        ("b[0] = 1.0\nb[2:] = b[0:2]", "element 1 of this slice of b was never written", HybridError),
        ("b[0] = a", "a is a tensor", HybridError),
    ],
)
def test_accesses_that_are_wrong(lines: str, said: str, kind: Any) -> None:
    with pytest.raises(kind, match=said):
        checked(lines)
