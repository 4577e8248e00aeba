"""Task sizes: how many iterations of a parallel loop a thread takes at a time, at most and at least.

To share a loop costs something (100 ns where the threads are awake, 50 us where they sleep), and so does each task. So a
loop that does little runs on the thread that comes to it, tasks are not tiny, and long iterations are handed out one by
one. Where sizes are symbolic, a call works this out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tewb.base import FLOAT64
from tewb.codegen.loop_work import CHUNK, operations
from tewb.ir import (
    GRAIN,
    Add,
    AttrStmt,
    BufferStore,
    Call,
    Cast,
    Evaluate,
    Expr,
    FloorDiv,
    FloorMod,
    For,
    IfThenElse,
    IntImm,
    LetStmt,
    Max,
    Min,
    Mul,
    Stmt,
    Sub,
    Var,
    While,
    const,
    const_int,
    ops,
    substitute,
    walk,
)
from tewb.runtime.abi import UNKNOWN_WORK

if TYPE_CHECKING:
    from tewb.codegen.statements import Statements

SHARED = CHUNK // 10  # operations of a loop that is worth sharing: some microseconds
SMALLEST = SHARED // 8  # operations of a task

# Calls of functions that take as long as they like.
_ELSEWHERE = ("tvm_call_packed", "call_extern", "call_pure_extern")


def task_sizes(writer: Statements, s: For, count: str) -> tuple[str, str]:
    """The iterations of a task of a parallel loop at most and at least, as LLVM values; `count` is how many it has."""
    given = grain_of(s.body)
    least = str(given or 1)
    if _calls_elsewhere(s.body):
        return "1", least
    work = iteration_work(s, writer.values)
    if work is None:
        return str(UNKNOWN_WORK), least
    if not isinstance(work, int):
        most, shared = _of_symbolic_work(writer, work, count)
        return most, least if given else shared
    work = max(work, 1)
    return str(max(CHUNK // work, 1)), least if given else _of_constant_work(writer, work, s, count)


def grain_of(s: Stmt) -> int | None:
    """What a step said that a task has at least, in the body of a parallel loop."""
    if isinstance(s, For):
        return None  # a parallel loop inside has its own
    if isinstance(s, AttrStmt) and s.key == GRAIN:
        return const_int(s.value)
    found = (grain_of(c) for c in s.children() if isinstance(c, Stmt))
    return next((n for n in found if n is not None), None)


def _of_constant_work(writer: Statements, work: int, s: For, count: str) -> str:
    """The least iterations of a task, all of them where the loop does little."""
    f, few, small = writer.f, SHARED // work, max(SMALLEST // work, 1)
    n = const_int(s.extent)
    if n is not None or few <= small:
        return str(n if n is not None and n <= few else small)
    return f.ins(f"select i1 {f.ins(f'icmp sle i64 {count}, {few}')}, i64 {count}, i64 {small}")


def _of_symbolic_work(writer: Statements, work: Expr, count: str) -> tuple[str, str]:
    """The same where an iteration has `work` operations, a float64 that a call computes."""
    f = writer.f
    value = writer.expressions.emit(work)
    smax = f.module.declare("llvm.smax.i64", "i64 @llvm.smax.i64(i64, i64)")

    def iterations(of: int) -> str:
        whole = f.ins(f"fptosi double {f.ins(f'fdiv double {of}.0, {value}')} to i64")
        return f.ins(f"call i64 {smax}(i64 {whole}, i64 1)")

    most, small = iterations(CHUNK), iterations(SMALLEST)
    total = f.ins(f"fmul double {value}, {f.ins(f'sitofp i64 {count} to double')}")
    little = f.ins(f"fcmp ole double {total}, {SHARED}.0")
    return most, f.ins(f"select i1 {little}, i64 {count}, i64 {small}")


# ---------------------------------------------------------------- the work of an iteration


def iteration_work(s: For, known: dict[Var, str]) -> int | Expr | None:
    """The operations of an iteration of a loop: a number, or a float64 of variables that are `known` around it. Where
    iterations differ, the one in the middle counts. None when data decide."""
    middle = {s.var: _middle(s.min, s.extent)}
    work = _work(s.body, known, middle)
    return ops.add(work, const(1.0, FLOAT64)) if isinstance(work, Expr) else work


def _middle(low: Expr, extent: Expr) -> Expr:
    return ops.add(low, ops.floordiv(extent, const(2, extent.dtype)))


def _work(s: Stmt, known: dict[Var, str], middle: dict[Var, Expr]) -> int | Expr | None:
    constant = operations(s)
    if constant is not None:
        return constant
    match s:
        case For():
            size = _size(s.extent, known, middle)
            if size is None:
                return None
            middle[s.var] = _middle(substitute(s.min, middle), substitute(s.extent, middle))
            body = _work(s.body, known, middle)
            return None if body is None else ops.mul(ops.cast(size, FLOAT64), _float(body))
        case LetStmt(v, value):  # not what it had in a copy of these loops that is done
            middle[v] = substitute(value, middle)
        case While() | Evaluate() | BufferStore():
            return None
    parts = [_work(c, known, middle) for c in s.children() if isinstance(c, Stmt)]
    if any(p is None for p in parts):
        return None
    if isinstance(s, IfThenElse) and len(parts) == 2:
        return ops.maximum(*[_float(p) for p in parts if p is not None])
    total: Expr = const(1.0, FLOAT64)
    for p in parts:
        if p is not None:
            total = ops.add(total, _float(p))
    return total


def _float(work: int | Expr) -> Expr:
    return const(float(work), FLOAT64) if isinstance(work, int) else work


def _size(extent: Expr, known: dict[Var, str], middle: dict[Var, Expr]) -> Expr | None:
    """How often a loop runs in the middle of those around it, if that can be computed anywhere: it cannot fail."""
    size = substitute(extent, middle)
    for n in walk(size):
        if isinstance(n, Var) and n not in known:
            return None
        if isinstance(n, FloorDiv | FloorMod) and (const_int(n.b) or 0) <= 0:
            return None
        if not isinstance(n, Var | IntImm | Add | Sub | Mul | Min | Max | Cast | FloorDiv | FloorMod):
            return None
    return ops.maximum(size, const(0, size.dtype))


def _calls_elsewhere(s: Stmt) -> bool:
    """Whether a statement calls what is not compiled with it, and may take as long as it likes."""
    return any(isinstance(n, Call) and n.op.startswith(_ELSEWHERE) for n in walk(s))
