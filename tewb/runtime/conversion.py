"""`convert`: Python's values as the objects of classic TE, and what passes between Python and packed functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tewb.base import Array, DTypeError, Map, ShapeTuple, String, brief, constant, here
from tewb.runtime.ndarray import NDArray


class PackedFunc:
    """A function that takes and returns what classic packed functions do: numbers, text, arrays, functions, containers,
    and tewb's own objects. Arrays arrive as NDArrays, lists as Arrays, dicts as Maps. An exception passes as it is.

    `function` is the Python function itself.
    """

    __slots__ = ("__weakref__", "function")
    function: Callable[..., Any]

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function.function if isinstance(function, PackedFunc) else function

    def __call__(self, *args: Any) -> Any:
        return passed(self.function(*[passed(a) for a in args]))

    @property
    def __name__(self) -> str:
        return getattr(self.function, "__name__", repr(self.function))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PackedFunc) and self.function == other.function

    def __hash__(self) -> int:
        return hash(self.function)

    def same_as(self, other: object) -> bool:
        """Whether `other` is the same function."""
        return self == other

    def __repr__(self) -> str:
        return f"PackedFunc({self.__name__})"


def convert(value: Any) -> Any:
    """`value` as an object of classic TE: a number as a constant, text as a String, a list or tuple as an Array, a dict
    as a Map, a function as a PackedFunc. Arrays, tensors, expressions and other objects of tewb stay as they are.

    Raises DTypeError for anything else.
    """
    if isinstance(value, bool | int | float | np.bool_ | np.integer | np.floating):
        return constant(value)
    return _object(value, convert)


def passed(value: Any) -> Any:
    """`value` as a packed function takes and returns it: as `convert`, but numbers stay Python's own."""
    if value is None or (isinstance(value, bool | int | float | str) and not isinstance(value, np.generic)):
        return value
    if isinstance(value, np.bool_ | np.integer | np.floating):
        return value.item()
    return _object(value, passed)


def _object(value: Any, inner: Callable[[Any], Any]) -> Any:
    """What is no number, with `inner` for what is in it."""
    if isinstance(value, str):
        return value if type(value) is not str else String(value)
    if isinstance(value, np.ndarray):
        return value if isinstance(value, NDArray) else value.view(NDArray)
    if value is None or isinstance(value, bytes | bytearray | Array | Map | ShapeTuple) or _is_ours(value):
        return value
    if isinstance(value, list | tuple):
        return Array([inner(x) for x in value])
    if isinstance(value, Mapping):
        return Map([(inner(k), inner(v)) for k, v in value.items()])
    if callable(value):
        return PackedFunc(value)
    raise DTypeError(
        f"{brief(repr(value))} has no counterpart in classic TE",
        hint="numbers, text, lists, dicts, functions, arrays and tewb's own objects have one",
        span=here(),
    )


def _is_ours(value: object) -> bool:
    return any(c.__module__.partition(".")[0] == "tewb" for c in type(value).__mro__)
