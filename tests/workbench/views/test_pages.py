"""Pages: only the one that is shown is made."""

from __future__ import annotations

import ipywidgets as widgets

from tewb.base import TewbError
from tewb.workbench.views.pages import Pages


def pages() -> tuple[Pages, list[str]]:
    """Two pages, and which of them were made."""
    made: list[str] = []

    def maker(title: str) -> str:
        made.append(title)
        return f"<p>{title} {len(made)}</p>"

    return Pages({t: lambda t=t: maker(t) for t in ("One", "Two")}), made  # type: ignore[misc]


def test_a_page_is_made_when_it_is_looked_at() -> None:
    p, made = pages()
    p.refresh()
    assert p.shown == "One" and made == ["One"] and p.html["Two"].value == ""
    p.choose("Two")
    assert p.shown == "Two" and made == ["One", "Two"] and p.html["Two"].value == "<p>Two 2</p>"


def test_a_page_is_made_again_only_after_a_change() -> None:
    p, made = pages()
    p.refresh()
    p.choose("Two")
    p.choose("One")
    assert made == ["One", "Two"]
    p.refresh()
    assert made == ["One", "Two", "One"]


def test_a_panel_that_cannot_be_made_says_why() -> None:
    def fail() -> str:
        raise TewbError("no <loops>", hint="x")

    p = Pages({"One": fail})
    p.refresh()
    assert p.html["One"].value == '<div class="tw-panel tw-dim">no &lt;loops&gt;</div>'


def test_widgets_stand_below_their_page() -> None:
    button = widgets.Button()
    p = Pages({"One": lambda: "", "Two": lambda: ""}, {"Two": button})
    assert p.children[0] is p.html["One"] and p.children[1].children == (p.html["Two"], button)
    assert p.titles == ("One", "Two")
