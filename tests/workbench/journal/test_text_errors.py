"""Errors in the text of a schedule: the line, a caret under what is wrong, and perhaps a repair."""

from __future__ import annotations

import pytest

from tewb.workbench.journal.text_errors import TextRange, closest, text_error


@pytest.mark.parametrize(
    ("text", "place", "shown"),
    [
        ("C:splat(i,8)", TextRange(1, 2, 5), ("line 1, column 3", "C:splat(i,8)", "  ^^^^^")),
        ("a\r\n    b = 1  \n", TextRange(2, 4), ("line 2, column 5", "b = 1", "^")),
        ("abc", TextRange(1, 3, 5), ("line 1, column 4", "abc", "   ^")),  # past the end
        ("abc", TextRange(1, 1, 99), ("line 1, column 2", "abc", " ^^")),
        ("abc", TextRange(7, 0), ("line 7, column 1", "", "^")),
        ("    x", TextRange(1, 0), ("line 1, column 1", "x", "^")),  # inside of the indentation
        ("", TextRange(1, 0), ("line 1, column 1", "", "^")),
    ],
)
def test_the_place_is_marked(text: str, place: TextRange, shown: tuple[str, str, str]) -> None:
    where, line, marks = shown
    assert text_error(text, place, "no").message == f"{where}: no\n    {line}\n    {marks}"


def test_a_long_line_is_cut_around_the_place() -> None:
    message = text_error("a" * 400 + "!" + "b" * 400, TextRange(1, 400), "no").message
    _, line, marks = message.split("\n")
    assert line[marks.index("^")] == "!" and len(line) < 200


def test_hints_and_long_reasons() -> None:
    e = text_error("x", TextRange(1, 0), "y" * 5000, "write x")
    assert e.hint == "write x" and len(e.message) < 1100


def test_the_closest_known_word() -> None:
    assert closest("splat", iter(["fuse", "split"])) == "did you mean split?"
    assert closest("xyz", ["fuse", "split"]) is None and closest("x", []) is None
