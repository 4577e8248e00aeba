"""AccessPlayer: the accesses of a buffer step by step, by slider, by number, by button or by themselves."""

from __future__ import annotations

from html import escape
from typing import Any

import ipywidgets as widgets

from tewb.workbench.session import Session
from tewb.workbench.trace.access_trace import AccessTrace, trace
from tewb.workbench.views import access, plain
from tewb.workbench.views.assets import asset

_NAMES = asset("access_player.js")


class AccessPlayer(widgets.VBox):  # type: ignore[misc]
    """Watch what loops do with one buffer: `AccessPlayer(session, "A")`, or of a trace that was made before.

    `time` is the access that is shown, counted from 0.
    """

    def __init__(self, source: Session | AccessTrace, buffer: str = "", limit: int = 4096) -> None:
        self.trace = source if isinstance(source, AccessTrace) else trace(source, buffer, limit)
        last = max(len(self.trace) - 1, 0)
        self.play = widgets.Play(min=0, max=last, interval=200)
        self.slider = widgets.IntSlider(min=0, max=last, description="Access", readout=False)
        self.number = widgets.BoundedIntText(min=0, max=last, description="Number")
        self.slider.layout.width, self.number.layout.width = "360px", "170px"
        self.back = self._button("Back", -1)
        self.next = self._button("Next", 1)
        self._frame = widgets.HTML()
        self._said = widgets.HTML()
        summary = widgets.HTML(access.summary(self.trace))
        names = widgets.HTML(f'<style onload="{escape(_NAMES)}"></style>')
        widgets.jslink((self.play, "value"), (self.slider, "value"))
        widgets.link((self.slider, "value"), (self.number, "value"))
        self.slider.observe(lambda _: self._show(), names="value")
        controls = widgets.HBox([self.play, self.back, self.next, self.slider, self.number])
        super().__init__([controls, self._said, self._frame, summary, names])
        self.add_class("tw-access")
        self._show()

    def _button(self, name: str, by: int) -> Any:
        made = widgets.Button(description=name, layout=widgets.Layout(width="70px"))
        made.on_click(lambda _: self._move(by))
        made.add_class(f"tw-{name.lower()}")
        return made

    def _move(self, by: int) -> None:
        self.time = self.time + by

    @property
    def time(self) -> int:
        return int(self.slider.value)

    @time.setter
    def time(self, value: int) -> None:
        self.slider.value = min(max(value, 0), self.slider.max)

    def _show(self) -> None:
        self._frame.value = access.frame(self.trace, self.time)
        text = access.caption(self.trace, self.time) if self.trace.accesses else str(self.trace)
        self._said.value = f'<div role="status" aria-live="polite">{escape(text)}</div>'
        self.back.disabled, self.next.disabled = self.time == 0, self.time == self.slider.max

    def _repr_mimebundle_(self, **keywords: Any) -> Any:
        """The widget, and beside it plain HTML for a notebook that is opened without a kernel."""
        bundle = super()._repr_mimebundle_(**keywords)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data is not None:
            data["text/html"] = f"<div>{self._said_plainly()}{access.summary(self.trace)}</div>"
            data["text/plain"] = str(self.trace)
        return bundle

    def _said_plainly(self) -> str:
        """The last moment as an image and a sentence."""
        if not self.trace.accesses:
            return ""
        last = len(self.trace) - 1
        said = access.caption(self.trace, last)
        return f"<div>{escape(said)}</div>{plain.image(access.frame(self.trace, last), said)}"
