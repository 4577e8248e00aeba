"""The primitives, one file each: what it does and how it is called, when it is legal, how it is shown, what to suggest.

A file in this folder is loaded by being here; `declare.py` explains what it says. Files of ours come in the order in
which menus list them, others after these.
"""

from __future__ import annotations

import importlib
import pkgutil

from tewb.schedule.declare import PRIMITIVES, Primitive

_ORDER = (
    "split", "fuse", "reorder", "marks", "bind", "dot", "tensorize", "transpose", "compute_at", "compute_with", "reverse_compute_at", "store_at", "group", "set_scope", "cache",
    "transform_layout", "nontemporal", "rfactor", "storage_align", "prefetch", "pragma", "double_buffer", "rolling_buffer",
    "env_threads", "set_store_predicate", "specialize",
)  # fmt: skip


def load() -> None:
    """Import every file in this folder, and put the primitives in the order of menus."""
    files = sorted((m.name for m in pkgutil.iter_modules(__path__)), key=_place)
    for file in files:
        importlib.import_module(f"{__name__}.{file}")
    order = sorted(PRIMITIVES.values(), key=_place_of)
    PRIMITIVES.clear()
    PRIMITIVES.update({p.name: p for p in order})


def _place(file: str) -> tuple[int, str]:
    return (_ORDER.index(file), "") if file in _ORDER else (len(_ORDER), file)


def _place_of(p: Primitive) -> tuple[int, str]:
    return _place(p.call.__module__.rpartition(".")[2])


load()
