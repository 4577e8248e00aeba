"""Loops whose iterations are independent, and why others must run in order."""

# ruff: noqa: F821
from __future__ import annotations

from typing import Any

import pytest

from tests.tensor.hybrid.ways import ints, three_ways
from tests.tensor.test_hybrid import row_sums, running_sum, tensor
from tewb import te
from tewb.base import FLOAT32, INT32, ScheduleError
from tewb.ir import (
    Allocate,
    AxisKind,
    Buffer,
    BufferLoad,
    BufferStore,
    Evaluate,
    For,
    ForKind,
    LetStmt,
    Stmt,
    Var,
    const,
    ops,
)
from tewb.tensor.hybrid.loop_order import why_ordered

script = te.hybrid.script


def test_dependences_are_found() -> None:
    A = te.placeholder((8,), name="A")
    R = running_sum(A)
    (i,) = R.op.axis
    assert i.kind is AxisKind.ORDERED
    s = te.create_schedule(R.op)
    with pytest.raises(
        ScheduleError, match=r"iterations of i must run in order.*same elements of s \(line \d+\)"
    ):
        s[R].parallel(i)
    S = row_sums(te.placeholder((4, 5), name="B"))
    assert [iv.kind for iv in S.op.axis] == [AxisKind.DATA, AxisKind.ORDERED]


def test_an_index_that_changes_with_memory_is_not_independent() -> None:
    @script
    def f(a):
        b = output_tensor((16,), "int32")
        b[:] = 0
        for i in range(8):
            x = a[i]
            b[i + x] = i
        return b

    B = f(tensor(8, dtype="int32"))
    assert B.op.axis[1].kind.value == "ordered"
    three_ways(f, ints(8))


i, j, n = (Var(name, INT32) for name in "ijn")
b, c = (Buffer(name, FLOAT32, (const(64),)) for name in "bc")


def at(index: Any, buffer: Buffer = b) -> Any:
    return BufferLoad(buffer, (ops.convert(index),), buffer.dtype)


def put(index: Any, value: Any = 1.0, buffer: Buffer = b) -> Stmt:
    return BufferStore(buffer, ops.convert(value), (ops.convert(index),))


def loop(body: Stmt, v: Var = i, extent: int = 4) -> For:
    return For(v, const(0), const(extent), ForKind.SERIAL, body)


@pytest.mark.parametrize(
    ("body", "independent"),
    [
        (put(i), True),
        (put(i + 3), True),
        (put(i * 2, at(i * 2) + 1.0), True),
        (put(i, at(i, c)), True),
        (put(i * 4 + j), True),  # j is the same in all of them
        (loop(put(i * 4 + j), j), True),
        (loop(put(i * 4 + j), j, 5), False),  # rows overlap
        (loop(put(i + j), j), False),
        (put(i, at(i - 1)), False),
        (put(i, at(63 - i)), False),
        (put(i * 2, at(i * 2 + 1)), False),
        (put(0), False),
        (put(i * n), False),
        (put(ops.cast(at(i, c), "int32")), False),
        (put(ops.floordiv(i, 2)), False),
        (put(63 - i), True),
        (Evaluate(at(0)), True),
    ],
)
def test_which_iterations_are_independent(body: Stmt, independent: bool) -> None:
    why = why_ordered(loop(body))
    assert why == (None if independent else "iterations of i may touch the same elements of b")


def test_memory_of_one_iteration_is_its_own() -> None:
    t = Buffer("t", FLOAT32, (const(1),))
    assert why_ordered(loop(Allocate(t, put(0, buffer=t)))) is None
    assert "of t" in (why_ordered(loop(put(0, buffer=t))) or "")


def test_a_value_that_is_kept_may_differ_from_iteration_to_iteration() -> None:
    assert why_ordered(loop(LetStmt(j, ops.cast(at(i, c), "int32"), put(i + j)))) is not None
