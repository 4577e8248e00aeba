"""Ranges of reduce loops that elements tell: named before the loop, and checked there for all iterations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.lowering.passes import after
from tests.pages import between_pages
from tewb import te
from tewb.base import BoundError
from tewb.ir import script


def loops(element: Any, dtype: str, end: Any = None) -> list[str]:
    """The loops of y[i] = the sum of element(A, i, k) for k from c[i] to `end`, or to c[i + 1]."""
    A, c = te.placeholder((4, 9), name="A"), te.placeholder((5,), dtype, name="c")

    def row(i: Any) -> Any:
        k = te.reduce_axis((c[i], c[i + 1] if end is None else end), name="k")
        return te.sum(element(A, i, k), axis=k)

    y = te.compute((4,), row, name="y")
    return [line.strip() for line in after("schedule_ops", te.create_schedule(y.op), [A, c, y]).splitlines()]


def test_a_triangle_needs_no_check_and_no_name() -> None:
    a, x = te.placeholder((9, 9), name="a"), te.placeholder((9,), name="x")

    def row(i: Any) -> Any:
        k = te.reduce_axis((0, i + 1), name="k")
        return te.sum(a[i, k] * x[k], axis=k)

    y = te.compute((9,), row, name="y")
    assert [iv.name for iv in y.op.reduce_axis] == ["k"]
    text = script(tewb.lower(te.create_schedule(y.op), [a, x, y]))
    assert text.splitlines()[5:] == [
        "        for i in range(9):",
        "            y[i] = T.float32(0.0)",
        "            for k in range(i + 1):",
        "                y[i] = y[i] + a[i, k] * x[k]",
    ]


def test_a_length_that_is_outside_itself_is_checked() -> None:
    count, a = te.placeholder((4,), "int32", name="count"), te.placeholder((5, 7), name="a")
    which = te.placeholder((5,), "int32", name="which")

    def row(i: Any) -> Any:
        k = te.reduce_axis((0, count[which[i]]), name="k")
        return te.sum(a[i, k], axis=k)

    y = te.compute((5,), row, name="y")
    kernel = tewb.build(te.create_schedule(y.op), [count, a, which, y])
    c, w, r = (
        between_pages(np.array([7, 0, -3, 2], "int32")),
        np.array([0, 1, 2, 3, 3], "int32"),
        np.zeros(5, "float32"),
    )
    kernel(c, np.ones((5, 7), "float32"), w, r)
    np.testing.assert_array_equal(r, [7, 0, 0, 2, 2])
    w[3] = 4
    with pytest.raises(tewb.TewbError, match=r"y reads outside of count in dimension 0: which\[i\]"):
        kernel(c, np.ones((5, 7), "float32"), w, r)
    with pytest.raises(BoundError, match="reads outside of count"):
        te.compute((5,), lambda i: te.sum(a[i, 0], axis=te.reduce_axis((0, count[i + 4]))), name="z")


def test_the_ends_of_a_row_are_named_and_checked_before_its_loop() -> None:
    assert loops(lambda A, i, k: A[i, k], "int32")[1:4] == [
        'k.begin = T.let(T.Cast("int64", c[i]))',
        'k.extent = T.let(T.max(T.Cast("int64", c[i + 1]), T.Cast("int64", c[i])) - T.Cast("int64", c[i]))',
        "assert c[i + 1] <= c[i] or k.begin >= T.int64(0) and "
        "c[i + 1] - 1 < 9, 'y reads outside of A in dimension 1: k'",
    ]


def test_an_index_that_falls_is_checked_at_the_other_end() -> None:
    (check,) = [line for line in loops(lambda A, i, k: A[i, 8 - k], "int32") if line.startswith("assert")]
    assert "T.int64(8) - k.begin < T.int64(9)" in check
    assert 'T.int64(8) - (T.Cast("int64", c[i + 1]) - T.int64(1)) >= T.int64(0)' in check


def test_an_index_that_does_not_move_with_the_loop_is_not_checked_for_all_iterations() -> None:
    assert not [line for line in loops(lambda A, i, k: A[i, 0], "int32") if line.startswith("assert")]


def test_iterations_of_wide_numbers_are_counted() -> None:
    (check,) = [line for line in loops(lambda A, i, k: A[i, 0], "int64") if line.startswith("assert")]
    assert check == (
        "assert c[i + 1] <= c[i] or c[i + 1] - c[i] > T.int64(0) and c[i + 1] - c[i] <= "
        "T.int64(9223372036854775807), 'y has more iterations of k than int64 counts'"
    )


def test_an_unsigned_end_beyond_int64_is_refused() -> None:
    (check,) = [line for line in loops(lambda A, i, k: A[i, 0], "uint64") if line.startswith("assert")]
    assert check.startswith(
        'assert T.Cast("int64", c[i]) >= T.int64(0) and T.Cast("int64", c[i + 1]) >= T.int64(0) and '
    )


def test_a_check_of_every_iteration_counts_them_too() -> None:
    checks = [line for line in loops(lambda A, i, k: A[i, k], "int64") if line.startswith("assert")]
    assert len(checks) == 1 and "y reads outside of A" in checks[0]
