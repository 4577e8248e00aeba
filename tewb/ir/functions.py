"""Functions: programs with parameters, modules of them, and the regions that call others."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tewb.base import TewbError, here
from tewb.ir.buffers import Buffer
from tewb.ir.expressions import Var
from tewb.ir.node import Shown
from tewb.ir.ops import convert
from tewb.ir.statements import Stmt


@dataclass(frozen=True, slots=True)
class ExternRegion:
    """What an extern_scope region is: its name, the buffers it reads and writes (as text), its effect."""

    name: str
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    effect: str = "idempotent"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PrimFunc(Shown):
    """A function on buffers and scalars. `outputs` are the positions of the parameters that it writes, `attrs` what else
    is said of it; passes keep them."""

    name: str
    params: tuple[Buffer | Var, ...]
    body: Stmt
    outputs: tuple[int, ...] = ()
    attrs: Mapping[str, Any] = field(default_factory=dict)

    def with_body(self, body: Stmt) -> PrimFunc:
        """This function with another body; itself when it is the same."""
        return self if body is self.body else PrimFunc(self.name, self.params, body, self.outputs, self.attrs)

    def with_attr(self, key: str | Mapping[str, Any], value: Any = None) -> PrimFunc:
        """This function with an attribute more, or several; `global_symbol` is its name. Numbers become constants."""
        more = dict(key) if isinstance(key, Mapping) else {key: value}
        name = str(more.get("global_symbol", self.name))
        kept = {k: convert(v) if isinstance(v, bool | int | float) else v for k, v in more.items()}
        return dataclasses.replace(self, name=name, attrs={**self.attrs, **kept})

    def without_attr(self, key: str) -> PrimFunc:
        """This function without an attribute."""
        return dataclasses.replace(self, attrs={k: v for k, v in self.attrs.items() if k != key})

    @property
    def buffer_map(self) -> dict[Any, Buffer]:
        """The buffer of each parameter that is one. (Parameters are buffers here, and no pointers to them.)"""
        return {p: p for p in self.params if isinstance(p, Buffer)}

    @property
    def ret_type(self) -> None:
        """Kernels return nothing; their outputs are parameters."""

    def same_as(self, other: object) -> bool:
        """Whether `other` is this very function."""
        return self is other

    def __repr__(self) -> str:
        return self.script()


class GlobalVar(str):
    """The name of a function in a module."""

    __slots__ = ()

    @property
    def name_hint(self) -> str:
        return str(self)


class IRModule(Shown):
    """Functions by name."""

    __slots__ = ("attrs", "functions")

    def __init__(
        self,
        functions: Mapping[str, PrimFunc] | None = None,
        type_definitions: object = None,
        attrs: Mapping[str, Any] | None = None,
    ) -> None:
        self.functions: dict[str, PrimFunc] = {GlobalVar(name): f for name, f in (functions or {}).items()}
        self.attrs: Mapping[str, Any] = attrs or {}

    @staticmethod
    def from_expr(function: PrimFunc) -> IRModule:
        """The module of one function, by its own name."""
        return IRModule({function.name: function})

    def __getitem__(self, name: str) -> PrimFunc:
        f = self.functions.get(name)
        if f is None:
            near = difflib.get_close_matches(str(name), self.functions, 1)
            raise TewbError(
                f"the module has no function {name}",
                hint=f"{f'did you mean {near[0]}? ' if near else ''}it has {', '.join(self.functions)}",
                span=here(),
            )
        return f

    def __setitem__(self, name: str, function: PrimFunc) -> None:
        self.functions[GlobalVar(name)] = function

    def __delitem__(self, name: str) -> None:
        del self.functions[name]

    def __contains__(self, name: object) -> bool:
        return name in self.functions

    def update(self, other: IRModule | Mapping[str, PrimFunc]) -> None:
        """Add the functions of another module, or replace those of the same names."""
        functions = other.functions if isinstance(other, IRModule) else other
        self.functions.update({GlobalVar(name): f for name, f in functions.items()})

    def get_global_vars(self) -> list[str]:
        """The names of the functions; `name_hint` of one is its text."""
        return list(self.functions)

    def get_global_var(self, name: str) -> str:
        """The name of a function, when there is one of this name. Raises TewbError if not."""
        self[name]
        return GlobalVar(name)

    def with_attr(self, key: str, value: Any) -> IRModule:
        """This module with an attribute more."""
        return IRModule(self.functions, attrs={**self.attrs, key: value})

    @property
    def body(self) -> Stmt:
        """The body of the only function: what `lower` gave in v0.5. Raises TewbError if there are several."""
        return self._only("body").body

    @property
    def name(self) -> str:
        """The name of the only function. Raises TewbError if there are several."""
        return self._only("name").name

    @property
    def args(self) -> tuple[Buffer | Var, ...]:
        """The parameters of the only function. Raises TewbError if there are several."""
        return self._only("params").params

    def _only(self, what: str) -> PrimFunc:
        if len(self.functions) != 1:
            raise TewbError(
                f"the module has {len(self.functions)} functions, and each its {what}",
                hint=f'module["main"].{what}',
                span=here(),
            )
        return next(iter(self.functions.values()))

    def _move(self) -> IRModule:
        """This module: what is not used any more is freed by Python."""
        return self

    def same_as(self, other: object) -> bool:
        """Whether `other` is this very module."""
        return self is other

    def __str__(self) -> str:
        return self.script()

    def __repr__(self) -> str:
        return self.script()
