"""Where a run was made: the processor, its cores, the system, and the versions of all contestants."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import llvmlite
import numpy as np

import tewb


def processor() -> str:
    """Its name; on Linux also family and model, as names of servers may not tell the generation."""
    info = Path("/proc/cpuinfo")
    lines = [line.partition(":") for line in info.read_text().splitlines()] if info.exists() else []
    facts = {name.strip(): value.strip() for name, _, value in lines}
    if "model name" not in facts:
        return platform.processor() or platform.machine()
    return f"{facts['model name']} (family {facts.get('cpu family')}, model {facts.get('model')})"


def about(versions: dict[str, str]) -> str:
    """One line. The versions are those of contestants; without any, of numpy and tewb here."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    here = {"tewb": f"tewb {tewb.__version__}", "numpy": f"numpy {np.__version__}"}
    compiler = f"llvmlite {llvmlite.__version__}"
    what = ", ".join([f"Python {platform.python_version()}", compiler, *(here | versions).values()])
    return f"{processor()}, {cores} cores, {platform.system()} {platform.release()}: {what}"
