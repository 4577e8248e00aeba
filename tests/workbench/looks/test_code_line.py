"""A line of code: its text in its place, and about nothing unless it says so."""

from __future__ import annotations

import pytest

from tewb.workbench.looks.code_line import CodeLine


@pytest.mark.parametrize(("depth", "text"), [(0, "x = 1"), (2, "        x = 1")])
def test_it_is_indented_by_its_depth(depth: int, text: str) -> None:
    assert str(CodeLine(depth, "x = 1", remark="step 3")) == text


def test_lines_are_values() -> None:
    line = CodeLine(0, "x", steps=(1, 2))
    assert line == CodeLine(0, "x", steps=(1, 2)) != CodeLine(0, "x", steps=(1,))
    assert {line: 1}[CodeLine(0, "x", steps=(1, 2))] == 1
    assert CodeLine(0, "x") == CodeLine(0, "x", "", None, None, None, (), (), (), (), None)
