"""LLVM's half of the way to machine code: the text after each of its passes that changed something, and its remarks.

LLVM tells both on stderr when it is asked on its command line, so another process does the work.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tewb.base import CodegenError, readable
from tewb.codegen.line_provenance import Linked, llvm_lines
from tewb.runtime import Target, llvm_says

SWITCHES = (
    "-print-changed=quiet",
    "-print-module-scope",
    "-pass-remarks=.*",
    "-pass-remarks-missed=.*",
    "-pass-remarks-analysis=loop-vectorize|slp-vectorizer",
)
SECONDS = 20.0
LONGEST = 400 << 10  # bytes of text: there are a hundred dumps of it

_DUMP = re.compile(r"^\*\*\* IR Dump After (\S+) on (.+) \*\*\*$", re.MULTILINE)
_MACHINE = re.compile(
    r"^(?:# (?:\*\*\*|Machine code)|\*\*\* IR Dump After [^\n]* \([\w-]+\) on )", re.MULTILINE
)
_CALLSITE = re.compile(r" at callsite [^;]*;?$")
_REMARK = re.compile(r"^remark: [^:\n]*:(\d+):\d+: (.*)$", re.MULTILINE)


@readable
@dataclass(frozen=True)
class LLVMPass:
    """A pass of LLVM that changed something: its name, the function or loop on which it ran, and the text after it."""

    name: str
    on: str
    text: str

    def lines(self) -> Linked:
        """The text, each line with the line of the low-level IR that it computes."""
        return llvm_lines(self.text)


@readable
@dataclass(frozen=True, slots=True)
class Remark:
    """What LLVM says of a line of the low-level IR (from 1; None where it names no line): a transformation that it did
    or could not do."""

    line: int | None
    text: str


@readable
@dataclass(frozen=True, slots=True)
class LLVMHistory:
    """All passes that changed something, in order, and all remarks, each once."""

    passes: tuple[LLVMPass, ...]
    remarks: tuple[Remark, ...]


def llvm_history(text: str, level: int, target: Target) -> LLVMHistory:
    """What LLVM does to a text when it optimises it. Raises CodegenError for a text that is too long to be told of, or
    when no process can be started."""
    if len(text) > LONGEST:
        raise CodegenError(
            f"LLVM's passes are not told of {len(text) >> 10} KiB of text",
            hint="unroll less, or take smaller vectors",
        )
    said = llvm_says(text, level, target, SWITCHES, SECONDS)
    if not said:
        raise CodegenError("LLVM told nothing of its passes: no process could be started for it")
    return history_of(said)


def history_of(said: str) -> LLVMHistory:
    """The history that is in what LLVM said."""
    machine = _MACHINE.search(said)  # registers and scheduling: no LLVM text any more
    end = machine.start() if machine else len(said)
    dumps = list(_DUMP.finditer(said, 0, end))
    ends = [*(m.start() for m in dumps[1:]), *([end] if dumps else [])]
    passes = [
        LLVMPass(m[1].removesuffix("Pass"), m[2], _REMARK.sub("", said[m.end() + 1 : end]))
        for m, end in zip(dumps, ends, strict=True)
    ]
    found = [Remark(int(m[1]) or None, _CALLSITE.sub("", m[2])) for m in _REMARK.finditer(said)]
    return LLVMHistory(tuple(passes), tuple(dict.fromkeys(found)))
