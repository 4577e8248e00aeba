"""LLVM's half of the way: its passes and remarks, by the lines of the low-level IR."""

from __future__ import annotations

import pytest

from tewb.base import CodegenError
from tewb.codegen import compile_module, llvm_history
from tewb.codegen import llvm_history as asked
from tewb.codegen.llvm_history import LONGEST, history_of
from tewb.ir import IRModule
from tewb.lowering import BUILD, run
from tewb.runtime import Target
from tewb.workbench.demos import demo_session

SAID = """*** IR Dump After SimplifyCFGPass on main.body ***
define i32 @main.body() {
entry:
  ret i32 0, !dbg !3
}
!3 = !DILocation(line: 7, column: 1, scope: !2)
remark: tewb.ir:7:1: loop not vectorized: it is short
remark: tewb.ir:0:0: inlined
*** IR Dump After LICMPass on loop %b18 in function main ***
define i32 @main() {
  ret i32 1
}
remark: tewb.ir:7:1: loop not vectorized: it is short
"""


def test_passes_and_remarks_are_told_apart() -> None:
    h = history_of(SAID)
    assert [(p.name, p.on) for p in h.passes] == [
        ("SimplifyCFG", "main.body"),
        ("LICM", "loop %b18 in function main"),
    ]
    assert ("  ret i32 0", 7) in h.passes[0].lines() and "remark" not in h.passes[0].text
    assert [(r.line, r.text) for r in h.remarks] == [
        (7, "loop not vectorized: it is short"),
        (None, "inlined"),
    ]


def test_nothing_said_is_an_empty_history() -> None:
    assert history_of("").passes == () and history_of("").remarks == ()


def test_the_last_pass_leads_to_the_optimised_text() -> None:
    trace: list[object] = []
    s = demo_session("matmul", n=16)
    f = s.function
    run(f, BUILD, trace)  # type: ignore[arg-type]
    compiled = compile_module(IRModule({"main": trace[-1][1]}))  # type: ignore[index]
    h = llvm_history(compiled.llvm_ir, 2, Target.host())
    assert len(h.passes) > 10 and any("vectoriz" in r.text for r in h.remarks)
    last = [text for text, _ in h.passes[-1].lines()]
    assert last[-8:] == [text for text, _ in compiled.llvm_lines(optimized=True)][-8:]


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(CodegenError, match="LLVM's passes are not told of"):
        asked(" " * (LONGEST + 1), 2, Target.host())
