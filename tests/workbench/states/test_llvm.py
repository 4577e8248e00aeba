"""LLVM's passes as forms of the code, and its remarks on loops."""

from __future__ import annotations

import pytest

from tewb.base import TewbError
from tewb.workbench.demos import demo_session
from tewb.workbench.states.code import code_state
from tewb.workbench.states.llvm import llvm_state


def test_a_remark_stands_on_the_loop_that_it_speaks_of() -> None:
    s = demo_session("blur", n=64)
    found = llvm_state(s)
    assert found.problem is None
    said = [r for r in found.remarks if r.text.startswith("vectorized loop")]
    assert {(r.stage, r.loop) for r in said} == {("X", "j"), ("Y", "j")}
    assert said[0].part == s.code_forms.loop_numbers.number(said[0].stage, said[0].loop)


def test_every_pass_is_a_form_of_the_code() -> None:
    s = demo_session("matmul", n=16)
    passes = llvm_state(s).passes
    assert len(passes) > 10 and passes[0].name == f"LLVM 1: {passes[0].label.split(': ')[1]}"
    shown = code_state(s, passes[3].name)
    assert shown.kind == "llvm" and shown.problem is None and "define " in shown.text
    assert any(link.stage == "C" for link in shown.links)
    with pytest.raises(TewbError, match="there is no form LLVM 999: X"):
        s.code_forms.form("LLVM 999: X")


def test_an_edit_asks_again_and_what_cannot_be_lowered_says_so() -> None:
    s = demo_session("matmul", n=16)
    before = llvm_state(s)
    assert llvm_state(s) == before
    s.apply({"primitive": "unroll", "stage": "C", "args": {"axis": "k"}})
    assert llvm_state(s) != before
    s.args = s.args[:1]
    s.schedule.version += 1
    assert "no machine code" in (llvm_state(s).problem or "")
