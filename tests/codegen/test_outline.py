"""Outlined functions: what they take from outside."""

from __future__ import annotations

import numpy as np
import pytest

import tewb
from tests.programs import assert_same_result, matmul, schedule_for
from tewb import te
from tewb.codegen.outline import captured_by
from tewb.ir import For, walk


def test_a_parallel_loop_takes_the_buffers_and_sizes_that_it_uses() -> None:
    n = te.var("n")
    A = te.placeholder((n, 4), name="A")
    B = te.compute(A.shape, lambda i, j: A[i, j] * n.astype("float32"), name="B")
    s = te.create_schedule(B.op)
    s[B].parallel(B.op.axis[0])
    (loop, inner) = [x for x in walk(tewb.lower(s, [A, B])["main"].body) if isinstance(x, For)]
    assert {v.name for v in captured_by(loop)} == {"A", "B", "n"}
    assert loop.var in set(captured_by(inner)) and not {inner.var, loop.var} & set(captured_by(loop))


@pytest.mark.parametrize("debug", [False, True])
def test_each_parallel_loop_is_a_function_of_its_own(debug: bool) -> None:
    inputs, outputs = matmul(6, 5, 7)
    s = schedule_for(outputs)
    copy = s.cache_write(outputs[0], "local")
    s[copy].parallel(s[copy].op.axis[0])
    s["C"].parallel("i")
    text = tewb.build(s, inputs + outputs, debug=debug).get_source("ll0")
    assert text.count("call i32 @tewb_rt_parallel(") == 2
    assert_same_result(s, inputs, outputs, debug=debug)


def test_a_loop_inside_of_a_parallel_one_has_the_value_of_its_own_iteration() -> None:
    A = te.placeholder((9, 8), "int32", name="A")
    B = te.compute(A.shape, lambda i, j: A[i, j] + i * 100, name="B")
    s = te.create_schedule(B.op)
    s[B].parallel(s[B].split(B.op.axis[0], factor=4)[0])
    a = np.arange(72, dtype="int32").reshape(9, 8)
    assert (tewb.build(s, [A, B])(a) == a + 100 * np.arange(9)[:, None]).all()
