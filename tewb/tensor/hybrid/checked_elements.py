"""Elements of arrays in hybrid functions that run checked: every access is in bounds and reads what was written."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from tewb.base import BoundError
from tewb.tensor.hybrid.checked_arrays import CheckedArray
from tewb.tensor.hybrid.checked_call import CheckedCall
from tewb.tensor.hybrid.syntax import subscripts
from tewb.tensor.hybrid.typed_numbers import cast_array
from tewb.tensor.hybrid.values import Evaluate


class CheckedElements:
    """Loads and stores of one call. `evaluate` gives the value of an expression."""

    def __init__(self, call: CheckedCall, evaluate: Evaluate) -> None:
        self.call, self.evaluate = call, evaluate

    def subscript(self, node: ast.Subscript) -> Any:
        base = self.evaluate(node.value)
        if isinstance(base, tuple | list):
            if isinstance(node.slice, ast.Slice):
                return base[self.tuple_slice(node.slice)]
            return base[int(self.evaluate(node.slice))]
        if not isinstance(base, CheckedArray):
            raise self.call.error(node.value, "this is no tensor and has no elements")
        return self.load(node, base, self.indices(node, base))

    def load(self, node: ast.AST, array: CheckedArray, at: tuple[Any, ...]) -> Any:
        written = array.written[at]
        if not np.all(written):
            if isinstance(written, np.ndarray):
                where = ", ".join(str(i) for i in np.argwhere(~written)[0])
                raise self.call.error(
                    node,
                    f"element {where} of this slice of {array.name} was never written",
                    f"set {array.name} before",
                )
            index = ", ".join(str(i) for i in at)
            raise self.call.error(
                node,
                f"{array.name}[{index}] is read and was never written",
                f"set {array.name}[{index}] before",
            )
        value = array.data[at]
        return value.copy() if isinstance(value, np.ndarray) else value

    def store(self, target: ast.Subscript, value: Any, node: ast.stmt) -> None:
        array = self.evaluate(target.value)
        if not isinstance(array, CheckedArray):
            raise self.call.error(target.value, "this is no tensor and has no elements")
        if not array.writable:
            raise self.call.error(
                target, f"{array.name} is an input and cannot be written", "write into an output_tensor"
            )
        at = self.indices(target, array)
        value = cast_array(check_number(self.call, value, node), array.data.dtype.name)
        try:
            array.data[at] = value
        except ValueError as e:
            raise self.call.error(node, str(e), "sizes are equal or 1") from None
        array.written[at] = True

    def indices(self, node: ast.Subscript, array: CheckedArray) -> tuple[Any, ...]:
        dimensions = subscripts(node)
        if len(dimensions) != array.data.ndim:
            raise self.call.error(
                node, f"{array.name} has {array.data.ndim} dimensions, not {len(dimensions)}"
            )
        return tuple(
            self.strided_range(node, array, d, p)
            if isinstance(p, ast.Slice)
            else self.index(node, array, d, p)
            for d, p in enumerate(dimensions)
        )

    def index(self, node: ast.Subscript, array: CheckedArray, d: int, part: ast.expr) -> int:
        value = self.evaluate(part)
        if not is_integer(value) or isinstance(value, np.ndarray):
            raise self.call.error(part, "an index is an integer", "int32(x) converts")
        size = array.data.shape[d]
        index = int(value) + size if isinstance(value, int) and value < 0 else int(value)
        if not 0 <= index < size:
            raise self.call.error(
                node,
                f"this leaves {array.name}: the index of dimension {d} is {int(value)}, and the size is {size}",
                "guard it with an if",
                BoundError,
            )
        return index

    def tuple_slice(self, part: ast.Slice) -> slice:
        return slice(
            *[None if p is None else int(self.evaluate(p)) for p in (part.lower, part.upper, part.step)]
        )

    def strided_range(self, node: ast.Subscript, array: CheckedArray, d: int, part: ast.Slice) -> slice:
        size = array.data.shape[d]
        step = 1 if part.step is None else int(self.evaluate(part.step))
        if step == 0:
            raise self.call.error(part, "the step of a slice is a number other than 0")
        ends: list[int | None] = []
        for p, low in ((part.lower, 0), (part.upper, -1 if step < 0 else 0)):
            if p is None:
                ends.append(None)
                continue
            value = self.evaluate(p)
            e = int(value) + size if isinstance(value, int) and value < 0 else int(value)
            if not low <= e <= (size - 1 if step < 0 else size):
                raise self.call.error(
                    node,
                    f"this slice leaves {array.name}: it ends at {int(value)}, and the size of dimension {d} is {size}",
                    f"write {array.name}[:] for all elements",
                    BoundError,
                )
            ends.append(None if e == -1 else e)
        return slice(ends[0], ends[1], step)


def check_number(call: CheckedCall, value: Any, node: ast.AST) -> Any:
    """`value`, which arithmetic can take."""
    if isinstance(value, CheckedArray):
        raise call.error(node, f"{value.name} is a tensor", f"take an element: {value.name}[i]")
    if not isinstance(value, bool | int | float | np.generic | np.ndarray):
        raise call.error(node, "this is no number", "numbers and elements go into arithmetic")
    return value


def is_integer(x: Any) -> bool:
    return isinstance(x, int | np.integer) or (isinstance(x, np.ndarray) and x.dtype.kind in "iu")
