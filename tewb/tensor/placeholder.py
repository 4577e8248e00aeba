"""Inputs: tensors whose values the caller of the kernel gives."""

from __future__ import annotations

from typing import Any

from tewb.base import DType, DTypeError, ShapeError, here
from tewb.ir import Expr, IntImm, Var, const_int, convert, free_vars, ops
from tewb.tensor.strides import StrideVar, only_in_conditions
from tewb.tensor.tensor import Operation, Tensor, check_name


class PlaceholderOp(Operation):
    """An input of the program, or the state of a scan."""

    __slots__ = ()

    @property
    def is_input(self) -> bool:
        return True


def check_shape(name: str, shape: Any) -> tuple[Expr, ...]:
    """`shape` as expressions. Raises ShapeError for sizes that are not integers, or negative."""
    extents = tuple(shape) if isinstance(shape, tuple | list) else (shape,)
    sizes: list[Expr] = []
    for s in extents:
        try:
            e = convert(ops.whole(s))
        except DTypeError:
            raise ShapeError(f"{name}: {s!r} is not a size", span=here()) from None
        if not e.dtype.is_int:
            raise ShapeError(
                f"{name}: {s!r} is not a size in ({', '.join(map(str, extents))}): sizes are whole numbers",
                hint="n // 4 divides and rounds down, -(-n // 4) up"
                if isinstance(s, float)
                else 'te.placeholder((n, 64)) with n = te.var("n")',
                span=here(),
            )
        for v in free_vars(e):
            if isinstance(v, StrideVar):
                raise only_in_conditions(v)
        size = const_int(e)
        if size is not None and size < 0:
            raise ShapeError(f"{name}: size {size} is negative", hint="sizes are 0 or more", span=here())
        sizes.append(e)
    total = 1
    for e in sizes:
        total *= e.value if isinstance(e, IntImm) else 1
    if total >= 1 << 59:  # their bytes are counted in 64 bits
        raise ShapeError(
            f"{name}: {total} elements are more than memory can address",
            hint="cut the problem into parts that fit",
            span=here(),
        )
    return tuple(sizes)


def placeholder(shape: Any, dtype: str = "float32", name: str = "placeholder") -> Tensor:
    """A tensor of `shape` and `dtype` that the caller gives. Sizes are integers or `te.var`s."""
    return PlaceholderOp(name, [check_shape(name, shape)], [DType(dtype)]).output(0)


def size_var(name: str = "size", dtype: str = "int32", span: Any = None) -> Var:
    """A size the caller gives: an integer that is 0 or more. (Of another dtype it is a parameter as `var` makes one.)"""
    return var(name, dtype)


def var(name: str = "tindex", dtype: str = "int32", span: Any = None) -> Var:
    """A scalar the caller gives: a size, or a parameter of the kernel."""
    v = Var(check_name(name), DType(getattr(dtype, "dtype", dtype)))  # or the dtype of a type
    if v.dtype.lanes > 1:
        raise DTypeError(
            f"te.var {name} is one number, not a vector {dtype}", hint=f'"{v.dtype.element}"', span=here()
        )
    return v
