"""Workbench: a session in a notebook, all of it in one widget."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tewb.schedule import Schedule
from tewb.workbench.background import Later
from tewb.workbench.demos import demo_session
from tewb.workbench.notebook.keeping import saved_in_notebook
from tewb.workbench.notebook.panes import Pane
from tewb.workbench.notebook.snapshot import snapshot
from tewb.workbench.notebook.sync_after_cells import follow_cells
from tewb.workbench.session import Session

PAUSE = 2.0  # seconds without a change before the look in the notebook is made anew, which takes a moment


class Workbench(Pane):
    """Schedule a program by choosing loops and steps, and watch what it becomes.

    `Workbench(s, [A, B, C])` works on the schedule `s` in place: what is done here can be built in the next cell.
    `reference` is a numpy function of the inputs to compare and race with. The saved notebook shows the last state
    without a kernel, and running the cell again restores the journal.
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
        if not isinstance(schedule, Session):
            schedule = Session(schedule, list(args or []), name, reference, inputs, sizes)
        self._shown: Any = None
        self._later = Later(PAUSE, self._keep_look)
        super().__init__(schedule)
        follow_cells(schedule)
        self._desk.on_change(self._look_later)

    # ---- the look that stays in the notebook

    def look(self, note: str = "run the cell to work with it") -> str:
        """What the workbench shows now, as HTML that needs no kernel and no trust."""
        kept = snapshot(self.session, self._desk.measured, note=note)
        return f'<div class="tw-look">{kept.html}</div>'

    def _ipython_display_(self) -> None:
        """The look, as an output of its own, and under it the widget: the page hides the look while it is alive."""
        from IPython.display import HTML, display

        desk = self._desk
        if not desk.was_restored and not desk.restored_early:
            desk.restored_early = self._go_to(saved_in_notebook(self.program) or {})
        self._shown = display(HTML(self.look()), display_id=True)  # type: ignore[no-untyped-call]
        bundle = self._repr_mimebundle_()
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        display(dict(data or {}), metadata=metadata, raw=True)  # type: ignore[no-untyped-call]

    def _look_later(self) -> None:
        """When nothing was changed for a moment, the look in the notebook is what is shown."""
        self._later.ask()

    def _look_now(self) -> bool:
        if not self._later.is_coming or self._shown is None:
            return False
        self._later.cancel()
        self._keep_look()
        return True

    def _keep_look(self) -> None:
        if self._shown is not None:
            from IPython.display import HTML

            self._shown.update(HTML(self.look()))  # type: ignore[no-untyped-call]


def demo(name: str = "matmul", **sizes: Any) -> Workbench:
    """The workbench on a program to try: "matmul", "blur", "softmax" or "extern". `n=...` changes its size."""
    return Workbench(demo_session(name, **sizes))
