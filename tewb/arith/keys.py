"""Structural keys: two expressions have the same key when they have the same shape."""

from __future__ import annotations

import itertools
from typing import Any

from tewb.ir import Binary, Buffer, Compare, Expr, IntImm, Producer, Var

Key = Any  # a number; that of a variable is its id

_SKIP = ("dtype",)

# Numbers of shapes: negative, as no id is, and never used twice.
_fresh = itertools.count(-1, -1)


class Keys:
    """Computes keys, remembering them by node. Nodes are kept alive, so that their ids are not reused.

    A shape gets a number when it is first seen, and the shapes around it contain that number: keys of large
    expressions are as quick to compare as those of small ones. `numbers` may outlive the nodes: an expression of the
    same shape then has the same key later.
    """

    def __init__(self, numbers: dict[tuple[Any, ...], int] | None = None) -> None:
        self._keys: dict[Expr, Key] = {}
        self.numbers: dict[tuple[Any, ...], int] = {} if numbers is None else numbers

    def __call__(self, e: Expr) -> Key:
        return self.of(e)

    def of(self, e: Expr) -> Key:
        """The key of `e`."""
        if e.__class__ is Var:
            return id(e)
        key = self._keys.get(e)
        if key is not None:
            return key
        kind = e.__class__
        if kind is IntImm:
            shape: tuple[Any, ...] = (kind, e.dtype, e.value)  # type: ignore[attr-defined]
        elif isinstance(e, Binary | Compare):
            shape = (kind, e.dtype, self.of(e.a), self.of(e.b))
        else:
            shape = (kind, e.dtype, *[self._part(getattr(e, f)) for f in e.field_names if f not in _SKIP])
        number = self.numbers.get(shape)
        if number is None:
            number = self.numbers[shape] = next(_fresh)
        self._keys[e] = number
        return number

    def _part(self, x: object) -> Key:
        if isinstance(x, Expr):
            return self.of(x)
        if isinstance(x, tuple):
            return tuple([self._part(p) for p in x])
        if isinstance(x, Buffer | Producer) or not isinstance(x, int | float | str):
            return id(x)
        return (x.__class__, repr(x)) if isinstance(x, float) else x
