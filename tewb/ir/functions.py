"""Functions: programs with parameters, modules of them, and the regions that call others."""

from __future__ import annotations

from dataclasses import dataclass

from tewb.ir.buffers import Buffer
from tewb.ir.expressions import Var
from tewb.ir.statements import Stmt


@dataclass(frozen=True, slots=True)
class ExternRegion:
    """What an extern_scope region is: its name, the buffers it reads and writes (as text), its effect."""

    name: str
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    effect: str = "idempotent"


@dataclass(frozen=True, slots=True, eq=False)
class PrimFunc:
    """A function on buffers and scalars. `outputs` are the positions of the parameters that it writes."""

    name: str
    params: tuple[Buffer | Var, ...]
    body: Stmt
    outputs: tuple[int, ...] = ()

    def script(self) -> str:
        """This function as TVMScript text."""
        from tewb.ir.script import script  # the printer sits above the nodes

        return script(self)

    def __str__(self) -> str:
        return self.script()


class IRModule:
    """Functions by name."""

    __slots__ = ("functions",)

    def __init__(self, functions: dict[str, PrimFunc]) -> None:
        self.functions = functions

    def __getitem__(self, name: str) -> PrimFunc:
        return self.functions[name]

    def script(self) -> str:
        """This module as TVMScript text."""
        from tewb.ir.script import script  # the printer sits above the nodes

        return script(self)

    def __str__(self) -> str:
        return self.script()
