"""Ranges whose ends are read: more iterations than their dtype counts are noticed when the function runs."""

from __future__ import annotations

import numpy as np
import pytest

import tewb
from tests.tensor.hybrid.translate import loops, translated
from tewb import te
from tewb.base import TewbError


def checks(over: str, dtype: str = "int32") -> list[str]:
    """What a loop over a range of elements of A checks first."""
    text = loops(f"for i in {over}:\n    b[0] += 1.0", te.placeholder((8,), dtype, name="A"))
    return [line.strip() for line in text.splitlines() if "more iterations" in line]


@pytest.mark.parametrize(
    ("over", "checked"),
    [
        ("range(a[0])", False),
        ("range(0, a[1])", False),
        ("range(3, a[1])", False),
        ("range(-3, a[1])", True),
        ("range(a[0], a[1])", True),
        ("range(a[0], 5)", True),
        ("range(a[0], a[1], 2)", True),
        ("range(8)", False),
    ],
)
def test_which_ranges_are_checked(over: str, checked: bool) -> None:
    assert bool(checks(over)) is checked


def test_the_check_leaves_room_for_the_step() -> None:
    (line,) = checks("range(a[0], a[1], 5)")
    assert f"<= T.int64({2**31 - 1 - 5})" in line and f">= T.int64({-(2**31) + 5})" in line
    assert "f: range(a[0], a[1], 5) (f.py, line 3) has more iterations than int32 counts" in line


def test_sums_of_elements_are_counted_in_wide_numbers() -> None:
    (line,) = checks("range(a[0] + a[1])")
    assert "int64" in line and f"{2**31 - 1}" in line


def test_a_range_of_too_many_iterations_ends_the_kernel() -> None:
    A = te.placeholder((2,), "int32", name="A")
    op = translated(
        "b = output_tensor((1,), 'int32')\nb[0] = 0\nfor i in range(a[0], a[1]):\n    b[0] += 1\nreturn b", A
    )
    kernel = tewb.build(te.create_schedule(op), [A, op.output(0)])
    assert kernel(np.array([-3, 4], "int32")).tolist() == [7]
    with pytest.raises(TewbError, match="has more iterations than int32 counts"):
        kernel(np.array([-(2**31), 2**31 - 1], "int32"))
