"""`tvm.ir_pass`: what v0.5 and v0.6 did with statements. Since v0.7 these are passes over modules, in `tvm.tir.transform`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tewb.arith import Analyzer, simplify_stmt
from tewb.base import LowerError, PassContext, here
from tewb.ir import Buffer, PrimFunc, Stmt, Var, convert, structural_equal, uses
from tewb.lowering import BUILD, LOWER, heed_pragmas
from tewb.tir import PrimFunc as ClassicFunction
from tewb.tir.analysis import verify_ssa
from tewb.tir.stmt_functor import ir_transform, post_order_visit, substitute

__all__ = [
    "CanonicalSimplify", "ConvertSSA", "Equal", "ExprUseVar", "IRTransform", "LoopPartition", "MakeAPI", "PostOrderVisit", "RemoveNoOp",
    "Simplify", "StorageFlatten", "Substitute", "UnrollLoop", "VectorizeLoop", "VerifySSA",
]  # fmt: skip

_PASSES = {p.name: p for p in (*LOWER, *BUILD)}


def _run(name: str, stmt: Stmt, params: Sequence[Buffer | Var] = ()) -> Stmt:
    return _PASSES[name].run(PrimFunc("main", tuple(params), stmt)).body


def Simplify(value: Any, vrange: Mapping[Var, Any] | None = None) -> Any:
    """A statement or an expression, simplified; `vrange` tells ranges of variables."""
    analyzer = Analyzer()
    for v, dom in (vrange or {}).items():
        analyzer.bind(v, dom)
    return simplify_stmt(value, analyzer) if isinstance(value, Stmt) else analyzer.simplify(convert(value))


CanonicalSimplify = Simplify


def Equal(lhs: Any, rhs: Any) -> bool:
    """Whether two statements or expressions have the same structure."""
    a, b = (x if isinstance(x, Stmt) else convert(x) for x in (lhs, rhs))
    return structural_equal(a, b, map_free_vars=True)


def ExprUseVar(expr: Any, var: Var) -> bool:
    """Whether a variable occurs in an expression."""
    return uses(convert(expr), [var])


PostOrderVisit, IRTransform, Substitute = post_order_visit, ir_transform, substitute


def VerifySSA(stmt: Stmt) -> bool:
    """Whether each variable is bound in one place."""
    return verify_ssa(PrimFunc("main", (), stmt))


def ConvertSSA(stmt: Stmt) -> Stmt:
    """The statement: loops next to each other may have one variable here."""
    return stmt


def LoopPartition(stmt: Stmt, partition_const_loop: bool = False) -> Stmt:
    """Loops cut where guards begin to hold."""
    key = "tir.LoopPartition.partition_const_loop"
    with PassContext.current().resumed(**{key: partition_const_loop}):
        return _run("partition_loops", stmt)


def VectorizeLoop(stmt: Stmt) -> Stmt:
    """Vectorized loops as statements on vectors."""
    return _run("vectorize_loops", stmt)


def UnrollLoop(
    stmt: Stmt,
    auto_max_step: int = 0,
    auto_max_depth: int = 8,
    auto_max_extent: int = 0,
    explicit_unroll: bool = True,
) -> Stmt:
    """Unrolled loops as their iterations in sequence, and small ones, too."""
    wishes = {
        "auto_unroll_max_step": auto_max_step, "auto_unroll_max_depth": auto_max_depth,
        "auto_unroll_max_extent": auto_max_extent, "unroll_explicit": int(explicit_unroll),
    }  # fmt: skip
    return _run("unroll_loops", heed_pragmas(stmt, wishes))


def RemoveNoOp(stmt: Stmt) -> Stmt:
    """The statement without what does nothing."""
    return _run("simplify", stmt)


def StorageFlatten(
    stmt: Stmt, extern_buffer: Mapping[Any, Buffer] | None = None, cache_line_size: int = 64
) -> Stmt:
    """Arrays as lines of elements. Tensors of `extern_buffer` must be buffers already, as ScheduleOps makes them here."""
    return _run("flatten_storage", stmt, tuple((extern_buffer or {}).values()))


def MakeAPI(
    stmt: Stmt, name: str, api_args: Sequence[Any], num_unpacked_args: int = 0, is_restricted: bool = True
) -> PrimFunc:
    """The function of a statement: `api_args` are its parameters, buffers and variables."""
    wrong = next((a for a in api_args if not isinstance(a, Buffer | Var)), None)
    if wrong is not None:
        raise LowerError(
            f"MakeAPI takes buffers and variables, not {wrong!r}",
            hint="tvm.decl_buffer(A.shape, A.dtype)",
            span=here(),
        )
    function: PrimFunc = ClassicFunction(list(api_args), stmt, None, {}, {"global_symbol": name})
    return function
