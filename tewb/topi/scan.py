"""Running sums and products along an axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tewb import te, tir
from tewb.base import DType
from tewb.tensor import Tensor
from tewb.topi.checks import axis_of, tensor_of
from tewb.topi.loops import nested_loops
from tewb.topi.shapes import reshape
from tewb.topi.utils import prod


def scanop(
    data: Tensor,
    binop: Callable[[Any, Any], Any],
    identity_value: Any,
    op_name: str,
    axis: int | None = None,
    dtype: str | None = None,
    exclusive: bool | None = None,
) -> Any:
    """Element n along `axis` is `binop` of the elements up to n; with `exclusive`, of those in front of it, and the first
    is `identity_value`. Without an axis the tensor is flattened. Sums of bool are int32."""
    x = tensor_of(op_name, data)
    if axis is None:
        x, axis = reshape(x, (prod(x.shape),)), 0
    d = axis_of(op_name, axis, x.ndim)
    out_dtype = DType(dtype) if dtype else DType("int32") if x.dtype.is_bool else x.dtype

    def loops(ins: Any, outs: Any) -> Any:
        ib = tir.ir_builder.create()
        source, target = ib.buffer_ptr(ins[0]), ib.buffer_ptr(outs[0])
        with nested_loops(ib, [n for e, n in enumerate(x.shape) if e != d]) as around:
            i = (*around[:d], te.const(0), *around[d:])

            def place(n: Any) -> tuple[Any, ...]:
                return (*i[:d], n, *i[d + 1 :])

            if exclusive:
                first = te.const(identity_value, out_dtype)
            else:
                first = te.cast(source[place(te.const(0))], out_dtype)
            target[place(te.const(0))] = first
            with ib.for_range(0, x.shape[d] - 1, name="n") as n:
                added = te.cast(source[place(n if exclusive else n + 1)], out_dtype)
                target[place(n + 1)] = binop(target[place(n)], added)
        return ib.get()

    return te.extern(x.shape, [x], loops, name=op_name, dtype=out_dtype, tag=op_name)


def cumsum(
    data: Tensor, axis: int | None = None, dtype: str | None = None, exclusive: bool | None = None
) -> Any:
    """The sums of the elements up to each along `axis`; with `exclusive`, of those in front of it."""
    return scanop(data, lambda a, b: a + b, 0, "cumsum_generic", axis, dtype, exclusive)


def cumprod(
    data: Tensor, axis: int | None = None, dtype: str | None = None, exclusive: bool | None = None
) -> Any:
    """The products of the elements up to each along `axis`; with `exclusive`, of those in front of it."""
    return scanop(data, lambda a, b: a * b, 1, "cumprod_generic", axis, dtype, exclusive)
