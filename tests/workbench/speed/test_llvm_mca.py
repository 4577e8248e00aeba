"""llvm-mca: found or not, slow, wrong, of an older kind."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from tewb.workbench.speed.llvm_mca import Simulated, find_llvm_mca, simulate

ANSWER = {
    "CodeRegions": [
        {
            "Instructions": ["nop"],
            "ResourcePressureView": {
                "ResourcePressureInfo": [
                    {"InstructionIndex": 0, "ResourceIndex": 1, "ResourceUsage": 1},
                    {"InstructionIndex": 1, "ResourceIndex": 0, "ResourceUsage": 0.5},
                    {"InstructionIndex": 1, "ResourceIndex": 1, "ResourceUsage": 1.004},
                ]
            },
            "SummaryView": {"BlockRThroughput": 2, "Iterations": 100, "TotalCycles": 412},
        }
    ],
    "TargetInfo": {"CPUName": "known", "Resources": ["A", "B"]},
}
TRIPLE = "x86_64-linux-gnu"


def stand_in(folder: Path, script: str, name: str = "llvm-mca") -> None:
    """A program that stands for llvm-mca."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def test_what_it_says_of_the_first_processor_that_it_knows(folder: Path) -> None:
    stand_in(
        folder,
        'case "$*" in *unknown*) echo "\'unknown\' is not a recognized processor for this target" >&2;; esac\n'
        f"echo '{json.dumps(ANSWER)}'",
    )
    assert simulate(["nop"], TRIPLE, ("unknown", "known")) == Simulated(
        4.12, 2, {"A": 0.5, "B": 1.0}, "known"
    )
    assert simulate(["nop"], TRIPLE, ("unknown",)) == "llvm-mca does not know the processor unknown"


def test_an_older_name_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    assert find_llvm_mca() is None
    assert simulate(["nop"], TRIPLE, ("known",)) == "llvm-mca is not on this machine"
    stand_in(folder, "exit 0", "llvm-mca-17")
    assert find_llvm_mca() == str(folder / "llvm-mca-17")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exec sleep 5", "llvm-mca does not know the processor known"),
        ("case \"$(cat)\" in nop) echo '{}';; *) exec sleep 5;; esac", "llvm-mca took longer than 0.3 s"),
        ("case \"$(cat)\" in nop) echo '{}';; *) echo 'x: error: invalid instruction' >&2; exit 1;; esac",
         "llvm-mca refused the loop: invalid instruction"),
        ("cat >/dev/null; echo nonsense", "llvm-mca answered in a form that is not known"),
        ("cat >/dev/null; echo '{\"TargetInfo\": {}}'", "llvm-mca answered in a form that is not known"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_said(
    folder: Path, script: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tewb.workbench.speed.llvm_mca.SECONDS", 0.3)
    stand_in(folder, script)
    assert simulate(["addq $1, %rax"], TRIPLE, ("known",), 0.3) == said


def test_a_loop_that_is_too_long_is_not_simulated(folder: Path) -> None:
    stand_in(folder, "exit 0")
    assert (
        simulate(["nop"] * 5000, TRIPLE, ("known",)) == "the loop is too long for llvm-mca: 5000 instructions"
    )
