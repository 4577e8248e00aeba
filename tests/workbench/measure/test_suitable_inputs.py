"""Random inputs that suit a program: indices and ends of ranges that are elements lie inside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tewb import te
from tewb.tensor import Tensor
from tewb.workbench import Session
from tewb.workbench.measure.suitable_inputs import suitable_inputs


def gather() -> list[Tensor]:
    A, X = te.placeholder((3,), name="A"), te.placeholder((50,), "int32", name="X")
    return [A, X, te.compute((50,), lambda i: A[X[i]] + 1, name="y")]


def sparse() -> list[Tensor]:
    shapes: dict[str, tuple[int, str]] = {
        "indptr": (6, "int32"), "indices": (12, "int32"), "data": (12, "float32"), "x": (3, "float32"),
    }  # fmt: skip
    P, J, D, X = (te.placeholder((n,), dtype, name=name) for name, (n, dtype) in shapes.items())

    def row(i: Any) -> Any:
        k = te.reduce_axis((P[i], P[i + 1]), "k")
        return te.sum(D[k] * X[J[k]], axis=k)

    return [P, J, D, X, te.compute((5,), row, name="y")]


@pytest.mark.parametrize("program", [gather, sparse])
def test_indices_and_ranges_of_elements_suit_all_that_draws_inputs(program: Any) -> None:
    args = program()
    session = Session(te.create_schedule(args[-1].op), args)
    for a in args:
        assert len(session.access_trace(a.name)) > 0
    assert session.verify().ok
    assert session.measure(repeat=1).ok


def test_indices_are_elements_of_what_they_index() -> None:
    A, X, y = gather()
    found = suitable_inputs([y.op], [A, X], {}, np.random.default_rng(0))[X]
    assert found.min() >= 0 and found.max() == 2
