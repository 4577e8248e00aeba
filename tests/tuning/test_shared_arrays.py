"""The arrays of trials: inputs, what outputs are to be, and how near."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.programs import matmul, schedule_for
from tewb import te
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
