"""Lines of code that belong together, and what is made of them once: a loop nest that an edit left alone is taken as it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tewb.base import lazy
from tewb.workbench.looks.code_line import CodeLine

About = tuple[Any, ...]


class CodePart:
    """Some lines that follow one another. Numbers of lines count from 0, within the part."""

    def __init__(self, lines: Sequence[CodeLine]) -> None:
        self.lines = lines

    @lazy
    def text(self) -> str:
        """All of it."""
        return "\n".join(map(str, self.lines))

    @lazy
    def about(self) -> tuple[list[About], list[int]]:
        """What the lines are about (stage, loop, steps, parts, and the steps and parts around), each once, in the order in
        which they come; and of each line, which of these."""
        known: dict[About, int] = {}
        of_lines = [
            known.setdefault((x.stage, x.axis, x.steps, x.loops, x.steps_around, x.loops_around), len(known))
            for x in self.lines
        ]
        return list(known), of_lines

    @lazy
    def remarks(self) -> list[tuple[int, str]]:
        """What is said of some lines."""
        return [(i, line.remark) for i, line in enumerate(self.lines) if line.remark]

    @lazy
    def sources(self) -> list[tuple[int, int]]:
        """The lines of low-level IR (from 1) that instructions compute."""
        return [(i, line.source) for i, line in enumerate(self.lines) if line.source is not None]
