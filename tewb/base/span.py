"""Where in the user's program something was said."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from tewb.base.notebook import notebook_shell

_LIBRARY = str(Path(threading.__file__).parent) + "/"  # of Python, through which tewb may call itself
_PACKAGES = ("site-packages/", "dist-packages/")  # other people's, inside of it
_NOT_THEIRS = (str(Path(__file__).resolve().parent.parent) + "/", "<frozen")


def _is_theirs(file: str) -> bool:
    """Whether a file is neither tewb's nor Python's own."""
    is_python = file.startswith(_LIBRARY) and not file.startswith(_PACKAGES, len(_LIBRARY))
    return not is_python and not file.startswith(_NOT_THEIRS)


@dataclass(frozen=True, slots=True)
class Span:
    """A line of a file or of a notebook cell."""

    file: str
    line: int

    @property
    def is_ours(self) -> bool:
        """Whether this is a line of tewb itself, or of Python's own machinery."""
        return self.file.startswith(_NOT_THEIRS)

    def __str__(self) -> str:
        cell = _cell_number(self.file)
        return f"{self.file}, line {self.line}" if cell is None else f"cell {cell}, line {self.line}"


def here() -> Span | None:
    """The nearest line on the call stack that is neither tewb's own nor Python's; None when there is none."""
    return _nearest(sys._getframe(1)) or _nearest(called_from.frame)


def _nearest(frame: FrameType | None) -> Span | None:
    while frame is not None:
        file = frame.f_code.co_filename
        if _is_theirs(file):
            return Span(file, frame.f_lineno)
        frame = frame.f_back
    return None


class _CalledFrom(threading.local):
    """The frame of the call that this thread works for (`long_stack.py`): its stack continues there."""

    frame: FrameType | None = None


called_from = _CalledFrom()


def _cell_number(file: str) -> int | None:
    """The execution count of the notebook cell that IPython compiled under the name `file`."""
    shell = notebook_shell()
    cells = getattr(getattr(shell, "compile", None), "_filename_map", {})
    number = cells.get(file)
    return number if isinstance(number, int) else None
