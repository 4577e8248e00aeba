"""Calls of packed functions: the arguments are written as records, and the runtime calls Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tewb.base import FLOAT64, INT64, CodegenError, DType
from tewb.codegen.conversion import convert
from tewb.codegen.types import memory_type
from tewb.ir import Call, Expr, IntImm, StringImm, is_same_expression
from tewb.runtime.abi import (
    ARRAY,
    CALLBACK,
    DTYPES,
    FLOAT,
    FLOAT_WANTED,
    INTEGER,
    INTEGER_WANTED,
    TEXT,
    UNANSWERED,
    PackedCall,
)
from tewb.runtime.abi import HANDLE as HANDLE_SLOT

if TYPE_CHECKING:
    from tewb.codegen.expressions import ExpressionWriter


def call_packed(writer: ExpressionWriter, e: Call) -> None:
    """Write the arguments as records and call the runtime."""
    _call(writer, e, None)


def packed_value(writer: ExpressionWriter, e: Call) -> str:
    """The number that a packed function returns."""
    f = writer.f
    place = f.ins(f"getelementptr i64, ptr {_call(writer, e, e.dtype)}, i64 1")
    writer.computed.clear()  # what was loaded before the call may have changed
    if e.dtype.is_float:
        return convert(f, f.ins(f"load double, ptr {place}"), FLOAT64, e.dtype)
    return convert(f, f.ins(f"load i64, ptr {place}"), INT64, e.dtype)


def _call(writer: ExpressionWriter, e: Call, returns: DType | None) -> str:
    """The place of the record of a call, which has been answered."""
    f = writer.f
    name = e.args[0]
    assert isinstance(name, StringImm)
    f.fence()
    first = UNANSWERED if returns is None else FLOAT_WANTED if returns.is_float else INTEGER_WANTED
    slots: list[str] = []
    for a in e.args[1:]:
        slots += _record(writer, a)
    memory = f.stack("i64", max(1 + len(slots), 2))
    for i, value in enumerate([str(first), *slots]):
        at = f.ins(f"getelementptr i64, ptr {memory}, i64 {i}")
        f.do(f"store i64 {value}, ptr {at}")
    region = writer.region
    number = f.module.packed_number(PackedCall(name.value, region.name, region.effect, str(returns or "")))
    handle = f.ins("load i64, ptr " + f.ins(f"getelementptr i64, ptr %ctx, i64 {HANDLE_SLOT}"))
    service = "tewb_rt_call_checked" if writer.checked else "tewb_rt_call_packed"
    f.module.declare(service, f"void @{service}(i64, i32, ptr, i32)")
    f.do(f"call void @{service}(i64 {handle}, i32 {number}, ptr {memory}, i32 {len(e.args) - 1})")
    fine = f.ins("icmp eq i64 " + f.ins(f"load i64, ptr {memory}") + ", 0")
    f.require(fine, CALLBACK, f"packed function {name.value}")
    return memory


def _record(writer: ExpressionWriter, a: Expr) -> list[str]:
    match a:
        case Call("tvm_stack_make_array", (data, shape, strides, _, carrier, offset)):
            return _array_record(writer, data, shape, strides, carrier.dtype, offset)
        case StringImm(text):
            address = writer.f.ins(f"ptrtoint ptr {writer.f.module.string(text)} to i64")
            return [str(TEXT), "0", "0", address]
    value = writer.emit(a)
    if a.dtype.is_float:
        wide = convert(writer.f, value, a.dtype, FLOAT64)
        return [str(FLOAT), str(DTYPES.index(a.dtype)), "0", writer.f.ins(f"bitcast double {wide} to i64")]
    if a.dtype.kind not in ("int", "uint", "bool"):
        raise CodegenError(f"{a!r} cannot be passed to a packed function")
    return [
        str(INTEGER),
        str(DTYPES.index(a.dtype)),
        "0",
        convert(writer.f, value, a.dtype, INT64),
    ]


def _array_record(
    writer: ExpressionWriter, data: Expr, shape: Expr, strides: Expr, dtype: DType, offset: Expr
) -> list[str]:
    f = writer.f
    sizes = [writer.index(n) for n in shape.children()]
    if isinstance(strides, IntImm):
        steps = ["1"] * len(sizes)
        for d in range(len(sizes) - 2, -1, -1):
            steps[d] = f.ins(f"mul i64 {steps[d + 1]}, {sizes[d + 1]}")
    else:
        steps = [writer.index(n) for n in strides.children()]
    base = writer.emit(data)
    at = writer.index(offset)
    pointer = f.ins(f"getelementptr {memory_type(dtype)}, ptr {base}, i64 {at}")
    address = f.ins(f"ptrtoint ptr {pointer} to i64")
    kind, origin = _role(writer, data, offset)
    return [str(kind), str(DTYPES.index(dtype)), str(len(sizes)), address, *sizes, *steps, *origin]


def _role(writer: ExpressionWriter, data: Expr, offset: Expr) -> tuple[int, list[str]]:
    """Whether an array of a checked extern is read or written, with its origin and extents."""
    mine = [(kind, s) for kind, s in writer.checked if s.node is data]
    same = [(kind, s) for kind, s in mine if is_same_expression(s.value.args[0], offset)]  # type: ignore[attr-defined]
    for kind, s in same or mine:
        return kind, [writer.index(e) for e in s.value.args[1:]]  # type: ignore[attr-defined]
    return ARRAY, []
