"""Registers tewb as `tvm`, and takes it back."""

from __future__ import annotations

import importlib.machinery
import sys
import warnings
from types import ModuleType
from typing import Any

from tewb.base import TewbError, TewbWarning, here
from tewb.compat.finder import TvmFinder
from tewb.ir import compare_identity
from tewb.ir.ops import divide_integers

# What programs that ask for the version of tvm are told: the last one with tensor expressions.
VERSION = "0.19.0"


class _Tvm(ModuleType):
    """The module `tvm`: everything that tewb has."""

    __version__ = VERSION

    def __init__(self) -> None:
        super().__init__("tvm", "tewb, by the name of tvm.")
        self.__path__ = list[str]()

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.modules["tewb"], name)

    def __dir__(self) -> list[str]:
        return dir(sys.modules["tewb"])


def install() -> None:
    """Let `import tvm`, `from tvm import te` and the `import topi` of v0.6 mean tewb, in this process, until `uninstall()`.

    Warns when another tvm is installed, which is hidden meanwhile. Raises TewbError when it is imported already.
    """
    present = sys.modules.get("tvm")
    if isinstance(present, _Tvm):
        return
    if present is not None:
        raise TewbError(
            f"another tvm is imported already, from {getattr(present, '__file__', None) or 'somewhere'}",
            hint="call tewb.compat.install() before the first import of tvm",
            span=here(),
        )
    other = importlib.machinery.PathFinder.find_spec("tvm")
    if other is not None:
        warnings.warn(
            f"import tvm gives tewb: the tvm that is installed ({other.origin or 'a folder without __init__.py'})"
            " is hidden until tewb.compat.uninstall()",
            TewbWarning,
            stacklevel=2,
        )
    divide_integers(True)  # later versions refused it, so that no program means something else
    compare_identity(True)
    sys.modules["tvm"] = _Tvm()
    sys.meta_path.insert(0, TvmFinder())


def uninstall() -> None:
    """Let `import tvm` mean what it meant before `install()`. What was imported stays usable."""
    sys.meta_path[:] = [f for f in sys.meta_path if not isinstance(f, TvmFinder)]
    if isinstance(sys.modules.get("tvm"), _Tvm):
        divide_integers(False)
        compare_identity(False)
        for name in [n for n in sys.modules if n.partition(".")[0] in ("tvm", "topi")]:
            del sys.modules[name]
