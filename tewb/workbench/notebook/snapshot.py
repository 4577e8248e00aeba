"""Snapshot: the workbench at one moment, as HTML that a notebook keeps when there is no kernel any more."""

from __future__ import annotations

from html import escape

from tewb.base import TewbError, check_given, comment
from tewb.workbench.measure.measure import sizes_text
from tewb.workbench.measure.measurement import Measurement
from tewb.workbench.session import Session
from tewb.workbench.states.loops import loops_state, tree_text
from tewb.workbench.states.trials import Trials, trials_state
from tewb.workbench.views import plain
from tewb.workbench.views.graph import dot, tree

SHOWN_TRIALS = 10


class Snapshot(plain.Shown):
    """What a session showed: steps, loops, allocations, regions, graph, IR and code. Later steps do not
    change it. `text` is its first line, `html` all of it."""


def snapshot(session: Session, measured: Measurement | None = None, note: str = "a snapshot") -> Snapshot:
    """The session as it is now; with `measured`, its times too."""
    is_right = measured is None or isinstance(measured, Measurement)
    check_given(is_right, "measured", measured, "what session.measure() found", "snapshot(session.measure())")
    steps = plain.steps(session.journal) if session.journal else "<div>no steps yet</div>"
    html = [f"<b>tewb workbench</b> ({escape(note)})", steps]
    if measured is not None:
        is_of_now = measured.journal == session.journal and measured.sizes == sizes_text(session)
        html.append(f"<div>{'' if is_of_now else 'before it was changed: '}{escape(str(measured))}</div>")
    html.append(plain.pre(tree_text(loops_state(session))))
    trials = trials_state(session) if session.board is not None else None
    if trials is not None and trials.kind:
        html.append(plain.fold(f"trials: {trials.text}", _fastest(trials)))
    html += _lowered(session)
    drawn = plain.picture(dot(session.schedule), f"stage graph: {tree(session.schedule)}")
    html.append(plain.fold("stage graph", drawn or plain.pre(tree(session.schedule))))
    try:
        html.append(plain.fold("schedule as Python", plain.pre(plain.cut(session.code))))
    except TewbError as e:
        html.append(plain.fold("schedule as Python", plain.pre(comment(e.message))))
    return Snapshot(f"tewb workbench: {session.schedule!r}", f"<div>{''.join(html)}</div>")


def _fastest(trials: Trials) -> str:
    """The fastest trials, those that are pinned, and what was best in other words."""
    timed = sorted(
        (r for r in trials.rows if r.seconds is not None), key=lambda r: (not r.pinned, r.seconds or 0.0)
    )
    head = ("trial", "state", "median ± spread", *(c.text for c in trials.columns))
    rows = [
        (r.number, f"{r.text}{', pinned' if r.pinned else ''}", r.time, *r.values)
        for r in timed[:SHOWN_TRIALS]
    ]
    return "".join(f"<div>{escape(c.text)}</div>" for c in trials.compared) + plain.table(head, rows)


def _lowered(session: Session) -> list[str]:
    """Allocations, regions and IR; or why there are none."""
    if session.problem is not None:
        return [plain.pre(f"not lowered: {session.problem}")]
    allocations = [
        (a.name, a.shape, a.dtype, "symbolic" if a.bytes is None else f"{a.bytes:,} B", a.scope)
        for a in session.allocations()
    ]
    regions = [(r.name, "; ".join(r.reads), "; ".join(r.writes), r.effect) for r in session.regions()]
    tables = []
    if allocations:
        tables.append(plain.table(("allocation", "shape", "dtype", "bytes", "scope"), allocations))
    if regions:
        tables.append(plain.table(("extern", "reads", "writes", "effect"), regions))
    tables.append(plain.fold("lowered IR", plain.pre(plain.cut(session.ir)), is_open=True))
    return tables
