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

STYLE = """
.tw-bench { --tw-line: var(--jp-border-color2, #bbb); --tw-dim: var(--jp-content-font-color2, #666);
  --tw-lit: color-mix(in srgb, var(--jp-warn-color1, #f90) 28%, transparent);
  color: var(--jp-content-font-color1, inherit); container-type: inline-size; padding: 2px; }
.tw-bench .tw-panel { border: 1px solid var(--tw-line); border-radius: 4px; padding: 6px 8px; margin: 3px;
  line-height: 1.35; overflow: auto; max-height: 460px; }
.tw-bench .tw-title { font-weight: 600; color: var(--tw-dim); margin: 0 0 4px; font-size: 12px; }
.tw-bench .tw-code { font-family: var(--jp-code-font-family, monospace); font-size: 12px; white-space: pre;
  margin: 0; }
.tw-bench .tw-code div { min-height: 1.35em; }
.tw-bench table { border-collapse: collapse; font-size: 12px; }
.tw-bench th, .tw-bench td { text-align: left; padding: 1px 10px 1px 0; white-space: nowrap; }
.tw-bench th { color: var(--tw-dim); font-weight: 600; border-bottom: 1px solid var(--tw-line); }
.tw-bench td.tw-number { text-align: right; font-variant-numeric: tabular-nums; }
.tw-bench .tw-key { color: var(--jp-mirror-editor-keyword-color, #008000); font-weight: 600; }
.tw-bench .tw-remark { color: var(--jp-mirror-editor-comment-color, #408080); }
.tw-bench .tw-mark { border: 1px solid var(--tw-line); border-radius: 8px; padding: 0 6px; font-size: 11px; }
.tw-bench .tw-good { color: var(--jp-success-color1, #2a7d2e); font-weight: 600; }
.tw-bench .tw-bad { color: var(--jp-error-color1, #c62828); font-weight: 600; }
.tw-bench .tw-dim { color: var(--tw-dim); }
.tw-bench .tw-step { cursor: default; }
.tw-bench .tw-step:focus { outline: 2px solid var(--jp-brand-color1, #1976d2); }
.tw-bench .tw-message { min-height: 20px; white-space: pre-wrap; font-size: 13px; padding: 2px 6px;
  line-height: 1.4; }
.tw-bench .widget-html, .tw-bench .widget-html-content { min-width: 0; width: auto; max-width: 100%; }
.tw-bench .widget-html-content { flex: 1 1 auto; }
.tw-bench .widget-html { overflow: visible; }
.tw-bench svg { max-width: 100%; height: auto; }
""".strip()

# JupyterLab takes keys that are pressed in a drop-down for commands of the notebook (d d deletes the cell),
# unless the element that has the focus says not to. The sheet's own load event is where to say so.
_OWN_KEYS = (
    "const b=this.closest('.tw-bench');"
    "if (b && !b.dataset.twKeys) { b.dataset.twKeys='own';"
    "b.addEventListener('focusin', e => e.target.setAttribute('data-lm-suppress-shortcuts','true')); }"
)


def style(steps: int, more: Sequence[str] = ()) -> str:
    """The style sheet, `more` of it, and one rule for each step that lights what the step made."""
    rules = [
        f".tw-bench:has(.tw-s{i}:is(:hover,:focus)) .tw-s{i} {{ background: var(--tw-lit); }}"
        for i in range(steps)
    ]
    sheet = "\n".join([STYLE, *more, *rules])
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


_COPY = (
    "const t=this.parentElement.querySelector('.tw-program').textContent;"
    "navigator.clipboard.writeText(t).then(()=>{this.textContent='Copied';"
    "setTimeout(()=>{this.textContent='Copy code'},1500)})"
)


def code(text: str) -> str:
    """The program that rebuilds the schedule, with a button that copies it."""
    button = (
        f'<button class="jupyter-button widget-button tw-copy" onclick="{escape(_COPY)}">Copy code</button>'
    )
    return panel(
        "Schedule as Python", f'{button}<div class="tw-code tw-program">{escape(text)}</div>', "code"
    )
