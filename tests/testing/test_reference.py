"""The reference: programs computed from their definition, compared with numpy written by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import argmax, blur, chain, matmul
from tewb import te
from tewb.base import TewbError
from tewb.testing import evaluate, random_array, tolerance


def of(element: Any, *arrays: Any) -> Any:
    """The values of B[i] = element(i, A, ...), where A, ... are `arrays`."""
    given = {te.placeholder(a.shape, str(a.dtype), name=f"A{n}"): a for n, a in enumerate(arrays)}
    B = te.compute((4,), lambda i: element(i, *given), name="B")
    return evaluate([B], given)[0]


def test_programs_by_hand() -> None:
    rng = np.random.default_rng(0)
    (A, B), (C,) = matmul(3, 4, 5, "int32")
    a, b = random_array((3, 5), "int32", rng), random_array((5, 4), "int32", rng)
    np.testing.assert_array_equal(evaluate([C], {A: a, B: b})[0], a @ b)
    (A,), (D,) = chain(3, 4)
    a = random_array((3, 4), "float32", rng)
    np.testing.assert_allclose(
        evaluate([D], {A: a})[0], (np.maximum(a * 2 + 1, 0) - a) * (a * 2 + 1), rtol=1e-6
    )
    (A,), (Y,) = blur(3, 4)
    rows = np.pad(a, ((0, 0), (1, 1)), mode="edge")
    rows = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
    columns = np.pad(rows, ((1, 1), (0, 0)), mode="edge")
    np.testing.assert_allclose(
        evaluate([Y], {A: a})[0], columns[:-2] + columns[1:-1] + columns[2:], rtol=1e-5
    )
    (A,), (at, most) = argmax(3, 4)
    found, largest = evaluate([at, most], {A: a})
    np.testing.assert_array_equal(found, a.argmax(axis=1))
    np.testing.assert_array_equal(largest, a.max(axis=1))


def test_values_wrap_and_divide_as_kernels_do() -> None:
    a = np.array([-128, 127, -7, 7], "int8")
    np.testing.assert_array_equal(of(lambda i, A: A[i] + te.const(1, "int8"), a), a + np.int8(1))
    np.testing.assert_array_equal(
        of(lambda i, A: te.truncdiv(A[i], te.const(2, "int8")), a), [-64, 63, -3, 3]
    )
    np.testing.assert_array_equal(of(lambda i, A: A[i] // te.const(2, "int8"), a), a // 2)
    np.testing.assert_array_equal(of(lambda i, A, D: A[i] // D[i], a, np.zeros(4, "int8")), [0, 0, 0, 0])


def test_an_access_that_a_guard_prevents_is_not_made() -> None:
    a = np.arange(4, dtype="int32")
    np.testing.assert_array_equal(of(lambda i, A: te.if_then_else(i > 0, A[i - 1], -9), a), [-9, 0, 1, 2])


def test_sizes_come_from_inputs_and_scalars_are_given() -> None:
    n, x = te.var("n"), te.var("x", "float32")
    A = te.placeholder((n,), name="A")
    B = te.compute((n * 2,), lambda i: A[i // 2] * x, name="B")
    (b,) = evaluate([B], {A: np.ones(3, "float32")}, {x: 2.5})
    np.testing.assert_array_equal(b, np.full(6, 2.5, "float32"))
    assert evaluate([B], {A: np.ones(0, "float32")}, {x: 1.0})[0].shape == (0,)


def test_an_input_without_a_value_is_named() -> None:
    _, (D,) = chain(2, 2)
    with pytest.raises(TewbError, match="the value of input A is not given") as e:
        evaluate([D], {})
    assert e.value.hint == "inputs is a dict from tensors to arrays"


def test_packed_functions_are_called_and_bodies_by_hand_have_no_value() -> None:
    tewb.register_func("test.testing.twice", lambda x, y: y.__setitem__(..., x * 2), override=True)
    A = te.placeholder((3,), name="A")
    E = te.extern((3,), [A], lambda i, o: te.call_packed("test.testing.twice", i[0], o[0]), name="E")
    np.testing.assert_array_equal(evaluate([E], {A: np.arange(3, dtype="float32")})[0], [0, 2, 4])
    H = te.extern((3,), [A], lambda i, o: _by_hand(i, o), name="H")
    with pytest.raises(TewbError, match="extern H is built by hand and cannot be evaluated"):
        evaluate([H], {A: np.zeros(3, "float32")})


def _by_hand(ins: Any, outs: Any) -> Any:
    ib = tewb.tir.ir_builder.create()
    ib.buffer_ptr(outs[0])[0] = ib.buffer_ptr(ins[0])[0]
    return ib.get()


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float32", "float64"])
def test_random_values_suit_their_dtype(dtype: str) -> None:
    a = random_array((50, 2), dtype, np.random.default_rng(0))
    assert a.dtype == dtype and a.shape == (50, 2) and len(np.unique(a)) > 1
    if dtype == "uint8":
        assert a.max() < 16


def test_integers_are_exact_and_sums_of_floats_have_room() -> None:
    assert tolerance("int32", 100) == tolerance("bool") == (0.0, 0.0)
    eps = float(np.finfo("float32").eps)
    assert tolerance("float32", 64) == (16 * eps, 8 * eps * 64) and tolerance("float32", 0) == tolerance(
        "float32", 1
    )
    assert tolerance("float64")[0] < tolerance("float32")[0]


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [
        ("bool", "bool"),
        ("uint8", "uint8"),
        ("float16", "float16"),
        ("bfloat16", "uint16"),
        ("int4", "int8"),
        ("uint2", "uint8"),
    ],
)
def test_random_values_are_kept_as_kernels_take_them(dtype: str, kind: str) -> None:
    a = random_array((100,), dtype, np.random.default_rng(0))
    assert a.dtype == kind
    assert len(np.unique(a)) > 1


def test_integers_are_exact_and_floats_have_room_for_their_terms() -> None:
    assert tolerance("int32", 1000) == (0, 0)
    assert tolerance("float32", 1000)[1] > tolerance("float32")[1] > tolerance("float64")[1] > 0
    assert tolerance("bfloat16")[0] > tolerance("float16")[0] > tolerance("float32")[0]
