"""The kernels of the benchmarks for AArch64, which is only compiled here: their code is vectors, all through.

Tiles are those of 16-byte registers where the benchmark asks for the size of its tiles.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

import tewb
from tests.bench import (
    argmax,
    attention,
    batched,
    blur,
    conv_blocked,
    convolution,
    elementwise,
    int8_matmul,
    jacobi,
    math,
    matmul,
    rows,
    stencil,
    transpose,
)

N1 = "llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-n1"
V1 = "llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-v1"
A72 = "llvm -mtriple=aarch64-linux-gnu -mcpu=cortex-a72"

# Each with the vector instructions that it is about.
KERNELS: dict[str, tuple[Callable[[], Any], list[str]]] = {
    "matmul": (partial(matmul.scheduled, 96, 128, 64, 6, 16), ["fmla v4s"]),
    "matmul, sizes that do not divide": (partial(matmul.scheduled, 50, 37, 23, 6, 16), ["fmla v4s"]),
    "conv2d": (partial(convolution.dense, 8, 8, 32), ["fmla v4s"]),
    "depthwise": (partial(convolution.depthwise, 4, 32), ["fmla v4s"]),
    "relu(a*b + c)": (partial(elementwise.relu, 1024), ["fmla v4s", "fmax v4s", "stnp q"]),
    "blur float32": (partial(blur.blur, 64, 128, "float32"), ["fadd v4s", "fmul v4s", "stnp q"]),
    "blur uint16": (partial(blur.blur, 64, 128, "uint16"), ["add v8h"]),
    "stencil of 3": (partial(stencil.stencil, 64, 128, 3), ["fadd v4s"]),
    "stencil of 5": (partial(stencil.stencil, 64, 128, 5), ["fadd v4s"]),
    "softmax": (partial(rows.softmax, 16, 1024), ["fmla v4s", "fmax v4s"]),
    "layernorm": (partial(rows.layernorm, 16, 1024), ["fmla v4s", "fadd v4s"]),
    "row sum": (partial(rows.row_sum, 16, 4096), ["fadd v4s"]),
    "argmax": (partial(argmax.argmax, 16, 256), ["fcmge v4s", "fcmgt v4s"]),
    "transpose": (partial(transpose.transpose, 512, 512), ["zip1 v", "zip2 v"]),
    "batched": (partial(batched.batched, 16, 8), ["fmla v4s"]),
    "conv2d in blocks": (partial(conv_blocked.blocked, 16, 16, 8), ["fmla v4s"]),
    "attention": (partial(attention.attention, 1, 64, 64), ["fmla v4s", "fmax v4s"]),
    "Jacobi": (partial(jacobi.jacobi, 64, 64, 2, 16, 32), ["fadd v4s"]),
    "channels": (partial(transpose.planes, 1024, 3), ["ld3 v16b"]),
    "int8 matmul": (partial(int8_matmul.matmul, 32, 64, 64, columns=16), ["dot v4s"]),
    "int8 matmul, packed": (partial(int8_matmul.matmul, 32, 64, 64, True, columns=16), ["dot v4s"]),
    **{
        name: (partial(math.elementwise, name, 1, 1024, "float32"), ["fmla v4s"])
        for name in ("exp", "log", "tanh", "sigmoid", "erf", "sin", "cos")
    },
    "pow": (partial(math.elementwise, "power", 2, 1024, "float32"), ["fmla v4s"]),
    "rsqrt": (partial(math.elementwise, "rsqrt", 1, 1024, "float32"), ["fsqrt v4s", "fdiv v4s"]),
}


def assembly(program: Any, target: str) -> str:
    s, args = program
    return tewb.build(s, args, target=target).get_source("asm")


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Every instruction with the shape of its first register: ("fmla", "v4s"), ("ldp", "q"), ("fadd", "s")."""
    for op, operands in re.findall(r"^\t([a-z]\w*)\t(.*)", text, re.M):
        found = re.match(r"[{\[ ]*([a-z])\d+(?:\.(\w+))?", operands)
        yield op, found[1] + (found[2] or "") if found else ""


def loops(text: str) -> list[str]:
    """The innermost loops: from a label to a jump back to it, with no label between."""
    blocks = re.split(r"^(\.LBB\w+):", text, flags=re.M)
    found = []
    for label, body in zip(blocks[1::2], blocks[2::2], strict=True):
        back = re.search(rf"\t(?:b\.\w+\t|cbn?z\t\w+, ){re.escape(label)}$", body, re.M)
        if back:
            found.append(body[: back.end()])
    return found


@pytest.mark.one_in(4)
@pytest.mark.parametrize("target", [N1, V1], ids=["n1", "v1"])
@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_is_vectors_all_through(name: str, target: str) -> None:
    make, wanted = KERNELS[name]
    text = assembly(make(), target)
    found = {f"{op} {shape}" for op, shape in instructions(text)}
    for instruction in wanted:
        if not (instruction == "add v8h" and "z" in {shape for _, shape in instructions(text)}):
            assert any(instruction in f for f in found), instruction
    assert any(f in found for f in ("ldp q", "ldr q", "ldur q", "ld1 v4s", "ld3 v16b"))
    # The last four lanes of a row's sum, and its inverse, are scalars of attention.
    for loop in loops(text) if name != "attention" else ():
        scalar = [op for op, shape in instructions(loop) if shape in ("s", "d", "h") and _computes(op)]
        assert scalar == [], loop


def _computes(op: str) -> bool:
    return re.fullmatch(r"fn?m(add|sub|ul|ax|in|axnm|innm)|fadd|fsub|fdiv|fsqrt", op) is not None


@pytest.mark.parametrize(
    ("target", "program", "multiply", "count"),
    [
        (N1, partial(matmul.scheduled, 96, 128, 64, 6, 16), "fmla", 6 * 4),
        (V1, partial(matmul.scheduled, 96, 128, 64, 6, 16), "fmla", 6 * 4),
        # Without usdot, a sum of each vector of B makes up for the other sign of A.
        (N1, partial(int8_matmul.matmul, 32, 64, 64, True, columns=16), "sdot", 4 * 4 + 4),
        (V1, partial(int8_matmul.matmul, 32, 64, 64, True, columns=16), "usdot", 4 * 4),
    ],
)
def test_sums_stay_in_registers(target: str, program: Callable[[], Any], multiply: str, count: int) -> None:
    found = [[op for op, _ in instructions(x)] for x in loops(assembly(program(), target))]
    found = [done for done in found if multiply in done]
    assert found
    for done in found:
        assert done.count(multiply) in (count, 2 * count)
        assert not any(op.startswith("st") for op in done)


@pytest.mark.parametrize(
    ("target", "dot"),
    [(N1, "sdot v4s"), (V1, "usdot v4s"), (f"{N1} -mattr=+i8mm", "usdot v4s"), (A72, "mla v4s")],
)
def test_the_int8_product_has_the_instruction_of_its_processor(target: str, dot: str) -> None:
    text = assembly(int8_matmul.matmul(32, 64, 64, True, columns=16), target)
    assert dot in {f"{op} {shape}" for op, shape in instructions(text)}


def test_vectors_are_as_wide_as_the_target_says() -> None:
    s, args = elementwise.relu(1024)
    kernel = tewb.build(s, args)
    assert '"prefer-vector-width"="128"' in kernel.get_source("ll0", target=N1)
    wide = "llvm -mtriple=x86_64-linux-gnu -mcpu=znver4"
    assert '"prefer-vector-width"="512"' in kernel.get_source("ll0", target=wide)
