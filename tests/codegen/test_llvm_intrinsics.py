"""Calls of LLVM's intrinsics: by exact names and by short ones, and every mistake before LLVM sees it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.codegen.elementwise import run
from tewb import te
from tewb.base import CodegenError
from tewb.codegen.llvm_intrinsics import signature

x = np.array([1.0, 4.0, 9.0, 2.25, 0.0, 16.0, 25.0, 36.0], "float32")
one = te.const(1, "uint32")


@pytest.mark.parametrize("name", ["llvm.sqrt.f32", "llvm.sqrt"])
def test_an_intrinsic_by_its_name(name: str) -> None:
    for lanes in (1, 4):
        got = run(lambda a: te.call_llvm_intrin("float32", name, one, a), x, lanes=lanes)
        np.testing.assert_array_equal(got, np.sqrt(x))
    np.testing.assert_array_equal(run(lambda a: te.call_llvm_pure_intrin("float32", name, a), x), np.sqrt(x))


def test_an_argument_that_is_a_constant_in_the_code() -> None:
    n = np.array([0, 1, 255, -1], "int32")
    got = run(
        lambda a: te.call_llvm_intrin("int32", "llvm.ctlz", te.const(2, "uint32"), a, te.const(False)), n
    )
    assert got.tolist() == [32, 31, 24, 0]


def test_signatures() -> None:
    assert signature("llvm.ctlz", "i32", ("i32", "i1")) == ("llvm.ctlz.i32", (1,))
    assert signature("llvm.fma", "<4 x float>", ("<4 x float>",) * 3) == ("llvm.fma.v4f32", ())


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda a: te.call_llvm_intrin("float32", "llvm.sqroot.f32", a), "LLVM has no intrinsic llvm.sqroot.f32"),
        (lambda a: te.call_llvm_intrin("float32", "llvm.sqrt f32", a), "LLVM has no intrinsic llvm.sqrt f32"),
        (lambda a: te.call_llvm_intrin("float32", "llvm.sqrt.f32", a, a), "llvm.sqrt.f32 has other types than float.float, float"),
        (lambda a: te.call_llvm_intrin("float32", "llvm.sqrt.f32"), "llvm.sqrt.f32 has other types"),
        (lambda a: te.call_llvm_intrin("float32", "llvm.powi.f32.i32", a, a), "llvm.powi.f32.i32 has other types"),
        (lambda a: te.call_llvm_intrin("int32", "llvm.ctlz", a.astype("int32"), a > 0), "llvm.ctlz: argument 2 is a constant"),
        (
            lambda a: te.call_llvm_intrin("int32", "llvm.aarch64.crc32b", a.astype("int32"), a.astype("int32")),
            "LLVM makes no code of llvm.aarch64.crc32b for",
        ),
    ],
)  # fmt: skip
def test_mistakes_do_not_reach_llvm(call: Any, words: str) -> None:
    A = te.placeholder((4,), name="A")
    B = te.compute((4,), lambda i: call(A[i]), name="B")
    with pytest.raises(CodegenError, match=words):
        tewb.build(te.create_schedule(B.op), [A, B], target="llvm -mtriple=x86_64-linux-gnu -mcpu=x86-64-v2")
