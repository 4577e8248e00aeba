"""Writes primitives.md, the list of all primitives, from their declarations in `tewb/schedule/primitives/`.

python docs/write_primitives.py
"""

from __future__ import annotations

import inspect
from pathlib import Path

from tewb.schedule import PRIMITIVES, Primitive
from tewb.schedule.declare import REQUIRED
from tewb.schedule.methods import StagePrimitives

PATH = Path(__file__).with_name("primitives.md")

HEAD = """<!-- Written by `python docs/write_primitives.py` from the declarations in tewb/schedule/primitives/. Do not edit. -->
# Primitives

A schedule is made of these words. `s = te.create_schedule(C.op)` has a stage for each tensor, `s[C]`; its loops are named
by handles (`C.op.axis[0]`, what `split` returned) or by their names (`"i"`, `"i.outer"`). Each call is checked: what cannot
be right is refused with a reason, and nothing has changed. [Add a primitive](how-to/primitive.md) adds one.
"""


def page() -> str:
    """The text of the page, as the declarations have it now."""
    return "\n".join([HEAD, _contents(), *map(_section, PRIMITIVES.values())])


def _contents() -> str:
    rows = [f"| [`{p.name}`](#{p.name}) | {_first_sentence(p)} |" for p in PRIMITIVES.values()]
    return "\n".join(["| word | what it does |", "|---|---|", *rows, ""])


def _section(p: Primitive) -> str:
    rows = [f"| `{q.name}` | {q.doc} | {_default(q.default)} |" for q in p.params]
    table = ["| in forms and the journal | | default |", "|---|---|---|", *rows, ""] if rows else []
    lines = [f"## {p.name}", "", f"`{_form(p)}`", "", "```text", inspect.cleandoc(p.doc), "```", "", *table]
    return "\n".join(lines)


def _form(p: Primitive) -> str:
    """How it is called: `s[C].split(axis, factor=None)`."""
    _, *params = inspect.signature(p.call).parameters.values()
    named = [q.replace(annotation=inspect.Parameter.empty) for q in params]
    target = "s[C]" if p.owner is StagePrimitives else "s"
    return f"{target}.{p.name}{inspect.Signature(named)}"


def _first_sentence(p: Primitive) -> str:
    paragraph = inspect.cleandoc(p.doc).split("\n\n")[0]
    return " ".join(paragraph.split()).split(". ")[0].removesuffix(".").removesuffix(":").replace("|", "\\|")


def _default(value: object) -> str:
    return "must be given" if value is REQUIRED else f"`{value}`"


if __name__ == "__main__":
    PATH.write_text(page())
