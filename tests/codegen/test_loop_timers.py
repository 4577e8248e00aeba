"""The code of timers: the clock, counters that are added up by function, other processors."""

from __future__ import annotations

import numpy as np
import pytest

import tewb
from tewb.base import CodegenError
from tewb.codegen import compile_module
from tewb.ir import IRModule, PrimFunc, parse
from tewb.runtime import Target

PROGRAM = """@T.prim_func
def f(A: T.Buffer((4,), "float32"), counters: T.Buffer((4,), "int64")):
    with T.attr(None, "tewb.timer", counters[0]):
        for i in KIND:
            with T.attr(None, "tewb.timer", counters[2]):
                for j in range(3):
                    A[i] = A[i] + T.float32(1)
"""


def program(kind: str) -> PrimFunc:
    parsed = parse(PROGRAM.replace("KIND", kind))
    assert isinstance(parsed, PrimFunc)
    return parsed


@pytest.mark.parametrize("kind", ["range(4)", "T.parallel(4)"])
def test_ticks_and_entries_are_added_to_the_counters(kind: str) -> None:
    f = program(kind)
    kernel = compile_module(IRModule({f.name: f})).kernel(f.name)
    a, counters = np.zeros(4, "float32"), np.zeros(4, "int64")
    kernel(a, counters)
    kernel(a, counters)
    assert (a == 6).all() and counters[1] == 2 and counters[3] == 8
    assert counters[0] > 0 and counters[2] > 0


def test_a_timer_of_another_key_is_only_said() -> None:
    f = parse(PROGRAM.replace("KIND", "range(4)").replace('"tewb.timer", counters[2]', '"tewb.timer", 3'))
    assert isinstance(f, PrimFunc)
    counters = np.zeros(4, "int64")
    compile_module(IRModule({f.name: f})).kernel(f.name)(np.zeros(4, "float32"), counters)
    assert list(counters[1:]) == [1, 0, 0]


def test_each_processor_has_its_clock() -> None:
    f = program("range(4)")
    code = compile_module(IRModule({f.name: f}), target=Target("llvm -mtriple=aarch64-linux-gnu"))
    assert "cntvct_el0" in code.assembly.lower()
    x86 = compile_module(IRModule({f.name: f}), target=Target("llvm -mtriple=x86_64-linux-gnu"))
    assert "rdtsc" in x86.assembly
    with pytest.raises(CodegenError, match="no clock of riscv64 that programs may read"):
        compile_module(IRModule({f.name: f}), target=Target("llvm -mtriple=riscv64-linux-gnu")).llvm_ir  # noqa: B018


def test_kernels_without_timers_read_no_clock() -> None:
    A = tewb.te.placeholder((8,), name="A")
    B = tewb.te.compute((8,), lambda i: A[i] + 1.0, name="B")
    assert "cyclecounter" not in tewb.build(tewb.te.create_schedule(B.op), [A, B]).get_source("ll")
