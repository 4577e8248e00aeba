"""Layouts of arrays by the names of their dimensions, and the way of an index from one to another.

    NCHW -> NCHW16c:    (n, c, h, w)  ->  (n, c // 16, h, w, c % 16)

A capital letter is a dimension; the small one, with its size before it, is the inner part of a dimension that is split.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tewb.arith import Analyzer
from tewb.base import ShapeError, here
from tewb.ir import Expr, const_int, convert, ops, script

__all__ = ["BijectiveLayout", "Layout", "bijective_layout", "layout"]

UNDEFINED = "__undef__"


class Layout:
    """The order of the dimensions of an array: `Layout("NCHW16c")`. Raises ShapeError for a text that is no layout."""

    def __init__(self, name: str, dtype: str = "int32") -> None:
        self.name, self.dtype = name, dtype
        if not isinstance(name, str):
            raise ShapeError(f"a layout is a text, not {name!r}", hint='layout("NCHW16c")', span=here())
        text = "" if name == UNDEFINED else name
        if not re.fullmatch(r"(?:[A-Z]|[1-9][0-9]*[a-z])*", text):
            raise self._wrong("it is made of capital letters, and small ones with a size before them")
        found = re.findall(r"([0-9]*)([A-Za-z])", text)
        self.axes: tuple[str, ...] = tuple(letter for _, letter in found)
        self.factors: dict[str, int] = {letter: int(size) for size, letter in found if size}
        if len(set(self.axes)) < len(self.axes):
            twice = next(letter for letter in self.axes if self.axes.count(letter) > 1)
            raise self._wrong(f"{twice} stands in it twice")
        alone = next((letter for letter in self.factors if letter.upper() not in self.axes), None)
        if alone is not None:
            raise self._wrong(f"{alone} is a part of {alone.upper()}, which is not in it")

    def _wrong(self, why: str) -> ShapeError:
        return ShapeError(f"{self.name!r} is no layout: {why}", hint='layout("NCHW16c")', span=here())

    def index_of(self, axis: str) -> int:
        """The position of an axis; -1 if it is not there."""
        return self.axes.index(axis) if axis in self.axes else -1

    def factor_of(self, axis: str) -> int:
        """The size of the inner part of an axis, by its capital or its small letter; -1 if it is not split."""
        return self.factors.get(axis.lower(), -1)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The capital letters, in order."""
        return tuple(letter for letter in self.axes if letter.isupper())

    def __len__(self) -> int:
        return len(self.axes)

    def __iter__(self) -> Iterator[str]:
        return iter(self.axes)

    def __getitem__(self, index: int) -> str:
        return self.axes[index]

    def __contains__(self, axis: object) -> bool:
        return axis in self.axes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Layout) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"Layout({self.name})"


class BijectiveLayout:
    """The way from one layout to another, and back, of shapes and of indices. `bijective_layout` makes one."""

    def __init__(self, src_layout: Layout, dst_layout: Layout) -> None:
        self.src_layout, self.dst_layout = src_layout, dst_layout

    def forward_index(self, index: Sequence[Any]) -> tuple[Expr, ...]:
        """Where the element at an index of the first layout is in the second."""
        return _indices(index, self.src_layout, self.dst_layout)

    def backward_index(self, index: Sequence[Any]) -> tuple[Expr, ...]:
        """Where the element at an index of the second layout is in the first."""
        return _indices(index, self.dst_layout, self.src_layout)

    def forward_shape(self, shape: Sequence[Any]) -> tuple[Expr, ...]:
        """The shape in the second layout of an array that has `shape` in the first. Raises ShapeError where a
        dimension cannot be split evenly."""
        return _shape(shape, self.src_layout, self.dst_layout)

    def backward_shape(self, shape: Sequence[Any]) -> tuple[Expr, ...]:
        """The shape in the first layout of an array that has `shape` in the second."""
        return _shape(shape, self.dst_layout, self.src_layout)

    def __repr__(self) -> str:
        return f"BijectiveLayout({self.src_layout}->{self.dst_layout})"


def layout(layout_str: str, dtype: str = "int32") -> Layout:
    """The layout of a text, such as "NCHW16c"."""
    return Layout(layout_str, dtype)


def bijective_layout(src_layout: Layout | str, dst_layout: Layout | str) -> BijectiveLayout | None:
    """The way from one layout to another; None if they have not the same dimensions."""
    source, target = [x if isinstance(x, Layout) else Layout(x) for x in (src_layout, dst_layout)]
    if not source.axes or set(source.dimensions) != set(target.dimensions):
        return None
    return BijectiveLayout(source, target)


def _values(given: Sequence[Any], by: Layout, what: str) -> dict[str, Expr]:
    """A value for each axis of a layout."""
    values = [convert(x) for x in given]
    if len(values) != len(by):
        raise ShapeError(
            f"{what} of {len(values)} values does not fit layout {by}, which has {len(by)} axes", span=here()
        )
    return dict(zip(by.axes, values, strict=True))


def _indices(index: Sequence[Any], source: Layout, target: Layout) -> tuple[Expr, ...]:
    given = _values(index, source, "an index")

    def whole(dimension: str) -> Expr:
        factor, inner = source.factors.get(dimension.lower()), given.get(dimension.lower())
        outer = given[dimension]
        return outer if factor is None or inner is None else ops.add(ops.mul(outer, factor), inner)

    return _in_order(target, whole, ops.floordiv, ops.floormod)


def _shape(shape: Sequence[Any], source: Layout, target: Layout) -> tuple[Expr, ...]:
    given = _values(shape, source, "a shape")

    def whole(dimension: str) -> Expr:
        factor, inner = source.factors.get(dimension.lower()), given.get(dimension.lower())
        if factor is None or inner is None:
            return given[dimension]
        if const_int(inner) not in (None, factor):
            raise ShapeError(
                f"dimension {dimension.lower()} of layout {source} has {factor} elements, not {script(inner)}",
                span=here(),
            )
        return ops.mul(given[dimension], factor)

    def parts(size: Expr, factor: int) -> Expr:
        number = const_int(size)
        if number is not None and number % factor:
            raise ShapeError(
                f"{number} elements are no multiple of {factor}, as layout {target} splits them",
                hint="pad the dimension first",
                span=here(),
            )
        return ops.floordiv(size, factor)

    return _in_order(target, whole, parts, lambda _, factor: convert(factor))


def _in_order(
    target: Layout,
    whole: Callable[[str], Expr],
    outer: Callable[[Expr, int], Expr],
    inner: Callable[[Expr, int], Expr],
) -> tuple[Expr, ...]:
    """A value for each axis of the target, from the values of the whole dimensions."""
    simplify = Analyzer().simplify
    values = []
    for axis in target.axes:
        e, factor = whole(axis.upper()), target.factors.get(axis.lower())
        part = outer if axis.isupper() else inner
        values.append(simplify(e if factor is None else part(e, factor)))
    return tuple(values)
