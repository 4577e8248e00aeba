"""tewb, the TE WorkBench: tensor expressions, schedules you can watch, and fast CPU kernels.

    import tewb
    from tewb import te

    A = te.placeholder((1024,), name="A")
    B = te.compute((1024,), lambda i: A[i] * 2.0, name="B")
    s = te.create_schedule(B.op)
    kernel = tewb.build(s, [A, B])

The core needs numpy and llvmlite only; `tewb.Workbench`, `tewb.demo`, `tewb.tune` and `tewb.autoschedule` load what they need when used.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from tewb import arith, driver, ir, nd, runtime, schedule, target, te, tensor, tir, transform
from tewb.base import PassContext, TewbError, TewbWarning, notebook_shell
from tewb.compat import face, finder
from tewb.driver import build, lower
from tewb.ir import IRModule, PrimFunc
from tewb.nd import cpu
from tewb.runtime import get_global_func, register_func
from tewb.schedule import recipe

if TYPE_CHECKING:
    from tewb.tuning import autoschedule, tune
    from tewb.workbench import Session, Workbench, demo

__version__ = "0.1.0"
TVMError = TewbError

_LATE = {
    "Session": "workbench",
    "Workbench": "workbench",
    "demo": "workbench",
    "autoschedule": "tuning",
    "tune": "tuning",
}

__all__ = [
    "IRModule", "PassContext", "PrimFunc", "Session", "TVMError", "TewbError", "TewbWarning", "Workbench", "autoschedule", "build", "cpu", "demo",
    "get_global_func", "lower", "nd", "recipe", "register_func", "target", "te", "tir", "transform", "tune",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """The notebook layer and the searches, loaded on first use, so that the core needs neither widgets nor Optuna."""
    if name in _LATE:
        return getattr(importlib.import_module(f"tewb.{_LATE[name]}"), name)
    raise AttributeError(f"module 'tewb' has no attribute {name!r}")


def _map_blocks(kernel: Any, *arrays: Any, **options: Any) -> Any:
    """`kernel.map_blocks`, whose package is loaded when it is used."""
    from tewb import blocks

    return blocks.map_blocks(kernel, *arrays, **options)


runtime.register_map_blocks(_map_blocks)


def _wear_the_classic_face() -> None:
    """Let the modules that are loaded answer for the names that classic TE had in them, and `import` find others."""
    sys.meta_path.append(finder.FaceFinder())
    for module in (
        "tewb",
        *(m.__name__ for m in (te, te.hybrid, te.schedule, tir, tir.ir_builder, nd, target, transform)),
        *(m.__name__ for m in (arith, driver, ir, runtime, schedule, tensor)),
    ):
        face.wear(module)


_wear_the_classic_face()


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext tewb`: the magics %tewb_show, %%tewb_time and %tewb_traceback, and looks for our classes."""
    from tewb.workbench.notebook import magics

    magics.load(shell)


def _look_well_in_notebooks() -> None:
    """Inside of IPython, tensors, schedules and kernels are shown as HTML, which takes 30 ms to load; elsewhere
    this loads nothing."""
    shell = notebook_shell()
    if shell is not None:
        from tewb.workbench.notebook import reprs

        reprs.install(shell)


_look_well_in_notebooks()
