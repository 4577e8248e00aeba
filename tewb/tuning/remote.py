"""What Dask workers do for a search: they say what they are, keep its arrays, and have trials done by processes of their own.

A kernel never runs in the worker itself: one that crashes, hangs or takes all memory costs a child of it.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from tewb.tuning.processor import Processor
from tewb.tuning.task import Outcome
from tewb.tuning.workers import Limits, Workers

IDLE = 120.0  # seconds after which a process that nobody asks for anything ends


@dataclass(slots=True)
class _Children:
    """The processes of one search on this worker: those that wait for a task, and all."""

    free: list[Workers] = field(default_factory=list)
    every: list[Workers] = field(default_factory=list)
    clock: threading.Timer | None = None


_searches: dict[str, _Children] = {}
_folders: dict[str, set[Path]] = {}  # of the arrays of searches; workers that are threads share it
_lock = threading.Lock()


def about_worker() -> Processor:
    """What this worker is."""
    return Processor.here()


@dataclass(frozen=True, slots=True)
class Arrays:
    """The arrays of a search, by the names of their files, as they travel."""

    by_name: Mapping[str, Any]


def receive(search: str, arrays: Arrays) -> str:
    """Keep the arrays of a search in files of this worker, until it ends; the folder in which they are."""
    from distributed import get_worker

    folder = Path(get_worker().local_directory) / f"tewb-tune-{search}"
    with _lock:
        folder.mkdir(parents=True, exist_ok=True)
        _folders.setdefault(search, set()).add(folder)
    for name, a in arrays.by_name.items():
        np.save(folder / name, a, allow_pickle=False)
    return str(folder)


def do_trial(search: str, folder: str, task: Any, limits: Limits) -> Outcome:
    """Do a task of a search in a process of this worker, within its limits. Its arrays are in `folder`."""
    files = [replace(p, file=str(Path(folder) / p.file)) if p.file else p for p in task.parameters]
    with _child(search, limits) as child:
        child.submit(None, replace(task, parameters=tuple(files)))
        return next(outcome for _, outcome in child.finished())


@contextmanager
def _child(search: str, limits: Limits) -> Iterator[Workers]:
    """A process that nobody else uses; it waits for the next task when this one is done."""
    with _lock:
        children = _searches.setdefault(search, _Children())
        if children.clock is not None:
            children.clock.cancel()
        child = children.free.pop() if children.free else Workers(1, limits)
        if child not in children.every:
            children.every.append(child)
    try:
        yield child
    finally:
        with _lock:
            if _searches.get(search) is children:
                children.free.append(child)
                children.clock = threading.Timer(IDLE, end_trials, (search, False))
                children.clock.daemon = True
                children.clock.start()
            else:  # it was ended meanwhile
                child.close()


def end_search(search: str) -> None:
    """Leave nothing of a search on this worker: neither processes, at work or not, nor arrays."""
    end_trials(search)
    with _lock:
        for folder in _folders.pop(search, ()):
            shutil.rmtree(folder, ignore_errors=True)


def end_trials(search: str, at_once: bool = True) -> None:
    """End the processes of a search: those that wait, and `at_once` those that are at work too."""
    with _lock:
        children = _searches.get(search)
        if children is None:
            return
        if children.clock is not None:
            children.clock.cancel()
        busy = [c for c in children.every if c not in children.free]
        for child in children.free:
            child.close()
        if at_once:
            del _searches[search]
            for child in busy:
                child.kill()
        else:
            children.free, children.every = [], busy
