"""Structural keys: two expressions have the same key when they have the same shape."""

from __future__ import annotations

from typing import Any

from tewb.ir import Buffer, Expr, Producer, Var

Key = Any  # nested tuples; variables, buffers and tensors stand for themselves by id

_SKIP = ("dtype",)


class Keys:
    """Computes keys, remembering them by node. Nodes are kept alive, so that an id stays the node's own."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Expr, Key]] = {}

    def __call__(self, e: Expr) -> Key:
        if e.__class__ is Var:
            return id(e)
        found = self._known.get(id(e))
        if found is not None:
            return found[1]
        made = (e.__class__, e.dtype, *[self._part(getattr(e, f)) for f in e._fields if f not in _SKIP])
        self._known[id(e)] = (e, made)
        return made

    def _part(self, x: object) -> Key:
        if isinstance(x, Expr):
            return self(x)
        if isinstance(x, tuple):
            return tuple([self._part(p) for p in x])
        if isinstance(x, Buffer | Producer) or not isinstance(x, int | float | str):
            return id(x)
        return (x.__class__, repr(x)) if isinstance(x, float) else x
