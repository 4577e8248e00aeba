"""Where in the user's program something was said."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

_OURS = str(Path(__file__).resolve().parent.parent) + "/"


@dataclass(frozen=True, slots=True)
class Span:
    """A line of a file or of a notebook cell."""

    file: str
    line: int

    def __str__(self) -> str:
        cell = _cell_number(self.file)
        return f"{self.file}, line {self.line}" if cell is None else f"cell {cell}, line {self.line}"


def here() -> Span | None:
    """The nearest line on the call stack that is not tewb's own; None when there is none."""
    frame = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if not code.co_filename.startswith(_OURS) and not code.co_filename.startswith("<frozen"):
            return Span(code.co_filename, frame.f_lineno)
        if frame.f_back is None:
            return None
        frame = frame.f_back
    return None


def _cell_number(file: str) -> int | None:
    """The execution count of the notebook cell that IPython compiled under the name `file`."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    cells = getattr(getattr(shell, "compile", None), "_filename_map", {})
    number = cells.get(file)
    return number if isinstance(number, int) else None
