"""The journal as HTML text: steps with their names and notes, what can be redone, branches, and the pin."""

from __future__ import annotations

from html import escape

from tewb.schedule import Step
from tewb.workbench.session import Session
from tewb.workbench.views.html import panel

_EMPTY = '<div class="tw-dim">no steps yet: choose a stage, a primitive and a loop, then Apply</div>'


def journal_panel(session: Session) -> str:
    """The journal of now, the steps ahead that redo would do, the branches and the pinned schedule.

    Each step carries its class, so that hovering or focusing it lights its loops and its lines of IR.
    """
    journal, pinned = session.journal, session.pinned
    kept = None if pinned is None else pinned.journal
    at = len(kept) if kept is not None and journal[: len(kept)] == kept else None
    rows = [_step(i, step, at == i, f"tw-step tw-s{i - 1}") for i, step in enumerate(journal, 1)]
    first = len(journal) + 1
    rows += [_step(i, step, False, "tw-step tw-ahead") for i, step in enumerate(session.ahead, first)]
    begin = f'<div class="tw-dim">unscheduled{_mark("pinned")}</div>' if at == 0 else ""
    steps = f'<div class="tw-code">{begin}{"".join(rows) or _EMPTY}</div>'
    elsewhere = _elsewhere(len(kept)) if kept is not None and at is None else ""
    return panel("Journal", steps + elsewhere + _branches(session), "journal")


def _step(number: int, step: Step, pinned: bool, kind: str) -> str:
    name = f'<span class="tw-step-name">{escape(step.name)}</span>' if step.name else ""
    note = f'<div class="tw-note">{escape(step.note)}</div>' if step.note else ""
    ahead = ' aria-label="taken back"' if "tw-ahead" in kind else ""
    text = f"{number:>2}  {escape(str(step))}{name}{_mark('pinned') if pinned else ''}"
    return f'<div class="{kind}" tabindex="0" data-step="{number}"{ahead}>{text}{note}</div>'


def _mark(text: str) -> str:
    return f' <span class="tw-mark">{text}</span>'


def _elsewhere(steps: int) -> str:
    count = "1 step" if steps == 1 else f"{steps} steps"
    return f'<div class="tw-dim">pinned: another schedule, of {count}</div>'


def _branches(session: Session) -> str:
    """The branches, once there are several."""
    branches = session.branches
    if len(branches) < 2:
        return ""
    shown = []
    for name, journal in branches.items():
        now = name == session.on_branch
        kind, current = ("tw-mark tw-branch-now", ' aria-current="true"') if now else ("tw-mark", "")
        shown.append(f'<span class="{kind}"{current} role="listitem">{escape(name)} ({len(journal)})</span>')
    return f'<div class="tw-branches" role="list" aria-label="Branches">{"".join(shown)}</div>'
