"""Line provenance: LLVM IR and assembly, each line with the line of the low-level IR text that it computes."""

from __future__ import annotations

import re

Linked = list[tuple[str, int | None]]

_AT = re.compile(r" !dbg (!\d+)")
_LOCATION = re.compile(r"(!\d+) = (?:distinct )?!DILocation\(line: (\d+)")
_ATTACHED = re.compile(r",? ![a-z][\w.]* !\d+|\s*; preds = .*")
_NOT_SHOWN = re.compile(
    r"[!;]|attributes |target |source_filename|\s*#dbg|.*@llvm\.experimental\.noalias|\s*$"
)
_LOC = re.compile(r"\s*\.loc\s+\d+\s+(\d+)")
_NOT_CODE = re.compile(r"\s*(#|$)|\s*\.(?!LBB)")
_LABEL = re.compile(r"\S+:")


def llvm_lines(text: str) -> Linked:
    """The functions of LLVM text, each line with its line of the IR text (from 1). Metadata, attributes and
    comments are left out."""
    lines = {name: int(line) or None for name, line in _LOCATION.findall(text)}
    linked: Linked = []
    for row in text.splitlines():
        if not _NOT_SHOWN.match(row):
            at = _AT.search(row)
            linked.append((_ATTACHED.sub("", row), lines.get(at[1]) if at else None))
    return _with_labels(linked)


def assembly_lines(text: str) -> Linked:
    """The instructions and labels of assembly text, each with its line of the IR text (from 1)."""
    linked: Linked = []
    line: int | None = None
    for row in text.splitlines():
        location = _LOC.match(row)
        if location:
            line = int(location[1]) or None
        elif not _NOT_CODE.match(row):
            linked.append((row.split(" #")[0].rstrip(), line))
    return _with_labels(linked)


def _with_labels(lines: Linked) -> Linked:
    """A label belongs to the instruction after it."""
    for i in range(len(lines) - 2, -1, -1):
        if _LABEL.fullmatch(lines[i][0]):
            lines[i] = (lines[i][0], lines[i + 1][1])
    return lines
