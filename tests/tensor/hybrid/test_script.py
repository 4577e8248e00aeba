"""Hybrid functions: their arguments, the names of the code around them, and the ways to run them."""

# ruff: noqa: F821

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import pytest

import tewb
from tests.in_threads import in_threads
from tests.tensor.hybrid.test_checked_elements import gather
from tests.tensor.hybrid.test_inlining import scaled
from tests.tensor.hybrid.translate import function
from tests.tensor.hybrid.ways import ints, three_ways
from tests.tensor.test_hybrid import floats, tensor
from tewb import te
from tewb.base import HybridError

script = te.hybrid.script
TABLE = np.array([3, 1, 4, 1, 5, 9, 2, 6], "int32")
WEIGHTS = np.array([[0.5, 0.25], [2.0, 4.0]], "float32")
OFFSET = 2
n = 1000  # a global that functions below also use as a name of their own


# ---------------------------------------------------------------- functions and names


def test_closures_over_numbers_and_arrays() -> None:
    factor, table = 2.5, np.array([1.0, 2.0, 3.0], "float32")

    @script
    def f(a):
        b = output_tensor((6,), "float32")
        for i in range(6):
            b[i] = a[i] * factor + table[i % 3] + OFFSET + math.pi
        for i in const_range(2):
            b[i] += WEIGHTS[i, 1] * table[-1]
        b[5] = TABLE[5]
        b[0:3] += table[:] * 2.0
        for x in table:
            b[4] += x
        return b

    three_ways(f, floats(6))


def test_a_closure_over_a_tensor() -> None:
    A, W = tensor(6), te.placeholder((6,), name="W")

    @script
    def f(a):
        b = output_tensor((6,), "float32")
        b[:] = a[:] * W[:]
        return b

    B = f(A)
    assert B.op.inputs == (A, W) or {t.name for t in B.op.inputs} == {"A", "W"}
    a, w, out = floats(6), floats(6) + 1, np.zeros(6, "float32")
    tewb.build(te.create_schedule(B.op), [A, W, B])(a, w, out)
    np.testing.assert_allclose(out, a * w)
    given = {"A": a, "W": w}
    np.testing.assert_allclose(B.op.run_eagerly([given[t.name] for t in B.op.inputs], {}), a * w)
    with pytest.raises(HybridError, match="reads W, a tensor of the code around it"):
        f(a)


@script
def names_of_globals(TABLE, script):
    """The parameters, `n` and `exp` have other meanings outside."""
    n = 3
    OFFSET = 0.0
    b = output_tensor((8,), "float32")
    for i in range(8):
        OFFSET += exp(TABLE[i]) / script
        b[i] = OFFSET * n
    return b


def test_names_that_globals_have_too() -> None:
    a = floats(8)
    want = np.cumsum(np.exp(a) / 4) * 3
    A = tensor(8)
    B = names_of_globals(A, 4)
    out = np.zeros(8, "float32")
    tewb.build(te.create_schedule(B.op), [A, B])(a, out)
    for got in (out, names_of_globals(a, 4), names_of_globals.check(a, 4)):
        np.testing.assert_allclose(got, want, rtol=1e-5)
    assert n == 1000


shape = te.placeholder((3,), name="shape")  # a global tensor with the name of an attribute


def test_names_around_the_function_are_read_when_it_runs() -> None:
    @script
    def f(a):
        b = output_tensor(a.shape, "float32")
        b[:] = a[:] * later
        return b

    with pytest.raises(HybridError, match="later has no value here"):
        f(tensor(4))
    later = 3.0
    three_ways(f, floats(4))
    later = 4.0
    three_ways(f, floats(4))
    assert later == 4.0


def test_a_parameter_that_is_set_is_a_variable() -> None:
    @script
    def f(a, k):
        b = output_tensor((6,), "int32")
        for i in range(6):
            k = k + a[i]
            b[i] = k
        return b

    a, A = ints(6), tensor(6, dtype="int32")
    B = f(A, 5)
    out = np.zeros(6, "int32")
    tewb.build(te.create_schedule(B.op), [A, B])(a, out)
    np.testing.assert_array_equal(out, np.cumsum(a) + 5)
    np.testing.assert_array_equal(f.check(a, 5), out)


def test_scalar_arguments_that_are_known_when_it_runs() -> None:
    @script
    def f(a, k, s):
        b = output_tensor((6,), "int32")
        for i in range(6):
            b[i] = a[i] * s if i < k else -1
        return b

    A, k = tensor(6, dtype="int32"), te.var("k")
    B = f(A, k, 3)
    out = np.zeros(6, "int32")
    tewb.build(te.create_schedule(B.op), [A, k, B])(ints(6), 4, out)
    np.testing.assert_array_equal(out, f(ints(6), 4, 3))
    np.testing.assert_array_equal(out, f.check(ints(6), 4, s=3))


def test_a_name_set_once_is_known_to_the_bounds() -> None:
    @script
    def f(a):
        n = a.shape[0] - 2
        b = output_tensor((n,), "float32")
        for i in range(n):
            j = i + 2
            b[i] = a[j]
        return b

    B = f(te.placeholder((te.var("m"),), name="A"))
    assert "assert" not in str(B.op.body)
    three_ways(f, floats(9))


# ---------------------------------------------------------------- plain Python


def test_a_failing_eager_run_leaves_nothing_behind() -> None:
    @script
    def f(a, deep):
        b = output_tensor((4,), "int32")
        for i in range(4):
            b[i] = a[i + deep]
        return b

    before = dict(f.function.__globals__)
    with pytest.raises(IndexError):
        f(ints(4), 3)
    assert f.function.__globals__ == before
    np.testing.assert_array_equal(f(ints(4), 0), ints(4))


def test_eager_runs_in_threads_and_inside_of_each_other() -> None:
    @script
    def f(a):
        b = output_tensor((50,), "int32")
        t = scaled(a)
        for i in range(50):
            b[i] = t[i]
        return b

    results: list[bool] = []

    def run(k: int) -> None:
        for _ in range(5):
            results.append(bool((f(np.full(50, k, "int32")) == 2 * k).all()))

    in_threads(*[partial(run, k) for k in range(4)])
    assert results == [True] * 20


def test_integers_wrap_without_a_warning(recwarn: Any) -> None:
    @script
    def f(a):
        b = output_tensor((4,), "int8")
        for i in range(4):
            b[i] = a[i] * a[i] + 100
        return b

    three_ways(f, np.array([100, -128, 127, 1], "int8"))
    assert not recwarn.list


def test_check_is_for_arrays() -> None:
    with pytest.raises(HybridError, match="gather.check runs on numpy arrays"):
        gather.check(tensor(4), tensor(2, 3))


@pytest.mark.parametrize(
    ("args", "keywords", "said"),
    [
        ((), {}, "it takes 2 arguments and was given 0: a, k are missing"),
        ((1, 2, 3), {}, "it takes 2 arguments and was given 3"),
        ((1,), {"a": 2}, "a is given twice"),
        ((1, 2), {"z": 2}, "it has no parameter z"),
    ],
)
def test_calls_that_do_not_fit(args: Any, keywords: Any, said: str) -> None:
    f = function("return a", "def f(a, k):")
    with pytest.raises(HybridError, match=said) as e:
        f(*args, **keywords)
    assert e.value.hint == "f(a, k)"


def test_deep_expressions_are_refused() -> None:
    f = function("b = output_tensor((1,), 'int32')\nb[0] = a" + " + 1" * 1500 + "\nreturn b")
    with pytest.raises(HybridError, match="its expressions are nested too deeply"):
        f.check(1)
