"""The containers of classic TE: they cannot be changed, and otherwise behave as Python's own.

Expressions in them are compared by identity, since `a == b` builds an expression; constants are compared by value.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, SupportsIndex, overload

from tewb.base.errors import DTypeError
from tewb.base.python_text import brief
from tewb.base.span import here

_CONSTANTS = ("IntImm", "FloatImm", "StringImm")  # expressions that have a Python value


class _Same:
    """An object by its identity."""

    __slots__ = ("o",)

    def __init__(self, o: object) -> None:
        self.o = o

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.o is other.o

    def __hash__(self) -> int:
        return id(self.o)


def _key(x: Any) -> Any:
    """What an item is compared by: numbers, text and tuples by value, the value of a constant, and anything else by
    identity."""
    if type(x).__name__ in _CONSTANTS:
        return x.value
    if isinstance(x, Array | list) or type(x) is tuple:
        return tuple([_key(y) for y in x])
    if isinstance(x, Mapping):
        return frozenset([(_key(k), _key(v)) for k, v in x.items()])
    if x is None or isinstance(x, str | int | float | bytes | ShapeTuple):
        return x
    return _Same(x)


class Array(tuple[Any, ...]):
    """A sequence that cannot be changed. It equals a list or tuple of the same items."""

    __slots__ = ()

    @overload
    def __getitem__(self, index: SupportsIndex) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Array: ...
    def __getitem__(self, index: Any) -> Any:
        item = super().__getitem__(index)
        return Array(item) if isinstance(index, slice) else item

    def __add__(self, other: Any) -> Array:
        return Array((*self, *other)) if isinstance(other, tuple | list) else NotImplemented

    def __radd__(self, other: Any) -> Array:
        return Array((*other, *self)) if isinstance(other, tuple | list) else NotImplemented

    def __mul__(self, count: SupportsIndex) -> Array:
        return Array(super().__mul__(count))

    __rmul__ = __mul__

    def __eq__(self, other: object) -> bool:
        return _key(self) == _key(other) if isinstance(other, tuple | list) else NotImplemented

    def __ne__(self, other: object) -> bool:
        return _key(self) != _key(other) if isinstance(other, tuple | list) else NotImplemented

    def __hash__(self) -> int:
        return hash(_key(self))

    def __contains__(self, item: object) -> bool:
        return _key(item) in [_key(x) for x in self]

    def index(self, item: Any, *bounds: Any) -> int:
        """The first place of `item`. Raises ValueError when it is not there."""
        return [_key(x) for x in self].index(_key(item), *bounds)

    def count(self, item: Any) -> int:
        """How often `item` is there."""
        return [_key(x) for x in self].count(_key(item))

    def same_as(self, other: object) -> bool:
        """Whether `other` is this very object."""
        return self is other

    def __repr__(self) -> str:
        return repr(list(self))


class ADT(Array):
    """A sequence with a tag, as classic TE had for tuples (tag 0) and constructors."""

    tag: int

    def __new__(cls, tag: int, fields: Iterable[Any]) -> Self:
        adt = super().__new__(cls, fields)
        adt.tag = tag
        return adt

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other) and getattr(other, "tag", self.tag) == self.tag

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = Array.__hash__

    def __getnewargs__(self) -> tuple[int, tuple[Any, ...]]:
        return self.tag, tuple(self)


class Map(Mapping[Any, Any]):
    """A mapping that cannot be changed, in the order of its making. A constant and its value are one key; other
    expressions, variables and axes are keys by identity."""

    __slots__ = ("_pairs",)

    def __init__(self, pairs: Mapping[Any, Any] | Iterable[tuple[Any, Any]] = ()) -> None:
        listed = pairs.items() if isinstance(pairs, Mapping) else pairs
        self._pairs: dict[Any, tuple[Any, Any]] = {_key(k): (k, v) for k, v in listed}

    def __getitem__(self, key: Any) -> Any:
        pair = self._pairs.get(_key(key))
        if pair is None:
            raise KeyError(key)
        return pair[1]

    def __iter__(self) -> Iterator[Any]:
        return iter([k for k, _ in self._pairs.values()])

    def __len__(self) -> int:
        return len(self._pairs)

    def __contains__(self, key: object) -> bool:
        return _key(key) in self._pairs

    def __eq__(self, other: object) -> bool:
        return _key(self) == _key(other) if isinstance(other, Mapping) else NotImplemented

    def __hash__(self) -> int:
        return hash(_key(self))

    def same_as(self, other: object) -> bool:
        """Whether `other` is this very object."""
        return self is other

    def __reduce__(self) -> tuple[type[Map], tuple[list[tuple[Any, Any]]]]:
        return Map, ([*self._pairs.values()],)

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{k!r}: {v!r}" for k, v in self._pairs.values()) + "}"


class String(str):
    """Text. It is Python's in every way."""

    __slots__ = ()

    @property
    def value(self) -> str:
        """The text, which some classic functions gave as a constant."""
        return str(self)

    def same_as(self, other: object) -> bool:
        """Whether `other` is this very object."""
        return self is other


class ShapeTuple(tuple[int, ...]):
    """A shape of whole numbers. It equals a list or tuple of the same numbers. Raises DTypeError."""

    __slots__ = ()

    def __new__(cls, shape: Iterable[Any] = ()) -> Self:
        return super().__new__(cls, [_whole(n) for n in shape])

    @overload
    def __getitem__(self, index: SupportsIndex) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> ShapeTuple: ...
    def __getitem__(self, index: Any) -> Any:
        item = super().__getitem__(index)
        return ShapeTuple(item) if isinstance(index, slice) else item

    def __eq__(self, other: object) -> bool:
        return tuple(self) == tuple(other) if isinstance(other, tuple | list) else NotImplemented

    def __ne__(self, other: object) -> bool:
        return tuple(self) != tuple(other) if isinstance(other, tuple | list) else NotImplemented

    __hash__ = tuple.__hash__

    def __repr__(self) -> str:
        return f"ShapeTuple({list(self)})"


def _whole(n: Any) -> int:
    """A size as an int."""
    try:
        return operator.index(n.value if type(n).__name__ == "IntImm" else n)
    except TypeError:
        raise DTypeError(
            f"{brief(repr(n))} is no whole number, and a ShapeTuple holds nothing else", span=here()
        ) from None
