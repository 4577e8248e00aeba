"""HTML where nothing but HTML survives."""

from __future__ import annotations

import base64
import re
from dataclasses import replace

import pytest

from tests.workbench.notebook.untrusted import assert_survives
from tewb.schedule import RecipeCall, Step
from tewb.workbench.looks.loop_tree import LoopInfo, StageInfo
from tewb.workbench.views import graph, plain


def test_pieces_are_escaped_and_survive_without_trust() -> None:
    page = (
        plain.fold("a <b>", plain.pre("x < y"))
        + plain.table(("<h>",), [("<c>",), (3,)])
        + plain.image("<svg></svg>", 'a "name"')
    )
    assert_survives(page)
    assert "<b>" not in page and "<c>" not in page and "x &lt; y" in page and "<details><summary>" in page
    assert plain.fold("a", "b", is_open=True).startswith("<details open>")


@pytest.mark.parametrize(
    ("count", "kept"),
    [(3, "1\n2\n3"), (5, "1\n2\n3\n4\n5"), (7, "1\n2\n3\n4\n5\n... and 2 lines more: print it to see them")],
)
def test_long_text_is_cut(count: int, kept: str) -> None:
    assert plain.cut("\n".join(str(n + 1) for n in range(count)), 5) == kept


def test_short_programs_are_shown_and_long_ones_folded() -> None:
    assert plain.listing("IR", "x\n" * 40).startswith("<pre")
    assert "<summary>IR, 41 lines</summary>" in plain.listing("IR", "x\n" * 41)
    assert "100 lines more" in plain.listing("IR", "x\n" * 900)


@pytest.mark.parametrize(
    ("stage", "text"),
    [
        (
            StageInfo(
                "C",
                "compute",
                "root",
                None,
                (LoopInfo("i", "8", "data", ("parallel",), None), LoopInfo("k", "n", "reduce", (), None)),
            ),
            "C\n  i in 8  parallel\n    k in n  reduce",
        ),
        (
            StageInfo("T", "compute", "at C.i", 1, (), 2.5, ("in local memory",)),
            "T  (at C.i)  each element 2.5 times  in local memory",
        ),
        (StageInfo("T", "compute", "inline", 1, (LoopInfo("i", "8", "data", (), None),)), "T  (inline)"),
    ],
)
def test_loops_as_text(stage: StageInfo, text: str) -> None:
    assert plain.loops(stage) == text


def test_a_drawing_is_dark_on_white() -> None:
    shown = plain.image('<svg a="1"><path stroke="currentColor"/></svg>', "x")
    found = re.search(r"base64,([^\"]*)", shown)
    assert found is not None
    drawn = base64.b64decode(found[1]).decode()
    assert drawn.startswith('<svg a="1"><rect') and "currentColor" not in drawn and "#222222" in drawn


def test_without_graphviz_there_is_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "_draw", lambda graphviz, source: None)
    assert plain.picture("digraph {}", "x") is None


def test_what_is_shown_is_html_in_a_notebook_and_text_in_a_terminal() -> None:
    shown = plain.Shown("text", "<b>html</b>")
    assert repr(shown) == "text" and shown._repr_html_() == "<b>html</b>"


def test_steps_of_a_recipe_stand_under_its_call() -> None:
    call = RecipeCall("tiled", {"C": {"tensor": "<C>"}, "x": 4})
    journal = [Step("split", "C", {"axis": "i"}, calls=(call,)), Step("unroll", "C"), Step("fuse", "C")]
    page = plain.steps([journal[0], replace(journal[1], calls=(call,)), journal[2]])
    assert_survives(page)
    assert page == (
        "<ol><li><details><summary>tiled(&lt;C&gt;, x=4)</summary><ol><li>split(C, axis=i)</li><li>unroll(C)</li></ol></details></li>"
        "<li>fuse(C)</li></ol>"
    )
    assert plain.steps(()) == "<ol><li>no steps</li></ol>"
