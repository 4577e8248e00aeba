"""`topi`: the operators that classic programs take ready-made, written on top of `te`.

    from tewb import te, topi

    A = te.placeholder((4, 10), name="A")
    B = topi.nn.softmax(topi.transpose(A))
    s = topi.x86.schedule_softmax([B])

Each operator is a function of tensors that returns a tensor (or some); nothing is computed before a kernel of it runs. Its
operation has a name and a tag (`topi.tag`), by which schedules know what it is. `topi.testing` has the same operators on
numpy arrays.
"""

from tewb.compat import face
from tewb.topi import elsewhere, generic, image, nn, sparse, tag, testing, utils, vision, x86
from tewb.topi.broadcast import (
    add,
    atan2,
    bitwise_and,
    bitwise_or,
    bitwise_xor,
    broadcast_to,
    divide,
    equal,
    floor_divide,
    floor_mod,
    greater,
    greater_equal,
    left_shift,
    less,
    less_equal,
    log_add_exp,
    logical_and,
    logical_or,
    logical_xor,
    maximum,
    minimum,
    mod,
    multiply,
    not_equal,
    power,
    right_shift,
    subtract,
    trunc_divide,
    trunc_mod,
    where,
)
from tewb.topi.creation import (
    arange,
    full,
    full_like,
    meshgrid,
    ndarray_size,
    one_hot,
    ones,
    ones_like,
    shape,
    zeros,
    zeros_like,
)
from tewb.topi.indexing import (
    adv_index,
    dynamic_strided_slice,
    gather,
    gather_nd,
    strided_set,
    strided_slice,
    take,
)
from tewb.topi.linear import einsum, matmul, tensordot
from tewb.topi.math import (
    abs,
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atanh,
    bitwise_not,
    cast,
    ceil,
    ceil_log2,
    clip,
    cos,
    cosh,
    elemwise_sum,
    erf,
    exp,
    fast_erf,
    fast_exp,
    fast_tanh,
    fixed_point_multiply,
    floor,
    identity,
    isfinite,
    isinf,
    isnan,
    log,
    log2,
    log10,
    logical_not,
    negative,
    reinterpret,
    round,
    rsqrt,
    sigmoid,
    sign,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
    trunc,
)
from tewb.topi.reduction import all, any, argmax, argmin, max, min, prod, sum
from tewb.topi.scan import cumprod, cumsum, scanop
from tewb.topi.scatter import index_put, scatter, scatter_add, scatter_elements, scatter_nd
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
from tewb.topi.sort import argsort, searchsorted, sort, topk
from tewb.topi.unique import argwhere, unique

util = utils  # as it was called until v0.6
globals().update(elsewhere.modules(__name__))  # topi.cuda and others, as names only

__all__ = [
    "abs", "acos", "acosh", "add", "adv_index", "all", "any", "arange", "argmax", "argmin", "argsort", "argwhere",
    "asin", "asinh", "atan", "atan2", "atanh", "bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor",
    "broadcast_to", "cast", "ceil", "ceil_log2", "clip", "concatenate", "cos", "cosh", "cumprod", "cumsum",
    "divide", "dynamic_strided_slice", "einsum", "elemwise_sum", "equal", "erf", "exp", "expand_dims",
    "expand_like", "fast_erf", "fast_exp", "fast_tanh", "fixed_point_multiply", "flip", "floor", "floor_divide",
    "floor_mod", "full", "full_like", "gather", "gather_nd", "generic", "greater", "greater_equal", "identity",
    "image", "index_put", "isfinite", "isinf", "isnan", "layout_transform", "left_shift", "less", "less_equal",
    "log", "log10", "log2", "log_add_exp", "logical_and", "logical_not", "logical_or", "logical_xor", "matmul",
    "matrix_set_diag", "max", "maximum", "meshgrid", "min", "minimum", "mod", "multiply", "ndarray_size",
    "negative", "nn", "not_equal", "one_hot", "ones", "ones_like", "power", "prod", "reinterpret", "repeat",
    "reshape", "reverse_sequence", "right_shift", "round", "rsqrt", "scanop", "scatter", "scatter_add",
    "scatter_elements", "scatter_nd", "searchsorted", "sequence_mask", "shape", "sigmoid", "sign", "sin", "sinh",
    "sort", "sparse", "sparse_to_dense", "split", "sqrt", "squeeze", "stack", "strided_set", "strided_slice",
    "subtract", "sum", "tag", "take", "tan", "tanh", "tensordot", "testing", "tile", "topk", "transpose", "trilu",
    "trunc", "trunc_divide", "trunc_mod", "unique", "unravel_index", "utils", "vision", "where", "x86", "zeros",
    "zeros_like",
]  # fmt: skip

face.wear(__name__)
