"""The notebook layer: `Session` is all behaviour, `Workbench` its widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tewb.base import TewbError
from tewb.workbench.measure.measurement import Measurement
from tewb.workbench.session import Session

if TYPE_CHECKING:
    from tewb.workbench.notebook.workbench import Workbench, demo

__all__ = ["Measurement", "Session", "Workbench", "demo"]


def __getattr__(name: str) -> Any:
    """The widgets, loaded on first use: a session needs none."""
    if name in ("Workbench", "demo"):
        try:
            from tewb.workbench.notebook import workbench as widget
        except ImportError as e:
            raise TewbError(f"the workbench needs {e.name}", hint="pip install 'tewb[workbench]'") from e
        return getattr(widget, name)
    raise AttributeError(f"module 'tewb.workbench' has no attribute {name!r}")
