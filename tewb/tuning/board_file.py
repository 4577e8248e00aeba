"""What a board shows beside searches over knobs, which have a database: the trials of autoschedule, and what was pinned.

A file of lines, JSON each. A search without knobs begins it anew (the pins of those over knobs stay), and adds a line as a trial ends, so that all are there when its process
is killed:

    {"search": "5e1f...", "kind": "autoschedule", "when": 1790000000.0}
    {"search": "5e1f...", "trial": {"number": 0, "state": "timed", ...}, "is_lead": true}
    {"search": "5e1f...", "pinned": [0]}

Lines of other searches, of two kernels at once for one, and what is no line, are passed over.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tewb.runtime import Timing
from tewb.tuning.study import Trial

AUTOSCHEDULE = "autoschedule"


@dataclass(frozen=True, slots=True)
class BoardFile:
    """The file of one search. `search` is what its lines are known by. Where nothing can be written, nothing is kept."""

    path: Path
    search: str

    @staticmethod
    def begun(path: Path) -> BoardFile:
        """The file of a search without knobs that begins now."""
        file = BoardFile(path, uuid.uuid4().hex)
        head = {"search": file.search, "kind": AUTOSCHEDULE, "when": time.time()}
        with contextlib.suppress(OSError):
            pins = _pins_over_knobs(path)
            handle, name = tempfile.mkstemp(dir=path.parent)
            with os.fdopen(handle, "w", encoding="utf-8") as f:
                f.writelines(map(_line, [head, *pins]))
            os.replace(name, path)
        return file

    def add(self, trial: Trial, is_lead: bool) -> None:
        """Keep a trial."""
        samples = None if trial.time is None else list(trial.time.results)
        about = {
            "number": trial.number, "point": dict(trial.point), "state": trial.state, "samples": samples,
            "message": trial.message, "steps": list(trial.steps),
        }  # fmt: skip
        self._write({"trial": about, "is_lead": is_lead})

    def pin(self, numbers: tuple[int, ...]) -> None:
        """Keep which trials are pinned."""
        self._write({"pinned": list(numbers)})

    def _write(self, about: Mapping[str, Any]) -> None:
        with contextlib.suppress(OSError), self.path.open("a", encoding="utf-8") as f:
            f.write(_line({"search": self.search, **about}))


@dataclass(slots=True)
class Kept:
    """What a file has of a search: its trials in their order, the numbers of those that were faster than all before, and when it began."""

    when: float = 0.0
    trials: dict[int, Trial] = field(default_factory=dict)
    leads: list[int] = field(default_factory=list)
    pinned: tuple[int, ...] = ()


def read(path: Path, search: str = "") -> tuple[BoardFile, Kept] | None:
    """What a file has of a search, or else of the search that it was begun for; None where it has nothing of that."""
    try:
        lines = list(_lines(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError):
        return None
    found = Kept()
    if not search:
        head = next((n for n in lines if n.get("kind") == AUTOSCHEDULE), None)
        if head is None:
            return None
        search, found.when = str(head["search"]), float(head.get("when", 0.0))
    for line in lines:
        if line["search"] == search:
            with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError):
                _take(found, line)
    return BoardFile(path, search), found


def _pins_over_knobs(path: Path) -> list[dict[str, Any]]:
    """What a file has last of the pins of each search that is kept elsewhere."""
    if not path.exists():
        return []
    lines = list(_lines(path.read_text(encoding="utf-8", errors="replace")))
    own = {str(n["search"]) for n in lines if n.get("kind") == AUTOSCHEDULE}
    last = {str(n["search"]): n for n in lines if "pinned" in n}
    return [n for search, n in last.items() if n["pinned"] and search not in own]


def _take(found: Kept, line: Mapping[str, Any]) -> None:
    if "pinned" in line:
        found.pinned = tuple(map(int, line["pinned"]))
    if "trial" in line:
        t = line["trial"]
        time_ = Timing(tuple(t["samples"])) if t["samples"] else None
        trial = Trial(
            int(t["number"]), dict(t["point"]), t["state"], time_, t["message"], steps=tuple(t["steps"])
        )
        found.trials[trial.number] = trial
        if line["is_lead"]:
            found.leads.append(trial.number)


def _line(about: Mapping[str, Any]) -> str:
    return json.dumps(about, default=str) + "\n"


def _lines(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        with contextlib.suppress(ValueError):
            about = json.loads(line)
            if isinstance(about, dict) and "search" in about:
                yield about
