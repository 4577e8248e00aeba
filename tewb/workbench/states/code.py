"""Code in one of its forms, from TE to assembly, as one text and what its lines are about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tewb.base import TewbError
from tewb.lowering import LOWER
from tewb.workbench.looks.code_forms import CodeForm
from tewb.workbench.looks.code_part import About, CodePart
from tewb.workbench.looks.diff import REMOVED, SAME
from tewb.workbench.session import Session

LOWERED = LOWER[-1].name  # the form that is shown first: what a person reads
Against = Literal["", "before", "pinned", "pass"]


@dataclass(frozen=True, slots=True)
class FormName:
    """A form that there is: its name, what the page calls it, what was done to get it, the kind of its text, and
    whether it is known to be the form before it."""

    name: str
    label: str
    doc: str
    kind: str
    unchanged: bool


@dataclass(frozen=True, slots=True)
class Link:
    """What lines are about: a stage, a loop, the steps that shaped them (from 0), and parts (numbers of stages and
    loops, as the loop tree has them). Those of the loops around are apart."""

    stage: str | None
    loop: str | None
    steps: tuple[int, ...]
    parts: tuple[int, ...]
    steps_around: tuple[int, ...]
    parts_around: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """A form of the program.

    `text` is all of it. Line i (from 0) is about `links[link_of[i]]`; `remarks` has what is said of some lines, by
    their numbers, and `sources` the line of low-level IR (from 1) that an instruction computes. Compared with another
    state, `marks` has what is "added", "removed" or "changed", and `was` what a changed line was; `against` says with
    what. With a `problem` there is no text.
    """

    form: str
    kind: str
    text: str
    link_of: tuple[int, ...]
    links: tuple[Link, ...]
    remarks: dict[str, str]
    sources: dict[str, int]
    against: str
    marks: dict[str, str]
    was: dict[str, str]
    problem: str | None


def form_label(form: CodeForm) -> str:
    """What a page calls a form."""
    return "Lowered IR" if form.name == LOWERED else form.name


def forms_state(session: Session) -> tuple[FormName, ...]:
    """The forms that there are now."""
    return tuple([FormName(f.name, form_label(f), f.doc, f.kind, f.same) for f in session.forms()])


def code_state(session: Session, form: str = LOWERED, against: Against = "") -> Code:
    """A form of the program, or what is different in it from another state of the schedule."""
    try:
        if session.problem is not None and form == LOWERED:
            raise session.problem
        if against and (against != "pinned" or session.pinned is not None):
            return _difference(session, form, against)
        known = session.code_forms.form(form)
        return _code(form, known.kind, known.parts)
    except TewbError as e:
        hint = f"\nhint: {e.hint}" if e.hint else ""
        return Code(form, "", "", (), (), {}, {}, "", {}, {}, f"{e.message}{hint}")


def _difference(session: Session, form: str, against: Against) -> Code:
    d = session.diff(form, against)
    marks = {str(i): line.mark for i, line in enumerate(d.lines) if line.mark != SAME}
    was = {str(i): str(x.before) for i, x in enumerate(d.lines) if x.before is not None and x.mark != REMOVED}
    return _code(form, d.kind, [CodePart([x.line for x in d.lines])], d.against, marks, was)


def _code(
    form: str, kind: str, parts: Sequence[CodePart], against: str = "",
    marks: dict[str, str] | None = None, was: dict[str, str] | None = None,
) -> Code:  # fmt: skip
    links: dict[About, int] = {}
    link_of: list[int] = []
    remarks: dict[str, str] = {}
    sources: dict[str, int] = {}
    for part in parts:
        first = len(link_of)
        about, of_lines = part.about
        numbers = [links.setdefault(a, len(links)) for a in about]
        link_of += [numbers[i] for i in of_lines]
        remarks.update([(str(first + i), text) for i, text in part.remarks])
        sources.update([(str(first + i), line) for i, line in part.sources])
    return Code(
        form,
        kind,
        "\n".join([part.text for part in parts]),
        tuple(link_of),
        tuple([Link(*about) for about in links]),
        remarks,
        sources,
        against,
        marks or {},
        was or {},
        None,
    )
