"""`topi.transform`: the operators that move elements, by their classic path. Each stands in the file of its family."""

from tewb.topi.broadcast import where
from tewb.topi.creation import arange, meshgrid, ndarray_size, one_hot, shape
from tewb.topi.indexing import (
    adv_index,
    dynamic_strided_slice,
    gather,
    gather_nd,
    strided_set,
    strided_slice,
    take,
)
from tewb.topi.linear import matmul, tensordot
from tewb.topi.sequences import (
    matrix_set_diag,
    reverse_sequence,
    sequence_mask,
    sparse_to_dense,
    trilu,
    unravel_index,
)
from tewb.topi.shapes import (
    concatenate,
    expand_dims,
    expand_like,
    flip,
    layout_transform,
    repeat,
    reshape,
    split,
    squeeze,
    stack,
    tile,
    transpose,
)

__all__ = [
    "adv_index", "arange", "concatenate", "dynamic_strided_slice", "expand_dims", "expand_like", "flip", "gather",
    "gather_nd", "layout_transform", "matmul", "matrix_set_diag", "meshgrid", "ndarray_size", "one_hot", "repeat",
    "reshape", "reverse_sequence", "sequence_mask", "shape", "sparse_to_dense", "split", "squeeze", "stack",
    "strided_set", "strided_slice", "take", "tensordot", "tile", "transpose", "trilu", "unravel_index", "where",
]  # fmt: skip
