"""Kernels for another machine have code, and refuse to be called."""

from __future__ import annotations

import pytest

from tewb.base import ArgumentError
from tewb.runtime import ForeignKernel, Kernel, Target
from tewb.runtime.abi import KernelSignature

TARGET = Target.of("llvm -mtriple=riscv64-linux-gnu -mcpu=generic-rv64")


@pytest.fixture
def kernel() -> ForeignKernel:
    return ForeignKernel(KernelSignature("add", ()), None, TARGET)


@pytest.mark.parametrize("use", ["__call__", "run", "time", "time_evaluator"])
def test_no_call_runs_it(kernel: ForeignKernel, use: str) -> None:
    with pytest.raises(ArgumentError, match="kernel add is made for llvm -mtriple=riscv64") as e:
        getattr(kernel, use)(1, out=2)
    assert f"this machine is {Target.host().cpu}" in e.value.message
    assert e.value.hint == 'get_source("asm") shows its code; build without a target to call it'


def test_it_is_a_kernel_that_knows_its_target(kernel: ForeignKernel) -> None:
    assert isinstance(kernel, Kernel) and kernel.target is TARGET and kernel.name == "add"
    assert repr(kernel) == f"ForeignKernel(add for {TARGET})"


def test_a_call_by_its_type_is_refused_too(kernel: ForeignKernel) -> None:
    with pytest.raises(ArgumentError, match="kernel add is made for"):
        kernel()
