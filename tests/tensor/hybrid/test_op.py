"""The operation of a hybrid function: its loops, the ones that may run in part, and its run on arrays."""

from __future__ import annotations

import numpy as np

from tests.tensor.hybrid.translate import translated
from tewb import te

TWICE = "b = output_tensor((8,), 'float32')\nfor i in range(8):\n    b[i] = a[i] * k\nreturn b"
A = te.placeholder((8,), name="A")


def test_its_loops_are_axes_and_those_that_compute_one_index_may_run_in_part() -> None:
    op = translated(TWICE, A, 2.0, head="def f(a, k):")
    (i,) = op.axis
    assert op.tiled and op.cut == (i,) and op.inputs == (A,) and op.function_name == "f"
    assert op.output(0).dtype == "float32" and op.arguments == (A, 2.0)


def test_other_inputs_leave_the_rest_as_it_is() -> None:
    op = translated(TWICE, A, 2.0, head="def f(a, k):")
    B = te.placeholder((8,), name="B")
    assert op.with_inputs({B: A}) is op
    swapped = op.with_inputs({A: B})
    assert swapped is not op and swapped.inputs == (B,) and swapped.argument_tensors == (A,)
    assert swapped.body is op.body and swapped.axis == op.axis and swapped.span == op.span
    np.testing.assert_array_equal(swapped.run_eagerly([np.ones(8, "float32")], {}), np.full(8, 2, "float32"))


def test_it_runs_on_arrays_with_the_values_of_its_symbols() -> None:
    n = te.var("n", "float32")
    op = translated(TWICE, A, n, head="def f(a, k):")
    np.testing.assert_array_equal(op.run_eagerly([np.ones(8, "float32")], {n: 3.0}), np.full(8, 3, "float32"))


def test_tensors_in_tuples_get_their_arrays() -> None:
    body = "b = output_tensor((8,), 'float32')\nfor i in range(8):\n    b[i] = a[0][i] + a[1][i]\nreturn b"
    B = te.placeholder((8,), name="B")
    op = translated(body, [A, B])
    found = op.run_eagerly([np.ones(8, "float32"), np.full(8, 4, "float32")], {})
    assert found.tolist() == [5.0] * 8


def test_a_loop_that_runs_in_order_is_not_cut() -> None:
    op = translated(
        "b = output_tensor((8,), 'float32')\nb[0] = 0.0\nfor i in range(1, 8):\n    b[i] = b[i - 1] + a[i]\nreturn b"
    )
    assert not op.tiled and op.cut == (None,)
