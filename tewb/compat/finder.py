"""How `import` finds classic modules: `tewb.ndarray`, which has no file, and `tvm`, once it is installed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType


class FaceFinder:
    """Finds the modules of tvm that are names in `classic_names.txt` and no files, as `tewb.ndarray`."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not name.startswith("tewb."):
            return None
        from tewb.compat.face import maker  # when a module is asked for that is no file

        make = maker(name)
        return None if make is None else ModuleSpec(name, _Loader(make), is_package=True)  # type: ignore[arg-type]


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
        from tewb.compat.face import imported  # when tvm is installed, and a module of it is asked for

        try:
            module = imported(ours)
        except ModuleNotFoundError as e:
            if e.name is None or not ours.startswith(e.name):
                raise
            return None
        return ModuleSpec(name, _Loader(lambda: module), is_package=True)  # type: ignore[arg-type]


class _Loader:
    """Loads a module by a function that makes it; it may be one that exists."""

    def __init__(self, make: object) -> None:
        self.make = make

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        sys.modules[module.__name__] = self.make()  # type: ignore[operator]
