"""A part of code: what is made of its lines, numbered from its beginning."""

from __future__ import annotations

from tewb.workbench.looks.code_line import CodeLine
from tewb.workbench.looks.code_part import CodePart

LINES = [
    CodeLine(0, "for i in range(4):", "step 2", "B", "i", loops=(1,)),
    CodeLine(1, "B[i] = 0", stage="B", loops=(0,), loops_around=(1,)),
    CodeLine(1, "B[i] = 1", "", "B", loops=(0,), loops_around=(1,), source=7),
]


def test_its_text_is_all_of_its_lines() -> None:
    assert CodePart(LINES).text == "for i in range(4):\n    B[i] = 0\n    B[i] = 1"
    assert CodePart([]).text == ""


def test_what_lines_are_about_is_listed_once() -> None:
    about, of_lines = CodePart(LINES).about
    assert about == [("B", "i", (), (1,), (), ()), ("B", None, (), (0,), (), (1,))]
    assert of_lines == [0, 1, 1]


def test_remarks_and_sources_are_those_of_some_lines() -> None:
    part = CodePart(LINES)
    assert (part.remarks, part.sources) == ([(0, "step 2")], [(2, 7)])
