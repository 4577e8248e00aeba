"""How Python's numbers become constants of expressions. `ir` says it, and the run time, which stands beside ir, asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_makers: list[Callable[[Any], Any]] = []


def register_constants(make: Callable[[Any], Any]) -> None:
    """Let `make` turn Python's and numpy's numbers into constants."""
    _makers[:] = [make]


def constant(value: Any) -> Any:
    """A number as a constant of an expression: 1 as an int32, 1.5 as a float32."""
    return _makers[0](value)
