"""What the names of a hybrid function stand for, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tewb.tensor.hybrid.values import Value


class NameScope:
    """The names of one function. `outer` gives the values of names from the code around it; `own` counts how
    often the function sets each of its own names."""

    def __init__(self, outer: Mapping[str, Any], own: Mapping[str, int]) -> None:
        self.outer, self.own = outer, own
        self.blocks: list[dict[str, Value]] = [{}]
        self.ended: set[str] = set()  # names of blocks that have ended

    @contextmanager
    def block(self) -> Iterator[None]:
        """Names that are set inside end with the block."""
        self.blocks.append({})
        try:
            yield
        finally:
            self.ended.update(self.blocks.pop())

    def set(self, name: str, value: Value) -> None:
        """Set a name in the innermost block."""
        self.blocks[-1][name] = value

    def find(self, name: str) -> Value:
        """The value of a name that the function has set, or None."""
        return next((block[name] for block in reversed(self.blocks) if name in block), None)

    def is_set(self, name: str) -> bool:
        return any(name in block for block in self.blocks)

    def is_set_around(self, name: str) -> bool:
        """Whether a block around the innermost one has set the name."""
        return any(name in block for block in self.blocks[:-1])
