"""`tir.analysis`: questions about IR, by the classic names."""

from __future__ import annotations

from typing import Any

from tewb.ir import For, IRModule, Let, LetStmt, PrimFunc, Var, free_vars, structural_equal, verify, walk

__all__ = ["expr_deep_equal", "undefined_vars", "verify_memory", "verify_ssa"]


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
