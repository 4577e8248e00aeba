"""What is read of a session by functions that judge, measure or trace its program.

They are given a session and see only this of it, so that none of them needs to know the class `Session`, which calls
them. Tests and tools may pass any object that has these fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from tewb.base import TewbError
from tewb.ir import PrimFunc
from tewb.runtime import Kernel
from tewb.schedule import Schedule, Step


class ProgramView(Protocol):
    """A scheduled program, and what it is lowered to now."""

    @property
    def schedule(self) -> Schedule: ...
    @property
    def args(self) -> Sequence[Any]:
        """The kernel's arguments."""

    @property
    def name(self) -> str:
        """The name of the kernel."""

    @property
    def journal(self) -> tuple[Step, ...]: ...
    @property
    def passes(self) -> Sequence[tuple[str, PrimFunc]]:
        """The function after each lowering pass, beginning with the loops as scheduled."""

    @property
    def function(self) -> PrimFunc:
        """The lowered function. Raises `problem` when there is one."""

    @property
    def problem(self) -> TewbError | None:
        """Why the schedule cannot be lowered now, or None."""

    def choices(self, stage: str, primitive: str, param: str, **others: Any) -> list[str]:
        """What a parameter of a primitive may be."""

    def build(self) -> Kernel: ...


class SessionView(ProgramView, Protocol):
    """A program with what it runs on and is compared with; None and an empty `sizes` are what was not given."""

    @property
    def reference(self) -> Callable[..., Any] | None: ...
    @property
    def inputs(self) -> Sequence[Any] | None: ...
    @property
    def sizes(self) -> Mapping[Any, int]: ...
