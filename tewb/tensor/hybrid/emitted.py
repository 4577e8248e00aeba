"""What the statements of a hybrid function become."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tewb.ir import Stmt, seq

# One statement, or several of which some wrap the rest of the block: an allocation, a check, a let.
Wrap = Callable[[Stmt], Stmt]
Emitted = Stmt | list[Stmt | Wrap]


def joined(statements: Sequence[Stmt | Wrap]) -> Stmt:
    """Statements and what wraps the rest of them, as one statement."""
    body = seq()
    for s in reversed(statements):
        body = seq(s, body) if isinstance(s, Stmt) else s(body)
    return body


def as_list(emitted: Emitted) -> list[Stmt | Wrap]:
    return emitted if isinstance(emitted, list) else [emitted]
