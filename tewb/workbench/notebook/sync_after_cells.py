"""Following the notebook: a session that catches up after every cell."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from tewb.base import notebook_shell
from tewb.schedule import RECIPES
from tewb.workbench.journal.history import History


def follow_cells(session: History) -> Callable[[], None]:
    """Let `session.sync()` run after every cell of the notebook; where a cell defined recipes, what can be done has changed
    as well. Returns a function that ends this.

    It ends by itself when the session is gone. Without IPython nothing happens.
    """
    shell = notebook_shell()
    if shell is None:
        return lambda: None
    followed, known = weakref.ref(session), dict(RECIPES)

    def after_cell(*_: Any) -> None:
        alive = followed()
        if alive is None:
            stop()
        elif known != RECIPES:
            known.clear()
            known.update(RECIPES)
            alive.refresh()
        else:
            alive.sync()

    def stop() -> None:
        if after_cell in shell.events.callbacks["post_run_cell"]:
            shell.events.unregister("post_run_cell", after_cell)

    shell.events.register("post_run_cell", after_cell)
    return stop
