"""Outlining: a parallel loop, or a section of a long sequence, becomes a function of its own that is called in its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tewb.base import HANDLE, llvm_name
from tewb.codegen.function import STACK_LIMIT, Function
from tewb.codegen.loop_work import has_many_accesses, hidden, is_coarse
from tewb.codegen.task_sizes import task_sizes
from tewb.codegen.types import value_type
from tewb.ir import (
    Allocate,
    BufferLoad,
    BufferStore,
    For,
    Let,
    LetStmt,
    Seq,
    Stmt,
    Var,
    const_int,
    free_vars,
    has_nontemporal,
    walk,
)
from tewb.lowering import SMALL, kept_by_threads

if TYPE_CHECKING:
    from tewb.codegen.statements import Statements


def outline_parallel(writer: Statements, s: For) -> None:
    """The body becomes a function of a range of iterations; the variables that it uses are passed in a record."""
    f = writer.f
    captured = [v for v in captured_by(s) if v in writer.values]
    name = f"{f.symbol}.par{len(f.module.functions)}"
    f.module.functions.append("")  # keeps the number taken while the body is written
    number = len(f.module.functions) - 1
    first = writer.expressions.index(s.min)
    record = f.stack("i64", len(captured) + 1)
    for i, v in enumerate(captured):
        at = f.ins(f"getelementptr i64, ptr {record}, i64 {i}")
        f.do(f"store {value_type(v.dtype)} {writer.values[v]}, ptr {at}, align 8")
    at = f.ins(f"getelementptr i64, ptr {record}, i64 {len(captured)}")
    f.do(f"store i64 {first}, ptr {at}")
    count = writer.expressions.index(s.extent)
    f.module.has_parallel = True
    most, least = task_sizes(writer, s, count)
    f.fence()
    given = f"ptr %ctx, ptr {llvm_name(name)}, ptr {record}, i64 {count}, i64 {most}, i64 {least}"
    if f.module.traced:
        run = f.module.declare(
            "tewb_rt_parallel_traced", "i32 @tewb_rt_parallel_traced(ptr, ptr, ptr, i64, i64, i64, i64)"
        )
        given += f", i64 {writer.info.numbers.get(id(s), 0)}"
    else:
        run = f.module.declare("tewb_rt_parallel", "i32 @tewb_rt_parallel(ptr, ptr, ptr, i64, i64, i64)")
    code = f.ins(f"call i32 {run}({given})")
    writer.return_if_failed(code)
    f.module.functions[number] = _outlined(writer, name, s, captured)


def _outlined(writer: Statements, name: str, s: For, captured: list[Var]) -> str:
    """Two functions: one that unpacks the record and loops over a range, and the body that it calls."""
    kept = _kept(writer, s)
    body = _body_function(writer, name, s, captured, kept)
    return body + "\n\n" + "\n".join(_range_function(writer, name, s, captured, len(kept)))


def _body_function(
    writer: Statements, name: str, s: For, captured: list[Var], kept: Sequence[Allocate]
) -> str:
    """The function of one iteration, whose buffers are known not to overlap."""
    scope = writer.info.scope(name)
    own = [f"{value_type(s.var.dtype)} %i", *["ptr %kept"] * bool(kept)]
    body = Function(
        writer.f.module,
        f"define internal i32 {llvm_name(name + '.body')}({_parameter_text(writer, captured, *own)}) #0 !dbg {scope}",
        name,
    )
    body.location = writer.info.start(scope)
    values: dict[Var, str] = {v: f"%p{n}" for n, v in enumerate(captured)}
    values[s.var] = "%i"
    inner = writer.inside(body, values, scope)
    inner.depth, inner.kept = 1, {id(a): n for n, a in enumerate(kept)}
    if is_coarse(s.body):
        inner.stop_if_cancelled()
    inner.emit_all(s.body)
    writer.f.calls(body)
    return body.text()


def _range_function(writer: Statements, name: str, s: For, captured: list[Var], kept: int) -> list[str]:
    """The lines of the function that calls the body for the iterations from `lo` to `hi`, which are not none. It has places for
    memory that `kept` allocations take once for all of them."""
    t = value_type(s.var.dtype)
    scope = writer.info.scope(f"{name}.entry")
    here = writer.info.start(scope)
    lines = [f"define internal i32 {llvm_name(name)}(ptr %ctx, ptr %data, i64 %lo, i64 %hi) !dbg {scope} {{"]
    if kept:
        lines.append(f"  %kept = alloca [{kept} x ptr]")
        lines.append(f"  store [{kept} x ptr] zeroinitializer, ptr %kept")
    for n, v in enumerate(captured):
        lines += _unpacked(writer, n, v)
    given = [f"{value_type(v.dtype)} %v{n}" for n, v in enumerate(captured)]
    arguments = ", ".join(["ptr %ctx", f"{t} %i", *["ptr %kept"] * bool(kept), *given])
    is_hidden = has_many_accesses(s.body)
    lines += [
        f"  %pfirst = getelementptr i64, ptr %data, i64 {len(captured)}",
        "  %first = load i64, ptr %pfirst",
        "  br label %head",
        "head:",  # no range is empty
        "  %n = phi i64 [ %lo, %0 ], [ %n1, %next ]",
        "  %at = add nsw i64 %first, %n",
        "  %i = add i64 %at, 0" if t == "i64" else f"  %i = trunc i64 %at to {t}",
        f"  %r = call i32 {llvm_name(name + '.body')}({arguments}), !dbg {here}",
        "  %good = icmp eq i32 %r, 0",
        "  br i1 %good, label %next, label %bad",
        "next:",
        "  %n1 = add nsw i64 %n, 1",
        *([f"  %n2 = {hidden('%n1', 'i64')}"] if is_hidden else []),
        f"  %more = icmp slt i64 {'%n2' if is_hidden else '%n1'}, %hi",
        "  br i1 %more, label %head, label %done",
        "bad:",
        "  br label %done",
        "done:",
        "  %said = phi i32 [ 0, %next ], [ %r, %bad ]",
    ]
    if has_nontemporal(s.body):
        lines += [f"  {line}, !dbg {here}" for line in writer.f.module.fence()]
    for n in range(kept):
        lines += _freed(n, here)
    return [*lines, "  ret i32 %said", "}"]


def _unpacked(writer: Statements, n: int, v: Var) -> list[str]:
    """Loads variable `v` from place `n` of the record."""
    at = f"%a{n}"
    is_pointer = v.dtype is HANDLE
    load = (
        writer.f.module.pointer_from(at, v)
        if is_pointer
        else f"load {value_type(v.dtype)}, ptr {at}, align 8"
    )
    return [f"  {at} = getelementptr i64, ptr %data, i64 {n}", f"  %v{n} = {load}"]


def _kept(writer: Statements, s: For) -> list[Allocate]:
    """The memory of iterations that a thread takes once for all iterations that it is given at a time: what is large, and
    small things too where there are so many that the stack may not hold them. What Python sees is each iteration's own."""
    kept = [
        a for a in kept_by_threads(s) if a.buffer.scope != "register" and a.buffer.data not in writer.shared
    ]
    small = [a for a in kept if _is_small(a)]
    if writer.f.stack_bytes + SMALL * len(small) <= STACK_LIMIT // 2:
        kept = [a for a in kept if not _is_small(a)]
    return kept


def _is_small(a: Allocate) -> bool:
    """Whether memory is small enough for the stack."""
    count = const_int(a.buffer.shape[0])
    return count is not None and count * a.buffer.dtype.nbytes <= SMALL


def _freed(n: int, location: str) -> list[str]:
    """Frees memory that iterations have left, if there was one that took it."""
    return [
        f"  %k{n} = getelementptr ptr, ptr %kept, i64 {n}",
        f"  %m{n} = load ptr, ptr %k{n}, align 8",
        f"  %t{n} = icmp ne ptr %m{n}, null",
        f"  br i1 %t{n}, label %free{n}, label %freed{n}",
        f"free{n}:",
        f"  call void @tewb.free(ptr %ctx, ptr %m{n}), !dbg {location}",
        f"  br label %freed{n}",
        f"freed{n}:",
    ]


def outline_section(writer: Statements, s: Seq) -> None:
    """A part of a long sequence, as a function that is called here."""
    f = writer.f
    captured = [v for v in captured_by(s) if v in writer.values]
    name = f"{f.symbol}.part{len(f.module.functions)}"
    f.module.functions.append("")  # keeps the number taken while the body is written
    number = len(f.module.functions) - 1
    scope = writer.info.scope(name)
    body = Function(
        f.module,
        f"define internal i32 {llvm_name(name)}({_parameter_text(writer, captured)}) noinline #0 !dbg {scope}",
        name,
    )
    body.location = writer.info.start(scope)
    values: dict[Var, str] = {v: f"%p{n}" for n, v in enumerate(captured)}
    inner = writer.inside(body, values, scope)
    inner.depth, inner.expressions.region = writer.depth, writer.expressions.region
    inner.emit_all(s)
    f.calls(body)
    f.module.functions[number] = body.text()
    arguments = [f"{value_type(v.dtype)} {writer.values[v]}" for v in captured]
    code = f.ins(f"call i32 {llvm_name(name)}({', '.join(['ptr %ctx', *arguments])})")
    writer.return_if_failed(code)


def _parameter_text(writer: Statements, captured: Sequence[Var], *own: str) -> str:
    """The parameters of a function that uses variables and buffers from outside; the buffers are known not to
    overlap."""
    pointer = writer.f.module.pointer
    params = [
        f"{pointer(v) if v.dtype is HANDLE else value_type(v.dtype)} %p{n}" for n, v in enumerate(captured)
    ]
    return ", ".join(["ptr %ctx", *own, *params])


def captured_by(s: Stmt) -> list[Var]:
    """The variables and the buffers' data that a statement, or the body of a loop, uses from outside."""
    own: set[Var] = {s.var} if isinstance(s, For) else set()
    body = s.body if isinstance(s, For) else s
    used: dict[Var, None] = {}
    for n in walk(body):
        if isinstance(n, BufferLoad | BufferStore):
            used[n.buffer.data] = None
            # Debug builds compare the index with the ends of the memory.
            ends = (*n.buffer.shape, n.buffer.elem_offset)
            used.update({v: None for e in ends for v in free_vars(e)})
        if isinstance(n, Allocate):
            own.add(n.buffer.data)
            used.update({v: None for e in n.buffer.shape for v in free_vars(e)})
        if isinstance(n, For | LetStmt | Let):
            own.add(n.var)  # a copy of this loop, written before, may have had a value for it
    used.update({v: None for v in free_vars(body)})
    return [v for v in used if v not in own]
