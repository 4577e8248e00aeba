"""What JupyterLab keeps of an output that it does not trust."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

# What JupyterLab's sanitizer keeps of an untrusted output, of the tags and attributes that we write.
KEPT_TAGS = {"b", "br", "details", "div", "img", "li", "ol", "pre", "summary", "table", "td", "th", "tr"}
KEPT_ATTRIBUTES = {"alt", "class", "open", "src", "style", "title"}


class Tags(HTMLParser):
    """The tags and attributes of a page, and whether every tag is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in ("img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def assert_survives(page: str) -> None:
    """It is well formed, short, sets no colours, and an untrusted notebook keeps all of it."""
    found = Tags(page)
    assert found.open == [] and found.tags <= KEPT_TAGS and found.attributes <= KEPT_ATTRIBUTES
    assert "color:" not in page and len(page) < 100_000
