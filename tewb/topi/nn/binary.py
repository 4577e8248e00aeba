"""Networks of signs: 32 of them in a word, and products as exclusive ors."""

from __future__ import annotations

from typing import Any

from tewb import te, tir
from tewb.base import ShapeError, here
from tewb.tensor import Tensor
from tewb.topi.checks import axis_of, check_same_size, known, tensor_of

WORD = 32


def binarize_pack(data: Tensor, axis: int | None = None, name: str = "PackedInput") -> Any:
    """Whether each element is 0 or more, as bits: 32 along `axis`, the last if none is given, make a uint32, the first of them its
    highest bit."""
    x = tensor_of("binarize_pack", data)
    d = axis_of("binarize_pack", -1 if axis is None else axis, x.ndim)
    if (known(x.shape[d]) or 0) % WORD:
        raise ShapeError(
            f"binarize_pack: axis {d} of {x.name} has {x.shape[d]!r} elements",
            hint="a multiple of 32",
            span=here(),
        )
    shape = [te.indexdiv(n, te.const(WORD)) if e == d else n for e, n in enumerate(x.shape)]

    def word(*i: Any) -> Any:
        packed = te.const(0, "uint32")
        for bit in range(WORD):
            sign = x(*i[:d], i[d] * WORD + bit, *i[d + 1 :]) >= te.const(0, x.dtype)
            packed = (packed << te.const(1, "uint32")) | te.cast(sign, "uint32")
        return packed

    return te.compute(shape, word, name=name, tag="binarize_pack")


def binary_dense(data: Tensor, weight: Tensor) -> Any:
    """The product of signs that binarize_pack made: data (n, words) and weight (m, words) give how many of the 32 * words signs agree,
    less those that do not, as float32."""
    a, b = tensor_of("binary_dense", data, 2), tensor_of("binary_dense", weight, 2)
    check_same_size("binary_dense", a.shape[1], b.shape[1], "the words of data and weight")
    k = te.reduce_axis((0, a.shape[1]), name="k")
    differ = te.compute(
        (a.shape[0], b.shape[0]),
        lambda i, j: te.sum(te.cast(tir.popcount(a[i, k] ^ b[j, k]), "int32"), axis=k),
        name="T_binary_differ",
        tag="binary_dense",
    )
    signs = te.const(WORD) * a.shape[1]
    return te.compute(
        differ.shape,
        lambda i, j: te.cast(signs - 2 * differ[i, j], "float32"),
        name="T_binary_dense",
        tag="elemwise",
    )
