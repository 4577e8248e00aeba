"""Traced values are shown whenever they are computed."""

from __future__ import annotations

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import ExternError


def test_trace_shows_a_value_and_may_change_it(capsys: pytest.CaptureFixture[str]) -> None:
    seen = []

    @tewb.register_func("tests.trace", override=True)
    def show(i: int, value: float) -> float | None:
        seen.append((i, value))
        return value * 10 if i == 1 else None

    A = te.placeholder((3,), name="A")
    B = te.compute((3,), lambda i: tewb.tir.trace([i, A[i]], "tests.trace") + 1, name="B")
    x, y = np.arange(3, dtype="float32"), np.zeros(3, "float32")
    tewb.build(te.create_schedule(B.op), [A, B])(x, y)
    assert y.tolist() == [1, 11, 3] and seen == [(0, 0), (1, 1), (2, 2)]
    C = te.compute((1,), lambda i: tewb.tir.trace([A[i + 2]]), name="C")
    tewb.build(te.create_schedule(C.op), [A, C])(x, y[:1])
    assert capsys.readouterr().out == "[2.0]\n" and y[0] == 2
    with pytest.raises(ExternError, match="trace takes a list that ends with the value"):
        tewb.tir.trace(3)
