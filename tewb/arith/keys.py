"""Structural keys: two expressions have the same key when they have the same shape."""

from __future__ import annotations

import itertools
from typing import Any

from tewb.ir import Binary, Buffer, Compare, Expr, IntImm, Producer, Var

Key = Any  # a number; variables, buffers and tensors stand for themselves by id

_SKIP = ("dtype",)

# Numbers of shapes: below zero, where no id is, and never given twice.
_fresh = itertools.count(-1, -1)


class Keys:
    """Computes keys, remembering them by node. Nodes are kept alive, so that an id stays the node's own.

    A shape gets a number when it is first seen, and the shapes around it are made of that: keys are as quick to
    compare for a large expression as for a small one. `numbers` may outlive the nodes: what has the same shape
    later has the same key then.
    """

    def __init__(self, numbers: dict[tuple[Any, ...], int] | None = None) -> None:
        self._known: dict[Expr, Key] = {}
        self.numbers: dict[tuple[Any, ...], int] = {} if numbers is None else numbers

    def __call__(self, e: Expr) -> Key:
        return self.of(e)

    def of(self, e: Expr) -> Key:
        """The key of `e`."""
        if e.__class__ is Var:
            return id(e)
        found = self._known.get(e)
        if found is not None:
            return found
        kind = e.__class__
        if kind is IntImm:
            shape: tuple[Any, ...] = (kind, e.dtype, e.value)  # type: ignore[attr-defined]
        elif isinstance(e, Binary | Compare):
            shape = (kind, e.dtype, self.of(e.a), self.of(e.b))
        else:
            shape = (kind, e.dtype, *[self._part(getattr(e, f)) for f in e._fields if f not in _SKIP])
        made = self.numbers.get(shape)
        if made is None:
            made = self.numbers[shape] = next(_fresh)
        self._known[e] = made
        return made

    def _part(self, x: object) -> Key:
        if isinstance(x, Expr):
            return self.of(x)
        if isinstance(x, tuple):
            return tuple([self._part(p) for p in x])
        if isinstance(x, Buffer | Producer) or not isinstance(x, int | float | str):
            return id(x)
        return (x.__class__, repr(x)) if isinstance(x, float) else x
