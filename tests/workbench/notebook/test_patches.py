"""A patch makes the state that a page has into the next one."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from tewb.workbench.notebook.patches import LONG, cuts, patch, patched


def text_of(lines: list[str]) -> str:
    return "\n".join(lines)


def cut(old: str, new: str) -> str:
    return str(
        patched({"t": old}, {"fields": {}, "lines": {"t": cuts(old.split("\n"), new.split("\n"))}})["t"]
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [("", ""), ("", "x"), ("x", ""), ("a\nb", "b\na"), ("a\na\na", "a"), ("a", "a\na"), ("\n", ""), ("", "\n\n"), ("a\n", "a"), ("x\u2028y\r", "x\u2028y")],
)  # fmt: skip
def test_cuts_lead_to_the_new_lines(old: str, new: str) -> None:
    assert cut(old, new) == new


def test_lines_that_stay_are_not_sent() -> None:
    old = list("abcdef")
    assert cuts(old, list("aBcdxyf")) == [[1, 2, ["B"]], [4, 5, ["x", "y"]]]
    assert cuts(old, old) == []


def test_a_block_that_moves_leaves_the_rest_where_it_is() -> None:
    rest = [f"rest {i}" for i in range(100)]
    block = [f"block {i}" for i in range(3)]
    found = cuts([*block, *rest, "end"], ["start", *rest, *block, "end"])
    assert sum(len(instead) for *_, instead in found) == 4


def test_cuts_of_any_lines() -> None:
    rng = random.Random(5)
    for _ in range(600):
        old = [f"{rng.choice('xyz')}{rng.randrange(4)}" for _ in range(rng.randrange(16))]
        kept = [line for line in old if rng.random() < 0.7]
        new = [x for line in kept for x in ([line] if rng.random() < 0.7 else [line, f"n{rng.randrange(9)}"])]
        if rng.random() < 0.3:
            rng.shuffle(new)
        assert cut(text_of(old), text_of(new)) == text_of(new)


def state(text: str, **others: Any) -> dict[str, Any]:
    return {"text": text, "link_of": [0, 1], "problem": None, **others}


LINES = [f"line {i}" for i in range(LONG // 4)]


def test_a_patch_has_what_differs_and_nothing_else() -> None:
    old, new = state(text_of(LINES)), state(text_of([*LINES[:500], "new", *LINES[501:]]), link_of=[0, 1, 1])
    found = patch(old, new)
    assert found == {"fields": {"link_of": [0, 1, 1]}, "lines": {"text": [[500, 501, ["new"]]]}}
    assert patched(old, json.loads(json.dumps(found))) == new
    assert old == state(text_of(LINES))  # which others may have too
    assert patch(old, state(text_of(LINES), problem="x")) == {"fields": {"problem": "x"}, "lines": {}}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (state("short"), state("shorter")),
        (state(text_of(LINES)), state("short")),
        (state("short"), state(text_of(LINES))),
        (state(text_of(LINES)), {"problem": "no such form"}),
        (state(text_of(LINES)), state(text_of([line[::-1] for line in LINES]))),
        ([1], [2]),
        (None, state(text_of(LINES))),
    ],
    ids=["short", "becomes short", "was short", "another state", "another text", "a list", "nothing"],
)
def test_what_is_not_worth_a_patch_is_sent_whole(old: Any, new: Any) -> None:
    assert patch(old, new) is None
