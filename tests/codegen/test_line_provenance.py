"""Lines of LLVM IR and of assembly know the line of IR that they compute."""

from __future__ import annotations

import pytest

import tewb
from tewb import te
from tewb.codegen.line_provenance import assembly_lines, llvm_lines


def test_llvm_lines_follow_debug_locations() -> None:
    text = "\n".join(
        [
            'target triple = "x"',
            "define i32 @f() !dbg !1 {",
            "b1:",
            "  %v1 = add i32 1, 2, !dbg !5",
            "  br label %b2, !prof !3, !dbg !6",
            "}",
            "!5 = !DILocation(line: 7, column: 1, scope: !1)",
            "!6 = distinct !DILocation(line: 0, scope: !1)",
        ]
    )
    assert llvm_lines(text) == [
        ("define i32 @f() {", None),
        ("b1:", 7),
        ("  %v1 = add i32 1, 2", 7),
        ("  br label %b2", None),
        ("}", None),
    ]


def test_assembly_lines_keep_jump_targets() -> None:
    text = "f:\n\t.loc\t1 3 1\n\tpushq\t%rbp\n.Ltmp0:\n.LBB0_1:\n\t.loc\t1 4 1 # x\n\tjmp\t.LBB0_1\n\t.p2align\t4\n"
    assert assembly_lines(text) == [("f:", 3), ("\tpushq\t%rbp", 3), (".LBB0_1:", 4), ("\tjmp\t.LBB0_1", 4)]


def test_assembly_knows_its_line_of_ir() -> None:
    A = te.placeholder((1024,), name="A")
    B = te.compute((1024,), lambda i: A[i] * 2.0, name="B")
    s = te.create_schedule(B.op)
    kernel = tewb.build(s, [A, B])
    text = kernel.code.module.script().splitlines()
    linked = {line for _, line in kernel.code.assembly_lines() if line}
    assert any("B" in text[line - 1] and "=" in text[line - 1] for line in linked)


def test_what_is_no_code_is_left_out() -> None:
    text = '; a comment\n\nattributes #0 = { nounwind }\nsource_filename = "x"\n  #dbg_value(i32 0)\n!llvm.module.flags = !{!1}\n'
    assert llvm_lines(text + "declare void @g()\n") == [("declare void @g()", None)]
    assert assembly_lines("# a comment\n\t.text\n\n\tret # done\n") == [("\tret", None)]


@pytest.mark.parametrize("text", ["", "\n", "b1:\n"])
def test_texts_of_nothing(text: str) -> None:
    assert llvm_lines(text) == assembly_lines(text) == [(line, None) for line in text.split()]


def test_a_location_of_line_0_is_none() -> None:
    text = "\t.loc\t1 0 0\n\tnop\n\t.loc\t1 9 3 is_stmt 0\n\tret\n"
    assert assembly_lines(text) == [("\tnop", None), ("\tret", 9)]
