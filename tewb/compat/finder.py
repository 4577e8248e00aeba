"""How `import` finds classic modules: `tewb.ndarray`, which has no file, and `tvm`, once it is installed.

Finders are asked under the lock of all imports, and must import nothing while there are other threads: one may hold the module
that they want, and wait for that lock. What is not known without is found, and who loads it sees whether it is there.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType


class FaceFinder:
    """Finds the modules of tvm that are names in `classic_names.txt` and no files, as `tewb.ndarray`."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not name.startswith("tewb.") or _is_classic(name) is False:
            return None
        return _spec(name, lambda: _face(name))


class TvmFinder:
    """Finds `tvm.te` as `tewb.te`, and so on; and `topi`, which had a name of its own until v0.6, as `tewb.topi`."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        first, _, rest = name.partition(".")
        if first == "tvm" and rest:
            ours = f"tewb.{rest}"
        elif first == "topi":
            ours = f"tewb.{name}"
        else:
            return None
        if not _is_ours(ours) and _is_classic(ours) is False:
            return None
        return _spec(name, lambda: _ours(ours))


def _is_ours(name: str) -> bool:
    """Whether tewb has a module, as a file or made already."""
    package = sys.modules.get(name.rpartition(".")[0])
    return name in sys.modules or PathFinder.find_spec(name, getattr(package, "__path__", [])) is not None


def _is_classic(name: str) -> bool | None:
    """Whether the registry has a module; None where it was not read yet, and cannot be now."""
    registry = sys.modules.get("tewb.compat.names")
    is_read = registry is not None and not getattr(registry.__spec__, "_initializing", False)
    if not is_read and threading.active_count() > 1:
        return None
    from tewb.compat import face  # which reads the registry now, if it was not

    classic = name.partition(".")[2]
    table = face.modules().get(classic)
    return not table.is_class if table is not None else face.covering(classic) is not None


def _face(name: str) -> ModuleType | None:
    """The module `name` of names; None if it is no classic one."""
    from tewb.compat.face import maker  # when a module is asked for that is no file

    make = maker(name)
    return None if make is None else make()


def _ours(name: str) -> ModuleType | None:
    """The module `name` of tewb; None if there is none."""
    from tewb.compat.face import imported  # when tvm is installed, and a module of it is asked for

    try:
        return imported(name)
    except ModuleNotFoundError as e:
        if e.name is None or not name.startswith(e.name):
            raise
        return None


def _spec(name: str, make: Callable[[], ModuleType | None]) -> ModuleSpec:
    return ModuleSpec(name, _Loader(make), is_package=True)  # type: ignore[arg-type]


class _Loader:
    """Loads a module by a function that makes it; it may be one that exists."""

    def __init__(self, make: Callable[[], ModuleType | None]) -> None:
        self.make = make

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        made = self.make()
        if made is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        sys.modules[name] = made
