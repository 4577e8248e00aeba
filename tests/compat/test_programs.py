"""Programs in the style of the years of TVM v0.5 to v0.19, each run as `python -m tewb.compat` runs it.

A program whose first line names what it needs (`# needs: tvm.device te.scan`) waits until tewb has that.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tewb.compat import install
from tewb.compat.face import is_here
from tewb.compat.names import modules
from tewb.compat.run import run_script

PROGRAMS = sorted(Path(__file__).with_name("programs").glob("*.py"))


def missing(program: Path) -> list[str]:
    """What a program needs and tewb does not have."""
    first = program.read_text().splitlines()[0]
    wanted = first.removeprefix("# needs:").split() if first.startswith("# needs:") else []
    homes = []
    for name in wanted:
        module, _, last = name.rpartition(".")
        homes.append(modules()[module].entries[last].home)
    return [name for name, home in zip(wanted, homes, strict=True) if not is_here(home)]


@pytest.fixture
def _as_tvm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", sys.argv)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    install()


@pytest.mark.usefixtures("_as_tvm")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.stem)
def test_a_program_runs(program: Path) -> None:
    if missing(program):
        pytest.skip(f"needs {', '.join(missing(program))}")
    run_script(str(program))


def test_there_are_programs() -> None:
    assert len(PROGRAMS) >= 18
