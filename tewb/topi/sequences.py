"""Operators that treat places by rules: masks, diagonals, triangles, reversed sequences, sparse values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tewb import te
from tewb.base import ShapeError, TewbError, here
from tewb.ir import ops
from tewb.tensor import Tensor
from tewb.topi import tag
from tewb.topi.checks import axis_of, check_same_size, integers_of, known, one_of, tensor_of, whole


def sequence_mask(data: Tensor, valid_length: Tensor, mask_value: float = 0, axis: int = 0) -> Any:
    """The sequences along `axis` (0 or 1; the batch is the other), with `mask_value` after the length of each."""
    x, lengths = tensor_of("sequence_mask", data), integers_of("sequence_mask", valid_length)
    if x.ndim < 2 or axis not in (0, 1):
        raise ShapeError(
            f"sequence_mask: axis {axis} of the {x.ndim} dimensions of {x.name}",
            hint="the first two dimensions are length and batch; axis=0 or axis=1 is the length",
            span=here(),
        )
    check_same_size(
        "sequence_mask", lengths.shape[0], x.shape[1 - axis], "the number of lengths and the batch"
    )
    masked = te.const(mask_value, x.dtype)

    def element(*i: Any) -> Any:
        return te.if_then_else(i[axis] >= lengths(i[1 - axis]), masked, x(*i))

    return te.compute(x.shape, element, name="T_sequence_mask", tag=tag.INJECTIVE)


def reverse_sequence(a: Tensor, seq_lengths: Tensor, seq_axis: int = 1, batch_axis: int = 0) -> Any:
    """The first `seq_lengths[b]` elements along `seq_axis` in reverse, for each b of `batch_axis`; lengths are taken
    between 1 and the size."""
    x, lengths = tensor_of("reverse_sequence", a), integers_of("reverse_sequence", seq_lengths)
    s, b = axis_of("reverse_sequence", seq_axis, x.ndim), axis_of("reverse_sequence", batch_axis, x.ndim)
    check_same_size("reverse_sequence", lengths.shape[0], x.shape[b], "the number of lengths and the batch")

    def element(*i: Any) -> Any:
        length = te.min(te.cast(lengths(i[b]), "int32"), x.shape[s])
        back = te.max(length - 1 - i[s], te.const(0))
        return x(*i[:s], te.select(i[s] < length, back, i[s]), *i[s + 1 :])

    return te.compute(x.shape, element, name="T_reverse_sequence", tag=tag.INJECTIVE)


def trilu(data: Tensor, k: Any, upper: bool) -> Any:
    """The elements on and above (or on and below) diagonal `k` of the last two dimensions, with 0 elsewhere. `k` is a number
    or a tensor without dimensions."""
    x = tensor_of("trilu", data)
    if x.ndim < 2:
        raise ShapeError(
            f"trilu: {x.name} has {x.ndim} dimensions",
            hint="the last two are rows and columns",
            span=here(),
        )

    def element(*i: Any) -> Any:
        diagonal = k() if isinstance(k, Tensor) and not k.ndim else k[0] if isinstance(k, Tensor) else k
        right = i[-1] - i[-2]
        kept = right >= diagonal if upper else right <= diagonal
        return te.select(kept, x(*i), te.const(0, x.dtype))

    return te.compute(x.shape, element, name="trilu", tag=tag.ELEMWISE)


def matrix_set_diag(data: Tensor, diagonal: Tensor, k: Any = 0, align: str = "RIGHT_LEFT") -> Any:
    """`data` with the diagonals k, or k[0] to k[1], of its last two dimensions replaced by rows of `diagonal`.

    The rows are the diagonals from the upper right to the lower left. A diagonal that is shorter than its row stands at
    its left or right end: `align` says where, for those above the main diagonal and for those below.
    """
    x, values = tensor_of("matrix_set_diag", data), tensor_of("matrix_set_diag", diagonal)
    ends = list(k) if isinstance(k, Sequence) else [k]
    low, high = (whole("matrix_set_diag", "k", n) for n in (ends[0], ends[-1]))
    one_of(
        "matrix_set_diag", "align", align, [f"{a}_{b}" for a in ("RIGHT", "LEFT") for b in ("LEFT", "RIGHT")]
    )
    several = low != high
    if x.ndim < 2 or low > high or values.ndim != x.ndim - (0 if several else 1):
        raise ShapeError(
            f"matrix_set_diag: {values.name} of {values.ndim} dimensions for diagonals {low} to {high} of {x.name}",
            hint="a diagonal has one dimension less than the matrices; several have one more for themselves",
            span=here(),
        )
    rows, columns = x.shape[-2:]
    longest = values.shape[-1]
    above, below = align.split("_")

    def element(*i: Any) -> Any:
        row, column = i[-2], i[-1]
        d = column - row
        along = te.select(d >= 0, row, column)
        # A diagonal has min(columns - d, rows) elements above the main one, min(columns, rows + d) below.
        length = te.min(te.min(columns - d, rows + d), te.min(rows, columns))
        to_the_right = te.select(d >= 0, te.const(above == "RIGHT"), te.const(below == "RIGHT"))
        place = te.select(to_the_right, along + longest - length, along)
        place = te.max(te.min(place, longest - 1), te.const(0))
        which = [te.max(te.min(high - d, te.const(high - low)), te.const(0))] if several else []
        inside = te.all(d >= low, d <= high)
        return te.if_then_else(inside, values(*i[:-2], *which, place), x(*i))

    return te.compute(x.shape, element, name="matrix_set_diag", tag=tag.INJECTIVE)


def unravel_index(indices: Tensor, shape: Any) -> Any:
    """The coordinates of flat indices in an array of `shape` (sizes, or a vector of them): one row for each dimension."""
    at = integers_of("unravel_index", indices)
    if isinstance(shape, Tensor):
        extents = integers_of("unravel_index", shape)
        rank = whole("unravel_index", "the number of dimensions", extents.shape[0])
        sizes: list[Any] = [extents(d) for d in range(rank)]
    else:
        sizes = list(shape)

    def element(*i: Any) -> Any:
        rest = at(*i[1:])
        coordinate = te.const(0, rest.dtype)
        for d in reversed(range(len(sizes))):
            size = te.cast(sizes[d], rest.dtype)
            coordinate = te.select(ops.equal(i[0], d), te.indexmod(rest, size), coordinate)
            rest = te.indexdiv(rest, size)
        return coordinate

    return te.compute((len(sizes), *at.shape), element, name="T_unravel_index", tag=tag.INJECTIVE)


def sparse_to_dense(
    sparse_indices: Tensor, output_shape: Sequence[int], sparse_values: Tensor, default_value: Any = 0
) -> Any:
    """A tensor of `output_shape` with the values at their indices and `default_value` elsewhere; of several values for one
    place the last counts. Indices are one place, a vector of places in a vector, or a row of coordinates each."""
    at, values = integers_of("sparse_to_dense", sparse_indices), tensor_of("sparse_to_dense", sparse_values)
    shape = list(output_shape)
    if at.ndim > 2 or values.ndim > 1 or (at.ndim < 2 and len(shape) != 1):
        raise ShapeError(
            f"sparse_to_dense: indices of {at.ndim} dimensions and values of {values.ndim} for an output of {len(shape)}",
            hint="n rows of coordinates and n values",
            span=here(),
        )
    if at.ndim == 2:
        check_same_size(
            "sparse_to_dense", at.shape[1], len(shape), "the coordinates of an index and the dimensions"
        )
    if at.ndim and values.ndim:
        check_same_size(
            "sparse_to_dense", at.shape[0], values.shape[0], "the numbers of indices and of values"
        )
    count = at.shape[0] if at.ndim else te.const(1)
    n = te.reduce_axis((0, count), name="n")

    def is_here(i: Any) -> Any:
        match at.ndim:
            case 0:
                return ops.equal(at(), i[0])
            case 1:
                return ops.equal(at(n), i[0])
        return te.all(*[ops.equal(at(n, d), j) for d, j in enumerate(i)])

    # The number of the last value that is for this place, or -1.
    last = te.compute(
        shape, lambda *i: te.max(te.select(is_here(i), n.var, te.const(-1)), axis=n), name="T_sparse_last"
    )
    default = default_value if isinstance(default_value, Tensor) else None

    def element(*i: Any) -> Any:
        number = last(*i)
        value = values(te.max(number, te.const(0))) if values.ndim else values()
        missing = default() if default is not None else te.const(default_value, values.dtype)
        return te.select(number >= 0, value, missing)

    if known(count) == 0:
        raise TewbError("sparse_to_dense: there are no indices", hint="topi.full makes the rest", span=here())
    return te.compute(shape, element, name="T_sparse_to_dense", tag=tag.INJECTIVE)
