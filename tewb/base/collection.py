"""When Python looks for garbage: not while somebody waits for the next picture.

A full collection of a kernel with a large notebook takes a tenth of a second or more, and falls on whoever allocates at that
moment. What an edit allocates is nearly all freed by reference counts.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collection_waits() -> Iterator[None]:
    """Let the search for cyclic garbage wait until this ends. It stays off where the user has turned it off."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
