"""The face: classic names are found when they are asked for, on modules of tewb and on modules that are only names."""

from __future__ import annotations

import builtins
import difflib
import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tewb.compat.absent import Absent

if TYPE_CHECKING:
    from tewb.compat.names import ClassicModule, Entry

_MISSING = object()
TO_COME = "tewb knows the name, and has nothing of this kind yet"


def modules() -> dict[str, ClassicModule]:
    """The registry, which is read when a classic name is asked for."""
    from tewb.compat import names

    return names.modules()


def covering(name: str) -> ClassicModule | None:
    """The absent module that `name` is, or is in."""
    from tewb.compat import names

    return names.covering(name)


def classic_name(module_name: str) -> str:
    """The classic name of a module of tewb: "te" of "tewb.te", "tvm" of "tewb"."""
    return module_name.partition(".")[2] or "tvm"


def find(module: str, name: str) -> Any:
    """What the classic name `module`.`name` is here. Raises AttributeError if classic TE had no such name."""
    whole = name if module == "tvm" else f"{module}.{name}"
    entry = _entry(module, name)
    if entry is not None:
        return _resolved(entry, whole)
    if whole in modules() and not modules()[whole].is_class:
        return imported(f"tewb.{whole}")
    outside = covering(module)
    if outside is not None:
        return Absent(whole, outside.instead)
    if module in modules() and modules()[module].is_alias:  # of a module that is not there
        return Absent(whole, TO_COME)
    where = "tewb" if module == "tvm" else f"tewb.{module}"
    raise AttributeError(f"module {where!r} has no attribute {name!r}{_near(module, name)}")


def _entry(module: str, name: str) -> Entry | None:
    table = modules().get(module)
    return table.entries.get(name) if table is not None else None


def _resolved(entry: Entry, whole: str) -> Any:
    if entry.instead:
        return Absent(whole, entry.instead)
    value = locate(entry.home)
    if isinstance(value, ModuleType):
        return imported(value.__name__)
    return Absent(whole, TO_COME) if value is _MISSING else value


def is_here(home: str) -> bool:
    """Whether tewb has what stands at the dotted name `home`."""
    return locate(home) is not _MISSING


def locate(home: str) -> Any:
    """What stands at a dotted name, below the longest part of it that is a module of tewb."""
    words = home.split(".")
    value: Any = _MISSING
    for n in range(len(words), 0, -1):
        try:
            value = importlib.import_module(".".join(words[:n]))
        except ModuleNotFoundError:
            continue
        for word in words[n:]:
            value = _own_attribute(value, word)
        break
    return value


def _own_attribute(value: Any, name: str) -> Any:
    """An attribute that a module defines by itself, without the classic names."""
    if not isinstance(value, ModuleType):
        fields = (f for c in getattr(value, "__mro__", ()) for f in vars(c).get("__annotations__", ()))
        return getattr(value, name, name if name in fields else _MISSING)
    attribute = vars(value).get("__getattr__")
    if name in vars(value) and name not in getattr(attribute, "asked", ()):
        return vars(value)[name]
    own = getattr(attribute, "own", None)
    try:
        return _MISSING if own is None else own(name)
    except AttributeError:
        return _MISSING


def _near(module: str, name: str) -> str:
    table = modules().get(module)
    near = difflib.get_close_matches(name, table.entries if table is not None else (), 1)
    return f"; did you mean {near[0]}?" if near else ""


def wear(module_name: str) -> None:
    """Let a module of tewb answer for the classic names that it does not define."""
    module = sys.modules[module_name]
    own = vars(module).get("__getattr__")
    if hasattr(own, "own"):  # a module that is run again
        return
    classic = classic_name(module_name)

    def attribute(name: str) -> Any:
        if own is not None:
            try:
                return own(name)
            except AttributeError:
                pass
        if name.startswith("__"):
            raise AttributeError(f"module {module_name!r} has no attribute {name!r}")
        value = find(classic, name)
        # Asked for once. What the code of the module would take for a builtin, such as `sum`, stays away from it.
        if not isinstance(value, Absent) and not hasattr(builtins, name):
            vars(module)[name] = value
            asked.add(name)
        return value

    asked = set[str]()
    attribute.own, attribute.asked = own, asked  # type: ignore[attr-defined]
    vars(module)["__getattr__"] = attribute
    vars(module).setdefault("__path__", [])  # so that modules in it can be imported


def imported(name: str) -> ModuleType:
    """The module `name` of tewb, which answers for its classic names."""
    module = importlib.import_module(name)
    is_worn = hasattr(vars(module).get("__getattr__"), "own")
    if not isinstance(module, FaceModule) and not is_worn and classic_name(name) in modules():
        wear(name)
    return module


class FaceModule(ModuleType):
    """A module of tvm that tewb has only as a set of names."""

    def __init__(self, name: str, classic: str) -> None:
        super().__init__(name, f"The classic names of tvm.{classic}.")
        self.__path__ = list[str]()
        self._classic = classic

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return find(self._classic, name)

    @property
    def _entries(self) -> dict[str, Entry]:
        table = modules().get(self._classic)
        return {} if table is None else table.entries

    @property
    def __all__(self) -> list[str]:
        return [e.name for e in self._entries.values() if e.home and is_here(e.home)]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._entries]


ModuleMaker = Callable[[], ModuleType]


def maker(name: str) -> ModuleMaker | None:
    """How the module `name` ("tewb.ndarray") is made, when it is a classic one without a file; None if it is not."""
    classic = classic_name(name)
    table = modules().get(classic)
    if table is not None and table.is_class:
        return None
    if table is not None and table.is_alias and isinstance(locate(table.home), ModuleType):
        home = table.home
        return lambda: imported(home)
    if table is None:
        table = covering(classic)
    return None if table is None else lambda: FaceModule(name, classic)
