"""A window over data that comes piece by piece."""

from __future__ import annotations

from typing import Any

from tewb import te
from tewb.base import ShapeError, here
from tewb.tensor import Tensor
from tewb.topi import tag
from tewb.topi.checks import axis_of, check_same_size, known, tensor_of


def fifo_buffer(data: Tensor, buffer: Tensor, axis: int) -> Any:
    """`buffer` with `data` put behind its end along `axis`, and as much dropped at its beginning."""
    x, old = tensor_of("fifo_buffer", data), tensor_of("fifo_buffer", buffer)
    if x.ndim != old.ndim:
        raise ShapeError(
            f"fifo_buffer: {x.name} has {x.ndim} dimensions and {old.name} has {old.ndim}",
            hint="both have the same",
            span=here(),
        )
    d = axis_of("fifo_buffer", axis, x.ndim)
    for n in range(x.ndim):
        if n != d:
            check_same_size("fifo_buffer", x.shape[n], old.shape[n], f"the sizes of axis {n}")
    size, new = old.shape[d], x.shape[d]
    if (known(new) or 0) > (known(size) or known(new) or 0):
        raise ShapeError(
            f"fifo_buffer: {new!r} new elements along axis {d}, and the buffer holds {size!r}",
            hint="a larger buffer",
            span=here(),
        )

    def element(*i: Any) -> Any:
        kept = old(*i[:d], i[d] + new, *i[d + 1 :])
        added = x(*i[:d], i[d] - size + new, *i[d + 1 :])
        return te.if_then_else(i[d] < size - new, kept, added)

    return te.compute(old.shape, element, name="new_buffer", tag=tag.INJECTIVE)
