"""LLVM's half of the way: its passes that changed something, and its remarks on the loops that they speak of."""

from __future__ import annotations

from dataclasses import dataclass

from tewb.base import TewbError
from tewb.workbench.looks.code_line import CodeLine
from tewb.workbench.session import Session
from tewb.workbench.states.code import FormName


@dataclass(frozen=True, slots=True)
class LoopRemark:
    """What LLVM says of a loop: "loop not vectorized: ...". `part` is the number of the loop (of the stage, where the line
    is in no loop) in the links of code; without a line it speaks of the whole function, and has none."""

    text: str
    stage: str | None
    loop: str | None
    part: int | None


@dataclass(frozen=True, slots=True)
class LLVMHalf:
    """The passes, each a form of the code that can be shown by its name, and the remarks, each once, those of loops first."""

    passes: tuple[FormName, ...]
    remarks: tuple[LoopRemark, ...]
    problem: str | None


def llvm_state(session: Session) -> LLVMHalf:
    """What LLVM did with the kernel of a session."""
    forms = session.code_forms
    try:
        passes = [
            FormName(f.name, f.name.removeprefix("LLVM "), f.doc, f.kind, False) for f in forms.llvm_passes
        ]
        remarks = [_remark(text, line) for text, line in forms.llvm_remarks]
    except TewbError as e:
        return LLVMHalf((), (), e.message)
    of_loops_first = sorted(dict.fromkeys(remarks), key=lambda r: (r.part is None, r.loop is None))
    return LLVMHalf(tuple(passes), tuple(of_loops_first), None)


def _remark(text: str, line: CodeLine | None) -> LoopRemark:
    if line is None:
        return LoopRemark(text, None, None, None)
    parts = line.loops or line.loops_around
    return LoopRemark(text, line.stage, line.axis, parts[0] if parts else None)
