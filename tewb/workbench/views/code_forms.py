"""The code forms as HTML text: the list of forms, one form, and what changed in it.

A line carries the class of every journal step that shaped it (`tw-s3`, as in the other panels) and of every
stage or loop that it is about (`tw-p5`). While one of them is hovered, the style sheet lights all that share
it, and marks what stands inside of its loops at the edge (`tw-in-s3`, `tw-in-p5`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby

from tewb.workbench.looks.code_forms import ASSEMBLY, IR, LLVM, TE, CodeForm, LoopNumbers
from tewb.workbench.looks.code_line import CodeLine
from tewb.workbench.looks.diff import ADDED, CHANGED, REMOVED, SAME, Diff, DiffLine
from tewb.workbench.views.assets import asset, repeated
from tewb.workbench.views.html import panel

MOST_LINES = 400  # shown of one form; LLVM IR and assembly may have many thousands
CONTEXT = 3  # unchanged lines shown beside changed ones

CSS = asset("code_forms.css")
_AROUND_STEP, _LIT_LOOP = asset("around_step.css"), asset("lit_loop.css")


def rules(steps: int, loops: int) -> str:
    """The rules that light what shares a step or a loop. Those for `tw-s3` itself are in `html.style`."""
    return "\n".join([*repeated(_AROUND_STEP, steps), *repeated(_LIT_LOOP, loops)])


def style(steps: int, loops: LoopNumbers) -> str:
    """The style sheet of the code forms for a journal of `steps` steps. Make it after the panels: a form numbers
    its loops when its lines are made."""
    return f"<style>{CSS}\n{rules(steps, len(loops))}</style>"


# ---------------------------------------------------------------- the forms


def forms_strip(forms: Sequence[CodeForm], chosen: str) -> str:
    """The names of all forms in order; those that their pass left unchanged are folded together."""
    shown = []
    for unchanged, group in groupby(forms, key=lambda f: f.unchanged and f.name != chosen):
        names = [_form_name(f, chosen) for f in group]
        if unchanged:
            shown.append(f"<details><summary>{len(names)} unchanged</summary>{''.join(names)}</details>")
        else:
            shown += names
    return f'<div class="tw-forms" role="list" aria-label="Forms">{" ".join(shown)}</div>'


def _form_name(f: CodeForm, chosen: str) -> str:
    current = ' aria-current="true"' if f.name == chosen else ""
    doc = f"{f.doc}{' (unchanged)' if f.unchanged else ''}"
    return f'<span class="tw-form" role="listitem" title="{escape(doc)}"{current}>{escape(f.name)}</span>'


def form_panel(
    form: CodeForm, limit: int = MOST_LINES, title: str | None = None, note: str | None = None
) -> str:
    """The lines of a form, at most `limit` of them. Raises TewbError when the form cannot be made."""
    lines = form.lines
    body = "".join(_rows(lines[:limit], form.kind)) + _more(len(lines) - limit)
    note = note or f"{form.doc}{', which changed nothing' if form.unchanged else ''}"
    text = f'<div class="tw-note">{escape(note)}</div><div class="tw-code">{body}</div>'
    return panel(title or form.name, text, "ir")


def _more(hidden: int) -> str:
    return f'<div class="tw-note">… {hidden:,} more lines</div>' if hidden > 0 else ""


def _rows(lines: Iterable[CodeLine], kind: str) -> Iterable[str]:
    """Neighbours from one place share an element: machine code has many such."""
    for (classes, title), group in groupby(lines, key=lambda line: (_classes(line), _where(line))):
        text = "\n".join(_text(line, kind) for line in group)
        yield f"<div{_attribute('class', classes)}{_attribute('title', title)}>{text}</div>"


def _attribute(name: str, value: str) -> str:
    return f' {name}="{escape(value)}"' if value else ""


def _classes(line: CodeLine) -> str:
    names = [f"tw-s{i}" for i in line.steps] + [f"tw-p{i}" for i in line.loops]
    names += [f"tw-in-s{i}" for i in line.steps_around] + [f"tw-in-p{i}" for i in line.loops_around]
    return " ".join(names)


def _where(line: CodeLine) -> str:
    """Provenance as a sentence, for the tooltip of a line."""
    facts = [f"stage {line.stage}"] if line.stage else []
    if line.axis:
        facts.append(f"axis {line.axis}")
    if line.steps:
        numbers = ", ".join(str(i + 1) for i in line.steps)
        facts.append(f"step{'s' if len(line.steps) > 1 else ''} {numbers}")
    if line.source is not None and line.stage:
        facts.append(f"low-level IR line {line.source}")
    return "; ".join(facts)


# ---------------------------------------------------------------- colours

_PYTHON = r"(?P<str>'[^']*'|\"[^\"]*\")|\b(?P<key>for|in|if|else|while|with|as|def|and|or|not|assert|lambda|return)\b"
_COLOURS = {
    TE: re.compile(rf"(?P<remark>#.*)|{_PYTHON}"),
    IR: re.compile(rf"{_PYTHON}|\b(?P<key2>T\.(?:parallel|vectorized|unroll|dot|allocate|attr))\b"),
    LLVM: re.compile(r"^(?P<lab>[\w.]+:)|(?:^|(?<== ))(?P<key>[a-z]+)\b|(?P<key2><\d+ x \w+>)", re.MULTILINE),
    ASSEMBLY: re.compile(r"^(?P<lab>\S+:)|^(?P<key>[a-z][\w.]*)|(?P<num>\$-?\w+)"),
}


def _text(line: CodeLine, kind: str) -> str:
    remark = f'  <span class="tw-remark"># {escape(line.remark)}</span>' if line.remark else ""
    return f"{'    ' * line.depth}{_coloured(line.text, kind)}{remark}"


def _coloured(text: str, kind: str) -> str:
    shown, at = [], 0
    for m in _COLOURS[kind].finditer(text):
        group = m.lastgroup or "key"
        shown += [escape(text[at : m.start(group)]), _span(group.rstrip("2"), m[group])]
        at = m.end(group)
    return "".join(shown) + escape(text[at:])


def _span(name: str, text: str) -> str:
    return f'<span class="tw-{name}">{escape(text)}</span>'


# ---------------------------------------------------------------- differences


def diff_panel(diff: Diff, limit: int = MOST_LINES) -> str:
    """What changed in a form: changed lines with a few around them, each with a sign that needs no colour."""
    title = f"{diff.form}, compared with {diff.against}"
    if diff.is_empty:
        return panel(title, '<div class="tw-note">nothing changed</div>', "diff")
    counts = ", ".join(f"{diff.count(mark)} {mark}" for mark in (ADDED, REMOVED, CHANGED) if diff.count(mark))
    folded = list(_folded(diff.lines))
    rows = [
        f'<div class="tw-note">⋯ {x} lines that are the same</div>'
        if isinstance(x, int)
        else _diff_row(x, diff.kind)
        for x in folded[:limit]
    ]
    text = f'<div class="tw-note">{counts}</div><div class="tw-code">{"".join(rows)}</div>'
    return panel(title, text + _more(len(folded) - limit), "diff")


def _folded(lines: Sequence[DiffLine]) -> Iterable[DiffLine | int]:
    """Lines that changed, and those near them; how many there are of the others in between."""
    near = [False] * len(lines)
    for i, d in enumerate(lines):
        if d.mark != SAME:
            near[max(0, i - CONTEXT) : i + CONTEXT + 1] = [True] * len(
                near[max(0, i - CONTEXT) : i + CONTEXT + 1]
            )
    for shown, group in groupby(zip(near, lines, strict=True), key=lambda pair: pair[0]):
        found = [d for _, d in group]
        if shown:
            yield from found
        else:
            yield len(found)


def _diff_row(d: DiffLine, kind: str) -> str:
    """A line behind its sign; what a changed line was stands above it."""
    was = ""
    if d.before is not None:
        was = f'<div class="tw-was">- {escape(str(d.before))}</div>'
    classes = " ".join(c for c in ("" if d.mark == SAME else f"tw-{d.mark}", _classes(d.line)) if c)
    sign = {SAME: " ", ADDED: "+", REMOVED: "-", CHANGED: "~"}[d.mark]
    attributes = _attribute("class", classes) + _attribute("title", _where(d.line))
    return f"{was}<div{attributes}>{sign} {_text(d.line, kind)}</div>"
