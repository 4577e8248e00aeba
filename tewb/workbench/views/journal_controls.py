"""The controls under the journal: jump to a step, move or delete it, note it; branches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from tewb.workbench.session import Session

_STYLE = {"description_width": "initial"}

Do = Callable[[Callable[[], Any], str], None]


class JournalControls(widgets.VBox):  # type: ignore[misc]
    """Buttons that edit the journal of `session`; `do(action, said)` runs an action and says what came of it."""

    def __init__(self, session: Session, do: Do) -> None:
        self.session, self._do = session, do
        self.step = widgets.BoundedIntText(value=0, min=0, max=0, description="Step", style=_STYLE)
        self.step.layout.width = "100px"
        self.note = _text("Note", "a note for the step")
        self.name = _text("Branch", "name of a branch")
        self.branches = widgets.Dropdown(options=[session.on_branch], description="On", style=_STYLE)
        self.branches.layout.width = "130px"
        self.branches.add_class("tw-on-branch")
        steps = widgets.HBox(
            [
                self.step,
                self._button("Jump", lambda: session.jump(self.step.value), "jumped"),
                self._button("Delete step", lambda: session.delete_step(self.step.value), "deleted"),
                self._button("Earlier", lambda: self._move(-1), "moved"),
                self._button("Later", lambda: self._move(1), "moved"),
            ]
        )
        words = widgets.HBox(
            [
                self.note,
                self._button(
                    "Keep note", lambda: session.label_step(self.step.value, note=self.note.value), "noted"
                ),
            ]
        )
        kept = widgets.HBox(
            [
                self.name,
                self._button("Branch off", lambda: session.branch(self.name.value), "branched off"),
                self.branches,
            ]
        )
        super().__init__([steps, words, kept])
        for box in (steps, words, kept):
            box.layout.flex_flow = "row wrap"
        self._following = False
        self.branches.observe(lambda change: self._switch(change["new"]), names="value")
        session.on_change(self.refresh)
        self.refresh()

    def _button(self, name: str, action: Callable[[], Any], said: str) -> Any:
        button = widgets.Button(description=name, layout={"width": "auto"})
        button.add_class(f"tw-{name.lower().replace(' ', '-')}")
        button.on_click(lambda _: self._do(lambda: _always(action), said))
        return button

    def _move(self, by: int) -> None:
        to = self.step.value + by
        self.session.move_step(self.step.value, to)
        self.step.value = to

    def _switch(self, branch: str | None) -> None:
        if branch is not None and not self._following:
            self._do(lambda: _always(lambda: self.session.switch(branch)), f"on branch {branch}")

    def refresh(self) -> None:
        """Follow the journal: its length, the last step, the branches."""
        session = self.session
        count = len(session.journal) + len(session.ahead)
        self.step.max = count
        self.step.value = len(session.journal)
        self._following = True
        self.branches.options = list(session.branches)
        self.branches.value = session.on_branch
        self._following = False


def _text(name: str, placeholder: str) -> Any:
    field = widgets.Text(description=name, placeholder=placeholder, continuous_update=False, style=_STYLE)
    field.layout.width = "220px"
    return field


def _always(action: Callable[[], Any]) -> bool:
    action()
    return True
