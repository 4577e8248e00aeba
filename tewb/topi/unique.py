"""Which elements there are, and where: by numpy, on whole tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from tewb import te
from tewb.runtime import register_func
from tewb.tensor import Tensor
from tewb.topi.checks import check_same_size, known, tensor_of, whole


def _unique(x: Any, values: Any, first: Any, inverse: Any, count: Any, *rest: Any) -> None:
    *counts, is_sorted = rest
    found, at, place, times = np.unique(x, return_index=True, return_inverse=True, return_counts=True)
    if not is_sorted:  # in the order in which they stand first
        order = np.argsort(at)
        rank = np.argsort(order)
        found, at, place, times = found[order], at[order], rank[place], times[order]
    n = len(found)
    for out, part, filler in ((values, found, 0), (first, at, len(x)), *((c, times, 0) for c in counts)):
        out[:n], out[n:] = part, filler
    inverse[...] = place.reshape(inverse.shape)
    count[0] = n


def _argwhere(condition: Any, out: Any) -> None:
    places = np.argwhere(condition)
    n = min(len(places), len(out))
    out[:n], out[n:] = places[:n], 0


register_func("tewb.topi.unique", _unique, override=True)
register_func("tewb.topi.argwhere", _argwhere, override=True)


def unique(data: Tensor, is_sorted: bool = True, return_counts: bool = False) -> Any:
    """The elements of a vector, each once: they, the place of each in the data, for each element of the data its number among
    them, how many they are, and with `return_counts` how often each is there.

    All but the number of them have the size of the data: what is behind the last is 0, and of the places the size.
    """
    x = tensor_of("unique", data, 1)
    shapes = [x.shape, x.shape, x.shape, (1,), *([x.shape] if return_counts else [])]
    dtypes = [str(x.dtype), *["int32"] * (len(shapes) - 1)]

    def call(ins: Any, outs: Any) -> Any:
        return te.call_packed("tewb.topi.unique", ins[0], *outs, int(bool(is_sorted)))

    return list(te.extern(shapes, [x], call, name="unique", dtype=dtypes, tag="unique_cpu"))


def argwhere(output_shape: Any, condition: Tensor) -> Any:
    """The indices of the elements that are not 0, a row for each, in their order. `output_shape` is (rows, dimensions): rows that
    are too many are 0."""
    c = tensor_of("argwhere", condition)
    rows, rank = tuple(getattr(output_shape, "shape", output_shape))
    check_same_size("argwhere", rank, max(c.ndim, 1), "the columns of the output and the dimensions")
    count = known(rows)

    def call(ins: Any, outs: Any) -> Any:
        return te.call_packed("tewb.topi.argwhere", ins[0], outs[0])

    return te.extern(
        (rows if count is None else count, whole("argwhere", "the number of columns", rank)),
        [c],
        call,
        name="argwhere",
        dtype="int32",
        tag="argwhere_cpu",
    )
