"""What is read of a session: `Session` has all of it, and judges need no more."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tewb.workbench.demos import demo_session
from tewb.workbench.judge.advice import advice
from tewb.workbench.judge.ledger import ledger
from tewb.workbench.judge.palette import palette
from tewb.workbench.judge.why import explain
from tewb.workbench.session_view import ProgramView, SessionView
from tewb.workbench.trace.access_trace import trace

PROGRAM = [name for name in vars(ProgramView) if not name.startswith("_")]
SESSION = [*PROGRAM, *(name for name in vars(SessionView) if not name.startswith("_"))]


def only(names: list[str]) -> Any:
    """An object with these fields of a session, and nothing else."""
    session = demo_session("matmul", n=8)
    return SimpleNamespace(**{name: getattr(session, name) for name in names})


def test_a_session_has_every_field() -> None:
    assert {"schedule", "args", "function", "choices", "build"} <= set(PROGRAM)
    assert set(SESSION) - set(PROGRAM) == {"reference", "inputs", "sizes"}
    only(SESSION)


@pytest.mark.parametrize(
    "judge",
    [
        lambda program: [advice(program, assembly=False)],
        ledger,
        lambda program: palette(program, "C", "i"),
        lambda program: [explain(program, "bound", "C", "i")],
    ],
)
def test_judges_read_no_more_of_a_program(judge: Any) -> None:
    assert judge(only(PROGRAM))


def test_a_trace_reads_no_more_of_a_session() -> None:
    assert len(trace(only(SESSION), "C")) > 0
