"""HTML for places where nothing but HTML survives: a notebook that is not trusted, or has no kernel.

Such a notebook keeps structure, inline styles, `<details>` and images, and drops style sheets, scripts and
inline drawings. No colours are set: text takes those of the page around it, light or dark.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

from tewb.base import digits
from tewb.schedule import Step, runs_of
from tewb.workbench.looks.loop_tree import StageInfo
from tewb.workbench.views.assets import inline_styles
from tewb.workbench.views.graph import svg

_STYLES = inline_styles("plain.css")

_SHORT = 40  # lines that are shown without being unfolded
_LONGEST = 800  # lines that are put into a notebook at all


@dataclass(frozen=True)
class Shown:
    """Something to look at: as `html` in a notebook, as `text` in a terminal."""

    text: str
    html: str = field(repr=False)

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


def pre(text: str) -> str:
    """Text as it is, escaped."""
    return f'<pre style="{_STYLES["pre"]}">{escape(text)}</pre>'


def fold(summary: str, body: str, is_open: bool = False) -> str:
    """`body` under a line that opens it."""
    return f"<details{' open' if is_open else ''}><summary>{escape(summary)}</summary>{body}</details>"


def cut(text: str, longest: int = _LONGEST) -> str:
    """The first lines of a long text, and how many are left out."""
    lines = text.splitlines()
    if len(lines) <= longest:
        return text
    return "\n".join([*lines[:longest], f"... and {len(lines) - longest} lines more: print it to see them"])


def listing(title: str, text: str) -> str:
    """A program: shown when it is short, folded when it is long."""
    count = len(text.splitlines())
    if count <= _SHORT:
        return pre(text)
    return fold(f"{title}, {count} lines", pre(cut(text)))


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of texts."""
    top = "".join(f'<th style="{_STYLES["th"]}">{escape(h)}</th>' for h in head)
    body = "".join(
        "<tr>" + "".join(f'<td style="{_STYLES["td"]}">{escape(str(c))}</td>' for c in row) + "</tr>"
        for row in rows
    )
    return f'<table style="{_STYLES["table"]}"><tr>{top}</tr>{body}</table>'


def steps(journal: Sequence[Step], depth: int = 0) -> str:
    """A journal as a list; what a recipe made is a list under its call, which opens it."""
    runs = {run.first: run for run in runs_of(journal, depth) if run.depth == depth}
    lines, at = [], 0
    while at < len(journal):
        run = runs.get(at)
        if run is None:
            lines.append(f"<li>{escape(str(journal[at]))}</li>")
        else:
            lines.append(f"<li>{fold(str(run.call), steps(journal[at : run.end], depth + 1))}</li>")
        at = at + 1 if run is None else run.end
    return f"<ol>{''.join(lines) or '<li>no steps</li>'}</ol>"


def loops(s: StageInfo) -> str:
    """The loops of a stage as indented text, outermost first."""
    place = "" if s.place == "root" else f"  ({s.place})"
    again = f"  each element {digits(s.computed)} times" if s.computed is not None and s.computed > 1 else ""
    marks = f"  {', '.join(s.marks)}" if s.marks else ""
    lines = [f"{s.name}{place}{again}{marks}"]
    for depth, loop in enumerate(s.loops if s.place != "inline" else ()):
        notes = [*([loop.kind] if loop.kind == "reduce" else []), *loop.marks]
        said = f"  {', '.join(notes)}" if notes else ""
        lines.append(f"{'  ' * (depth + 1)}{loop.name} in {loop.extent}{said}")
    return "\n".join(lines)


def picture(source: str, alt: str) -> str | None:
    """A graph in the DOT language as an image; None where nothing can draw it."""
    drawn = svg(source)
    return None if drawn is None else image(drawn, alt)


def image(drawn: str, alt: str) -> str:
    """SVG as an image of its own, dark on white: it cannot take the colours of the page around."""
    whole = re.sub(
        "<svg[^>]*>", r'\g<0><rect x="-1" y="-1" width="110%" height="110%" fill="white"/>', drawn, count=1
    )
    data = base64.b64encode(whole.replace("currentColor", "#222222").encode()).decode()
    return f'<img alt="{escape(alt)}" style="{_STYLES["img"]}" src="data:image/svg+xml;base64,{data}">'
