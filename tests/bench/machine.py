"""Where a run was made: the processor, its cores, the system, and the versions of all contestants."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from pathlib import Path


def processor() -> str:
    """Its name; on Linux also family and model, as names of servers may not tell the generation."""
    info = Path("/proc/cpuinfo")
    lines = [line.partition(":") for line in info.read_text().splitlines()] if info.exists() else []
    facts = {name.strip(): value.strip() for name, _, value in lines}
    if "model name" not in facts:
        return platform.processor() or platform.machine()
    return f"{facts['model name']} (family {facts.get('cpu family')}, model {facts.get('model')})"


def about(versions: Iterable[str]) -> str:
    """One line."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    what = ", ".join([f"Python {platform.python_version()}", *versions])
    return f"{processor()}, {cores} cores, {platform.system()} {platform.release()}: {what}"
