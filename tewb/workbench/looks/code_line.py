"""A line of code in any form of the program, and what it is about."""

from __future__ import annotations

from dataclasses import dataclass

from tewb.base import readable

Numbers = tuple[int, ...]


@readable
@dataclass(frozen=True, slots=True)
class CodeLine:
    """A line of a form.

    `steps` (of the journal, from 0) shaped it and `loops` (numbers that `CodeForms.loop_numbers` gives to stages and
    loops) are what it is about; a statement has the `axis` of the loop of its stage that it stands in. `steps_around` and `loops_around` are those of the loops that it stands in.
    `source` is the line of the low-level IR (from 1) that an instruction computes.
    """

    depth: int
    text: str
    remark: str = ""
    stage: str | None = None
    axis: str | None = None
    step: int | None = None
    steps: Numbers = ()
    loops: Numbers = ()
    steps_around: Numbers = ()
    loops_around: Numbers = ()
    source: int | None = None

    def saying(self, depth: int, text: str, remark: str = "") -> CodeLine:
        """Another line about the same."""
        return CodeLine(
            depth, text, remark, self.stage, self.axis, self.step, self.steps, self.loops, self.steps_around,
            self.loops_around, self.source,
        )  # fmt: skip

    def __str__(self) -> str:
        return "    " * self.depth + self.text
