"""Calls of packed functions: the arguments are written as records, and the runtime calls Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tewb.base import INT64, CodegenError, DType
from tewb.codegen.conversion import convert
from tewb.codegen.types import memory_type
from tewb.ir import Call, Expr, IntImm, StringImm, structural_equal
from tewb.runtime.abi import ARRAY, CALLBACK, DTYPES, FLOAT, INTEGER, UNANSWERED, PackedCall
from tewb.runtime.abi import HANDLE as HANDLE_SLOT

if TYPE_CHECKING:
    from tewb.codegen.statements import Statements


def call_packed(writer: Statements, e: Call) -> None:
    """Write the arguments as records and call the runtime."""
    f = writer.f
    name = e.args[0]
    assert isinstance(name, StringImm)
    f.fence()
    slots: list[str] = []
    for a in e.args[1:]:
        slots += _record(writer, a)
    memory = f.stack("i64", 1 + len(slots))
    for i, value in enumerate([str(UNANSWERED), *slots]):
        at = f.ins(f"getelementptr i64, ptr {memory}, i64 {i}")
        f.do(f"store i64 {value}, ptr {at}")
    number = f.module.packed_number(PackedCall(name.value, writer.region.name, writer.region.effect))
    handle = f.ins("load i64, ptr " + f.ins(f"getelementptr i64, ptr %ctx, i64 {HANDLE_SLOT}"))
    service = "tewb_rt_call_checked" if writer.checked else "tewb_rt_call_packed"
    f.module.declare(service, f"void @{service}(i64, i32, ptr, i32)")
    f.do(f"call void @{service}(i64 {handle}, i32 {number}, ptr {memory}, i32 {len(e.args) - 1})")
    fine = f.ins("icmp eq i64 " + f.ins(f"load i64, ptr {memory}") + ", 0")
    writer.f.require(fine, CALLBACK, f"packed function {name.value}")


def _record(writer: Statements, a: Expr) -> list[str]:
    match a:
        case Call("tvm_stack_make_array", (data, shape, strides, _, carrier, offset)):
            return _array_record(writer, data, shape, strides, carrier.dtype, offset)
    value = writer.emit_expr(a)
    if a.dtype.is_float:
        wide = convert(writer.f, value, a.dtype, DType("float64"))
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
    writer: Statements, data: Expr, shape: Expr, strides: Expr, dtype: DType, offset: Expr
) -> list[str]:
    f = writer.f
    sizes = [writer.expressions.index(n) for n in shape.children()]
    if isinstance(strides, IntImm):
        steps = ["1"] * len(sizes)
        for d in range(len(sizes) - 2, -1, -1):
            steps[d] = f.ins(f"mul i64 {steps[d + 1]}, {sizes[d + 1]}")
    else:
        steps = [writer.expressions.index(n) for n in strides.children()]
    base = writer.emit_expr(data)
    at = writer.expressions.index(offset)
    pointer = f.ins(f"getelementptr {memory_type(dtype)}, ptr {base}, i64 {at}")
    address = f.ins(f"ptrtoint ptr {pointer} to i64")
    kind, origin = _role(writer, data, offset)
    return [str(kind), str(DTYPES.index(dtype)), str(len(sizes)), address, *sizes, *steps, *origin]


def _role(writer: Statements, data: Expr, offset: Expr) -> tuple[int, list[str]]:
    """Whether an array of a checked extern is read or written, with its origin and extents."""
    mine = [(kind, s) for kind, s in writer.checked if s.node is data]
    same = [(kind, s) for kind, s in mine if structural_equal(s.value.args[0], offset)]  # type: ignore[attr-defined]
    for kind, s in same or mine:
        return kind, [writer.expressions.index(e) for e in s.value.args[1:]]  # type: ignore[attr-defined]
    return ARRAY, []
