"""What a program is known by from one day to the next, whatever its schedule is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from tewb.schedule import Schedule
from tewb.workbench.journal.write_code import known_names


def fingerprint(name: str, schedule: Schedule, args: Sequence[Any]) -> str:
    """What a program is known by: the definitions of its tensors, or where there is no source their shapes."""
    lines = list(known_names(schedule, args).lines) or [
        f"{type(s.op).__name__} {s.name} {[(str(t.shape), str(t.dtype)) for t in s.op.outputs]}"
        for s in Schedule(schedule.outputs).stages
    ]
    text = "\n".join([name, *lines, *map(str, args)])
    return hashlib.sha256(text.encode()).hexdigest()[:20]
