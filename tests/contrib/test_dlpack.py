"""Kernels as functions of another library's tensors."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.contrib import dlpack
from tewb.runtime import convert


class Tensor:
    """A tensor of another library, which only its capsule shows."""

    def __init__(self, values: Any) -> None:
        self.values = np.array(values, "float32")


def capsule(t: Tensor) -> Any:
    return t.values.__dlpack__()


def doubling() -> Any:
    A = te.placeholder((3,), name="A")
    B = te.compute((3,), lambda i: A[i] * 2.0, name="B")
    return tewb.build(te.create_schedule(B.op), [A, B])


def test_a_kernel_writes_the_memory_of_tensors() -> None:
    f = dlpack.convert_func(doubling(), Tensor, capsule)
    for _ in range(3):
        a, b = Tensor([1, 2, 3]), Tensor([0, 0, 0])
        f(a, b)
        assert b.values.tolist() == [2, 4, 6]


def test_other_arguments_and_results_pass() -> None:
    f = dlpack.convert_func(convert(lambda x, n: (type(x).__name__, n)), Tensor, capsule)
    assert f(Tensor([1]), 3) == ("NDArray", 3)


def test_the_tensors_of_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    torch, utils, conversion = (ModuleType(name) for name in ("torch", "torch.utils", "torch.utils.dlpack"))
    torch.Tensor, conversion.to_dlpack = Tensor, capsule  # type: ignore[attr-defined]
    for module in (torch, utils, conversion):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    a, b = Tensor([1, 2, 3]), Tensor([0, 0, 0])
    dlpack.to_pytorch_func(doubling())(a, b)
    assert b.values.tolist() == [2, 4, 6]


def test_without_torch_python_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match="torch"):
        dlpack.to_pytorch_func(doubling())
