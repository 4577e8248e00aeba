"""Correlation of two images: how patches of one fit those of the other that are moved a little (FlowNet)."""

from __future__ import annotations

from typing import Any

from tewb import te
from tewb.base import ShapeError, here
from tewb.tensor import Tensor
from tewb.topi.checks import check_same_size, known, tensor_of, whole
from tewb.topi.nn.pad import pad
from tewb.topi.nn.windows import padding_of


def correlation_nchw(
    data1: Tensor,
    data2: Tensor,
    kernel_size: int,
    max_displacement: int,
    stride1: int,
    stride2: int,
    padding: Any,
    is_multiply: bool,
) -> Any:
    """The mean over channels and a window of data1 * data2 (or of |data1 - data2|), where the window of data2 is moved by
    -max_displacement to max_displacement in steps of stride2: a channel for each move, a pixel each stride1."""
    what = "correlation_nchw"
    a, b = tensor_of(what, data1, 4), tensor_of(what, data2, 4)
    for n, m in zip(a.shape, b.shape, strict=True):
        check_same_size(what, n, m, "a size of the two images")
    k, far, step, apart = (
        whole(what, name, v)
        for name, v in (
            ("kernel_size", kernel_size), ("max_displacement", max_displacement), ("stride1", stride1),
            ("stride2", stride2),
        )
    )  # fmt: skip
    (top, left), (down, right) = padding_of(what, padding, (k, k), (1, 1))
    batch, channels, height, width = a.shape
    radius = (k - 1) // 2
    border = far + radius
    side = 2 * (far // apart) + 1
    sizes = [n + before + after for n, before, after in ((height, top, down), (width, left, right))]
    rows, columns = (-((2 * border - (known(n) or 0)) // step) for n in sizes)
    if rows < 1 or columns < 1:
        raise ShapeError(
            f"{what}: moves of {far} and a window of {k} leave no pixel of {sizes[0]!r} x {sizes[1]!r}",
            hint="more padding, or smaller moves",
            span=here(),
        )
    amounts = [0, 0, top, left], [0, 0, down, right]
    first, second = (pad(t, *amounts, name=f"padded_{n}") for n, t in (("1", a), ("2", b)))
    rc = te.reduce_axis((0, channels), name="rc")
    ry, rx = te.reduce_axis((0, k), name="ry"), te.reduce_axis((0, k), name="rx")
    count = te.const(k * k, a.dtype) * te.cast(channels, a.dtype)

    def element(n: Any, q: Any, i: Any, j: Any) -> Any:
        y, x = i * step + far + ry.var, j * step + far + rx.var
        moved_y = y + (te.indexdiv(q, te.const(side)) - side // 2) * apart
        moved_x = x + (te.indexmod(q, te.const(side)) - side // 2) * apart
        one, other = first[n, rc, y, x], second[n, rc, moved_y, moved_x]
        fit = one * other if is_multiply else te.abs(one - other)
        return te.sum(fit / count, axis=[rc, ry, rx])

    return te.compute((batch, side * side, rows, columns), element, name=what, tag=what)
