"""Python text that is read and never run: a syntax tree, or the place and the reason why there is none."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from tewb.base import UnreadableError, around, brief, python_lines, python_tree


def test_text_becomes_its_tree() -> None:
    text = "x = [1, (2 + 3)]  # ((((\ny = '(((('"
    assert ast.dump(python_tree(text)) == ast.dump(ast.parse(text))


@pytest.mark.parametrize(
    ("text", "why", "place"),
    [
        ("x = 1\ny = (", "this is not Python: '(' was never closed", (2, 4)),
        ("x\n  y\0", "it has a NUL character", (2, 3)),
        ("x\r\r\n'\ud800'", "it has half of a surrogate pair", (3, 1)),
        ("x = 1\ny = 0x1ffffffffffffffff", "a number has more than 64 bits", (2, 4)),
        ("x = " + "9" * 5000, "a number is too long", (1, 0)),
        ("x = 1\ny = " + "(" * 10_001, "this is nested too deeply", (2, 10_002)),
        ("-" * 10_001 + "1", "this is nested too deeply", (1, 9_999)),
        ("if x:\n y", None, None),
        ("x = " + "1, " * 10_001, None, None),
        ("x = 1 + 1\n" * 5001, None, None),
        ("x = 0xffffffffffffffff", None, None),
    ],
)
def test_text_that_is_not_python_and_where(text: str, why: str | None, place: Any) -> None:
    if why is None:
        python_tree(text)
        return
    with pytest.raises(UnreadableError, match=why.replace("(", r"\(")) as e:
        python_tree(text)
    assert (e.value.line, e.value.column) == place


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(UnreadableError, match="it is a bytes, and text was expected"):
        python_tree(b"x")
    with pytest.raises(UnreadableError, match="it has 16777217 characters, and at most 16777216 are read"):
        python_tree(" " * ((16 << 20) + 1))


def test_lines_are_those_of_python() -> None:
    assert python_lines("a\r\nb\rc\nd\fe\u2028f\n") == ["a", "b", "c", "d\fe\u2028f", ""]


def test_long_text_is_cut() -> None:
    assert (
        brief("x" * 160) == "x" * 160 and brief("x" * 161) == "x" * 160 + "..." and brief("abc", 2) == "ab..."
    )


@pytest.mark.parametrize("column", [0, 79, 80, 250, 420, 499])
def test_a_long_line_is_cut_around_its_column(column: int) -> None:
    line = "".join(chr(0x4E00 + i) for i in range(500))
    shown, at = around(line, column)
    assert shown[at] == line[column] and len(shown.strip(".")) == 160
    assert shown.startswith("...") == (column > 80) and shown.endswith("...") == (column < 420)


def test_a_short_line_is_shown_whole() -> None:
    assert around("x" * 160, 7) == ("x" * 160, 7)
