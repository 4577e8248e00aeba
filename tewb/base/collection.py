"""When Python looks for garbage: not while somebody waits for the next picture.

A full collection of a kernel with a large notebook takes a tenth of a second or more, and falls on whoever allocates at that
moment; a press that comes then waits for it. What an edit allocates is nearly all freed by reference counts.
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


RARELY = 1000  # collections of what is younger between two full ones, while these are put off


_usual: int | None = None  # how many there are otherwise, while full ones are put off


def put_off_full_collections() -> None:
    """No full collections, or hardly any, until `catch_up_on_collections` is called."""
    global _usual
    young, middle, full = gc.get_threshold()
    if _usual is None and full < RARELY:
        _usual = full
        gc.set_threshold(young, middle, RARELY)


def catch_up_on_collections() -> None:
    """Full collections come as before, and the one that was due comes now. Thresholds that the user has set meanwhile stay."""
    global _usual
    usual, _usual = _usual, None
    if usual is None:
        return
    young, middle, full = gc.get_threshold()
    if full == RARELY:
        gc.set_threshold(young, middle, usual)
    if gc.isenabled() and gc.get_count()[2] > usual:
        gc.collect()
