"""Small tools for programs that use topi: constants of shapes, layouts, flat indices, inlining."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from tewb import te
from tewb.arith import Analyzer
from tewb.base import ShapeError, here
from tewb.ir import Expr, FloatImm, convert, ops
from tewb.tensor import ComputeOp, Tensor
from tewb.topi import tag
from tewb.topi.checks import known
from tewb.topi.layouts import Layout


class InvalidShapeError(ShapeError):
    """A shape that an operator has no implementation for."""


def get_const_int(expr: Any) -> int:
    """The integer that `expr` is, after simplification. Raises ShapeError when it is not constant."""
    n = known(expr)
    if n is None:
        raise ShapeError(
            f"{expr!r} is not a constant integer",
            hint="get_const_tuple keeps sizes that are variables",
            span=here(),
        )
    return n


def get_const_float(expr: Any) -> float:
    """The number that `expr` is. Raises ShapeError when it is not a constant float."""
    if isinstance(expr, int | float):
        return float(expr)
    simple = Analyzer().simplify(convert(expr))
    if not isinstance(simple, FloatImm):
        raise ShapeError(f"{expr!r} is not a constant float", hint="a number such as 0.5", span=here())
    return float(simple.value)


def get_const_tuple(in_tuple: Iterable[Any]) -> tuple[Any, ...]:
    """The sizes as Python integers; those that are not constant stay expressions."""
    numbers = [(e, known(e)) for e in in_tuple]
    return tuple(simplify(e) if n is None else n for e, n in numbers)


def get_float_tuple(in_tuple: Iterable[Any]) -> tuple[float, ...]:
    """The constants as Python floats."""
    return tuple(get_const_float(e) for e in in_tuple)


def equal_const_int(expr: Any, value: int) -> bool:
    """Whether `expr` is the constant `value`."""
    return known(expr) == value


def simplify(expr: Any) -> Any:
    """The simplified expression; a Python number as it is."""
    return Analyzer().simplify(expr) if isinstance(expr, Expr) else expr


def ceil_div(a: Any, b: Any) -> Any:
    """a / b, rounded up."""
    return simplify(te.indexdiv(convert(a) + b - 1, convert(b)))


def swap(arr: Sequence[Any], axis: int) -> list[Any]:
    """A list with the item `axis` and the last in place of each other."""
    swapped = list(arr)
    swapped[axis], swapped[-1] = swapped[-1], swapped[axis]
    return swapped


def prod(x: Iterable[Any]) -> Any:
    """The product of the items; 1 of none."""
    product: Any = te.const(1, "int32")
    for e in x:
        product = product * e
    return product


def ravel_index(indices: Sequence[Any], shape: Sequence[Any]) -> Any:
    """The flat index of an element in an array of `shape`, row by row."""
    flat: Any = 0
    for n, (i, size) in enumerate(zip(indices, shape, strict=True)):
        flat = i if n == 0 else flat * size + i
    return flat


def unravel_index(idx: Any, shape: Sequence[Any]) -> list[Any]:
    """The indices of the element that has the flat index `idx` in an array of `shape`."""
    indices = []
    for size in reversed(shape[1:]):
        indices.append(te.indexmod(idx, size))
        idx = te.indexdiv(idx, size)
    return [*([idx] if shape else []), *reversed(indices)]


def const_vector(vector: Any, name: str = "const_vector") -> Tensor:
    """The tensor whose elements are those of a vector of numbers."""
    return _constant(np.asarray(vector), 1, name)


def const_matrix(matrix: Any, name: str = "const_matrix") -> Tensor:
    """The tensor whose elements are those of a matrix of numbers. Few, for each is a term of the expression."""
    return _constant(np.asarray(matrix), 2, name)


def _constant(values: Any, rank: int, name: str) -> Tensor:
    if values.ndim != rank or not values.size:
        raise ShapeError(
            f"{name}: {values.ndim} dimensions of {values.size} numbers, not {rank}",
            hint="a list of numbers, or for a matrix a list of rows",
            span=here(),
        )
    dtype = str(values.dtype)

    def element(*indices: Any) -> Any:
        chosen: Any = te.const(values.flat[0], dtype)
        for place in np.ndindex(*values.shape):
            here_now = te.all(*[ops.equal(i, p) for i, p in zip(indices, place, strict=True)])
            chosen = te.select(here_now, te.const(values[place], dtype), chosen)
        return chosen

    constant: Tensor = te.compute(values.shape, element, name=name, tag=tag.INJECTIVE)
    return constant


def get_max_power2_factor(n: int, max_value: int | None = None) -> int:
    """The largest power of two that divides `n`, not above `max_value`."""
    factor = 1
    while n and n % (2 * factor) == 0 and (max_value is None or 2 * factor <= max_value):
        factor *= 2
    return factor


def get_shape(src_shape: Sequence[Any], src_layout: str, dst_layout: str) -> tuple[Any, ...]:
    """The shape, in the order of another layout of the same dimensions."""
    source, target = Layout(str(src_layout)), Layout(str(dst_layout))
    if sorted(source.letters) != sorted(target.letters):
        raise ShapeError(
            f"get_shape: {src_layout} and {dst_layout} do not have the same dimensions",
            hint="NCHW and NHWC do; topi.layout_transform splits and joins dimensions",
            span=here(),
        )
    return get_const_tuple([src_shape[source.letters.index(c)] for c in target.letters])


def nchw_pack_layout(layout_info: str) -> bool:
    """Whether a layout is NCHW with blocks of both images and channels, such as NCHW1n16c."""
    return layout_info[:4] == "NCHW" and "c" in layout_info and "n" in layout_info


def nchw_xc_layout(layout_info: str) -> bool:
    """Whether a layout is NCHW with blocks of channels, such as NCHW16c."""
    return layout_info[:4] == "NCHW" and layout_info[-1] == "c" and layout_info[4:-1].isnumeric()


def is_empty_shape(shape: Iterable[Any]) -> bool:
    """Whether an array of this shape has no elements."""
    return any(known(e) == 0 for e in shape)


def within_index(b: Any, e: Any, s: Any, i: Any) -> Any:
    """Whether the slice from `b` to `e` by `s` takes position `i`."""
    upwards = te.all(i >= b, i < e, ops.equal(te.floormod(i - b, s), 0))
    downwards = te.all(i <= b, i > e, ops.equal(te.floormod(b - i, -s), 0))
    return te.any(te.all(convert(s) > 0, upwards), te.all(convert(s) < 0, downwards))


def make_idx(b: Any, e: Any, s: Any, z: Any, i: Any) -> Any:
    """Which element of the slice from `b` to `e` by `s` position `i` of an axis of `z` elements is. It means something
    where `within_index` holds."""
    begin = te.select(convert(b) > z, convert(z) - 1, b)
    return te.select(convert(s) < 0, te.floordiv(begin - i, -s), te.floordiv(i - begin, s))


def traverse_inline(s: Any, final_op: Any, callback: Callable[[Any], None]) -> None:
    """Inline the injective operations that lead to `final_op`, outputs aside, and call `callback` on each operation that
    was met, inputs first."""
    seen: set[Any] = set()

    def visit(op: Any) -> None:
        if op in seen:
            return
        seen.add(op)
        if tag.is_injective(op.tag):
            if op not in s.outputs:
                s[op].compute_inline()
            for t in op.input_tensors:
                if isinstance(t.op, ComputeOp):
                    visit(t.op)
        callback(op)

    visit(final_op)
