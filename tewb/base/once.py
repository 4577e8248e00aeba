"""What is made once, whoever asks first: `functools.cache` lets threads that begin together make several, and keeps one of them.

That matters where what is made is known elsewhere by its address: code that was registered as a symbol must not go when
another thread's takes its place.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def once(make: Callable[P, T]) -> Callable[P, T]:
    """`make`, of which every call with the same arguments gives the same object, made by the first of them. The others wait."""
    known = functools.cache(make)
    lock = free_after_fork(threading.RLock())

    @functools.wraps(make)
    def first(*args: P.args, **keywords: P.kwargs) -> T:
        with lock:
            return known(*args, **keywords)  # type: ignore[arg-type]

    first.cache_info, first.cache_clear = known.cache_info, known.cache_clear  # type: ignore[attr-defined]
    return first


def waited_for_by_fork(lock: Any) -> Any:
    """A lock for which a fork waits, so that what is done under it is done in the child."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
    return lock


def free_after_fork(lock: Any) -> Any:
    """A lock that is free in the child of a fork, where nobody else would release it."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lock._at_fork_reinit)
    return lock
