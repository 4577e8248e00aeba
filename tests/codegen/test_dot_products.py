"""dot4 and dot2: exact on every value, by every instruction that this machine has, and by those of others."""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np
import pytest

import tewb
from tewb.base import CodegenError, DTypeError, ParseError
from tewb.codegen import dot_products
from tewb.codegen.dot_products import Instructions, instructions
from tewb.driver import build_ir
from tewb.ir import IRModule, Var, intrinsics, parse, script, structural_equal
from tewb.runtime import Target
from tewb.testing import CALLS

PAIRS = list(itertools.product(("uint8", "int8"), repeat=2)) + list(
    itertools.product(("uint16", "int16"), repeat=2)
)
X86 = Target.host().arch == "x86_64"
TARGETS = ["llvm"]
if X86:
    TARGETS += ["llvm -mattr=-avx512vnni,-avxvnni", "llvm -mcpu=x86-64-v3", "llvm -mcpu=x86-64"]
TARGETS = [t for t in TARGETS if Target.of(t).runs_here]


def program(lanes: int, a: str, b: str, shared: bool) -> IRModule:
    """c[0:lanes] = dot(c[0:lanes], a, b), where all lanes may share one group of a."""
    group = 32 // np.iinfo(a).bits
    n, few = group * lanes, group if shared else group * lanes
    wide = lambda name, k: f"{name}[0:{k}]" if k > 1 else f"{name}[0]"  # noqa: E731
    return parse(
        f"""@I.ir_module
class Module:
    @T.prim_func
    def main(a: T.Buffer(({few},), "{a}"), b: T.Buffer(({n},), "{b}"), c: T.Buffer(({lanes},), "int32")):
        T.func_attr({{"outputs": ["c"]}})
        {wide("c", lanes)} = T.dot{group}({wide("c", lanes)}, {wide("a", few)}, {wide("b", n)})
"""
    )


def values(dtype: str, count: int, rng: np.random.Generator) -> Any:
    """Random values, with many of the least and the largest."""
    info = np.iinfo(dtype)
    made = rng.integers(info.min, info.max + 1, count)
    ends = rng.choice([info.min, info.max, 0], count)
    return np.where(rng.random(count) < 0.5, made, ends).astype(dtype)


def expected(c: Any, a: Any, b: Any) -> Any:
    group = 32 // (8 * a.itemsize)
    with np.errstate(over="ignore"):
        products = a.astype(np.int64).reshape(-1, group) * b.astype(np.int64).reshape(-1, group)
        return (c.astype(np.int64) + products.sum(axis=1)).astype(np.int32)


def check(module: IRModule, lanes: int, a: str, b: str, shared: bool, target: str = "llvm") -> None:
    kernel = build_ir(module, target=Target.of(target))
    rng = np.random.default_rng(lanes)
    group = 32 // np.iinfo(a).bits
    for _ in range(8):
        x = values(a, group if shared else group * lanes, rng)
        y = values(b, group * lanes, rng)
        c = values("int32", lanes, rng)
        want = expected(c, x, y)
        kernel(x, y, c)
        np.testing.assert_array_equal(c, want)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_every_pair_of_signs_is_exact(a: str, b: str, target: str) -> None:
    for lanes, shared in itertools.product((1, 4, 16, 40), (False, True)):
        check(program(lanes, a, b, shared), lanes, a, b, shared, target)


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_the_extremes_wrap_as_int32_does(a: str, b: str) -> None:
    group = 32 // np.iinfo(a).bits
    kernel = build_ir(program(16, a, b, True))
    for x, y in itertools.product(*[(np.iinfo(d).min, np.iinfo(d).max) for d in (a, b)]):
        for total in (np.iinfo("int32").min, 0, np.iinfo("int32").max):
            c = np.full(16, total, "int32")
            given = np.full(group, x, a), np.full(group * 16, y, b)
            want = expected(c, *given)
            kernel(*given, c)
            np.testing.assert_array_equal(c, want)


class _Emulated(dot_products._DotProducts):
    """Instructions called `emulated.<signs>` are written out, so that those of other machines run here."""

    def call(self, name: str, total: str, x: str, y: str, bits: int) -> str:
        if not name.startswith("emulated"):
            return super().call(name, total, x, y, bits)
        signs = [letter == "s" for letter in name[-2:]]
        plain = dot_products._DotProducts(self.f, Instructions(self.lanes, {}, {}), 4, *signs)
        return plain.dot(total, x, y)


@pytest.mark.parametrize("has", [["ss", "uu"], ["ss", "uu", "us"], ["us"], ["ss"], []], ids="-".join)
def test_what_an_instruction_set_lacks_is_made_of_what_it_has(
    has: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = {(s[0] == "s", s[1] == "s"): f"emulated.{s}" for s in has}
    monkeypatch.setattr(dot_products, "instructions", lambda *_: Instructions(4, table, {}))
    monkeypatch.setattr(dot_products, "_DotProducts", _Emulated)
    for a, b in itertools.product(("uint8", "int8"), repeat=2):
        for shared in (False, True):
            check(program(12, a, b, shared), 12, a, b, shared)


@pytest.mark.parametrize(
    ("target", "a", "b", "instruction"),
    [
        ("llvm -mtriple=x86_64-linux-gnu -mcpu=cascadelake", "uint8", "int8", "vpdpbusd\\t.*%zmm"),
        ("llvm -mtriple=x86_64-linux-gnu -mcpu=cascadelake", "int8", "int8", "vpdpbusd\\t.*%zmm"),
        ("llvm -mtriple=x86_64-linux-gnu -mcpu=cascadelake", "int16", "int16", "vpdpwssd\\t.*%zmm"),
        ("llvm -mtriple=x86_64-linux-gnu -mcpu=skylake-avx512", "int16", "int16", "vpmaddwd\\t.*%zmm"),
        ("llvm -mtriple=x86_64-linux-gnu -mcpu=alderlake", "uint8", "int8", "vpdpbusd"),
        ("llvm -mtriple=x86_64-linux-gnu -mcpu=lunarlake", "int8", "int8", "vpdpbssd"),
        ("llvm -mtriple=x86_64-linux-gnu -mcpu=lunarlake", "uint8", "uint8", "vpdpbuud"),
        ("llvm -mtriple=x86_64-linux-gnu -mcpu=haswell", "uint8", "int8", "vpmaddwd\\t.*%ymm"),
        ("llvm -mtriple=x86_64-linux-gnu", "uint8", "int8", "pmaddwd\\t.*%xmm"),
        ("llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-n1", "int8", "int8", "sdot\tv"),
        ("llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-n1", "uint8", "uint8", "udot\tv"),
        ("llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-n1", "uint8", "int8", "\tsdot\tv"),
        ("llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-v1", "uint8", "int8", "usdot\tv"),
        ("llvm -mtriple=aarch64-linux-gnu -mcpu=cortex-a72", "uint8", "int8", "mla\tv"),
        ("llvm -mtriple=aarch64-linux-gnu -mcpu=cortex-a72", "int16", "int16", "mla\tv"),
    ],
)
def test_the_instruction_of_a_target(target: str, a: str, b: str, instruction: str) -> None:
    assembly = build_ir(program(16, a, b, True), target=Target.of(target)).get_source("asm")
    lines = [line for line in assembly.splitlines() if line.startswith("\t") and not line.startswith("\t.")]
    code = "\n".join(lines)
    assert re.search(instruction, code)
    for saturating in ("dpbusds", "dpwssds", "pmaddubsw"):
        assert saturating not in code


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("cpu", "features"),
    [
        ("x86_64-linux-gnu -mcpu=znver4", features)
        for features in ("-avx512f", "-avx512bw", "-avx512vl", "-avx512vnni", "-avx2", "-avx", "+avxvnniint8")
    ]
    + [("x86_64-linux-gnu -mcpu=x86-64", features) for features in ("+avx512vnni", "+avxvnni", "+avxvnniint8", "+avx")]
    + [("aarch64-linux-gnu -mcpu=neoverse-v1", features) for features in ("-dotprod", "-i8mm")],
)  # fmt: skip
def test_every_mixture_of_features_has_code(cpu: str, features: str) -> None:
    """An instruction that LLVM does not have there would end the process."""
    target = Target.of(f"llvm -mtriple={cpu} -mattr={features}")
    for a, b in PAIRS:
        for lanes in (1, 8, 40):
            assert build_ir(program(lanes, a, b, True), target=target).get_source("asm")


def test_narrow_registers_for_few_lanes() -> None:
    target = Target.of("llvm -mtriple=x86_64-linux-gnu -mcpu=znver4")
    assert [instructions(target, n).lanes for n in (1, 4, 8, 9, 16, 64)] == [4, 4, 8, 16, 16, 16]


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_text_reads_back_and_the_interpreter_knows_the_meaning(a: str, b: str) -> None:
    module = program(8, a, b, True)
    assert structural_equal(parse(script(module)), module)
    rng = np.random.default_rng(0)
    group = 32 // np.iinfo(a).bits
    x, y, c = values(a, group, rng), values(b, 8 * group, rng), values("int32", 8, rng)
    np.testing.assert_array_equal(CALLS[f"dot{group}"](c, x, y), expected(c, x, y))
    assert CALLS[f"dot{group}"](c[0], x, y[:group]) == expected(c[:1], x, y[:group])[0]


@pytest.mark.parametrize(
    ("total", "a", "b", "said"),
    [
        ("int32x4", "int8x16", "int16x8", "of two 8-bit or two 16-bit integers"),
        ("int32x4", "float32x4", "float32x4", "of two 8-bit or two 16-bit integers"),
        ("int32x4", "int8x16", "int8x8", "takes operands of 16 or 4 lanes, not int8x8"),
        ("int64x4", "int8x16", "int8x16", "add to int32, not to int64x4"),
    ],
)
def test_operands_that_do_not_go_together_are_refused(total: str, a: str, b: str, said: str) -> None:
    with pytest.raises(DTypeError, match=said):
        intrinsics.dot(*[Var(n, tewb.base.DType(d)) for n, d in zip("tab", (total, a, b), strict=True)])


def test_text_with_the_wrong_operands_is_refused() -> None:
    text = script(program(4, "int8", "int8", False))
    with pytest.raises(ParseError, match="takes operands of 16 or 4 lanes"):
        parse(text.replace("a[0:16]", "a[0:8]"))
    with pytest.raises(ParseError, match="T.dot2 takes 16-bit integers, not int8x16"):
        parse(text.replace("dot4", "dot2"))


def test_a_dot_product_is_not_taken_apart() -> None:
    text = script(program(16, "int8", "int8", False))
    value = "T.dot4(c[0:16], a[0:64], b[0:64])"
    choice = f"T.if_then_else(c[0:16] > T.Broadcast(0, 16), {value}, c[0:16])"
    with pytest.raises(CodegenError, match="cannot be taken apart"):
        build_ir(parse(text.replace(value, choice)), debug=True)
