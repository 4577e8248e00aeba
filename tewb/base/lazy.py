"""Attributes that are made when they are first asked for, without a lock.

`functools.cached_property` of Python 3.11 has one lock for all objects of a class: while one kernel is compiled, no other thread
gets the text of another one, and a child of a fork waits for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


class lazy(Generic[T]):
    """A property whose function is called once for each object; threads that ask at the same time may each call it, and then
    what comes last is kept."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make, self.__doc__ = make, make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, o: None, owner: type) -> Self: ...
    @overload
    def __get__(self, o: object, owner: type) -> T: ...
    def __get__(self, o: object | None, owner: type) -> Self | T:
        if o is None:
            return self
        value = o.__dict__[self._name] = self._make(o)
        return value
