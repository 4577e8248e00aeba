"""Writes the list of names in classic.md from the registry, `tewb/compat/classic_names.txt`, and from what tewb has.

python docs/write_classic.py
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from tewb.compat.face import is_here
from tewb.compat.names import ClassicModule, Entry, modules

PATH = Path(__file__).with_name("classic.md")
MARK = "<!-- What follows is written by `python docs/write_classic.py`. Do not edit. -->\n"

HEAD = """## Every name

The names that programs for TVM v0.5 to v0.19 used, by module. *Same* names mean what they meant. A name that is *not here*
can be imported and asked for; where it is used, an error says what the table says. `tewb/compat/classic_names.txt` is where
all of this is written, a line for a name.
"""


def page(before: str) -> str:
    """The text of the page, with the list of names as it is now; `before` is the text that it has."""
    prose = before.partition(MARK)[0]
    return "\n".join([prose.rstrip() + "\n", MARK, HEAD, *sections()])


def sections() -> Iterator[str]:
    """The sections of modules and classes, then a table of modules that are others, and one of those that are not here."""
    tables = list(modules().values())
    for m in tables:
        if m.entries:
            yield _section(m)
    yield "### Modules that are another one\n"
    yield _table("module", "is", ((f"tvm.{m.name}", f"`{m.home}`") for m in tables if m.is_alias))
    yield "### Modules that are not here\n"
    yield _table("module", "instead", ((f"tvm.{m.name}", m.instead) for m in tables if m.instead))


def _section(m: ClassicModule) -> str:
    name = m.name if m.is_class or m.name == "tvm" else f"tvm.{m.name}"
    entries = list(m.entries.values())
    here = [e for e in entries if e.home and is_here(e.home)]
    to_come = [e for e in entries if e.home and not is_here(e.home)]
    lines = [f"### {name}\n"]
    same = [e for e in here if not e.better]
    if same:
        lines.append(f"Same: {_names(same)}.\n")
    better = [e for e in here if e.better]
    if better:
        lines.append(_table("better here", "how", ((e.name, e.better) for e in better)))
    absent: dict[str, list[Entry]] = {}
    for e in entries:
        if e.instead:
            absent.setdefault(e.instead, []).append(e)
    if absent:
        rows = ((", ".join(e.name for e in group), instead) for instead, group in absent.items())
        lines.append(_table("not here", "instead", rows))
    if to_come:
        lines.append(f"To come: {_names(to_come)}.\n")
    return "\n".join(lines)


def _names(entries: Iterable[Entry]) -> str:
    return " ".join(f"`{e.name}`" for e in entries)


def _table(left: str, right: str, rows: Iterable[tuple[str, str]]) -> str:
    lines = [f"| {left} | {right} |", "|---|---|"]
    lines += [f"| `{name}` | {text} |" for name, text in rows]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PATH.write_text(page(PATH.read_text()))
