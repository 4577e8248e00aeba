"""`tir.analysis`: questions about IR, by the classic names."""

from __future__ import annotations

from typing import Any

from tewb.base import TewbError, here
from tewb.compat import face
from tewb.ir import (
    AttrStmt,
    Binary,
    BufferLoad,
    BufferStore,
    Compare,
    Expr,
    For,
    IfThenElse,
    IRModule,
    Let,
    LetStmt,
    PrimFunc,
    Select,
    Stmt,
    Var,
    const_int,
    free_vars,
    script,
    structural_equal,
    verify,
    walk,
)
from tewb.lowering import peak_bytes

__all__ = [
    "calculate_workspace_bytes",
    "estimate_tir_flops",
    "expr_deep_equal",
    "undefined_vars",
    "verify_memory",
    "verify_ssa",
]

face.wear(__name__)


def expr_deep_equal(lhs: Any, rhs: Any) -> bool:
    """Whether two expressions are the same, with the very same variables."""
    return structural_equal(lhs, rhs)


def undefined_vars(node: Any, defs: Any = ()) -> list[Var]:
    """The variables that a statement or an expression uses, and does not bind; without those of `defs`."""
    body = node.body if isinstance(node, PrimFunc) else node
    return [v for v in free_vars(body) if not any(v is d for d in defs)]


def verify_ssa(func: PrimFunc) -> bool:
    """Whether each variable of a function is bound in one place."""
    bound = [n.var for n in walk(func.body) if isinstance(n, For | Let | LetStmt)]
    return len(set(bound)) == len(bound)


def verify_memory(func: PrimFunc | IRModule) -> bool:
    """Whether all memory that a function uses is its parameters' or allocated around its use."""
    functions = func.functions.values() if isinstance(func, IRModule) else [func]
    return not any(True for f in functions for promise in verify.ALWAYS for _ in promise(f))


def calculate_workspace_bytes(func: PrimFunc | IRModule, workspace_byte_alignment: int = 1) -> int:
    """The bytes of the intermediates of a function that are alive at once, at most, in multiples of the alignment.
    Raises TewbError where their sizes are symbolic."""
    functions = func.functions.values() if isinstance(func, IRModule) else [func]
    total = 0
    for f in functions:
        size = peak_bytes(f.body)
        if size is None:
            raise TewbError(
                f"the size of an intermediate of {f.name} is not a constant",
                hint="give sizes numbers first: stmt_functor.substitute(func, sizes)",
                span=here(),
            )
        total = max(total, -(-size // workspace_byte_alignment) * workspace_byte_alignment)
    return total


def estimate_tir_flops(stmt_or_mod: Stmt | PrimFunc | IRModule) -> float:
    """The operations on values that a program does: arithmetic and comparisons, of indices none, in loops of constant
    extent. Raises TewbError for other loops."""
    if isinstance(stmt_or_mod, IRModule):
        return sum(estimate_tir_flops(f) for f in stmt_or_mod.functions.values())
    return float(_flops(stmt_or_mod.body if isinstance(stmt_or_mod, PrimFunc) else stmt_or_mod))


def _flops(n: Any) -> int:
    match n:
        case For():
            extent = const_int(n.extent)
            if extent is None:
                raise TewbError(
                    f"loop {n.var.name} runs {script(n.extent)} times, which is not a constant",
                    hint="give sizes numbers first: stmt_functor.substitute(func, sizes)",
                    span=here(),
                )
            return extent * _flops(n.body)
        case IfThenElse(cond, then, other):
            return _flops(cond) + max(_flops(then), 0 if other is None else _flops(other))
        case BufferLoad() | Var():
            return 0
        case BufferStore():
            return _flops(n.value)
        case AttrStmt():
            return _flops(n.body)
        case Select(cond, then, other):
            return _flops(cond) + max(_flops(then), _flops(other))
    own = n.dtype.lanes if isinstance(n, Binary | Compare) else 0
    return own + sum(_flops(c) for c in n.children() if isinstance(c, Expr | Stmt))
