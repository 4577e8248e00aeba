"""One call of a hybrid function that runs checked: its names, the loops around, and errors that show them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from tewb.base import HybridError, TewbError
from tewb.tensor.hybrid.checked_arrays import as_checked
from tewb.tensor.hybrid.syntax import set_names
from tewb.tensor.hybrid.typed_numbers import typed
from tewb.tensor.hybrid.words import CASTS

if TYPE_CHECKING:
    from tewb.tensor.hybrid.script import HybridFunction


class CheckedCall:
    """`values` are those of the parameters, and `callers` the lines that the function was called from."""

    def __init__(self, function: HybridFunction, values: Mapping[str, Any], callers: tuple[str, ...]) -> None:
        self.source, self.callers = function.text, callers
        self.outer = function.outside()
        self.own = set_names(self.source.tree.body)
        self.blocks: list[dict[str, Any]] = [{}]
        self.loops: dict[str, Any] = {}  # the variables of the loops around, with their values
        for name, value in values.items():
            is_variable = self.own.get(name) and isinstance(value, bool | int | float | np.generic)
            self.set(name, typed(value) if is_variable else value)

    # ---- errors

    def error(
        self, node: ast.AST, why: str, hint: str | None = None, kind: type[TewbError] = HybridError
    ) -> TewbError:
        error = self.source.error(node, why, hint, kind)
        message = error.message
        if self.loops:
            message += "\n  with " + ", ".join(f"{n} = {plain(v)}" for n, v in self.loops.items())
        for line in reversed(self.callers):
            message += f"\n  called from {line}"
        return kind(message, hint=hint, span=error.span)

    def line_of(self, node: ast.AST) -> str:
        """Where a call of another function stands."""
        loops = "".join(f", {n} = {plain(v)}" for n, v in self.loops.items())
        return f"{self.source.name}{loops}, {self.source.span(node)}"

    # ---- names

    @contextmanager
    def block(self) -> Iterator[None]:
        """Names that are set inside end with the block."""
        self.blocks.append({})
        try:
            yield
        finally:
            self.blocks.pop()

    def set(self, name: str, value: Any) -> None:
        """Set a name in the innermost block."""
        self.blocks[-1][name] = value

    def block_of(self, name: str) -> dict[str, Any] | None:
        """The names of the block that has set `name`."""
        return next((block for block in reversed(self.blocks) if name in block), None)

    def look_up(self, node: ast.Name) -> Any:
        block = self.block_of(node.id)
        if block is not None:
            return block[node.id]
        if node.id in self.own:
            raise self.error(
                node, f"{node.id} is read before it is set here", f"set {node.id} before the block"
            )
        if node.id in self.outer:
            return as_checked(node.id, self.outer[node.id])
        if node.id in CASTS:
            return node.id
        raise self.error(node, f"{node.id} has no value here", "a name is set above, or around the function")


def plain(x: Any) -> str:
    return str(x.item()) if isinstance(x, np.generic) else str(x)
