"""The program as a whole: its name, its stages for choosers, its sizes, and whether it can be lowered now."""

from __future__ import annotations

from dataclasses import dataclass

from tewb.base import TewbError, comment
from tewb.workbench.looks.short_names import short_names
from tewb.workbench.measure.measure import symbols_now
from tewb.workbench.session import Session


@dataclass(frozen=True, slots=True)
class StageName:
    """A stage, its kind (input, compute, extern, hybrid, scan, ...), and the names of its loops. `short` is its name, cut
    where it is long so that it still is told from the others."""

    name: str
    short: str
    kind: str
    loops: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """What is scheduled. `problem` says why the schedule cannot be lowered as it is, `arguments` describes what the
    kernel takes, `reference` what it is compared with. `sizes` are the values that Measure gives to symbolic sizes and
    scalars, by their names. `version` counts changes of the schedule."""

    name: str
    stages: tuple[StageName, ...]
    arguments: tuple[str, ...]
    reference: str
    sizes: dict[str, float]
    problem: str | None
    version: int


@dataclass(frozen=True, slots=True)
class ProgramCode:
    """The whole program as Python, or a comment that says why there is none."""

    text: str


def program_state(session: Session) -> Program:
    """The program of a session."""
    problem = session.problem
    reference = "its definition" if session.reference is None else _name(session.reference)
    stages = session.stages
    short = short_names(s.name for s in stages)
    return Program(
        session.name,
        tuple([StageName(s.name, short[s.name], s.kind, tuple([x.name for x in s.loops])) for s in stages]),
        tuple(map(str, session.args)),
        reference,
        {name: float(value) for name, value in symbols_now(session).items()},
        None if problem is None else problem.message,
        session.schedule.version,
    )


def _name(f: object) -> str:
    module = getattr(f, "__module__", None) or ""
    name = getattr(f, "__name__", "a function")
    return f"numpy.{name}" if module.startswith("numpy") else name


def program_code(session: Session) -> ProgramCode:
    """The program of a session as Python."""
    try:
        return ProgramCode(session.code)
    except TewbError as e:
        return ProgramCode(comment(e.message) + "\n")
