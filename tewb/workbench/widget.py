"""Workbench: a session in a notebook, with stock widgets for every function."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from tewb.base import TewbError
from tewb.schedule import Schedule, Step
from tewb.workbench.demos import demo_session
from tewb.workbench.forms import Form
from tewb.workbench.session import Session
from tewb.workbench.snapshot import snapshot
from tewb.workbench.views import html
from tewb.workbench.views.graph import graph_panel
from tewb.workbench.views.loops import CSS as LOOPS_CSS
from tewb.workbench.views.loops import LoopView

_STYLE = {"description_width": "initial"}


class Workbench(widgets.VBox):  # type: ignore[misc]
    """Schedule a program by choosing stages, loops and primitives, and watch what it becomes.

    `Workbench(s, [A, B, C])` works on the schedule `s` in place: what is done here can be built in the next
    cell. `reference` is a numpy function of the inputs to compare and race with.
    """

    def __init__(
        self,
        schedule: Schedule | Session,
        args: Sequence[Any] | None = None,
        *,
        reference: Callable[..., Any] | None = None,
        inputs: Sequence[Any] | None = None,
        sizes: Mapping[str, int] | None = None,
        name: str = "main",
    ) -> None:
        if isinstance(schedule, Session):
            self.session = schedule
        else:
            self.session = Session(schedule, list(args or []), name, reference, inputs, sizes)
        self._busy: threading.Thread | None = None
        self._form_of: tuple[str, str, int] | None = None
        self._settling = False
        self._stop = threading.Event()
        self._make_controls()
        self._make_panels()
        super().__init__(
            [self._style, self._choosers, self._form_box, self._buttons, self._message, self._body]
        )
        self.add_class("tw-bench")
        self.session.on_change(self._refresh)
        self._refresh()

    # ---- parts

    def _make_controls(self) -> None:
        names = [s.name for s in self.session.stages]
        own = [s.name for s in self.session.stages if s.kind != "input"]
        self.stage = self._dropdown("Stage", names, own[-1] if own else None)
        self.loop = self._dropdown("Loop", [])
        self.primitive = self._dropdown("Primitive", [])
        self._choosers = widgets.HBox([self.stage, self.primitive, self.loop])
        self._form_box = widgets.HBox([])
        self.apply = self._button("Apply", self._apply, "primary")
        self.undo = self._button("Undo", lambda: self._do(self.session.undo, "undone"))
        self.redo = self._button("Redo", lambda: self._do(self.session.redo, "done again"))
        self.reset = self._button("Reset", lambda: self._do(self.session.reset, "back to the start"))
        self.measure = self._button("Measure", self._measure, "info")
        self._buttons = widgets.HBox([self.apply, self.undo, self.redo, self.reset, self.measure])
        self.stage.observe(lambda _: self._stage_chosen(), names="value")
        self.primitive.observe(lambda _: self._fill_form(), names="value")
        self.loop.observe(lambda _: self._show_selected(), names="value")

    def _dropdown(self, name: str, options: list[str], value: str | None = None) -> Any:
        made = widgets.Dropdown(options=options, value=value, description=name, style=_STYLE)
        made.layout.width = "260px"
        made.add_class(f"tw-{name.lower()}")
        return made

    def _button(self, name: str, action: Callable[[], None], style: str = "") -> Any:
        made = widgets.Button(description=name, button_style=style)
        made.layout.width = "100px"
        made.add_class(f"tw-{name.lower()}")
        made.on_click(lambda _: action())
        return made

    def _make_panels(self) -> None:
        self._style, self._message, self._journal = (widgets.HTML() for _ in range(3))
        self.loops = LoopView(self._ask)
        self.loops.observe(lambda _: self._loop_selected(), names="selected")
        self._loops = widgets.VBox([widgets.HTML('<div class="tw-title">Loops</div>'), self.loops])
        for name in ("tw-panel", "tw-panel-loops"):
            self._loops.add_class(name)
        self._ir, self._allocations, self._regions, self._graph = (widgets.HTML() for _ in range(4))
        self._times, self._code = widgets.HTML(html.times(None)), widgets.HTML()
        self._message.value = html.message("choose a primitive and press Apply")
        left = widgets.VBox([self._loops, self._journal, self._allocations, self._regions, self._times])
        right = widgets.VBox([self._ir, self._graph, self._code])
        left.layout.width, right.layout.width = "42%", "58%"
        left.layout.min_width = right.layout.min_width = "0"
        self._body = widgets.HBox([left, right])

    # ---- doing

    def _apply(self) -> None:
        self._ask(self.primitive.value, self.stage.value, self._form.arguments())

    def _ask(self, primitive: str, stage: str, arguments: Mapping[str, Any]) -> None:
        """A gesture on the loop tree."""
        try:
            self.session.apply(Step(primitive, stage, dict(arguments)))
        except TewbError as e:
            self._message.value = html.refusal(e)
            return
        self._message.value = html.message(f"✓ {self.session.journal[-1]}")

    def _do(self, action: Callable[[], bool | None], said: str) -> None:
        try:
            worked = action()
        except TewbError as e:
            self._message.value = html.refusal(e)
            return
        self._message.value = html.message(
            said if worked is not False else "there is nothing more to take back or do"
        )

    def _measure(self) -> None:
        """Measure beside the notebook's own thread; the button stops it."""
        if self._busy is not None and self._busy.is_alive():
            self._stop.set()
            return
        self._stop.clear()
        version = self.session.schedule.version
        self.measure.description = "Stop"
        self._times.value = html.times(None, "checking the result, then timing in turn with numpy...")
        self._busy = threading.Thread(target=self._measure_beside, args=(version,), daemon=True)
        self._busy.start()

    def _measure_beside(self, version: int) -> None:
        try:
            found = self.session.measure(stop=self._stop.is_set)
            note = f"after {len(self.session.journal)} steps"
            if version != self.session.schedule.version:
                note = "of the schedule before the last change"
            self._times.value = html.times(found, note)
        except Exception as e:  # whatever the kernel or the user's numpy program raises is shown
            self._times.value = html.times(None, "nothing measured")
            self._message.value = html.message(f"✗ measuring failed: {e}", good=False)
        finally:
            self.measure.description = "Measure"

    # ---- showing

    def _refresh(self) -> None:
        session = self.session
        stages = session.stages
        names = [s.name for s in stages]
        if list(self.stage.options) != names:
            kept = self.stage.value
            self._settling = True  # new options choose the first for a moment: nobody asked for that
            self.stage.options = names
            self.stage.value = kept if kept in names else names[-1]
            self._settling = False
        self._fill_loops()
        self._fill_form()
        self._style.value = html.style(len(session.journal), [LOOPS_CSS])
        self.loops.show(stages)
        self._show_selected()
        self._journal.value = html.journal(session)
        self._ir.value = html.ir(session.ir_lines())
        self._allocations.value = html.allocations(session)
        self._regions.value = html.regions(session)
        self._graph.value = graph_panel(session.schedule)
        self._code.value = html.code(self._program())
        self.undo.disabled, self.redo.disabled = not session.can_undo, not session.can_redo

    def _stage_chosen(self) -> None:
        if not self._settling:
            self._fill_loops()
            self._fill_form()
            self._show_selected()

    def _loop_selected(self) -> None:
        """The choosers follow the loop tree."""
        stage, loop = self.loops.selected.get("stage"), self.loops.selected.get("loop")
        if stage in self.stage.options:
            self.stage.value = stage
        if loop in self.loop.options:
            self.loop.value = loop

    def _show_selected(self) -> None:
        """The loop tree follows the choosers."""
        chosen = {"stage": self.stage.value or "", "loop": self.loop.value or ""}
        if not self._settling and chosen != self.loops.selected:
            self.loops.selected = chosen

    def _program(self) -> str:
        try:
            return self.session.code
        except TewbError as e:
            return f"# {e.message}"

    def _fill_loops(self) -> None:
        stage = next((s for s in self.session.stages if s.name == self.stage.value), None)
        names = [loop.name for loop in stage.loops] if stage is not None and stage.kind != "input" else []
        if list(self.loop.options) != names:
            kept = self.loop.value
            self.loop.options = names
            self.loop.value = kept if kept in names else (names[0] if names else None)
        primitives = [p.name for p in self.session.primitives(self.stage.value)]
        if list(self.primitive.options) != primitives:
            kept = self.primitive.value
            self.primitive.options = primitives
            self.primitive.value = kept if kept in primitives else primitives[0]

    def _fill_form(self) -> None:
        found = {p.name: p for p in self.session.primitives(self.stage.value)}
        primitive = found.get(self.primitive.value)
        now = (self.stage.value, self.primitive.value, self.session.schedule.version)
        if primitive is None or now == self._form_of:
            return  # the fields stay, with what is typed in them
        self._form_of = now
        self._form = Form(self.session, self.stage.value, primitive, lambda: self.loop.value)
        takes_loop = any(p.kind == "axis" and p.name == "axis" for p in primitive.params)
        self.loop.disabled = not takes_loop
        self._form_box.children = self._form.widgets

    # ---- looks outside of a live notebook

    def _repr_mimebundle_(self, **keywords: Any) -> Any:
        """The widget, and beside it plain HTML for a notebook that is opened without a kernel."""
        bundle = super()._repr_mimebundle_(**keywords)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data is not None:
            kept = snapshot(self.session, note="a snapshot: run the cell to work with it")
            data["text/html"], data["text/plain"] = kept.html, kept.text
        return bundle


def demo(name: str = "matmul", **sizes: Any) -> Workbench:
    """The workbench on a program to try: "matmul", "blur", "softmax" or "extern". `n=...` changes its size."""
    return Workbench(demo_session(name, **sizes))
