"""The arrays of trials: inputs, what outputs are to be, and how near."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import matmul, schedule_for
from tewb import te
from tewb.base import ArgumentError, TewbError
from tewb.tuning import kept_arrays
from tewb.workbench import Session


def test_inputs_and_expected_results_are_in_files(tmp_path: Path) -> None:
    inputs, outputs = matmul(4, 6, 5)
    a, b = np.random.rand(4, 5).astype("float32"), np.random.rand(6, 5).astype("float32").T
    session = Session(schedule_for(outputs), inputs + outputs, inputs=[a, b], reference=np.matmul)
    kept = kept_arrays(session, tmp_path)
    assert [p.kind for p in kept] == ["input", "input", "output"]
    np.testing.assert_array_equal(np.load(kept[0].file), a)
    assert kept[1].order == (1, 0)
    np.testing.assert_array_equal(np.load(kept[1].file).T, b)
    np.testing.assert_array_equal(np.load(kept[2].file), a @ b)
    assert 0 < kept[2].rtol < 1e-3


def test_without_a_reference_the_definition_says_what_is_right(tmp_path: Path) -> None:
    n, x = te.var("n"), te.var("x", "float32")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] * x, name="B")
    session = Session(te.create_schedule(B.op), [n, x, A, B], sizes={"n": 7})
    size, factor, given, made = kept_arrays(session, tmp_path)
    assert (size.kind, size.value, factor.kind) == ("scalar", 7, "scalar")
    np.testing.assert_allclose(np.load(made.file), np.load(given.file) * factor.value, rtol=1e-6)


def sums(dtype: str = "int32", **options: Any) -> Session:
    A, k = te.placeholder((6, 8), name="A", dtype=dtype), te.reduce_axis((0, 8), name="k")
    B = te.compute((6,), lambda i: te.sum(A[i, k], axis=k), name="B")
    return Session(te.create_schedule(B.op), [A, B], **options)


@pytest.mark.parametrize(
    ("dtype", "reference"),
    [
        ("int32", lambda a: a.sum(axis=1)),
        ("int32", lambda a: a.sum(axis=1).astype("float64")),
        ("uint8", lambda a: a.sum(axis=1, dtype="int64") % 256),
        ("float32", lambda a: a.sum(axis=1) * np.float64(1)),
        ("float16", lambda a: a.sum(axis=1, dtype="float32")),
    ],
)
def test_a_reference_may_compute_in_another_dtype(tmp_path: Path, dtype: str, reference: Any) -> None:
    session = sums(dtype, reference=reference)
    wanted = np.load(kept_arrays(session, tmp_path)[1].file)
    session.reference = None
    by_definition = np.load(kept_arrays(session, tmp_path)[1].file)
    assert wanted.dtype == dtype
    np.testing.assert_allclose(wanted, by_definition, rtol=1e-2 if dtype == "float16" else 1e-6)


def test_a_reference_may_change_its_inputs(tmp_path: Path) -> None:
    def reference(a: Any) -> Any:
        a *= 2
        return a.sum(axis=1) // 2

    inputs = [np.arange(48, dtype="int32").reshape(6, 8)]
    given, made = kept_arrays(sums(reference=reference, inputs=inputs), tmp_path)
    np.testing.assert_array_equal(np.load(given.file), np.arange(48).reshape(6, 8))
    np.testing.assert_array_equal(np.load(made.file), np.arange(48).reshape(6, 8).sum(axis=1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reference": lambda a: None}, "the reference gives None for B, which is an array of shape"),
        ({"reference": lambda a: "sum"}, "the reference gives 'sum' for B"),
        ({"reference": lambda a: a}, r"the reference gives an array of shape \(6, 8\) for B"),
        (
            {"reference": lambda a: a.sum(axis=1) + 2**40},
            "int64 for B, with numbers that int32 does not hold",
        ),
        (
            {"reference": lambda a: a.sum(axis=1) + 0.5},
            "float64 for B, with numbers that int32 does not hold",
        ),
        ({"reference": lambda a: a.sum(axis=1) * 1j}, "complex128 for B"),
        ({"inputs": [np.zeros((6, 8))]}, "the input for A has dtype float64, not int32"),
        ({"inputs": [np.zeros((6, 8), "int32").tolist()]}, "the input for A has dtype int64, not int32"),
    ],
)
def test_what_is_no_result_and_no_input_is_refused(tmp_path: Path, options: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        kept_arrays(sums(**options), tmp_path)


def test_numbers_of_ml_dtypes_are_taken(tmp_path: Path) -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    A = te.placeholder((8,), name="A", dtype="bfloat16")
    B = te.compute((8,), lambda i: A[i] + A[i], name="B")
    a = np.arange(8).astype(ml_dtypes.bfloat16)
    session = Session(te.create_schedule(B.op), [A, B], inputs=[a], reference=lambda a: a + a)
    given, made = kept_arrays(session, tmp_path)
    np.testing.assert_array_equal(np.load(given.file), a.view("uint16"))
    np.testing.assert_array_equal(np.load(made.file), (a + a).view("uint16"))


def test_what_only_a_reference_can_tell_says_so(tmp_path: Path) -> None:
    def body(ins: Any, outs: Any) -> Any:
        return tewb.tir.call_extern("int32", "f", ins[0].access_ptr("r"), outs[0].access_ptr("w"))

    A = te.placeholder((8,), name="A")
    B = te.extern((8,), [A], body, dtype="float32", name="B")
    C = te.compute((8,), lambda i: tewb.tir.call_pure_extern("float32", "g", A[i]), name="C")
    for made, what in ((B, "extern B is built by hand"), (C, "a call of ")):
        session = Session(te.create_schedule(made.op), [A, made])
        with pytest.raises(TewbError, match=f"{what}.* cannot be evaluated\n  hint: .*reference=lambda"):
            kept_arrays(session, tmp_path)
        session.reference = lambda a: a
        assert len(kept_arrays(session, tmp_path)) == 2
