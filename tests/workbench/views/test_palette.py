"""The palette as HTML: buttons with their steps, previews, and why others are refused."""

from __future__ import annotations

import html
import json
import re
from typing import Any

from tewb.schedule import Step
from tewb.workbench.demos import demo_session
from tewb.workbench.judge.advice import Advice
from tewb.workbench.judge.palette import Action
from tewb.workbench.views import palette as view

SPLIT = Step("split", "C", {"axis": "i", "factor": 8})
UNROLL = Step("unroll", "C", {"axis": "i.inner"})


def steps(text: str) -> list[Any]:
    """What the buttons carry."""
    return [json.loads(html.unescape(data)) for data in re.findall(r'data-step="([^"]*)"', text)]


def test_a_button_carries_its_step_or_its_steps() -> None:
    text = view.palette([Action(SPLIT, True)], "C", "i")
    assert steps(text) == [SPLIT.to_json()] and "What can be done to C, loop i" in text
    refused = Action(UNROLL, False, "no <loop>", "split it", fix=SPLIT, then=UNROLL)
    text = view.palette([refused], "C", None)
    assert steps(text) == [[SPLIT.to_json(), UNROLL.to_json()]]
    assert f"{SPLIT}, then {UNROLL}" in html.unescape(text) and "disabled" in text
    assert (
        "no &lt;loop&gt;" in text
        and "<i>split it</i>" in text
        and 'aria-label="What can be done to C"' in text
    )


def test_legal_refused_and_places_stand_apart() -> None:
    s = demo_session("blur", n=16)
    text = view.palette(s.palette("X", "i"), "X", "i")
    order = [text.index(title) for title in ("Loops and memory", "Where to compute it", "Not now")]
    assert order == sorted(order)
    assert (
        "Not now" not in view.palette([Action(SPLIT, True)], "C", "i")
        and view.palette([], "C", "i").count("<ul") == 0
    )


def test_previews_show_loops_and_figures_that_change() -> None:
    s = demo_session("blur", n=16)
    places = [a for a in s.palette("X", "i") if a.legal and a.preview is not None]
    text = view.palette(places, "X", "i")
    assert "→" in text and 'class="tw-after"' in text


def test_advice_has_a_button_for_the_steps_that_answer_it() -> None:
    text = view.advice(
        [Advice("vector", "C", "i", "no <vectors>", (SPLIT, UNROLL)), Advice("memory", "C", None, "large")]
    )
    assert steps(text) == [[SPLIT.to_json(), UNROLL.to_json()]]
    assert "<b>vector</b> C.i: no &lt;vectors&gt;" in text and "<b>memory</b> C: large" in text
    assert "nothing to advise" in view.advice([])
