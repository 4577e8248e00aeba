"""Attributes: shape, ndim and dtype of tensors, numbers of modules, and nothing else."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.tensor.hybrid.translate import evaluate
from tewb.base import FLOAT32, INT32, HybridError
from tewb.ir import Buffer, Var, const
from tewb.tensor.hybrid.shared_buffers import ConstantTable

i, n = Var("i", INT32), Var("n", INT32)
A = Buffer("a", FLOAT32, (const(8), n))


def test_attributes_of_tensors() -> None:
    assert evaluate("a.shape", a=A)[0] == 8 and evaluate("a.shape[1]", a=A) is n
    assert (evaluate("a.ndim", a=A), evaluate("a.dtype", a=A)) == (2, "float32")
    assert evaluate("a[0, 0].dtype", a=A) == "float32" and evaluate("i.dtype", i=i) == "int32"
    table = ConstantTable(np.zeros((2, 3), "int8"))
    assert (evaluate("t.shape", t=table), evaluate("t.dtype", t=table)) == ((2, 3), "int8")


def test_numbers_of_modules() -> None:
    assert evaluate("math.pi", math=math) == math.pi


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("math.sin", "math.sin is not part of the hybrid language", "functions are words"),
        ("math.nothing", "math.nothing is not part", "numbers of modules are, as math.pi"),
        ("a.T", ".T is not part of the hybrid language", "tensors have .shape, .ndim and .dtype"),
        ("i.shape", ".shape is not part", "tensors have"),
        ("(1, 2).dtype", ".dtype is not part", "tensors have"),
    ],
)
def test_other_attributes_are_refused(text: str, said: str, hint: str) -> None:
    with pytest.raises(HybridError, match=said) as e:
        evaluate(text, a=A, i=i, math=math)
    assert hint in (e.value.hint or "")
