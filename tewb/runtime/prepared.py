"""Arguments that are ready for the machine code, and the symbols that they gave values to."""

from __future__ import annotations

from typing import Any, NamedTuple

from tewb.runtime.abi import ParamSpec


class BoundSymbol(NamedTuple):
    """The value of a symbol, and where it comes from: the `source` (a dimension, a stride) of a `parameter`."""

    value: int
    source: str
    parameter: ParamSpec


class Prepared:
    """Arguments that are ready: `slots` for the machine code, `arrays` in the order of the parameters, and
    copies to write back when the kernel is done."""

    __slots__ = ("arrays", "passed", "slots", "symbols", "write_back")

    def __init__(self) -> None:
        self.slots: list[int] = []
        self.arrays: list[Any] = []
        self.passed: list[Any] = []  # what the caller passed, where `arrays` may have a copy
        self.symbols: dict[str, BoundSymbol] = {}
        self.write_back: list[tuple[Any, Any]] = []
