"""A function under construction: names, blocks, what a module declares once, memory that is freed before it returns."""

from __future__ import annotations

import numpy as np
import pytest

from tests.codegen.llvm_functions import computed, function
from tewb.base import DType
from tewb.codegen.function import Function, Module
from tewb.ir import Var
from tewb.runtime import Target
from tewb.runtime.abi import PackedCall

ARM = "llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-v1"


def test_values_have_names_of_their_own_and_locations() -> None:
    f = function()
    f.location = "!7"
    x = f.ins("add i32 1, 2")
    f.do(f"call void @g(i32 {x})")
    f.location = None
    assert f.ins("add i32 3, 4") != x
    assert f.lines[:2] == [f"  {x} = add i32 1, 2, !dbg !7", f"  call void @g(i32 {x}), !dbg !7"]
    assert "!dbg" not in f.lines[2]


def test_a_module_declares_and_shares_once() -> None:
    module = Module(Target.host())
    assert module.declare("g", "void @g()") == module.declare("g", "i32 @g()") == "@g"
    assert list(module.declarations.values()) == ["declare void @g()"]
    assert [module.message(m) for m in ("a", "b", "a")] == [0, 1, 0]
    assert [module.packed_number(PackedCall(n)) for n in ("f", "g", "f")] == [0, 1, 0]
    assert module.nontemporal() == module.nontemporal() != module.meta("!{i32 1}")


def test_strings_are_bytes_with_a_zero() -> None:
    module = Module(Target.host())
    name = module.string('é"\n')
    assert module.string('é"\n') == name and module.declarations[name].endswith('c"\\c3\\a9\\22\\0a\\00"')
    assert "[5 x i8]" in module.declarations[name] and module.string("") != name


def test_pointers_know_the_alignment_of_their_memory() -> None:
    module, data = Module(Target.host()), Var("A", DType("handle"))
    assert module.pointer(data) == "ptr noalias" and "!align" not in module.pointer_from("%p", data)
    module.alignments[data] = 64
    assert module.pointer(data) == "ptr noalias align 64"
    text = module.pointer_from("%p", data)
    assert text.endswith(", !align !0") and module.metadata == ["!{i64 64}"]
    assert module.pointer_from("%q", data).endswith(", !align !0")


@pytest.mark.parametrize(
    ("target", "fence"), [("llvm -mtriple=x86_64-linux-gnu", "sfence"), (ARM, "fence release")]
)
def test_nontemporal_stores_are_fenced(target: str, fence: str) -> None:
    module = Module(Target.of(target))
    assert module.fence() == []
    module.has_nontemporal = True
    (line,) = module.fence()
    assert fence in line


@pytest.mark.parametrize("count", [1, 2, 9])
def test_a_loop_runs_its_body_so_many_times(count: int) -> None:
    def write(f: Function, args: object) -> str:
        slot = f.stack("i64", 1)
        f.do(f"store i64 0, ptr {slot}")
        for i in f.each(count):
            total = f.ins(f"load i64, ptr {slot}")
            f.do(f"store i64 {f.ins(f'add i64 {i}, {total}')}, ptr {slot}")
        return f.ins(f"load i64, ptr {slot}")

    assert computed(write, np.zeros(1, "int64")).tolist() == [count * (count - 1) // 2]


def test_a_value_in_all_lanes() -> None:
    got = computed(
        lambda f, x: f.splat(f.ins(f"extractelement <4 x i16> {x[0]}, i64 2"), DType("int16x4")),
        np.array([1, 2, 3, 4], "int16"),
        lanes=4,
    )
    assert got.tolist() == [3, 3, 3, 3]


def test_memory_is_freed_from_the_inside_out_and_the_ends_are_shared() -> None:
    f = function()
    f.fail()
    assert f.lines == ["  ret i32 1"]
    f.owned = ["%a", "%b"]
    f.fail()
    f.fail()
    assert f.lines[1] == f.lines[2] == f"  br label %{f.ends['%b']}"
    assert [line.split("ptr ")[-1] for line in f.ending if "free" in line] == ["%a)", "%b)"]
    assert f.ending[-1] == f"  br label %{f.ends['%a']}" and f.ending[2] == "  ret i32 1"


def test_a_requirement_fails_with_its_message() -> None:
    f = function()
    f.require("%c", 3, "wrong", "%x", "%y")
    assert "br i1 %c" in f.lines[0] and "!prof" in f.lines[0]
    assert f.lines[2] == "  call void @tewb.fail(ptr %ctx, i64 3, i64 0, i64 %x, i64 %y)"
    assert f.module.messages == ["wrong"] and f.block == f.lines[-1].rstrip(":")


def test_loops_that_end_with_wishes_are_told_apart() -> None:
    f = function()
    for _ in range(2):
        f.branch("%c", "b1", "b2", wishes=['!"llvm.loop.unroll.disable"'])
    assert f.module.metadata == [
        '!{!"llvm.loop.unroll.disable"}',
        "distinct !{!1, !0}",
        "distinct !{!2, !0}",
    ]


def test_names_of_parts_of_the_kernel_are_taken() -> None:
    f = Function(Module(Target.host()), "define void @f()", "add.kernel.par0")
    assert (
        f.taken("add.kernel")
        and f.taken("add.kernel.body")
        and "build it with another name" in (f.taken("add.kernel") or "")
    )
    assert f.taken("add") is None and f.taken("add.kernels") is None
