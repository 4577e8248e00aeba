"""What changed between two texts, line by line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from tewb.base import readable
from tewb.workbench.looks.code_line import CodeLine

SAME, ADDED, REMOVED, CHANGED = "same", "added", "removed", "changed"

# Above this many lines, those that occur often do not align texts: the time would grow with the square.
_LONG = 1500

# Lines that share at least this part of their characters are one line that changed.
_ALIKE = 0.6

# Names that LLVM and the assembler number anew each time: values, labels.
_NUMBERED = re.compile(r"%[\w.]*\d[\w.]*|\.LBB[\d_]+|^[\w.]*\d[\w.]*(?=:)")


@readable
@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line and its mark: same, added, removed or changed. `line` is the later one, except for what is
    removed; `before` is what a changed line was."""

    mark: str
    line: CodeLine
    before: CodeLine | None = None


@readable
@dataclass(frozen=True, slots=True)
class Diff:
    """What changed in a form, the lines of which are of a `kind`. `against` says what it is compared with."""

    form: str
    kind: str
    against: str
    lines: tuple[DiffLine, ...]

    def count(self, mark: str) -> int:
        """How many lines have a mark."""
        return sum(1 for line in self.lines if line.mark == mark)

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed."""
        return all(line.mark == SAME for line in self.lines)

    def __str__(self) -> str:
        """As text, with the signs of a unified diff: a changed line is shown as it was and as it is."""
        rows = []
        for d in self.lines:
            if d.before is not None:
                rows.append(f"- {d.before}")
            rows.append(f"{_SIGNS[d.mark]} {d.line}")
        return "\n".join(rows)


_SIGNS = {SAME: " ", ADDED: "+", REMOVED: "-", CHANGED: "+"}


def diff(before: Sequence[CodeLine], after: Sequence[CodeLine], numbered: bool = False) -> list[DiffLine]:
    """The lines of both texts in order, with marks. With `numbered`, lines that only differ in the names of
    LLVM's values and labels are the same."""
    a, b = [_key(x, numbered) for x in before], [_key(x, numbered) for x in after]
    marked: list[DiffLine] = []
    matcher = SequenceMatcher(None, a, b, autojunk=max(len(a), len(b)) > _LONG)
    for what, a0, a1, b0, b1 in matcher.get_opcodes():
        if what == "equal":
            marked += [DiffLine(SAME, line) for line in after[b0:b1]]
        else:
            marked += _replaced(before[a0:a1], after[b0:b1])
    return marked


def _key(line: CodeLine, numbered: bool) -> tuple[int, str]:
    return line.depth, _NUMBERED.sub("%", line.text) if numbered else line.text


def _replaced(before: Sequence[CodeLine], after: Sequence[CodeLine]) -> list[DiffLine]:
    """A block that became another: lines that are alike, in order, changed; the rest came or went."""
    marked: list[DiffLine] = []
    at = 0
    for line in after:
        partner = next((i for i in range(at, min(at + 8, len(before))) if _alike(before[i], line)), None)
        if partner is None:
            marked.append(DiffLine(ADDED, line))
            continue
        marked += [DiffLine(REMOVED, gone) for gone in before[at:partner]]
        marked.append(DiffLine(CHANGED, line, before[partner]))
        at = partner + 1
    return marked + [DiffLine(REMOVED, gone) for gone in before[at:]]


def _alike(a: CodeLine, b: CodeLine) -> bool:
    first_a, first_b = a.text.split(" ", 1)[0], b.text.split(" ", 1)[0]
    if (first_a in _BLOCKS or first_b in _BLOCKS) and first_a != first_b:
        return False  # a loop does not become a statement
    matcher = SequenceMatcher(None, a.text, b.text, autojunk=False)
    return (
        matcher.real_quick_ratio() >= _ALIKE and matcher.quick_ratio() >= _ALIKE and matcher.ratio() >= _ALIKE
    )


_BLOCKS = {"for", "if", "while", "with"}
