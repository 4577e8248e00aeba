"""How much work a loop is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import matmul, schedule_for
from tewb import te
from tewb.codegen.loop_work import COARSE, PART, has_wide_iterations, in_chunks, is_coarse, operations
from tewb.ir import For, walk


def loops(s: Any, args: list[Any]) -> list[For]:
    return [n for n in walk(tewb.lower(s, args)["main"].body) if isinstance(n, For)]


def test_the_work_of_a_nest_is_the_product_of_its_loops() -> None:
    inputs, outputs = matmul(8, 4, 16)
    i, j, k = loops(schedule_for(outputs), inputs + outputs)
    assert operations(k) is not None and operations(k) == 16 * operations(k.body)  # type: ignore[operator]
    assert operations(i) == 8 * operations(i.body) and operations(i) > 8 * 4 * operations(k)  # type: ignore[operator]


def test_the_work_of_a_symbolic_loop_is_not_known_and_counts_as_long() -> None:
    n = te.var("n")
    inputs, outputs = matmul(n, 4, 4)
    i, j, _ = loops(schedule_for(outputs), inputs + outputs)
    assert operations(i) is None and is_coarse(i)
    assert operations(j) is not None and not is_coarse(j)
    assert is_coarse(i) is (operations(i) is None or operations(i) >= COARSE)


@pytest.mark.parametrize("size", [0, 1, 7])
def test_chunks_are_the_same_iterations(size: int) -> None:
    A = te.placeholder((te.var("n"),), name="A")
    B = te.compute(A.shape, lambda i: A[i] * 2, name="B")
    (loop,) = loops(te.create_schedule(B.op), [A, B])
    outer = in_chunks(loop)
    (inner,) = [n for n in walk(outer.body) if isinstance(n, For)]
    assert outer.var is not loop.var and inner.var is loop.var and inner.body is loop.body
    assert operations(loop.body) * 2 * PART >= PART  # type: ignore[operator]
    kernel = tewb.build(te.create_schedule(B.op), [A, B])
    np.testing.assert_array_equal(kernel(np.ones(size, "float32")), np.full(size, 2, "float32"))


@pytest.mark.parametrize(("lanes", "wide"), [(16, False), (64, True)])
def test_a_loop_of_wide_vectors_is_left_rolled(lanes: int, wide: bool) -> None:
    A = te.placeholder((64, lanes), name="A")
    B = te.compute(A.shape, lambda i, j: A[i, j] * 2, name="B")
    s = te.create_schedule(B.op)
    s[B].vectorize(B.op.axis[1])
    (loop,) = loops(s, [A, B])
    assert has_wide_iterations(loop) is wide
