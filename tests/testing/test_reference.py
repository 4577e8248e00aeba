"""The reference: what a program means, without any schedule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.testing import evaluate, random_array, tolerance


def test_stages_are_computed_in_order_and_sizes_come_from_arrays() -> None:
    n = te.var("n")
    A = te.placeholder((n, 3), name="A")
    B = te.compute((n, 3), lambda i, j: A[i, j] * 2.0, name="B")
    C = te.compute((n,), lambda i: B[n - 1 - i, 1] + 1.0, name="C")
    a = np.arange(6, dtype="float32").reshape(2, 3)
    b, c = evaluate([B, C], {A: a})
    np.testing.assert_array_equal(b, a * 2)
    np.testing.assert_array_equal(c, [9, 3])
    assert c.dtype == "float32"


def test_reductions_begin_at_their_identity_and_skip_what_where_excludes() -> None:
    A, k = te.placeholder((3, 4), "int32", name="A"), te.reduce_axis((0, 4), name="k")
    none = te.reduce_axis((0, 0), name="none")
    S = te.compute((3,), lambda i: te.sum(A[i, k], axis=k, where=A[i, k] > 5), name="S")
    M = te.compute((3,), lambda i: te.max(A[i, none], axis=none), name="M")
    a = np.arange(12, dtype="int32").reshape(3, 4)
    s, m = evaluate([S, M], {A: a})
    assert s.tolist() == [0, 13, 38]
    assert m.tolist() == [np.iinfo("int32").min] * 3


def test_a_read_that_a_guard_prevents_may_lie_anywhere() -> None:
    A = te.placeholder((4,), name="A")
    B = te.compute((6,), lambda i: te.if_then_else(te.all(i >= 1, i < 5), A[i - 1], 0.0), name="B")
    (b,) = evaluate([B], {A: np.ones(4, "float32")})
    assert b.tolist() == [0, 1, 1, 1, 1, 0]


def test_integers_divide_and_wrap_as_kernels_do() -> None:
    A = te.placeholder((3,), "int8", name="A")
    three = te.const(3, "int8")
    outs = te.compute((3,), lambda i: (te.truncdiv(A[i], three), A[i] // three, A[i] * three), name="out")
    a = np.array([-7, 100, 5], "int8")
    quotient, down, product = evaluate(list(outs), {A: a})
    assert (quotient.tolist(), down.tolist(), product.tolist()) == ([-2, 33, 1], [-3, 33, 1], [-21, 44, 15])


def test_packed_functions_are_called_on_whole_arrays() -> None:
    @tewb.register_func("tests.reference.twice", override=True)
    def twice(a: Any, b: Any) -> None:
        b[...] = a * 2

    A = te.placeholder((4,), name="A")
    E = te.extern((4,), [A], lambda i, o: te.call_packed("tests.reference.twice", i[0], o[0]), name="E")
    assert evaluate([E], {A: np.ones(4, "float32")})[0].tolist() == [2] * 4


def test_an_input_without_a_value_is_named() -> None:
    A = te.placeholder((4,), name="A")
    B = te.compute((4,), lambda i: A[i] + 1.0, name="B")
    with pytest.raises(tewb.TewbError, match="the value of input A is not given"):
        evaluate([B], {})


@pytest.mark.parametrize(
    ("dtype", "kind"), [("bool", "bool"), ("uint8", "uint8"), ("float16", "float16"), ("bfloat16", "uint16")]
)
def test_random_values_suit_their_dtype(dtype: str, kind: str) -> None:
    a = random_array((100,), dtype, np.random.default_rng(0))
    assert a.dtype == kind
    assert len(np.unique(a)) > 1


def test_integers_are_exact_and_floats_have_room_for_their_terms() -> None:
    assert tolerance("int32", 1000) == (0, 0)
    assert tolerance("float32", 1000)[1] > tolerance("float32")[1] > tolerance("float64")[1] > 0
    assert tolerance("bfloat16")[0] > tolerance("float16")[0] > tolerance("float32")[0]
