"""Targets: what they say of a processor, and kernels for another machine."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import ArgumentError, CodegenError, TewbWarning
from tewb.runtime import ForeignKernel, Target, enabled

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


# A processor that LLVM knows, and of which tewb does not know the instructions.
UNLISTED = "nocona" if Target.host().arch == "x86_64" else "cortex-a35"


def test_features_that_this_machine_lacks_do_not_run_here() -> None:
    lacking = next(a[1:] for a in Target.host().attributes.split(",") if a.startswith("-"))
    assert not Target.of(f"llvm -mattr=+{lacking}").runs_here
    assert not Target.of(f"llvm -mcpu={UNLISTED}").runs_here


def test_a_kernel_for_another_machine_has_code_and_cannot_be_called() -> None:
    s, args = added()
    kernel = tewb.build(s, args, target=ARM)
    assert isinstance(kernel, ForeignKernel)
    assert ".globl\tmain" in kernel.get_source("asm")
    a = np.zeros(100, "float32")
    for use in (kernel, kernel.time, kernel.run, kernel.time_evaluator):
        with pytest.raises(ArgumentError, match="kernel main is made for llvm -mtriple=.*this machine is"):
            use(a, a)


def test_elements_that_lie_apart_are_loaded_one_by_one_where_that_is_faster() -> None:
    A = te.placeholder((64, 64), name="A")
    B = te.compute((64, 64), lambda i, j: A[i, j] + 1.0, name="B")
    strides = {
        t: te.decl_buffer((64, 64), name=t.op.name, strides=[te.var("s"), te.var("t")]) for t in (A, B)
    }

    def gathers(cpu: str) -> bool:
        target = f"llvm -mtriple=x86_64-unknown-linux-gnu -mcpu={cpu}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TewbWarning)  # that this machine is another
            kernel = tewb.build(te.create_schedule(B.op), [A, B], binds=strides, target=target)
        return "gather" in kernel.get_source("asm")

    assert [gathers(cpu) for cpu in ("skylake-avx512", "znver4", "znver5")] == [True, False, False]


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


# ---------------------------------------------------------------- targets as classic programs use them

OTHER_CPU = "nehalem" if Target.host().arch == "x86_64" else "cortex-a53"


def test_a_target_tells_what_it_was_made_of() -> None:
    t = tewb.target.Target(
        f"llvm -keys=x,cpu -mcpu={OTHER_CPU} -mattr=+popcnt -libs=cblas -num-cores=2 -device=arm_cpu"
    )
    assert t.kind.name == t.kind == t.target_name == "llvm"
    assert (t.mcpu, t.mattr, t.libs, t.device_name, t.model) == (
        OTHER_CPU,
        ["+popcnt"],
        ["cblas"],
        "arm_cpu",
        "unknown",
    )
    assert t.keys == ["x", "cpu", "arm_cpu"]
    assert t.attrs == {
        "mcpu": OTHER_CPU, "mattr": ["+popcnt"], "libs": ["cblas"], "num-cores": 2, "device": "arm_cpu",
    }  # fmt: skip
    assert t.host is None and t.mtriple == ""


@pytest.mark.parametrize(
    "text", ["llvm", f"llvm -mcpu={OTHER_CPU} -mattr=+popcnt", ARM, "cuda -arch=sm_70", "c"]
)
def test_a_target_comes_back_from_its_text_its_dict_and_a_pickle(text: str) -> None:
    t = tewb.target.Target(text)
    again = [
        tewb.target.Target(str(t)),
        tewb.target.Target(t.export()),
        tewb.target.Target(t),
        pickle.loads(pickle.dumps(t)),
    ]
    assert all(x == t and hash(x) == hash(t) and str(x) == str(t) for x in again)
    assert eval(repr(t), {"Target": tewb.target.Target}) == t
    assert t != "llvm" and t != tewb.target.Target("rocm")


def test_a_dict_makes_a_target() -> None:
    t = tewb.target.Target({"kind": "llvm", "mcpu": OTHER_CPU}, host={"kind": "llvm"})
    assert t == tewb.target.Target(f"llvm -mcpu={OTHER_CPU}") and t.host == Target.host()
    assert tewb.target.Target({"kind": "cuda", "host": "llvm"}).host == Target.host()
    assert t.with_host("llvm").host == Target.host()


def test_blocks_of_targets_nest_and_builds_take_the_innermost() -> None:
    current = tewb.target.Target.current
    assert current() is None
    with pytest.raises(CodegenError, match="no current target"):
        current(allow_none=False)
    outer = tewb.target.Target(ARM)
    with outer:
        with tewb.target.create("llvm") as inner:
            assert current() is inner
        assert current() is outer
        kernel = tewb.build(*added())
    assert isinstance(kernel, ForeignKernel) and kernel.target == outer
    assert current() is None and not isinstance(tewb.build(*added()), ForeignKernel)


def test_a_block_ends_with_an_error() -> None:
    with pytest.raises(KeyError), tewb.target.Target("llvm"):
        raise KeyError
    assert tewb.target.Target.current() is None


@pytest.mark.parametrize("kind", ["cuda", "opencl", "metal", "vulkan", "rocm"])
def test_gpus_can_be_named_and_are_refused_by_build(kind: str) -> None:
    t = tewb.target.Target(kind, host="llvm")
    assert t.kind.name == kind and t.keys[-1] == "gpu" and str(t) == kind
    for target in (kind, t, {"kind": kind}):
        with pytest.raises(CodegenError, match=f"{kind}.*tewb builds for the CPU"):
            tewb.build(*added(), target=target)
    with t, pytest.raises(CodegenError, match="tewb builds for the CPU"):
        tewb.build(*added())


@pytest.mark.parametrize(
    ("kind", "said"), [("c", "tewb writes no C"), ("stackvm", "tewb has no interpreter")]
)
def test_c_and_stackvm_are_made_by_llvm_and_a_warning_says_so(kind: str, said: str) -> None:
    with pytest.warns(TewbWarning, match=f"target {kind}: {said}.*made by LLVM"):
        kernel = tewb.build(*added(4), target=kind)
    np.testing.assert_array_equal(kernel(np.arange(4, dtype="float32")), [1, 2, 3, 4])


@pytest.mark.skipif(
    Target.host().arch != "x86_64" or not Target.host().has("sse4.2", "popcnt"), reason="needs x86"
)
def test_another_processor_whose_code_runs_here_is_a_warning() -> None:
    if Target.host().cpu == "nehalem":
        pytest.skip("this is the processor")
    with pytest.warns(
        TewbWarning, match="the code is made for nehalem, and this machine is .*, which runs it"
    ):
        kernel = tewb.build(*added(4), target="llvm -mcpu=nehalem", target_host="llvm")
    np.testing.assert_array_equal(kernel(np.arange(4, dtype="float32")), [1, 2, 3, 4])


@pytest.mark.skipif(
    Target.host().arch != "x86_64" or Target.host().has("xop"), reason="needs an x86 without xop"
)
def test_one_whose_code_does_not_run_here_says_what_is_lacking() -> None:
    kernel = tewb.build(*added(), target="llvm -mcpu=bdver2")
    with pytest.raises(
        ArgumentError, match=r"made for llvm .* -mcpu=bdver2, and this machine is .*: it lacks .*xop"
    ):
        kernel(np.zeros(100, "float32"))


def test_a_processor_that_nothing_is_known_of_is_not_run() -> None:
    said = f"what instructions {UNLISTED} has is not known"
    assert Target.of(f"llvm -mcpu={UNLISTED}").why_not_here == said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("-mcpu=nothing", "LLVM knows no processor nothing of"),
        ("-mattr=+nosuchfeature", "LLVM knows no feature nosuchfeature of .*\n  hint: the nearest name is"),
        (
            "-mtriple=aarch64-linux-gnu -mcpu=neoverse-v9",
            "no processor neoverse-v9 of aarch64\n  hint: .* is neoverse-v",
        ),
        (
            "-mtriple=x86_64-linux-gnu -mcpu=skylakes",
            "no processor skylakes of x86_64\n  hint: .* is skylake",
        ),
    ],
)
def test_names_that_llvm_does_not_know_are_refused_before_it_writes_to_stderr(
    options: str, said: str, capfd: Any
) -> None:
    with pytest.raises(CodegenError, match=said):
        Target.of(f"llvm {options}")
    assert capfd.readouterr().err == ""


def test_the_host_may_be_another_processor_of_the_same_system() -> None:
    if Target.host().arch == "x86_64":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TewbWarning)
            assert (
                tewb.build(*added(4), "llvm -mcpu=x86-64-v2", "llvm -mcpu=core-avx2", name="f").entry_name
                == "f"
            )
    with pytest.raises(CodegenError, match="is not the target"):
        tewb.build(*added(), "llvm", ARM)


def test_boards_kinds_and_tags_have_names() -> None:
    assert tewb.target.arm_cpu("rasp4b64").mcpu == "cortex-a72" and tewb.target.arm_cpu().device_name == ""
    assert tewb.target.arm_cpu("rk3399", "-mcpu=cortex-a53").keys == ["arm_cpu", "cpu"]
    assert "llvm" in Target.list_kinds() and Target.list_tags()["raspberry-pi/4b-aarch64"].arch == "aarch64"
    assert tewb.target.llvm_version_major() >= 15


@pytest.mark.parametrize(
    ("target", "runs"),
    [("llvm", True), ("cpu", True), ("cuda", False), ("opencl", False), (ARM, False), ("nonsense", False), ({"kind": "llvm"}, True)],
)  # fmt: skip
def test_what_is_enabled(target: Any, runs: bool) -> None:
    assert enabled(target) is runs
