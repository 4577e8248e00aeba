"""The palette as HTML: legal actions with their previews, places to compute at, refused actions greyed; and
advice, with the steps that answer it.

Every button carries its step as JSON (`data-step`; a list where there are several), for whoever listens.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape

from tewb.schedule import Step
from tewb.workbench.judge.advice import Advice
from tewb.workbench.judge.palette import Action, Preview
from tewb.workbench.views.html import panel


def palette(actions: Sequence[Action], stage: str, loop: str | None) -> str:
    """The panel of what can be done to a stage and a loop of it."""
    legal = [a for a in actions if a.legal]
    lists = [
        _list("Loops and memory", [_legal(a) for a in legal if not a.is_place]),
        _list("Where to compute it", [_legal(a) for a in legal if a.is_place]),
        _list("Not now", [_refused(a) for a in actions if not a.legal]),
    ]
    title = f"What can be done to {stage}" + (f", loop {loop}" if loop else "")
    return panel(title, "".join(lists), "palette")


def _list(title: str, items: Sequence[str]) -> str:
    if not items:
        return ""
    return f'<div class="tw-dim">{title}</div><ul class="tw-actions">{"".join(items)}</ul>'


def _legal(a: Action) -> str:
    return f"<li>{_button(str(a.step), [a.step])}{_preview(a.preview)}</li>"


def _preview(p: Preview | None) -> str:
    if p is None:
        return ""
    if not p.loops:
        return ' <span class="tw-dim">changes nothing</span>'
    changes = f" <b>{escape('; '.join(p.changes))}</b>" if p.changes else ""
    return changes + "".join(f'<div class="tw-after">{escape(text)}</div>' for text in p.loops)


def _refused(a: Action) -> str:
    hint = f" <i>{escape(a.hint)}</i>" if a.hint else ""
    fix = ""
    if a.fix is not None and a.then is not None:
        said = f"{a.fix}, then {a.then}"
        fix = f"<div>{_button(said, [a.fix, a.then])}</div>"
    name = f'<button type="button" disabled>{escape(str(a.step))}</button>'
    return f'<li class="tw-refused">{name} {escape(a.reason or "")}{hint}{fix}</li>'


def advice(findings: Sequence[Advice]) -> str:
    """The panel of advice, each with a button for the steps that answer it."""
    items = []
    for a in findings:
        where = f"{a.stage}.{a.loop}" if a.loop else a.stage
        answer = f"<div>{_button(', then '.join(map(str, a.steps)), a.steps)}</div>" if a.steps else ""
        items.append(f"<li><b>{escape(a.kind)}</b> {escape(where)}: {escape(a.message)}{answer}</li>")
    body = (
        f'<ul class="tw-actions">{"".join(items)}</ul>'
        if items
        else '<span class="tw-dim">nothing to advise</span>'
    )
    return panel("Advice", body, "advice")


def _button(text: str, steps: Sequence[Step]) -> str:
    data = [s.to_json() for s in steps]
    given = json.dumps(data[0] if len(data) == 1 else data)
    return f'<button type="button" data-step="{escape(given)}">{escape(text)}</button>'
