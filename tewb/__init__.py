"""tewb, the TE WorkBench: tensor expressions, schedules you can watch, and fast CPU kernels.

    import tewb
    from tewb import te

    A = te.placeholder((1024,), name="A")
    B = te.compute((1024,), lambda i: A[i] * 2.0, name="B")
    s = te.create_schedule(B.op)
    kernel = tewb.build(s, [A, B])

The core needs numpy and llvmlite only; `tewb.Workbench` and `tewb.demo` load the notebook layer when used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tewb import nd, te, tir
from tewb.base import PassContext, TewbError, TewbWarning
from tewb.driver import build, lower
from tewb.ir import IRModule, PrimFunc
from tewb.nd import cpu
from tewb.runtime import get_global_func, register_func

if TYPE_CHECKING:
    from tewb.workbench import Session, Workbench, demo

__version__ = "0.1.0"
TVMError = TewbError

_NOTEBOOK = ("Session", "Workbench", "demo")

__all__ = [
    "IRModule", "PassContext", "PrimFunc", "Session", "TVMError", "TewbError", "TewbWarning", "Workbench", "build", "cpu", "demo",
    "get_global_func", "lower", "nd", "register_func", "te", "tir",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """The notebook layer, loaded on first use, so that the core does not need widgets."""
    if name in _NOTEBOOK:
        from tewb import workbench

        return getattr(workbench, name)
    raise AttributeError(f"module 'tewb' has no attribute {name!r}")
