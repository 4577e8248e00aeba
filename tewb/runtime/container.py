"""`runtime.container`: the containers of classic TE."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tewb.base import ADT, Array, Map, ShapeTuple, String

__all__ = ["ADT", "Array", "Map", "ShapeTuple", "String", "tuple_object"]


def tuple_object(fields: Iterable[Any] = ()) -> ADT:
    """A tuple, as an ADT of tag 0."""
    return ADT(0, fields)
