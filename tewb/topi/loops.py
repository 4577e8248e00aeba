"""Nested loops of the builder of IR, for operators that are externs of loops."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from tewb import tir
from tewb.ir import Expr


@contextmanager
def nested_loops(ib: Any, sizes: Iterable[Any], name: str = "i") -> Iterator[tuple[Any, ...]]:
    """A loop for each size, one in the other, named i0, i1, ...; gives their variables."""
    with ExitStack() as stack:
        yield tuple(stack.enter_context(ib.for_range(0, n, name=f"{name}{k}")) for k, n in enumerate(sizes))


def check_inside(ib: Any, condition: Expr, message: str) -> None:
    """Let the kernel raise a BoundError with this message where the condition does not hold."""
    ib.emit(tir.AssertStmt(condition, message, tir.Evaluate(0)))
