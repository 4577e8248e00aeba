"""Functions with many loops, split: a long sequence of loops becomes several functions of some loops each.

LLVM's time grows with the square of a function's loops: a chain of a thousand stages takes it a minute in one piece, and
two seconds in sections.
"""

from __future__ import annotations

from collections.abc import Iterator

from tewb.ir import For, Seq, Stmt

MANY_LOOPS = 64  # loops that stay in one function
SECTION = 32  # loops that are outlined together


class Sections:
    """Cuts sequences into sections; remembers the number of loops of every statement seen."""

    def __init__(self) -> None:
        self._loops: dict[Stmt, int] = {}

    def of(self, s: Seq) -> Iterator[tuple[list[Stmt], bool]]:
        """The statements of a sequence in groups, each with whether it is a section: a part of a sequence of many
        loops that has some of them, and not too many."""
        if self.loops_in(s) <= MANY_LOOPS:
            yield list(s.stmts), False
            return
        group: list[Stmt] = []
        loops = 0
        for part in _in_sequence(s):
            own = self.loops_in(part)
            if group and loops + own > SECTION:
                yield group, 0 < loops <= MANY_LOOPS
                group, loops = [], 0
            group.append(part)
            loops += own
        yield group, 0 < loops <= MANY_LOOPS

    def loops_in(self, s: Stmt) -> int:
        """How many loops a statement has."""
        stack = [(s, False)]
        while stack:
            top, ready = stack.pop()
            inner = [c for c in top.children() if isinstance(c, Stmt)]
            if ready:
                self._loops[top] = isinstance(top, For) + sum([self._loops[c] for c in inner])
            elif top not in self._loops:
                stack += [(top, True), *[(c, False) for c in inner]]
        return self._loops[s]


def _in_sequence(s: Seq) -> Iterator[Stmt]:
    """The statements of a sequence, and of those in it."""
    stack: list[Stmt] = [s]
    while stack:
        top = stack.pop()
        if isinstance(top, Seq):
            stack += reversed(top.stmts)
        else:
            yield top
