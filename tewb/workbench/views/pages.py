"""Pages: tabs of panels that are made when somebody looks at them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import ipywidgets as widgets

from tewb.base import TewbError


class Pages(widgets.Tab):  # type: ignore[misc]
    """One tab for each panel. `makers` give the HTML of a panel by its title; `below` are widgets that stand
    under some of them. Only the page that is shown is kept up to date."""

    def __init__(
        self, makers: Mapping[str, Callable[[], str]], below: Mapping[str, Any] | None = None
    ) -> None:
        self._makers = dict(makers)
        self.html = {title: widgets.HTML() for title in makers}
        extra = below or {}
        pages = [
            widgets.VBox([html, extra[title]]) if title in extra else html
            for title, html in self.html.items()
        ]
        self._stale = set(makers)
        super().__init__(pages, titles=tuple(makers), selected_index=0)
        self.observe(lambda _: self.show(), names="selected_index")

    def refresh(self) -> None:
        """What the panels show has changed."""
        self._stale = set(self._makers)
        self.show()

    def show(self) -> None:
        """Bring the page that is shown up to date."""
        title = self.shown
        if title in self._stale:
            self._stale.discard(title)
            try:
                self.html[title].value = self._makers[title]()
            except TewbError as e:
                self.html[title].value = f'<div class="tw-panel tw-dim">{escape(e.message)}</div>'

    @property
    def shown(self) -> str:
        """The title of the page that is shown."""
        return list(self._makers)[self.selected_index or 0]

    def choose(self, title: str) -> None:
        """Show the page with `title`."""
        self.selected_index = list(self._makers).index(title)
