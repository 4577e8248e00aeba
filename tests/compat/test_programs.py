"""Programs in the style of the years of TVM v0.5 to v0.19, each run as `python -m tewb.compat` runs it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tewb.compat import install
from tewb.compat.run import run_script

PROGRAMS = sorted(Path(__file__).with_name("programs").glob("*.py"))


@pytest.fixture
def _as_tvm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", sys.argv)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    install()


@pytest.mark.usefixtures("_as_tvm")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.stem)
def test_a_program_runs(program: Path) -> None:
    run_script(str(program))


def test_there_are_programs() -> None:
    assert len(PROGRAMS) >= 18
