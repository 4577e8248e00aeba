"""llvm-mca: found or not, slow, wrong, of an older kind."""

from __future__ import annotations

import importlib
import json
import stat
import sys
from pathlib import Path

import pytest

from tewb.workbench.speed import llvm_mca
from tewb.workbench.speed.llvm_mca import Simulated, find_llvm_mca, installed_with_pip, simulate

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
    """The first folder of the path, where no package of Python brings the program."""
    monkeypatch.setattr(llvm_mca, "installed_with_pip", lambda: None)
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


def test_that_of_a_python_package_comes_before_that_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system, package = tmp_path / "system", tmp_path / "packages"
    (package / "llvm" / "bin").mkdir(parents=True)
    system.mkdir()
    stand_in(system, "exit 0")
    monkeypatch.setenv("PATH", str(system))
    monkeypatch.setattr(sys, "path", [str(package)])
    importlib.invalidate_caches()
    assert find_llvm_mca() == str(system / "llvm-mca"), "a package llvm without the program is another one"
    stand_in(package / "llvm" / "bin", "exit 0")
    assert find_llvm_mca() == str(package / "llvm" / "bin" / "llvm-mca")


@pytest.mark.skipif(installed_with_pip() is None, reason="tewb[mca] is not installed")
def test_the_one_that_the_extra_installs_knows_new_processors_and_its_ports() -> None:
    found = simulate(["vfmadd231ps %zmm0, %zmm1, %zmm2"], TRIPLE, ("graniterapids",))
    assert isinstance(found, Simulated) and found.model == "graniterapids"
    assert found.cycles >= 4 and found.throughput >= 0.5 and sum(found.ports.values()) >= 1


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
