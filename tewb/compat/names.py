"""The registry of classic names: what each is here, or what tewb does instead.

It is written in `classic_names.txt`, from which the face and docs/classic.md are made. A line at the margin begins
a module of tvm, with the module of tewb that has its names; the lines below are names:

    te: tewb.te                                a module, and where its names are
        placeholder compute                    names that are there, and mean the same
        extern + shrinks under compute_at      one that is better here, and how
        select = tewb.tir.Select               one that is somewhere else (several may be one)
        gradient - write the sum               one that is absent, and what to do instead
    ndarray = tewb.nd                          a module that is another name of one of tewb
    relay - tewb compiles tensor expressions   one that is absent with all that is in it
    class Stage: tewb.schedule.Stage           the members of a class, for the documentation
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

PATH = Path(__file__).with_name("classic_names.txt")


@dataclass(frozen=True, slots=True)
class Entry:
    """A classic name: the dotted name of what it is here (`home`), how it is better, or what to do instead."""

    name: str
    home: str = ""
    better: str = ""
    instead: str = ""


@dataclass(slots=True)
class ClassicModule:
    """A module of tvm (or a class), by its name below `tvm`: where its names are, and what is special about some.

    `is_alias` says that it is the module `home` itself, `instead` that nothing of it is here.
    """

    name: str
    home: str = ""
    is_alias: bool = False
    is_class: bool = False
    instead: str = ""
    entries: dict[str, Entry] = field(default_factory=dict)


def parse(text: str) -> dict[str, ClassicModule]:
    """The modules of a text in the notation of this file's docstring. The top level of tvm is named "tvm"."""
    modules: dict[str, ClassicModule] = {}
    header = ClassicModule("")
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0] != " ":
            header = _header(line)  # a module may stand there again, with names from another home
            modules.setdefault(header.name, header)
        else:
            entries = modules[header.name].entries
            entries.update({entry.name: entry for entry in _entries(line.strip(), header.home)})
    return modules


def _header(line: str) -> ClassicModule:
    is_class = line.startswith("class ")
    line = line.removeprefix("class ")
    name, dash, instead = line.partition(" - ")
    if dash:
        return ClassicModule(name, instead=instead)
    name, equals, home = line.partition(" = ")
    if equals:
        return ClassicModule(name, home, is_alias=True)
    name, _, home = line.partition(":")
    return ClassicModule(name, home.strip(), is_class=is_class)


def _entries(line: str, home: str) -> Iterator[Entry]:
    names, dash, instead = line.partition(" - ")
    if dash:
        yield from (Entry(name, instead=instead) for name in names.split())
        return
    names, plus, better = line.partition(" + ")
    if plus:
        yield from (Entry(name, f"{home}.{name}", better=better) for name in names.split())
        return
    names, equals, elsewhere = line.partition(" = ")
    yield from (Entry(name, elsewhere if equals else f"{home}.{name}") for name in names.split())


@lru_cache(maxsize=1)
def modules() -> dict[str, ClassicModule]:
    """All that `classic_names.txt` says."""
    return parse(PATH.read_text(encoding="utf-8"))


def covering(name: str) -> ClassicModule | None:
    """The absent module that `name` is, or is in: `relay` for `relay.op.nn`, `script` for what `script.tir` has not."""
    while name:
        module = modules().get(name)
        if module is not None and module.instead:
            return module
        name = name.rpartition(".")[0]
    return None
