"""What the statement of an extern is built from: calls of packed and of C functions, declared buffers, regions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tewb.base import HANDLE, CType, DType, ExternError, here, native, register_native, why_no_symbol
from tewb.ir import (
    Buffer,
    BufferLoad,
    Call,
    Expr,
    ExternRegion,
    StringImm,
    Var,
    const,
    const_int,
    convert,
    ops,
    script,
)
from tewb.tensor.placeholder import check_shape


def call_packed(name: str, *args: Any, dtype: str = "int32", span: Any = None) -> Expr:
    """A call of the packed function `name`. Buffers arrive as NDArrays on the same memory, scalars as numbers, text as
    str. As a part of an expression it is the number that the function returns, of `dtype`."""
    if not isinstance(name, str):
        raise ExternError(
            f"call_packed takes the name of a registered function first, not {name!r}",
            hint='te.call_packed("name", ins[0], outs[0]) after tewb.register_func("name", f)',
            span=here(),
        )
    return Call("tvm_call_packed", (StringImm(name), *[_argument(a) for a in args]), DType(dtype))


def call_extern(dtype: str, function: Any, *args: Any) -> Expr:
    """A call of a C function that returns `dtype` ("void" for nothing).

    `function` is the name of a C symbol of this process, a ctypes function, a numba cfunc, or a capsule
    with its signature as name, such as those of scipy.linalg.cython_blas. A buffer is passed as the
    pointer to its first element, a string as a C string. Where the C types are known, numbers and
    dtypes are checked, and a number is passed by reference where C wants a pointer. Raises ExternError.
    """
    declared = native(function) if isinstance(function, str) else register_native(function)
    name = declared.symbol if declared else str(function)
    reason = why_no_symbol(name)
    if reason:
        raise ExternError(f"call_extern: {reason}", span=here())
    result = DType(dtype)
    if declared is None or declared.parameters is None:
        return Call("call_extern", (StringImm(name), *[_c_value(a) for a in args]), result)
    if len(args) != len(declared.parameters):
        raise ExternError(
            f"{name} takes {len(declared.parameters)} arguments, not {len(args)}",
            hint=f"its C types are ({', '.join(map(str, declared.parameters))})",
            span=here(),
        )
    if declared.result is not None and declared.result is not result:
        raise ExternError(f"{name} returns {declared.result}, not {result}", span=here())
    values = [
        _c_argument(name, i, a, c) for i, (a, c) in enumerate(zip(args, declared.parameters, strict=True))
    ]
    return Call("call_extern", (StringImm(name), *values), result)


def call_pure_extern(dtype: str, func_name: Any, *args: Any, span: Any = None) -> Expr:
    """`call_extern` of a C function without an effect: the same call in all lanes of a vectorized loop is made once."""
    call = call_extern(dtype, func_name, *args)
    assert isinstance(call, Call)
    return Call("call_pure_extern", call.args, call.dtype)


def _c_value(a: Any) -> Expr:
    if isinstance(a, Buffer):
        return address_of(a)
    return convert(a)


def _c_argument(name: str, position: int, a: Any, c: CType) -> Expr:
    """`a` as the C type `c`: a buffer or a string where a pointer is wanted, a number by reference there."""
    what = f"argument {position + 1} of {name}"
    if isinstance(a, Buffer):
        if not c.pointer or (c.dtype is not None and c.dtype is not a.dtype):
            raise ExternError(
                f"{what} is {c}, and {a.name} is a buffer of {a.dtype}",
                hint="declare the function with a pointer of that type, or cast the tensor",
                span=here(),
            )
        return address_of(a)
    value = convert(a)
    if isinstance(value, StringImm):
        if not c.pointer or c.dtype not in (None, "int8"):
            raise ExternError(f"{what} is {c}, not a string", span=here())
        return value
    if value.dtype is HANDLE:
        if not c.pointer:
            raise ExternError(f"{what} is {c}, not a pointer", span=here())
        return value
    if c.dtype is None:
        raise ExternError(
            f"{what} is a pointer, not the number {a!r}",
            hint="pass a buffer, or its element by reference",
            span=here(),
        )
    if value.dtype.is_float and not c.dtype.is_float:
        raise ExternError(f"{what} is {c}, and {a!r} is {value.dtype}", span=here())
    value = ops.cast(value, c.dtype)
    return Call("by_reference", (value,), HANDLE) if c.pointer else value


def address_of(b: Buffer | BufferLoad) -> Expr:
    """The pointer to the first element of a buffer, or to the element `A[i]` of one."""
    if isinstance(b, BufferLoad):
        return Call("address_of", (b,), HANDLE)
    zeros = tuple(const(0, n.dtype) for n in b.shape)
    return Call("address_of", (BufferLoad(b, zeros, b.dtype),), HANDLE)


def _argument(a: Any) -> Expr:
    return stack_array(a) if isinstance(a, Buffer) else convert(a)


def stack_array(b: Buffer) -> Expr:
    """A buffer as the argument of a packed call: data, shape, strides (0 when compact), ndim, a zero that
    carries the dtype, and the element offset."""

    def dims(values: Sequence[Expr]) -> Expr:
        return Call("tvm_stack_make_shape", tuple(ops.cast(v, "int64") for v in values), HANDLE)

    strides = dims(b.strides) if b.strides else const(0)
    fields = (b.data, dims(b.shape), strides, const(len(b.shape)), const(0, b.dtype), b.elem_offset)
    return Call("tvm_stack_make_array", fields, HANDLE)


def decl_buffer(
    shape: Any,
    dtype: str | None = None,
    name: str = "buffer",
    data: Var | None = None,
    strides: Any = None,
    elem_offset: Any = None,
    scope: str = "",
    data_alignment: int = -1,
    offset_factor: int = 0,
    buffer_type: str = "",
    axis_separators: Any = None,
    span: Any = None,
) -> Buffer:
    """A buffer declared by hand, for `binds` and for the in_buffers and out_buffers of an extern.

    Without a dtype it holds float32, and without a scope it is global. `strides` and `elem_offset` are in elements; a te.var among them takes its value from the array.
    `offset_factor` promises that the elem_offset is a multiple of it. `data_alignment` is in bytes, a power
    of two (-1 and 0: that of an element): the address of an argument is checked at each call.
    `buffer_type="auto_broadcast"` is of inputs: a call repeats the element of each dimension whose size is 1 there,
    and any strides bind. Raises ExternError.
    """
    broadcasts = buffer_type == "auto_broadcast"
    if buffer_type not in ("", "default", "auto_broadcast") or axis_separators:
        word = f"buffer_type={buffer_type!r}" if not axis_separators else "axis_separators"
        raise ExternError(
            f"decl_buffer {name}: tewb has no {word}",
            hint="leave it out" if axis_separators else 'buffer_type="auto_broadcast" or "default"',
            span=here(),
        )
    data_alignment = 0 if data_alignment == -1 else data_alignment
    extents = check_shape(name, shape)
    if strides is None and broadcasts:
        strides = [Var(f"{name}.stride{d}", n.dtype) for d, n in enumerate(extents)]
    steps = tuple(convert(s) for s in strides) if strides is not None else ()
    if steps and len(steps) != len(extents):
        raise ExternError(
            f"decl_buffer {name}: {len(steps)} strides for {len(extents)} dimensions",
            hint="one stride for each dimension, in elements",
            span=here(),
        )
    for e in steps:
        if not e.dtype.is_int:
            raise ExternError(
                f"decl_buffer {name}: the stride {e!r} is no integer",
                hint='strides count elements, as in strides=[te.var("stride"), 1]',
                span=here(),
            )
    offset = None if elem_offset is None else convert(elem_offset)
    if offset is not None and not offset.dtype.is_int:
        raise ExternError(
            f"decl_buffer {name}: the elem_offset {offset!r} is no integer",
            hint='elem_offset counts elements, as in elem_offset=te.var("offset")',
            span=here(),
        )
    if data_alignment < 0 or data_alignment & (data_alignment - 1):
        raise ExternError(
            f"decl_buffer {name}: data_alignment={data_alignment} is no power of two",
            hint="data_alignment=64",
            span=here(),
        )
    first = 0 if offset is None else const_int(offset)
    if offset_factor and first is not None and first % offset_factor:
        raise ExternError(
            f"decl_buffer {name}: elem_offset={first} is no multiple of offset_factor={offset_factor}",
            span=here(),
        )
    return Buffer(
        name,
        DType(dtype or "float32"),
        extents,
        steps,
        offset,
        scope or "global",
        data,
        data_alignment,
        offset_factor,
        broadcasts=broadcasts,
    )


def extern_region(
    name: str, reads: Sequence[Buffer], writes: Sequence[Buffer], effect: str = "idempotent"
) -> ExternRegion:
    """What an `extern_scope` declares of the statement in it: the boxes of buffers that it reads and writes, and
    whether it may be repeated."""
    return ExternRegion(name, tuple(map(_box_text, reads)), tuple(map(_box_text, writes)), effect)


def _box_text(b: Buffer) -> str:
    """A box of a buffer as `A[3, 4, 8]`, or with its offset, `A.tile[1, 4, 8] at i * 32`."""
    return box_text(b.name, b.shape, b.elem_offset)


def box_text(name: str, shape: Sequence[Expr], offset: Expr) -> str:
    """The text of a box in memory, from its sizes and where it begins."""
    at = "" if const_int(offset) == 0 else f" at {script(offset)}"
    return f"{name}[{', '.join(script(n) for n in shape)}]{at}"
