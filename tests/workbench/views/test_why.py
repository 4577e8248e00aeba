"""An explanation as HTML."""

from __future__ import annotations

from tests.workbench.judge.test_why import tiled_blur
from tewb.workbench.judge.why import Explanation
from tewb.workbench.views import why as view


def test_the_panel_lists_the_chain() -> None:
    e = tiled_blur().explain("bound", "X", "i.inner")
    text = view.explanation(e)
    assert text.count("<li>") == len(e.steps) and "i.inner runs 5 times" in text
    assert "ask why" in view.explanation(None)
    assert str(e).startswith("Why does loop X.i.inner run 5 times?\n  1. X is computed inside")


def test_an_answer_without_steps_is_read_aloud_and_escaped() -> None:
    text = view.explanation(Explanation("Why <x>?", (), "a & b"))
    assert "<ol" not in text and 'role="status">a &amp; b</div>' in text and "Why &lt;x&gt;?" in text
