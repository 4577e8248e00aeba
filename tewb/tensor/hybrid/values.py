"""What a name or an expression of a hybrid function can stand for, apart from numbers and elements."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tewb.base import DType, with_article
from tewb.ir import Buffer, BufferLoad, Expr, Var, const, const_int, convert, walk

# An element or number to compute (Expr), memory (Buffer), or something that is known now: a number, a tuple,
# one of the classes below.
Value = Any
Evaluate = Callable[[ast.expr], Value]


@dataclass(frozen=True, slots=True, eq=False)
class ScalarVariable:
    """A scalar variable: memory for one element."""

    buffer: Buffer


@dataclass(frozen=True, slots=True, eq=False)
class LoopVariable:
    """The variable of a loop, which nothing may set."""

    value: Value


@dataclass(frozen=True, slots=True, eq=False)
class CountedRange:
    """range(...) or another word of loops, with its numbers."""

    word: str
    bounds: tuple[Value, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """The elements of a box, one at a time: `element(indices)` is the one at `indices`."""

    shape: tuple[Expr, ...]
    element: Callable[[Sequence[Expr]], Expr]

    @property
    def dtype(self) -> DType:
        return self.element([Var("d", n.dtype) for n in self.shape]).dtype


class Inlinable(ABC):
    """A function that another one may call: its body takes the place of the call."""

    name: str

    @abstractmethod
    def arguments(self, args: Sequence[Any], keywords: Mapping[str, Any]) -> dict[str, Any]:
        """The value of every parameter."""

    @abstractmethod
    def translate(self, values: Mapping[str, Any], caller: Any = None) -> Any:
        """The Translation of the function with `values` for its parameters; `caller` is that of the caller."""


def element_of(value: Value, indices: Sequence[Expr], shape: Sequence[Expr]) -> Value:
    """The part of `value` for one element of a box of `shape`; as in numpy, a missing dimension or one of
    size 1 is repeated."""
    if not isinstance(value, Slice):
        return value
    trailing = indices[len(indices) - len(value.shape) :]
    sizes = shape[len(shape) - len(value.shape) :]
    at = [
        const(0, i.dtype) if const_int(n) == 1 and const_int(m) != 1 else i
        for i, n, m in zip(trailing, value.shape, sizes, strict=True)
    ]
    return value.element(at)


def elementwise(f: Callable[..., Value], shape: tuple[Expr, ...], *values: Value) -> Slice:
    """`f` of the values, element by element."""

    def element(indices: Sequence[Expr]) -> Expr:
        return convert(f(*[element_of(v, indices, shape) for v in values]))

    return Slice(shape, element)


def reads_memory(e: Expr) -> bool:
    """Whether `e` reads an element, so that it may change its value."""
    return any(isinstance(n, BufferLoad) for n in walk(e))


def kind_of(value: Value) -> str:
    """What to call a value in a message."""
    if isinstance(value, Buffer):
        return "a tensor"
    if isinstance(value, tuple | list):
        return "a tuple"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, Slice):
        return "a slice"
    if isinstance(value, CountedRange):
        return f"{value.word}(...)"
    return "a number" if isinstance(value, Expr | int | float) else with_article(type(value).__name__)


def buffers_of(value: Value) -> list[Buffer]:
    """The memory that a value stands for."""
    if isinstance(value, tuple | list):
        return [b for v in value for b in buffers_of(v)]
    if isinstance(value, LoopVariable):
        return buffers_of(value.value)
    if isinstance(value, ScalarVariable):
        return [value.buffer]
    return [value] if isinstance(value, Buffer) else []
