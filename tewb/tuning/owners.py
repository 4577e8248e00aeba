"""Who does a trial that was begun and has not ended: a search in a process that is there, or one that was killed.

    {"host": "lab3", "pid": 4711, "since": 182736, "search": "9f2c..."}

Of this machine the process is looked for, and when it started, since numbers of processes come again. Of other machines
nobody can tell; what they began is taken for lost after an hour.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

LONG = timedelta(hours=1)  # no trial takes that long
MOMENT = timedelta(minutes=1)  # nor does it take that long until a trial is marked
_at_work: set[str] = set()


def begin() -> dict[str, Any]:
    """A search begins in this process: how its trials are marked."""
    search = uuid.uuid4().hex
    _at_work.add(search)
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "since": _started(os.getpid()),
        "search": search,
    }


def end(owner: Mapping[str, Any]) -> None:
    """A search of this process has ended."""
    _at_work.discard(owner["search"])


def is_at_work(owner: Any, began: datetime | None) -> bool:
    """Whether the search that a trial is marked with, which `began` then, still goes on."""
    age = timedelta() if began is None else datetime.now() - began
    if not isinstance(owner, Mapping):
        return age < MOMENT
    if owner.get("host") != socket.gethostname() or os.name != "posix":
        return age < LONG
    if owner.get("pid") == os.getpid() and owner.get("since") == _started(os.getpid()):
        return owner.get("search") in _at_work
    try:
        os.kill(int(owner["pid"]), 0)
    except (ProcessLookupError, KeyError, TypeError, ValueError):
        return False
    except PermissionError:  # another user's
        pass
    return _started(int(owner["pid"])) == owner.get("since")


def _started(pid: int) -> int:
    """When a process started, in ticks since the machine did; 0 where the system does not say."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return 0
