"""Branches: sides that are known, conditions that hold inside, and loops that ask."""

# ruff: noqa: F821
from __future__ import annotations

import numpy as np
import pytest

import tewb
from tests.tensor.hybrid.translate import loops
from tests.tensor.hybrid.ways import ints, three_ways
from tests.tensor.test_hybrid import tensor
from tewb import te
from tewb.base import BoundError, HybridError

script = te.hybrid.script


def test_while_with_a_condition_that_reads_memory() -> None:
    @script
    def f(a):
        b = output_tensor((a.shape[0],), "int32")
        for i in range(a.shape[0]):
            k = 0
            while k < a.shape[0] and a[k] != i:
                k += 1
            b[i] = k if k < a.shape[0] else -1
        return b

    three_ways(f, ints(9))


def test_what_an_if_asked_does_not_hold_after_a_write() -> None:
    """Until now the second question was folded to the answer of the first."""

    @script
    def f(a):
        b = output_tensor((8,), "int32")
        for i in range(8):
            x = a[i]
            b[i] = 0
            if x < 4:
                x = 20
                if x < 4:
                    b[i] = 1
                else:
                    b[i] = 2
        return b

    three_ways(f, ints(8))

    @script
    def g(a):
        b = output_tensor((8,), "int32")
        b[:] = 0
        x = a[0]
        if 0 <= x < 8:
            x = x + 5
            b[x] = 1
        return b

    A = tensor(1, dtype="int32")
    B = g(A)
    kernel = tewb.build(te.create_schedule(B.op), [A, B])
    kernel(np.array([1], "int32"), np.zeros(8, "int32"))
    with pytest.raises(BoundError, match="leaves b in dimension 0"):
        kernel(np.array([7], "int32"), np.zeros(8, "int32"))


def test_only_the_side_that_is_known_remains_and_its_names_stay() -> None:
    assert loops("if a.ndim == 1:\n    k = 3\nelse:\n    nothing\nb[k] = 1.0") == "b[3] = T.float32(1.0)"
    assert loops("if False:\n    b[0] = 1.0\nb[1] = 2.0") == "b[1] = T.float32(2.0)"


def test_what_was_asked_proves_accesses_inside() -> None:
    text = loops("for i in range(100):\n    if i < 8:\n        b[i] = a[i]")
    assert "assert" not in text and "if i < 8:" in text
    text = loops("for i in range(100):\n    if i >= 8:\n        b[0] = 1.0\n    else:\n        b[i] = a[i]")
    assert "assert" not in text


def test_names_of_a_side_end_with_it() -> None:
    with pytest.raises(HybridError, match="x was set inside of a block that has ended"):
        loops("if a[0] > 0.0:\n    x = a[1]\nb[0] = x")


def test_a_loop_that_never_runs_and_one_that_never_ends() -> None:
    assert "while T.bool(False):" in loops("while False:\n    b[0] = 1.0")
    with pytest.raises(HybridError, match="this loop would never end") as e:
        loops("while True:\n    b[0] = 1.0")
    assert e.value.hint == "ask about a variable that changes"
    with pytest.raises(HybridError, match="while ... else is not part of the hybrid language"):
        loops("while b[0] < 1.0:\n    b[0] += 1.0\nelse:\n    b[1] = 1.0")


def test_an_elif_that_is_known_not_to_hold_is_no_branch() -> None:
    wanted = False

    @te.hybrid.script
    def f(a):  # type: ignore[no-untyped-def]
        b = output_tensor((4,), "float32")  # type: ignore[name-defined]
        for i in range(4):
            b[i] = 0.0
            if a[i] > 1.0:
                b[i] = 1.0
            elif wanted:
                b[i] = 2.0
        return b

    A = te.placeholder((4,), name="A")
    B = f(A)
    text = str(tewb.lower(te.create_schedule(B.op), [A, B], simple_mode=True))
    assert "if A[i]" in text and "else" not in text and "evaluate" not in text
