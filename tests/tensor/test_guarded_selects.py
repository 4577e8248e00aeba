"""A select guards what it reads, as in classic bounds inference, and stays a select where nothing needs a guard."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import BoundError
from tewb.ir import Call, Select, walk


def run(inputs: list[Any], B: Any, *arrays: Any, schedule: Any = None) -> Any:
    s = te.create_schedule(B.op)
    if schedule is not None:
        schedule(s)
    return tewb.build(s, [*inputs, B])(*arrays)


def kinds(B: Any) -> set[str]:
    nodes = [n for e in B.op.body for n in walk(e)]
    return {"select" for n in nodes if isinstance(n, Select)} | {
        n.op for n in nodes if isinstance(n, Call) and n.op == "if_then_else"
    }


@pytest.mark.parametrize("schedule", [None, lambda s: s["B"].vectorize(s["B"].op.axis[0])])
def test_a_select_of_a_shifted_element_is_in_bounds(schedule: Any) -> None:
    A = te.placeholder((4,), name="A")
    B = te.compute((6,), lambda i: te.select(te.all(i >= 1, i < 5), A[i - 1], 0.0), name="B")
    a = np.arange(1, 5, dtype="float32")
    assert run([A], B, a, schedule=schedule).tolist() == [0, 1, 2, 3, 4, 0]


def test_a_select_in_a_reduction_and_in_another_one_guards() -> None:
    A = te.placeholder((4, 4), name="A")
    k = te.reduce_axis((0, 3), name="k")

    def value(i: Any, j: Any) -> Any:
        inner = te.select(te.all(j + k >= 1, j + k < 5), A[i, j + k - 1], 0.0)
        return te.sum(te.select(i > 0, inner, A[i, j] * 2.0), axis=k)

    B = te.compute((4, 4), value, name="B")
    a = np.arange(16, dtype="float32").reshape(4, 4)
    padded = np.pad(a, ((0, 0), (1, 1)))
    wanted = sum(padded[:, d : d + 4] for d in range(3))
    wanted[0] = a[0] * 6
    np.testing.assert_array_equal(run([A], B, a), wanted)


def test_a_select_of_symbolic_sizes_and_of_data() -> None:
    n = te.var("n")
    A, J = te.placeholder((n,), name="A"), te.placeholder((n,), "int32", name="J")
    B = te.compute((n,), lambda i: te.select(te.all(J[i] >= 0, J[i] < n), A[J[i]], -1.0), name="B")
    a = np.arange(5, dtype="float32")
    assert run([A, J], B, a, np.array([4, -1, 5, 0, 99], "int32")).tolist() == [4, -1, -1, 0, -1]


def test_a_select_that_needs_no_guard_stays() -> None:
    A = te.placeholder((4,), name="A")
    B = te.compute((4,), lambda i: te.select(A[i] > 0, A[i], A[3 - i]), name="B")
    assert kinds(B) == {"select"}
    C = te.compute((4,), lambda i: te.select(i > 0, A[i - 1], 0.0), name="C")
    assert kinds(C) == {"if_then_else"}
    D = te.compute((4,), lambda i: te.select(A[i] > 0, te.select(i > 0, A[i - 1], 0.0), 1.0), name="D")
    assert kinds(D) == {"if_then_else"}


def test_a_condition_that_does_not_guard_is_checked_when_the_kernel_runs() -> None:
    A = te.placeholder((4,), name="A")
    B = te.compute((6,), lambda i: te.select(i < 3, A[i], A[i]), name="B")
    with pytest.raises(BoundError, match="reads outside of A"):
        run([A], B, np.zeros(4, "float32"))
