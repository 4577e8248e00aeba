"""Work of a test in several threads at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


def in_threads(*work: Callable[[], object]) -> None:
    """Do all of `work` at once, each in a thread of its own, and raise what one of them raised."""
    with ThreadPoolExecutor(len(work)) as threads:
        for done in [threads.submit(f) for f in work]:
            done.result()
