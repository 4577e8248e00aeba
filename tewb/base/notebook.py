"""The notebook that this Python runs in."""

from __future__ import annotations

import sys
from typing import Any


def notebook_shell() -> Any:
    """The shell of IPython that runs the cells; None outside of IPython, which this does not load."""
    ask = getattr(
        sys.modules.get("IPython"), "get_ipython", None
    )  # None too while a thread is still loading it
    return None if ask is None else ask()
