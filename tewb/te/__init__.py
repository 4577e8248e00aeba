"""`te`: the classic names of tensor expressions and schedules."""

from tewb.ir import thread_axis
from tewb.ir.intrinsics import (
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    ceil,
    copysign,
    cos,
    cosh,
    erf,
    exp,
    exp2,
    exp10,
    floor,
    fma,
    fmod,
    hypot,
    isfinite,
    isinf,
    isnan,
    ldexp,
    log,
    log1p,
    log2,
    log10,
    nearbyint,
    nextafter,
    popcount,
    round,
    rsqrt,
    sigmoid,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
    trunc,
)  # fmt: skip
from tewb.ir.ops import absolute as abs
from tewb.ir.ops import all_of as all
from tewb.ir.ops import any_of as any
from tewb.ir.ops import c_div as div
from tewb.ir.ops import (
    cast,
    const,
    floordiv,
    floormod,
    if_then_else,
    indexdiv,
    indexmod,
    likely,
    power,
    select,
    truncdiv,
    truncmod,
)
from tewb.schedule import Schedule, Stage, create_schedule
from tewb.te import hybrid, schedule
from tewb.tensor import (
    ComputeOp,
    ExternOp,
    Operation,
    PlaceholderOp,
    Tensor,
    TensorIntrin,
    access,
    call_extern,
    call_llvm_intrin,
    call_llvm_pure_intrin,
    call_packed,
    call_pure_extern,
    comm_reducer,
    compute,
    decl_buffer,
    decl_tensor_intrin,
    extern,
    max_value,
    min_value,
    placeholder,
    reduce_axis,
    size_var,
    tag_scope,
    var,
)
from tewb.tensor.hybrid import HybridOp
from tewb.tensor.reduce import max, min, prod, sum

__all__ = [
    "ComputeOp", "ExternOp", "HybridOp", "Operation", "PlaceholderOp", "Schedule", "Stage", "Tensor", "TensorIntrin", "abs", "access", "acos", "acosh", "all", "any", "asin", "asinh", "atan", "atan2", "atanh", "call_extern", "call_llvm_intrin", "call_llvm_pure_intrin", "call_pure_extern", "call_packed", "cast",
    "ceil", "comm_reducer", "compute", "const", "copysign", "cos", "cosh", "create_schedule", "decl_buffer", "decl_tensor_intrin", "div", "erf", "exp",
    "exp2", "exp10", "extern", "floor", "floordiv", "floormod", "fma", "fmod", "hybrid", "hypot", "if_then_else", "indexdiv",
    "indexmod", "isfinite", "isinf", "isnan", "ldexp", "likely", "log", "log10", "log1p", "log2", "max", "max_value", "min",
    "min_value", "nearbyint", "nextafter", "placeholder", "popcount", "power", "prod", "reduce_axis", "round", "rsqrt", "schedule", "select",
    "sigmoid", "sin", "sinh", "size_var", "sqrt", "sum", "tag_scope", "tan", "tanh", "thread_axis", "trunc", "truncdiv", "truncmod", "var",
]  # fmt: skip
