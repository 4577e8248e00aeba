"""The kernel of a block travels as IR and target, and is compiled where it is called."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.blocks.block_kernel import BlockKernel, HowBuilt, _built, block_kernel
from tewb.blocks.block_program import BlockProgram
from tewb.runtime import Target


def made(steps: Any = lambda s, B: None, **how: Any) -> tuple[BlockKernel, dict[str, str]]:
    """B[i] = A[i] * x + 1, with the steps of a schedule."""
    A, x = te.placeholder((32,), name="A"), te.var("x", "float32")
    B = te.compute((32,), lambda i: A[i] * x + 1.0, name="B")
    s = te.create_schedule(B.op)
    steps(s, B)
    left_out: dict[str, str] = {}
    return block_kernel(BlockProgram((A,), (x,), (B,)), HowBuilt("f", s.journal, **how), left_out), left_out


def test_it_computes_after_a_journey() -> None:
    kernel, _ = made()
    again = pickle.loads(pickle.dumps(kernel))
    np.testing.assert_array_equal(again(np.full(32, 2, "float32"), 3.0), np.full(32, 7, "float32"))
    assert again == kernel


def test_it_has_the_steps_of_the_schedule() -> None:
    def steps(s: Any, B: Any) -> None:
        s[B].vectorize(s[B].split("i", 8)[1])

    kernel, left_out = made(steps)
    assert "T.Broadcast(x, 8)" in kernel.text
    assert left_out == {}


def test_a_step_that_does_not_go_is_left_out_with_its_reason() -> None:
    def steps(s: Any, B: Any) -> None:
        s[B].split("i", factor=te.var("f"))

    kernel, left_out = made(steps)
    assert kernel(np.full(32, 2, "float32"), 3.0)[0] == 7
    ((step, reason),) = left_out.items()
    assert step == "split(B, axis=i, factor=f)"
    assert "f" in reason


@pytest.mark.parametrize("what", ["block", "whole"])
def test_what_travels_is_no_machine_code(what: str) -> None:
    """Nor is it made for the processor that it comes from: a worker of another one compiles for itself."""
    A = te.placeholder((32,), name="A")
    B = te.compute((32,), lambda i: te.exp(A[i]), name="B")
    sent = pickle.dumps(made()[0] if what == "block" else tewb.build(te.create_schedule(B.op), [A, B]))
    host = Target.host()
    assert b"\x7fELF" not in sent
    assert all(word.encode() not in sent for word in (host.triple, host.cpu, host.attributes) if word)


def test_a_target_that_was_asked_for_goes_along() -> None:
    A = te.placeholder((32,), name="A")
    B = te.compute((32,), lambda i: A[i] + 1.0, name="B")
    arm = "llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-v1"
    kernel = pickle.loads(pickle.dumps(made(target=Target(arm))[0]))
    with pytest.raises(tewb.base.ArgumentError, match="is made for llvm -mtriple=aarch64"):
        kernel(np.zeros(32, "float32"), 1.0)
    again = pickle.loads(pickle.dumps(tewb.build(te.create_schedule(B.op), [A, B], target=arm)))
    assert again.code.target == Target(arm)


def test_a_worker_of_another_processor_compiles_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    A = te.placeholder((32,), name="A")
    B = te.compute((32,), lambda i: A[i] + 1.0, name="B")
    sent = [pickle.dumps(tewb.build(te.create_schedule(B.op), [A, B])), pickle.dumps(made()[0])]
    monkeypatch.setattr("tewb.runtime.target.host", lambda: ("x86_64-unknown-linux-gnu", "x86-64", ""))
    here = Target.host()
    assert pickle.loads(sent[0]).code.target == here
    assert here.cpu == "x86-64"


def test_a_machine_that_has_the_code_compiles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel, _ = made()
    kernel(np.zeros(32, "float32"), 1.0)

    def compiles(self: Any) -> Any:
        raise AssertionError("it is in the object cache")

    monkeypatch.setattr("tewb.runtime.jit.Compiled._compile", compiles)
    _built.cache_clear()  # as in a process that begins
    assert kernel(np.zeros(32, "float32"), 1.0)[0] == 1
