"""Following the notebook: a session that catches up when a cell was run."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from typing import Any

from tewb.workbench.journal.history import History


def follow_cells(session: History) -> Callable[[], None]:
    """Let `session.sync()` run after every cell of the notebook. Returns a function that ends this.

    It ends by itself when the session is gone. Without IPython nothing happens.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return lambda: None
    followed = weakref.ref(session)

    def after_cell(*_: Any) -> None:
        found = followed()
        if found is None:
            stop()
        else:
            found.sync()

    def stop() -> None:
        if after_cell in shell.events.callbacks["post_run_cell"]:
            shell.events.unregister("post_run_cell", after_cell)

    shell.events.register("post_run_cell", after_cell)
    return stop
