"""What changed between two texts, line by line."""

from __future__ import annotations

import random

from tewb.workbench.looks.code_line import CodeLine
from tewb.workbench.looks.diff import ADDED, CHANGED, REMOVED, SAME, Diff, DiffLine, diff


def lines(*texts: str) -> list[CodeLine]:
    return [CodeLine(0, text) for text in texts]


def test_diff_marks_lines() -> None:
    before = lines("for i in range(4):", "A[i] = B[i] + 1", "x", "gone away")
    after = lines("for i in T.parallel(4):", "A[i] = B[i] + 1", "x", "new: 12345")
    marks = [(d.mark, d.line.text) for d in diff(before, after)]
    assert marks == [
        (CHANGED, "for i in T.parallel(4):"),
        (SAME, "A[i] = B[i] + 1"),
        (SAME, "x"),
        (ADDED, "new: 12345"),
        (REMOVED, "gone away"),
    ]


def test_diff_gives_both_texts_back() -> None:
    rng = random.Random(3)
    for _ in range(200):
        a, b = (
            lines(*[rng.choice("abcdef") * rng.randint(1, 4) for _ in range(rng.randint(0, 9))]) for _ in "ab"
        )
        found = diff(a, b)
        assert [d.line for d in found if d.mark != REMOVED] == b
        was = [d.before or d.line for d in found if d.mark != ADDED]
        assert [line.text for line in was] == [line.text for line in a]


def test_diff_overlooks_the_names_of_values() -> None:
    assert diff(lines("%v1 = add i32 %v0, 1"), lines("%v9 = add i32 %v7, 1"), numbered=True)[0].mark == SAME
    assert (
        diff(lines("%v1 = add i32 %v0, 1"), lines("%v9 = add i32 %v7, 2"), numbered=True)[0].mark == CHANGED
    )


def test_depth_counts_and_what_a_line_is_about_does_not() -> None:
    (moved, *_) = diff([CodeLine(0, "A[i] = 1")], [CodeLine(1, "A[i] = 1")])
    assert moved.mark == CHANGED and moved.before == CodeLine(0, "A[i] = 1")
    (same,) = diff([CodeLine(0, "x", steps=(1,))], [CodeLine(0, "x", steps=(2,))])
    assert same == DiffLine(SAME, CodeLine(0, "x", steps=(2,)))  # the later one


def test_a_loop_does_not_become_a_statement() -> None:
    found = diff(lines("for i in range(4):"), lines("if i in range(4):"))
    assert [d.mark for d in found] == [ADDED, REMOVED]


def test_labels_are_names_too() -> None:
    assert diff(lines("b12: jmp .LBB0_1"), lines("b7: jmp .LBB0_22"), numbered=True)[0].mark == SAME
    assert diff(lines("b12: jmp .LBB0_1"), lines("b7: jmp .LBB0_22"))[0].mark == CHANGED


def test_a_diff_counts_and_is_text() -> None:
    found = diff(lines("for i in range(4):", "x", "y"), lines("for i in range(8):", "y", "z"))
    d = Diff("TE", "python", "the step before", tuple(found))
    assert [d.count(mark) for mark in (SAME, CHANGED, ADDED, REMOVED)] == [1, 1, 1, 1]
    assert str(d) == "- for i in range(4):\n+ for i in range(8):\n- x\n  y\n+ z"
    assert not d.is_empty and Diff("TE", "python", "", tuple(diff(lines("x"), lines("x")))).is_empty
    assert diff([], []) == []
