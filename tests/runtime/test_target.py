"""Targets: what they say of a processor, and kernels for another machine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import ArgumentError, CodegenError
from tewb.runtime import ForeignKernel, Target

ARM = "llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-v1"
if Target.host().arch == "aarch64":  # somewhere else, and not here
    ARM = "llvm -mtriple=x86_64-unknown-linux-gnu -mcpu=znver4"


def added(n: int = 100) -> tuple[Any, list[Any]]:
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    s = te.create_schedule(B.op)
    s[B].vectorize(s[B].split("i", factor=16)[1])
    return s, [A, B]


@pytest.mark.parametrize("text", [None, "llvm", "llvm -mcpu=native", "llvm -keys=cpu -link-params=0"])
def test_the_usual_targets_are_this_machine(text: str | None) -> None:
    assert Target.of(text) == Target.host()
    assert Target.of(text).runs_here


@pytest.mark.parametrize(
    ("text", "vector", "line", "feature"),
    [
        ("llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-v1", 16, 64, "i8mm"),
        ("llvm -mtriple=arm64-apple-darwin -mcpu=apple-m1", 16, 128, "dotprod"),
        ("llvm -mtriple=x86_64-linux-gnu -mcpu=znver4", 64, 64, "avx512vnni"),
        ("llvm -mtriple=x86_64-linux-gnu -mcpu=haswell", 32, 64, "fma"),
        ("llvm -mtriple=x86_64-linux-gnu -mcpu=nehalem -mattr=+sse4a", 16, 64, "sse4a"),
    ],
)
def test_a_target_knows_its_vectors_lines_and_features(
    text: str, vector: int, line: int, feature: str
) -> None:
    target = Target.of(text)
    assert (target.vector_bytes, target.cache_line) == (vector, line)
    assert target.has(feature)


def test_the_last_word_on_a_feature_counts() -> None:
    base = "llvm -mtriple=x86_64-linux-gnu -mcpu=znver4"
    assert not Target.of(f"{base} -mattr=-avx512vnni").has("avx512vnni")
    assert Target.of(f"{base} -mattr=-avx512vnni,+avx512vnni").has("avx512vnni")


@pytest.mark.parametrize(
    ("off", "gone", "left"),
    [
        ("avx512f", "avx512vnni", "avx2"),
        ("avx2", "avx512f", "avx"),
        ("avx", "avx2", "sse4.2"),
        ("avx512vl", "avx512vl", "avx512vnni"),
    ],
)
def test_what_needs_a_feature_goes_with_it(off: str, gone: str, left: str) -> None:
    target = Target.of(f"llvm -mtriple=x86_64-linux-gnu -mcpu=znver4 -mattr=-{off}")
    assert not target.has(gone) and target.has(left)


def test_a_kernel_for_fewer_instructions_runs_here() -> None:
    least = "x86-64" if Target.host().arch == "x86_64" else "generic -mattr=+neon"
    target = Target.of(f"llvm -mcpu={least}") if least == "x86-64" else Target.host()
    s, args = added()
    kernel = tewb.build(s, args, target=target)
    a, b = np.arange(100, dtype="float32"), np.zeros(100, "float32")
    kernel(a, b)
    np.testing.assert_array_equal(b, a + 1)
    assert "zmm" not in kernel.get_source("asm")


def test_features_that_this_machine_lacks_do_not_run_here() -> None:
    assert not Target.of("llvm -mattr=+nosuchfeature").runs_here
    assert not Target.of("llvm -mcpu=unheard-of").runs_here


def test_a_kernel_for_another_machine_has_code_and_cannot_be_called() -> None:
    s, args = added()
    kernel = tewb.build(s, args, target=ARM)
    assert isinstance(kernel, ForeignKernel)
    assert ".globl\tmain" in kernel.get_source("asm")
    a = np.zeros(100, "float32")
    for use in (kernel, kernel.time, kernel.run, kernel.time_evaluator):
        with pytest.raises(ArgumentError, match="kernel main is made for llvm -mtriple=.*this machine is"):
            use(a, a)


def test_the_code_for_another_machine_is_shown_by_kernels_and_sessions() -> None:
    s, args = added()
    made = tewb.build(s, args, target=ARM).get_source("asm")
    here = tewb.build(s, args)
    assert here.get_source("asm", target=ARM) == made
    assert here.get_source("asm") != made
    assert tewb.Session(s, args).assembly_for(ARM) == made


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cuda", "tewb builds for the CPU"),
        ("llvm -mtripel=aarch64", "-mtripel=aarch64 is not known"),
        ("llvm neoverse-v1", "neoverse-v1 is not known"),
        ("llvm -mtriple=aarch64-linux-gnu -mattr=+i8mm,-neon", "made for processors with neon"),
        ("llvm -mtriple=x86_64-linux-gnu -mattr=-sse2", "made for processors with sse2"),
        ("llvm -mattr=avx2", "the feature 'avx2' is neither on nor off"),
        ("llvm -mtriple=pdp11-dec-none", "LLVM has no target pdp11-dec-none"),
    ],
)
def test_what_is_no_target_is_refused(text: str, said: str) -> None:
    s, args = added()
    with pytest.raises(CodegenError, match=said):
        tewb.build(s, args, target=text)


def test_the_classic_names_make_targets() -> None:
    assert tewb.target.Target("llvm") == tewb.target.create("llvm") == Target.host()


def test_the_host_of_a_target_is_the_target() -> None:
    assert tewb.target.Target(target="llvm", host="llvm") == Target.host()
    other = "llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-v1"
    assert tewb.target.Target(other, host=other).cpu == "neoverse-v1"
    with pytest.raises(CodegenError, match="is not the target") as e:
        tewb.target.Target("llvm", host="llvm -mtriple=riscv64-linux-gnu -mcpu=generic-rv64")
    assert e.value.hint
