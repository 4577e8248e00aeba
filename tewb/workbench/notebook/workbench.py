"""Workbench: a session in a notebook, with stock widgets for every function."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from tewb.base import TewbError, comment
from tewb.lowering import LOWER
from tewb.schedule import Schedule, Step
from tewb.workbench.demos import demo_session
from tewb.workbench.judge.ledger import extern_boxes
from tewb.workbench.looks.code_forms import CodeForm
from tewb.workbench.measure.measurement import Measurement
from tewb.workbench.notebook.snapshot import snapshot
from tewb.workbench.notebook.sync_after_cells import follow_cells
from tewb.workbench.session import Session
from tewb.workbench.views import html
from tewb.workbench.views import ledger as ledger_view
from tewb.workbench.views import palette as palette_view
from tewb.workbench.views.assets import asset
from tewb.workbench.views.code_forms import diff_panel, form_panel, rules
from tewb.workbench.views.graph import graph_panel
from tewb.workbench.views.history import journal_panel
from tewb.workbench.views.journal_controls import JournalControls
from tewb.workbench.views.loops import LoopView
from tewb.workbench.views.pages import Pages
from tewb.workbench.views.parameter_form import ParameterForm
from tewb.workbench.views.roofline import roofline_panel
from tewb.workbench.views.times import history_plot, progress_bar, times_panel
from tewb.workbench.views.why import explanation

_STYLE = {"description_width": "initial"}
_SHEETS = [
    asset(f"{view}.css")
    for view in ("pages", "loops", "code_forms", "palette", "ledger", "times", "roofline", "history", "why")
]

LOWERED = LOWER[-1].name  # the form that is shown first: what a person reads
QUESTIONS = {
    "bound of the loop": "bound",
    "allocation of the stage": "allocation",
    "guards": "guard",
    "simplification": "simplification",
}
AGAINST = {"nothing": None, "the step before": "before", "the pinned schedule": "pinned"}


def _form_label(f: CodeForm) -> str:
    name = "Lowered IR" if f.name == LOWERED else f.name
    return f"{name} (unchanged)" if f.same and f.name != LOWERED else name


def _soon(f: Callable[[], None]) -> None:
    """Call `f` when what was done so far has been sent to the front end; now, where there is none."""
    try:
        asyncio.get_running_loop().call_soon(f)
    except RuntimeError:
        f()


def _later(seconds: float, f: Callable[[], None]) -> asyncio.TimerHandle | None:
    """Call `f` in a while, where there is a loop to do it."""
    try:
        return asyncio.get_running_loop().call_later(seconds, f)
    except RuntimeError:
        return None


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
        self._waiting: asyncio.TimerHandle | None = None
        self._stop = threading.Event()
        self._make_controls()
        self._make_panels()
        super().__init__(
            [self._style, self._choosers, self._form_box, self._buttons, self._message, self._body]
        )
        self.add_class("tw-bench")
        self.session.on_change(self._refresh)
        follow_cells(self.session)
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
        self.pin = self._button("Pin", self._pin)
        self._progress = widgets.HTML()
        self._buttons = widgets.HBox(
            [self.apply, self.undo, self.redo, self.reset, self.measure, self.pin, self._progress]
        )
        self.stage.observe(lambda _: self._stage_chosen(), names="value")
        self.primitive.observe(lambda _: self._fill_form(), names="value")
        self.loop.observe(lambda _: self._show_selected(), names="value")

    def _dropdown(self, name: str, options: list[str], value: str | None = None) -> Any:
        made = widgets.Dropdown(options=options, value=value, description=name, style=_STYLE)
        made.layout.width = "260px"
        made.add_class(f"tw-{name.lower().replace(' ', '-')}")
        return made

    def _button(self, name: str, action: Callable[[], None], style: str = "") -> Any:
        made = widgets.Button(description=name, button_style=style)
        made.layout.width = "100px"
        made.add_class(f"tw-{name.lower()}")
        made.on_click(lambda _: action())
        return made

    def _make_panels(self) -> None:
        self._style, self._message, self._palette, self._form_html = (widgets.HTML() for _ in range(4))
        self._message.value = html.message("choose a primitive and press Apply")
        self.loops = LoopView(self._ask)
        self.loops.observe(lambda _: self._loop_selected(), names="selected")
        self._loops = widgets.VBox([widgets.HTML('<div class="tw-title">Loops</div>'), self.loops])
        for name in ("tw-panel", "tw-panel-loops"):
            self._loops.add_class(name)
        self.form = self._dropdown("View", [LOWERED])
        self.against = self._dropdown("Compare with", list(AGAINST), "nothing")
        self.form.observe(lambda _: self._show_form(), names="value")
        self.against.observe(lambda _: self._show_form(), names="value")
        self._times_note = ""
        self._measured: Measurement | None = None
        session = self.session
        self.question = self._dropdown("Why this", list(QUESTIONS), next(iter(QUESTIONS)))
        self.question.observe(lambda _: self.left_pages.refresh(), names="value")
        self._editor = widgets.Textarea(layout={"width": "auto", "height": "170px"}, continuous_update=False)
        self._editor.description = "Edit"
        self._editor.add_class("tw-editor")
        self.load = self._button("Load", lambda: self._do(lambda: session.load(self._editor.value), "loaded"))
        self.left_pages: Pages = Pages(
            {
                "Journal": lambda: journal_panel(session),
                "Memory": lambda: (
                    html.allocations(session)
                    + ledger_view.ledger(session.ledger(), session.checks())
                    + html.regions(session)
                    + ledger_view.boxes(extern_boxes(session))
                ),
                "Advice": lambda: palette_view.advice(session.advice()),
                "Times": self._times_page,
                "Why": self._why,
                "Roofline": lambda: roofline_panel(session.roofline()),
            },
            {"Journal": JournalControls(session, self._do), "Why": self.question},
        )
        self.right_pages = Pages(
            {"Graph": lambda: graph_panel(session.schedule), "Schedule": lambda: html.code(self._program())},
            {"Schedule": widgets.VBox([self._editor, self.load])},
        )
        views = widgets.HBox([self.form, self.against])
        views.layout.flex_flow = "row wrap"
        for chooser in (self.form, self.against):
            chooser.layout.width = "auto"
        left = widgets.VBox([self._loops, self._palette, self.left_pages])
        right = widgets.VBox([views, self._form_html, self.right_pages])
        left.layout.width, right.layout.width = "44%", "56%"
        left.layout.min_width = right.layout.min_width = "0"
        self._body: Any = widgets.HBox([left, right])

    # ---- doing

    def _apply(self) -> None:
        self._ask([Step(self.primitive.value, self.stage.value, self._form.arguments())])

    def _ask(self, steps: Sequence[Step]) -> None:
        """Apply steps: those of the form, of a gesture on the loop tree, or of a button in a panel."""
        for step in steps:
            try:
                self.session.apply(step)
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
        self.measure.description = "Stop"
        self.left_pages.choose("Times")
        self._show_times(progress_bar(0.0, "checking the result, then timing in turn with numpy"))
        version = self.session.schedule.version
        self._busy = threading.Thread(target=self._measure_beside, args=(version,), daemon=True)
        self._busy.start()

    def _measure_beside(self, version: int) -> None:
        pinned = self.session.pinned
        try:
            found = self.session.measure(
                stop=self._stop.is_set,
                progress=lambda done, what: self._show_times(progress_bar(done, what)),
                pinned=None if pinned is None else pinned.journal,
            )
            note = f"after {len(self.session.journal)} steps"
            if version != self.session.schedule.version:
                note = "of the schedule before the last change"
            self._measured, self._times_note = found, note
            self._show_times("")
        except Exception as e:  # whatever the kernel or the user's numpy program raises is shown
            self._show_times("")
            self._message.value = html.message(f"✗ measuring failed: {e}", good=False)
        finally:
            self.measure.description = "Measure"

    def _show_times(self, progress: str) -> None:
        self._progress.value = progress
        if not progress:
            self.left_pages.refresh()

    def _why(self) -> str:
        """The answer to the chosen question about the chosen stage and loop."""
        what = QUESTIONS[self.question.value]
        return explanation(self.session.explain(what, self.stage.value, self.loop.value))

    def _verify(self) -> None:
        """Compare the kernel with the definition on small sizes: no step should ever change a result."""
        found = self.session.verify()
        if found.ok is False:
            self._message.value = html.message(f"✗ {found.message}", good=False)

    def _times_page(self) -> str:
        return times_panel(self._measured, self._times_note, history_plot(self.session))

    def _pin(self) -> None:
        """Keep the schedule as it is now, to compare with."""
        self.session.pin()
        self._message.value = html.message(f"pinned the schedule of {len(self.session.journal)} steps")
        self._show_form()

    # ---- showing

    def _refresh(self) -> None:
        """What a user waits for first: the loops and the code. The other panels follow when that is sent."""
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
        self.loops.show(stages, session.code_forms.loop_numbers.number)
        self._show_selected()
        self._fill_forms()
        self._show_form()
        self.undo.disabled, self.redo.disabled = not session.can_undo, not session.can_redo
        _soon(self._refresh_pages)

    def _refresh_pages(self) -> None:
        self.left_pages.refresh()
        self.right_pages.refresh()
        self._show_palette()
        self._editor.value = self._schedule_code()
        self._verify_later()

    def _verify_later(self) -> None:
        """When nothing was changed for a moment."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        if self.session.journal and self.session.problem is None:
            self._waiting = _later(0.5, self._verify)

    def _schedule_code(self) -> str:
        try:
            return self.session.schedule_code
        except TewbError as e:
            return comment(e.message)

    def _fill_forms(self) -> None:
        """The forms that there are now; what a pass left unchanged says so."""
        options = [(_form_label(f), f.name) for f in self.session.forms()]
        if list(self.form.options) != options:
            kept = self.form.value
            names = [name for _, name in options]
            self._settling = True
            self.form.options = options
            self.form.value = kept if kept in names else LOWERED if LOWERED in names else names[-1]
            self._settling = False

    def _show_form(self) -> None:
        """The chosen form, or what is different in it."""
        if self._settling:
            return
        session, against = self.session, AGAINST[self.against.value]
        try:
            if session.problem is not None and self.form.value == LOWERED:
                raise session.problem
            if against and (against != "pinned" or session.pinned is not None):
                text = diff_panel(session.diff(self.form.value, against))
            else:
                form = session.code_forms.form(self.form.value)
                note = "what the schedule comes to: loops on arrays" if form.name == LOWERED else None
                text = form_panel(form, title=_form_label(form), note=note)
        except TewbError as e:
            text = html.panel(str(self.form.value), html.refusal(e), "ir")
        self._form_html.value = text
        steps = len(session.journal)
        self._style.value = html.style(steps, [*_SHEETS, rules(steps, len(session.code_forms.loop_numbers))])

    def _selection_changed(self) -> None:
        self._show_palette()
        if self.left_pages.shown == "Why":
            self.left_pages.refresh()

    def _show_palette(self) -> None:
        """What can be done to the chosen stage and loop."""
        stage, loop = self.stage.value, self.loop.value
        known = next((s for s in self.session.stages if s.name == stage), None)
        if known is None or known.kind == "input":
            self._palette.value = ""
            return
        self._palette.value = palette_view.palette(self.session.palette(stage, loop), stage, loop)

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
        _soon(self._selection_changed)

    def _show_selected(self) -> None:
        """The loop tree follows the choosers."""
        chosen = {"stage": self.stage.value or "", "loop": self.loop.value or ""}
        if not self._settling and chosen != self.loops.selected:
            self.loops.selected = chosen

    def _program(self) -> str:
        try:
            return self.session.code
        except TewbError as e:
            return comment(e.message)

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
        self._form = ParameterForm(self.session, self.stage.value, primitive, lambda: self.loop.value)
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
