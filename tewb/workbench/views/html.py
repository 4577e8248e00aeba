"""Panels as HTML text: the frame and style of all, allocations, regions, messages, code.

Things that came from one step of the journal carry its class, and the style sheet lights them together
while one of them is hovered or focused: no script, no kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tewb.base import TewbError
from tewb.workbench.looks.sizes import bytes_shown
from tewb.workbench.session import Session
from tewb.workbench.views.assets import asset, repeated

_SHEET, _LIT_STEP = asset("html.css"), asset("lit_step.css")
_OWN_KEYS, _COPY = asset("own_keys.js"), asset("copy_code.js")


def style(steps: int, more: Sequence[str] = ()) -> str:
    """The style sheet, `more` of it, and one rule for each step that lights what the step made."""
    sheet = "\n".join([_SHEET, *more, *repeated(_LIT_STEP, steps)])
    return f'<style onload="{escape(_OWN_KEYS)}">{sheet}</style>'


def panel(title: str, body: str, name: str) -> str:
    """A titled region that assistive technology can find by name."""
    return (
        f'<div class="tw-panel tw-panel-{name}" role="region" aria-label="{escape(title)}" tabindex="0">'
        f'<div class="tw-title">{escape(title)}</div>{body}</div>'
    )


def _step_class(step: int | None) -> str:
    return "" if step is None else f"tw-s{step}"


# ---------------------------------------------------------------- memory


def allocations(session: Session) -> str:
    """The memory of intermediates, in elements and bytes."""
    found = session.allocations()
    if not found:
        body = '<span class="tw-dim">none: every value goes straight to an argument</span>'
        return panel("Allocations", body, "allocations")
    rows = [
        f'<tr class="{_step_class(a.step)}"><td>{escape(a.name)}</td><td>{escape(a.shape)}</td><td>{a.dtype}</td>'
        f'<td class="tw-number">{"symbolic" if a.elements is None else f"{a.elements:,}"}</td>'
        f'<td class="tw-number">{"symbolic" if a.bytes is None else f"{a.bytes:,} B"}</td><td>{a.scope}</td></tr>'
        for a in found
    ]
    total = sum(a.bytes or 0 for a in found)
    head = "<tr><th>tensor</th><th>shape</th><th>dtype</th><th>elements</th><th>bytes</th><th>scope</th></tr>"
    peak = session.peak_bytes()
    most = "" if peak in (None, total) else f"; at most {bytes_shown(peak)} at once, as memory is shared"
    foot = f'<div class="tw-dim">together {bytes_shown(total)}{most}</div>'
    return panel("Allocations", f"<table>{head}{''.join(rows)}</table>{foot}", "allocations")


def regions(session: Session) -> str:
    """The extern_scope regions. They keep storage rewriting from reusing or reordering buffers inside."""
    found = session.regions()
    if not found:
        return panel("Extern regions", '<span class="tw-dim">none</span>', "regions")
    rows = [
        f'<tr class="{_step_class(r.step)}"><td>{escape(r.name)}</td><td>{escape("; ".join(r.reads))}</td>'
        f"<td>{escape('; '.join(r.writes))}</td><td>{r.effect}</td></tr>"
        for r in found
    ]
    head = "<tr><th>extern</th><th>reads</th><th>writes</th><th>effect</th></tr>"
    return panel("Extern regions", f"<table>{head}{''.join(rows)}</table>", "regions")


# ---------------------------------------------------------------- messages and code


def message(text: str, good: bool = True) -> str:
    """What just happened, read aloud by assistive technology."""
    kind = "tw-dim" if good else "tw-bad"
    return f'<div class="tw-message {kind}" role="status" aria-live="polite">{escape(text)}</div>'


def refusal(error: TewbError) -> str:
    """Why something was refused."""
    return message(f"✗ {error}", good=False)


def code(text: str) -> str:
    """The program that rebuilds the schedule, with a button that copies it."""
    button = (
        f'<button class="jupyter-button widget-button tw-copy" onclick="{escape(_COPY)}">Copy code</button>'
    )
    return panel(
        "Schedule as Python", f'{button}<div class="tw-code tw-program">{escape(text)}</div>', "code"
    )
