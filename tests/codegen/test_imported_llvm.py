"""LLVM text of the user's: linked to the kernel that calls it, and each mistake said before LLVM ends the process."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numpy as np
import pytest

import tewb
from tewb import te, tir
from tewb.base import CodegenError, ScheduleError
from tewb.ir import AttrStmt, walk

TWICE = """define i32 @twice(i32 %x) {
  %y = call i32 @helper(i32 %x)
  ret i32 %y
}
define i32 @helper(i32 %x) {
  %y = add i32 %x, %x
  ret i32 %y
}
define i32 @main() {
  ret i32 3
}
"""


def schedule_of(*texts: str, name: str = "twice", dtype: str = "int32", argument: str = "int32") -> Any:
    """B = name(A), with texts imported at its loops."""
    A = te.placeholder((8, 1), argument, name="A")
    B = te.compute((8, 1), lambda i, j: te.call_extern(dtype, name, A[i, j]), name="B")
    s = te.create_schedule(B.op)
    for axis, text in zip(B.op.axis, texts, strict=False):
        s[B].pragma(axis, "import_llvm", text)
    return s, [A, B]


def results(*texts: str, **about: Any) -> list[int]:
    s, args = schedule_of(*texts, **about)
    kernel = tewb.build(s, args)
    b = np.zeros((8, 1), str(args[1].dtype))
    kernel(np.arange(8, dtype=str(args[0].dtype)).reshape(8, 1), b)
    return [int(x) for x in b[:, 0]]


EVEN = list(range(0, 16, 2))


def test_a_function_of_imported_text_is_called() -> None:
    assert results(TWICE) == EVEN
    assert results(TWICE, TWICE) == EVEN  # one text twice is one text


@pytest.mark.parametrize("kind", ["ll", "bc"])
def test_a_file_is_imported_by_its_name(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"code.{kind}"
    path.write_bytes(TWICE.encode() if kind == "ll" else llvm.parse_assembly(TWICE).as_bitcode())
    assert results(str(path)) == EVEN
    path.write_text(TWICE.replace("add i32 %x, %x", "add i32 %x, 1").replace("helper", "other"))
    if kind == "ll":
        assert results(str(path)) == [n + 1 for n in range(8)]  # the cache knows what is in the file


def test_it_is_in_the_source_the_pickle_and_the_library(tmp_path: Path) -> None:
    s, args = schedule_of(TWICE)
    kernel = tewb.build(s, args, name="f")
    assert "define internal i32 @twice" in kernel.get_source("ll0")
    path = tmp_path / "f.o"
    kernel.export_library(path)
    a = np.arange(8, dtype="int32").reshape(8, 1)
    for other in (pickle.loads(pickle.dumps(kernel)), tewb.runtime.load_module(path)):
        b = np.zeros_like(a)
        other(a, b)
        np.testing.assert_array_equal(b, 2 * a)


def test_two_kernels_have_functions_of_one_name() -> None:
    other = TWICE.replace("add i32 %x, %x", "mul i32 %x, 3")
    assert (results(TWICE), results(other)) == (EVEN, list(range(0, 24, 3)))


def test_texts_call_each_other() -> None:
    first, second = TWICE.split("define i32 @helper", 1)
    helper = "define i32 @helper" + second
    assert results(first + "declare i32 @helper(i32)\n", helper) == EVEN


OLD = """; ModuleID = 'old.c'
source_filename = "old.c"
target datalayout = "e-m:e-i64:64-f80:128-n8:16:32:64-S128"
target triple = "x86_64-pc-linux-gnu"
define float @first(float* nocapture readonly %p, i32 %n) local_unnamed_addr #0 !dbg !7 {
  %q = getelementptr inbounds float, float* %p, i64 1
  %v = load float, float* %q, align 4, !dbg !9
  ret float %v, !dbg !9
}
attributes #0 = { nounwind "target-cpu"="no-such-cpu" "target-features"="+no-such-feature" }
!llvm.dbg.cu = !{!5}
!llvm.ident = !{!1}
!1 = !{!"clang version 6.0"}
"""


def test_text_of_an_older_clang_with_typed_pointers_and_debug_information(capfd: Any) -> None:
    A = te.placeholder((4,), name="A")
    ib_call = lambda i, o: te.call_extern("float32", "first", i[0].access_ptr("r"), 4)  # noqa: E731

    def body(ins: Any, outs: Any) -> Any:
        ib = tir.ir_builder.create()
        ib.scope_attr(None, "pragma_import_llvm", OLD)
        ib.buffer_ptr(outs[0])[0] = ib_call(ins, outs)
        return ib.get()

    B = te.extern((1,), [A], body, name="B", dtype="float32")
    if tewb.target.Target.host().arch != "x86_64":
        pytest.skip("the text is for x86-64")
    b = np.zeros(1, "float32")
    tewb.build(te.create_schedule(B.op), [A, B])(np.array([1, 2, 3, 4], "float32"), b)
    assert b[0] == 2
    assert capfd.readouterr().err == ""


RETURNS = "define i32 @twice(i32 %x) {\n  ret i32 %x\n}\n"


@pytest.mark.one_in(3)
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hello", r"LLVM does not take the text: LLVM IR parsing error\n<string>:1:1: error: expected top-level entity\nhello"),
        (TWICE.replace("ret i32 %y", "ret float 1.0", 1), r"<string>:3:7: error: value doesn't match(?s:.*)at .*test_imported_llvm.py"),
        ("define i32 @twice(i32* %x) {\n  %y = load i32* %x\n  ret i32 %y\n}", "hint: a LLVM of before 2015 wrote it"),
        (RETURNS.replace("i32", "i64"), r"twice is called as i32 \(i32\), and the imported LLVM text defines it as i64 \(i64\)"),
        (RETURNS.replace("%x)", "%x, ...)"), r"defines it as i32 \(i32, \.\.\.\)"),
        (RETURNS.replace("define", "define fastcc"), "twice is not called as functions of C are: define fastcc"),
        (RETURNS.replace("i32 %x)", "i32 inreg %x)"), "twice is not called as functions of C are"),
        ("@twice = alias i32 (i32), ptr @f\n" + RETURNS.replace("twice", "f"), "twice is another name of a function"),
        ('target triple = "mips-linux-gnu"\n' + RETURNS, "the text is for mips, and the kernel for"),
        (RETURNS.replace("define", "define internal"), "the function twice is called and does not exist"),
        ("declare i32 @nobody(i32)\n" + RETURNS.replace("ret i32 %x", "%y = call i32 @nobody(i32 %x)\n  ret i32 %y"), "the function nobody is called and does not exist"),
        ("@llvm.global_ctors = appending global [0 x { i32, ptr, ptr }] []\n" + RETURNS, "the text has constructors"),
        (RETURNS.replace("%x)", "%x) alwaysinline noinline"), "noinline and alwaysinline' are incompatible"),
        (RETURNS.replace("%x)", '%x) gc "nobody"'), "unsupported GC"),
        ('module asm "bogus stuff"\n' + RETURNS, "LLVM does not take the text: it gave up: error: <inline asm>.*invalid instruction"),
        (RETURNS.replace("ret i32 %x", "unreachable"), "a kernel can never be run to its end"),
        ("no/such/file.ll", "import_llvm cannot read no/such/file.ll: No such file"),
    ],
)  # fmt: skip
def test_mistakes_in_a_text_are_said(text: str, said: str) -> None:
    with pytest.raises(CodegenError, match=said):
        results(text)


def test_the_loops_are_shown_in_a_line() -> None:
    s, args = schedule_of(TWICE)
    assert s[args[1]].loops().startswith("i(8, import_llvm define i32 @twice(i32 %x) {\\n")
    assert "\n" not in s[args[1]].loops()


def test_two_texts_that_define_one_function_are_refused() -> None:
    with pytest.raises(CodegenError, match="twice is defined by two texts"):
        results(TWICE, RETURNS)


@pytest.mark.parametrize("value", [None, 3, ""])
def test_what_is_no_text_is_refused_at_once(value: Any) -> None:
    with pytest.raises(ScheduleError, match="import_llvm takes LLVM text, not"):
        schedule_of(value)


def test_what_is_no_text_in_a_statement_by_hand_is_refused() -> None:
    ib = tir.ir_builder.create()
    ib.scope_attr(None, "pragma_import_llvm", 3)
    A = tir.decl_buffer((4,), "int32", name="A")
    ib.buffer_ptr(A)[0] = 1
    with pytest.raises(CodegenError, match="import_llvm takes LLVM text, not"):
        tewb.build(tir.PrimFunc("main", (A,), ib.get(), outputs=(0,)))


def test_inline_assembly_is_assembled() -> None:
    if tewb.target.Target.host().arch != "x86_64":
        pytest.skip("the assembly is that of x86-64")
    addition = 'call i32 asm "addl $1, $0", "=r,r,0"(i32 %x, i32 %x)'
    text = RETURNS.replace("ret i32 %x", f"%y = {addition}\n  ret i32 %y")
    assert results(text) == EVEN


@pytest.mark.parametrize(("dtype", "extension"), [("int8", "signext"), ("uint8", "zeroext")])
def test_narrow_integers_are_extended_as_c_compilers_expect(dtype: str, extension: str) -> None:
    text = (
        f"define i32 @wide(i8 {extension} %x) noinline {{\n"
        f"  %y = {extension[0]}ext i8 %x to i32\n  ret i32 %y\n}}"
    )
    s, args = schedule_of(text, name="wide", argument=dtype)
    a, b = np.array([1, 2, 127, 128, 200, 254, 255, 0], "uint8").view(dtype), np.zeros((8, 1), "int32")
    tewb.build(s, args)(a.reshape(8, 1), b)
    assert b[:, 0].tolist() == a.tolist()


def test_the_pragma_has_the_line_where_it_was_given() -> None:
    s, args = schedule_of(TWICE)
    (attr,) = [n for n in walk(tewb.lower(s, args)["main"].body) if isinstance(n, AttrStmt)]
    assert attr.origin is not None and attr.origin.step == 0 and attr.origin.span is s.journal[0].span


GEMV = """define i32 @gemv_update(ptr %c, ptr %a, ptr %b, i32 %m, i32 %l, i32 %stride) {
entry:
  br label %row
row:
  %i = phi i32 [ 0, %entry ], [ %i1, %end ]
  %i64 = zext i32 %i to i64
  %ci = getelementptr float, ptr %c, i64 %i64
  %start = mul i32 %i, %stride
  br label %column
column:
  %j = phi i32 [ 0, %row ], [ %j1, %column ]
  %j64 = zext i32 %j to i64
  %aj = getelementptr float, ptr %a, i64 %j64
  %at = add i32 %start, %j
  %at64 = zext i32 %at to i64
  %bij = getelementptr float, ptr %b, i64 %at64
  %x = load float, ptr %aj
  %y = load float, ptr %bij
  %z = load float, ptr %ci
  %p = fmul float %x, %y
  %s = fadd float %z, %p
  store float %s, ptr %ci
  %j1 = add i32 %j, 1
  %more = icmp slt i32 %j1, %l
  br i1 %more, label %column, label %end
end:
  %i1 = add i32 %i, 1
  %rows = icmp slt i32 %i1, %m
  br i1 %rows, label %row, label %out
out:
  ret i32 0
}
"""


def test_a_tensorized_loop_calls_a_micro_kernel_of_imported_text() -> None:
    n, m, k = 4, 16, 8
    A, B = te.placeholder((n, k), name="A"), te.placeholder((m, k), name="B")
    r = te.reduce_axis((0, k), name="r")
    C = te.compute((n, m), lambda i, j: te.sum(A[i, r] * B[j, r], axis=r), name="C")
    a, b = te.placeholder((4,), name="a"), te.placeholder((8, 4), name="b")
    q = te.reduce_axis((0, 4), name="q")
    c = te.compute((8,), lambda i: te.sum(a[q] * b[i, q], axis=q), name="c")
    strides = {a: [1], b: [te.var("s"), 1], c: [1]}
    binds = {
        t: tir.decl_buffer(t.shape, t.dtype, name=t.name, offset_factor=1, strides=s)
        for t, s in strides.items()
    }

    def gemv(ins: Any, outs: Any) -> Any:
        (out,) = outs
        reset = tir.ir_builder.create()
        with reset.for_range(0, 8) as i:
            reset.buffer_ptr(out)[i] = 0.0
        pointers = [out.access_ptr("w"), *(x.access_ptr("r") for x in ins)]
        update = tir.ir_builder.create()
        update.emit(te.call_extern("int32", "gemv_update", *pointers, 8, 4, ins[1].strides[0]))
        body = update.get()
        return body, reset.get(), body

    s = te.create_schedule(C.op)
    x, y = C.op.axis
    yo, yi = s[C].split(y, factor=8)
    ro, ri = s[C].split(r, factor=4)
    s[C].reorder(x, yo, ro, yi, ri)
    s[C].tensorize(yi, te.decl_tensor_intrin(c.op, gemv, binds=binds))
    s[C].pragma(x, "import_llvm", GEMV)
    kernel = tewb.build(s, [A, B, C])
    left, right = (np.random.default_rng(0).random(shape, "float32") for shape in ((n, k), (m, k)))
    got = np.zeros((n, m), "float32")
    kernel(left, right, got)
    np.testing.assert_allclose(got, left @ right.T, rtol=1e-5)
