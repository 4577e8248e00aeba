"""Calls of LLVM's intrinsics: by exact names and by short ones, and every mistake before LLVM sees it."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import tewb
from tests.codegen.elementwise import run
from tewb import te
from tewb.base import CodegenError, ExternError
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


@pytest.mark.one_in(2)
@pytest.mark.parametrize("lanes", [1, 4])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("target", [None, "llvm -mcpu=x86-64-v2"])
def test_floats_of_16_bits_are_rounded_once(lanes: int, dtype: str, target: str | None) -> None:
    """Without instructions that convert them, too: LLVM would call a library that is not there."""
    if target and tewb.target.Target.host().arch != "x86_64":
        pytest.skip("v2 is a level of x86-64")
    name = {"float16": "f16", "bfloat16": "bf16"}[dtype]
    A = te.placeholder((8,), name="A")
    B = te.compute(
        (8,),
        lambda i: te.call_llvm_intrin(dtype, f"llvm.sqrt.{name}", one, A[i].astype(dtype)).astype("float32"),
        name="B",
    )
    s = te.create_schedule(B.op)
    if lanes > 1:
        s[B].vectorize(s[B].split("i", factor=lanes)[1])
    got = np.zeros(8, "float32")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tewb.build(s, [A, B], target)(x + 1, got)
    expected = te.compute((8,), lambda i: te.sqrt(A[i].astype(dtype)).astype("float32"), name="E")
    want = np.zeros(8, "float32")
    tewb.build(te.create_schedule(expected.op), [A, expected])(x + 1, want)
    np.testing.assert_array_equal(got, want)


def test_numbers_of_intrinsics_are_those_that_were_asked_for() -> None:
    codegen: Any = tewb.target.codegen  # type: ignore[attr-defined]
    number = codegen.llvm_lookup_intrinsic_id("llvm.sqrt")
    assert number == codegen.llvm_lookup_intrinsic_id("llvm.sqrt") > 0
    assert codegen.llvm_get_intrinsic_name(number) == "llvm.sqrt"
    assert codegen.llvm_lookup_intrinsic_id("llvm.sqroot") == 0
    got = run(lambda a: te.call_llvm_pure_intrin("float32", number, one, a), x)
    np.testing.assert_array_equal(got, np.sqrt(x))


@pytest.mark.parametrize("number", [0, 9700, te.const(5000)])
def test_numbers_of_another_llvm_are_refused(number: Any) -> None:
    with pytest.raises(
        ExternError, match=r"it is the number of an intrinsic in one version of LLVM(?s:.*)name it"
    ):
        te.call_llvm_intrin("float32", number, te.const(1, "uint32"), te.const(1.0))
