"""Checked calls of packed functions: does an extern keep to the footprint that it declares?

The function gets copies of its tiles with guards around them, and runs five times:

    1  guards A, outputs filled with A     what it computes
    2  the same again                      does it give the same?
    3  guards of the inputs B              does it depend on what lies outside of its inputs?
    4  guards of the outputs B             or outside of its outputs?
    5  outputs filled with B               does it read its outputs, or leave some unwritten?

After each run the guards and the inputs must be as they were. A stateful extern runs once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tewb.base import ExternError
from tewb.runtime.abi import PackedCall
from tewb.runtime.ndarray import NDArray

MARGIN = 4  # elements around a tile in each dimension, when the tile is strided
LINE = 4096  # elements before and after

A, B = 113, 37  # two poisons, which every dtype can hold


class Guarded:
    """A tile of a tensor: `view` is the caller's memory, `tile` a copy inside of guards."""

    def __init__(self, view: Any, written: bool, origin: tuple[int, ...], extents: tuple[int, ...]) -> None:
        self.view, self.written, self.origin, self.extents = view, written, origin, extents
        self.margin = 0 if view.flags.c_contiguous else MARGIN
        shape = tuple(n + 2 * self.margin for n in view.shape)
        self.line: Any = np.empty(math.prod(shape) + 2 * LINE, view.dtype).view(NDArray)
        self.block: Any = self.line[LINE : LINE + math.prod(shape)].reshape(shape)
        self.inside: tuple[Any, ...] = (*(slice(self.margin, self.margin + n) for n in view.shape), ...)
        self.tile: Any = self.block[self.inside]
        if not view.flags.writeable:
            self.tile.flags.writeable = False
        self.before = self.line

    def prepare(self, guard: int, fill: int) -> None:
        """Poison everything, then put the inputs in."""
        self.line[...] = _poison(self.line.dtype, guard)
        inside: Any = self.block[self.inside]  # not self.tile, which may be read-only
        inside[...] = _poison(self.line.dtype, fill) if self.written else self.view
        self.before = self.line.copy()

    def changed(self) -> int | None:
        """The offset in the line of an element that changed and must not have; None if there is none."""
        now = self.line.copy()
        if self.written:  # the tile itself may change
            block = now[LINE : LINE + self.block.size].reshape(self.block.shape)
            old = self.before[LINE : LINE + self.block.size].reshape(self.block.shape)
            block[self.inside] = old[self.inside]
        different = np.flatnonzero(_bytes_differ(now, self.before))
        return int(different[0]) if different.size else None

    def element(self, offset: int) -> tuple[int, ...]:
        """The indices in the tensor of an offset in the line; they may lie outside of the tensor."""
        at, indices = offset - LINE, []
        for d, low in enumerate(self.origin):
            step = math.prod(self.block.shape[d + 1 :])
            i, at = divmod(at, step) if step else (0, at)
            indices.append(i - self.margin + low)
        return tuple(indices)

    def real(self, a: Any) -> Any:
        """The part of a tile that lies in the tensor, without padding beyond it."""
        low = [max(-o, 0) if self.extents != a.shape else 0 for o in self.origin]
        return a[(*(slice(lo, lo + n) for lo, n in zip(low, self.extents, strict=True)), ...)]


def _poison(dtype: np.dtype[Any], value: int) -> Any:
    return np.array(value == A if dtype.kind == "b" else value).astype(dtype)


def _bytes_differ(a: Any, b: Any) -> Any:
    """Where two arrays of one dtype differ in any bit, so that NaN equals NaN."""
    size = a.dtype.itemsize
    x, y = (np.ascontiguousarray(v).reshape(-1).view(np.uint8).reshape(-1, size) for v in (a, b))
    return (x != y).any(axis=1)


def call_checked(function: Callable[..., Any], call: PackedCall, arguments: Sequence[Any]) -> Any:
    """Call `function` with `arguments`, of which some are guarded; the results go to the caller's memory. Returns what it
    returned first.

    Raises ExternError that names the function, the extern, the element and what is wrong with it.
    """
    check = _Check(function, call, arguments)
    first = check.run(A, A, A)
    returned = check.returned
    if call.effect != "stateful":
        check.same(
            first,
            check.run(A, A, A),
            "gave two values in two runs",
            "an extern that is called again must give the same again, or be declared effect='stateful'",
        )
        check.outside_reads(first)
        check.unwritten(first, check.run(A, A, B))
    for g, values in zip(check.outputs, first, strict=True):
        g.view[...] = values
    return returned


class _Check:
    def __init__(self, function: Callable[..., Any], call: PackedCall, arguments: Sequence[Any]) -> None:
        self.function, self.call, self.arguments = function, call, arguments
        self.guarded = [a for a in arguments if isinstance(a, Guarded)]
        self.outputs = [g for g in self.guarded if g.written]
        self.inputs = [g for g in self.guarded if not g.written]
        self.returned: Any = None

    def run(self, input_guard: int, output_guard: int, fill: int, only: Guarded | None = None) -> list[Any]:
        """One call; the values of the outputs. With `only`, other inputs keep guard A."""
        for g in self.guarded:
            of_input = input_guard if only is None or g is only else A
            g.prepare(output_guard if g.written else of_input, fill)
        self.returned = self.function(*[a.tile if isinstance(a, Guarded) else a for a in self.arguments])
        for g in self.guarded:
            offset = g.changed()
            if offset is not None:
                self.fail_write(g, offset)
        return [np.array(g.tile) for g in self.outputs]

    def name(self, g: Guarded) -> str:
        kind, among = ("output", self.outputs) if g.written else ("input", self.inputs)
        return kind if len(among) == 1 else f"{kind} {among.index(g)}"

    def fail_write(self, g: Guarded, offset: int) -> None:
        element = g.element(offset)
        inside = all(o <= i < o + n for i, o, n in zip(element, g.origin, g.view.shape, strict=True))
        self.fail(
            f"wrote element {_index(element)} of its {self.name(g)}"
            + (", which is not its to write" if inside else f", outside of its tile {_box(g)}"),
            "an extern writes its outputs, in the tile that it is given",
        )

    def same(self, first: list[Any], again: list[Any], what: str, hint: str) -> None:
        for g, a, b in zip(self.outputs, first, again, strict=True):
            element = self.first_difference(g, a, b)
            if element is not None:
                self.fail(f"{what} for element {_index(element)} of its {self.name(g)}", hint)

    def first_difference(self, g: Guarded, a: Any, b: Any) -> tuple[int, ...] | None:
        x, y = g.real(a), g.real(b)
        different = np.flatnonzero(_bytes_differ(x, y))
        if not different.size:
            return None
        at = np.unravel_index(int(different[0]), x.shape)
        return tuple(int(i) + max(o, 0) for i, o in zip(at, g.origin, strict=True))

    def outside_reads(self, first: list[Any]) -> None:
        """Runs with other guards around the inputs: all together, then one by one to find the one to blame."""
        for g in [*self.inputs, None] if self.differs(first, self.run(B, A, A)) else []:
            where = "its inputs outside of their declared regions"
            if g is not None:
                where = f"its {self.name(g)} outside of the declared region {_box(g)}"
            self.same(
                first,
                self.run(B, A, A, only=g),
                f"read {where}, and it changes what it gave",
                "declare a larger access, or read less",
            )
        self.same(
            first,
            self.run(A, B, A),
            "read outside of the tile of its output, and it changes what it gave",
            "an extern may read its inputs only",
        )

    def differs(self, first: list[Any], other: list[Any]) -> bool:
        return any(
            self.first_difference(g, a, b) is not None
            for g, a, b in zip(self.outputs, first, other, strict=True)
        )

    def unwritten(self, first: list[Any], other: list[Any]) -> None:
        for g, a, b in zip(self.outputs, first, other, strict=True):
            element = self.first_difference(g, a, b)
            if element is None:
                continue
            at = tuple(i - max(o, 0) for i, o in zip(element, g.origin, strict=True))
            x, y = g.real(a)[at], g.real(b)[at]
            is_unwritten = x == _poison(a.dtype, A) and y == _poison(a.dtype, B)
            what = "did not write" if is_unwritten else "read before it was written"
            self.fail(
                f"{what} element {_index(element)} of its {self.name(g)}",
                "an output holds anything before it is written; every element of the tile must be",
            )

    def fail(self, what: str, hint: str) -> None:
        extern = f", called for extern {self.call.extern}," if self.call.extern else ""
        raise ExternError(f"packed function {self.call.name}{extern} {what}", hint=hint)


def _index(element: Sequence[int]) -> str:
    return f"[{', '.join(map(str, element))}]"


def _box(g: Guarded) -> str:
    return "[" + ", ".join(f"{o}:{o + n}" for o, n in zip(g.origin, g.view.shape, strict=True)) + "]"
