"""`tir`: the classic names of the lowered IR. A statement built by hand is what `te.extern` lowers to:

>>> import tewb
>>> from tewb import te, tir
>>> from tewb.ir import parse, script, structural_equal
>>> A = tir.decl_buffer((3, 4, 8), name="A")
>>> E = tir.decl_buffer((3, 4, 8), name="E")
>>> ib = tir.ir_builder.create()
>>> ib.scope_attr(tir.extern_region("E", [A], [E]), "extern_scope", 0)
>>> ib.emit(tir.call_packed("f", A, E))
>>> by_hand = ib.get()
>>> T = te.placeholder((3, 4, 8), name="A")
>>> X = te.extern((3, 4, 8), [T], lambda ins, outs: te.call_packed("f", ins[0], outs[0]), name="E")
>>> lowered = tewb.lower(te.create_schedule(X.op), [T, X])["main"]
>>> function = tir.PrimFunc("main", (A, E), by_hand, outputs=(1,))
>>> structural_equal(function, lowered)
True
>>> structural_equal(parse(script(function)), lowered)
True

And for a tile: the views say where they begin (`elem_offset`) and how their elements lie (`strides`).

>>> ib = tir.ir_builder.create()
>>> A, C = (tir.decl_buffer((3, 4, 8), name=name) for name in "AC")
>>> with ib.for_range(0, 3, name="i") as i:
...     tile = ib.allocate("float32", (1, 4, 8), name="E")
...     part = tir.decl_buffer((1, 4, 8), name="A.tile", data=A.data, strides=[32, 8, 1], elem_offset=i * 32)
...     with ib.new_scope():
...         ib.scope_attr(tir.extern_region("E", [part], [tile.buffer]), "extern_scope", 0)
...         ib.emit(tir.call_packed("f", part, tile.buffer))
...     with ib.for_range(0, 4, name="j") as j, ib.for_range(0, 8, name="k") as k:
...         ib.buffer_ptr(C)[i, j, k] = tile[0, j, k] + 1.0
>>> by_hand = tir.PrimFunc("main", (A, C), ib.get(), outputs=(1,))
>>> X = te.extern((3, 4, 8), [T], lambda ins, outs: te.call_packed("f", ins[0], outs[0]), name="E",
...               access=te.access.elementwise)
>>> Y = te.compute((3, 4, 8), lambda i, j, k: X[i, j, k] + 1.0, name="C")
>>> s = te.create_schedule(Y.op)
>>> s[X].compute_at(s[Y], Y.op.axis[0])
>>> lowered = tewb.lower(s, [T, Y])["main"]
>>> structural_equal(by_hand, lowered)
True
>>> structural_equal(parse(script(by_hand)), lowered)
True
"""

from typing import TYPE_CHECKING

from tewb.ir import (
    Expr,
    ExternRegion,
    ForKind,
    IterVar,
    Stmt,
    call_intrin,
    q_multiply_shift,
    q_multiply_shift_per_axis,
    seq,
)
from tewb.ir.intrinsics import (
    acos,
    acosh,
    asin,
    asinh,
    assume,
    atan,
    atan2,
    atanh,
    ceil,
    clz,
    copysign,
    cos,
    cosh,
    erf,
    exp,
    exp2,
    exp10,
    floor,
    fmod,
    hypot,
    infinity,
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
    reinterpret,
    round,
    rsqrt,
    sigmoid,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
    trunc,
    undef,
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
    truncdiv,
    truncmod,
)
from tewb.tensor import (
    address_of,
    call_extern,
    call_llvm_intrin,
    call_llvm_pure_intrin,
    call_packed,
    call_pure_extern,
    comm_reducer,
    decl_buffer,
    extern_region,
    max_value,
    min_value,
    stack_array,
)
from tewb.tensor.reduce import max, min, sum
from tewb.tir import ir_builder
from tewb.tir.data_layout import BijectiveLayout, Layout, bijective_layout, layout
from tewb.tir.tracing import trace

if TYPE_CHECKING:  # they are made when one of them is asked for: see tewb/compat/face.py
    from tewb.tir.classes import (
        EQ,
        GE,
        GT,
        LE,
        LT,
        NE,
        Add,
        Allocate,
        And,
        AssertStmt,
        AttrStmt,
        Broadcast,
        Buffer,
        BufferLoad,
        BufferStore,
        Call,
        Cast,
        CommReducer,
        DeclBuffer,
        Div,
        Evaluate,
        FloatImm,
        FloorDiv,
        FloorMod,
        For,
        IfThenElse,
        IntImm,
        Let,
        LetStmt,
        Load,
        Max,
        Min,
        Mod,
        Mul,
        Not,
        Or,
        PrimExpr,
        PrimFunc,
        ProducerLoad,
        ProducerStore,
        Ramp,
        Reduce,
        Select,
        Seq,
        SeqStmt,
        Shuffle,
        SizeVar,
        Store,
        StringImm,
        Sub,
        Var,
        While,
        stmt_list,
        stmt_seq,
    )

__all__ = [
    "Add", "Allocate", "And", "AssertStmt", "AttrStmt", "BijectiveLayout", "Broadcast", "Buffer", "BufferLoad", "BufferStore", "Call",
    "Cast", "CommReducer", "DeclBuffer", "Div", "EQ", "Evaluate", "Expr", "ExternRegion", "FloatImm", "FloorDiv",
    "FloorMod", "For", "ForKind", "GE", "GT", "IfThenElse", "IntImm", "IterVar", "LE", "LT", "Layout", "Let", "LetStmt",
    "Load", "Max", "Min", "Mod", "Mul", "NE", "Not", "Or", "PrimExpr", "PrimFunc", "ProducerLoad", "ProducerStore", "Ramp",
    "Reduce", "Select", "Seq", "SeqStmt", "Shuffle", "SizeVar", "Stmt", "Store", "StringImm", "Sub", "Var", "While", "abs",
    "acos", "acosh", "address_of", "all", "any", "asin", "asinh", "assume", "atan", "atan2", "atanh", "bijective_layout", "call_extern", "call_llvm_intrin", "call_llvm_pure_intrin", "call_pure_extern", "call_intrin", "call_packed",
    "cast", "ceil", "clz", "comm_reducer", "const", "copysign", "cos", "cosh", "decl_buffer", "div", "erf", "exp", "exp2", "exp10",
    "extern_region", "floor", "floordiv", "floormod", "fmod", "hypot", "if_then_else", "indexdiv", "indexmod", "infinity",
    "ir_builder", "isfinite", "isinf", "isnan", "layout", "ldexp", "likely", "log", "log10", "log1p", "log2", "max", "max_value",
    "min", "min_value", "nearbyint", "nextafter", "popcount", "power", "q_multiply_shift", "q_multiply_shift_per_axis", "reinterpret", "round", "rsqrt", "seq", "sigmoid", "sin", "sinh", "sqrt",
    "stack_array", "stmt_list", "stmt_seq", "sum", "tan", "tanh", "trace", "trunc", "truncdiv", "truncmod", "undef",
]  # fmt: skip
