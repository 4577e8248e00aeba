"""The notebook layer: `Session` is all behaviour, `Workbench` its widgets. Each room imports those above it:

background     work on a thread of its own, in pieces between which requests are answered
journal/       the steps: undo, branches, replay; a schedule as code, as compact text, as JSON
looks/         what can be seen, as data: code from TE to assembly, diffs, the loop tree, allocations, sizes
session_view   what the three rooms below read of a session
measure/       times against numpy, operation counts, the roofline, the check that steps change no result
trace/         an interpreter of IR, the accesses of all buffers or of one over time, what a cache makes of them
judge/         the palette of legal steps, advice, the ledger of memory, why things are as they are
speed/         why a kernel is as fast as it is: its inner loops in assembly, ports, latencies, cache misses
session        `Session` puts these together; demos has programs to try
views/         what is drawn in Python: graphs, plain HTML for a page without a kernel
states/        what the page is sent: the state of every view as a dataclass, with its schema
requests       what can be asked of a session, each with all of its arguments in one message
saved_page     a page of HTML that plays accesses without a kernel
desk           a session as it is worked with: selection, background work, who listens
serve          the same for programs: one JSON object a line
notebook/      `Workbench` and its panes as widgets, magics, reprs, snapshots, what is kept in the notebook
frontend/      the page: TypeScript, built by `npm run build` into page/, which is what is sent
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tewb.base import TewbError
from tewb.workbench.measure.measurement import Measurement
from tewb.workbench.session import Session

if TYPE_CHECKING:
    from tewb.workbench.notebook.workbench import Workbench, demo

__all__ = ["Measurement", "Session", "Workbench", "demo"]


def __getattr__(name: str) -> Any:
    """The widgets, loaded on first use: a session needs none."""
    if name in ("Workbench", "demo"):
        try:
            from tewb.workbench.notebook import workbench as widget
        except ImportError as e:
            raise TewbError(f"the workbench needs {e.name}", hint="pip install 'tewb[workbench]'") from e
        return getattr(widget, name)
    raise AttributeError(f"module 'tewb.workbench' has no attribute {name!r}")
