"""A schedule read from text: each step with where it was written, and errors with a caret under what is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from tewb.base import ParseError, around, brief, python_lines
from tewb.schedule import Step


@dataclass(frozen=True, slots=True)
class TextRange:
    """`width` characters at `line` (counted from 1) and `column` (from 0)."""

    line: int
    column: int
    width: int = 1


ReadSteps = list[tuple[Step, TextRange]]


def text_error(text: str, place: TextRange, why: str, hint: str | None = None) -> ParseError:
    """The error that shows `place` in `text`, with the reason and perhaps a repair."""
    lines = python_lines(text)
    shown = lines[place.line - 1].rstrip() if 0 < place.line <= len(lines) else ""
    indent = len(shown) - len(shown.lstrip())
    shown, at = around(shown.lstrip(), max(0, place.column - indent))
    marks = " " * at + "^" * max(1, min(place.width, len(shown) - at))
    return ParseError(
        f"line {place.line}, column {place.column + 1}: {brief(why, 1000)}\n    {shown}\n    {marks}",
        hint=hint,
    )


def closest(word: str, known: Iterable[str]) -> str | None:
    """A hint for a word that nobody knows."""
    found = difflib.get_close_matches(word, list(known), 1)
    return f"did you mean {found[0]}?" if found else None
