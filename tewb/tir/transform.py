"""`tir.transform`: passes of lowering that are called with a module, by the classic names.

`Simplify()(mod)` is a module. What a classic pass did that happens elsewhere here is said by docs/classic.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tewb.compat import face
from tewb.ir import IRModule, PrimFunc
from tewb.lowering import BUILD, LOWER, ModulePass, PassInfo, of_lowering, prim_func_pass

__all__ = [
    "Apply", "Filter", "FlattenBuffer", "LoopPartition", "RemoveNoOp", "Simplify", "StorageFlatten", "StorageRewrite", "UnrollLoop", "VectorizeLoop",
    "prim_func_pass",
]  # fmt: skip

face.wear(__name__)

_PASSES = {p.name: p for p in (*LOWER, *BUILD)}


def Apply(ftransform: Callable[[PrimFunc], PrimFunc]) -> ModulePass:
    """The pass that makes `ftransform(f)` of each function."""
    return ModulePass(
        lambda mod, context: IRModule({n: ftransform(f) for n, f in mod.functions.items()}, attrs=mod.attrs),
        PassInfo(0, "tir.Apply"),
    )


def Filter(fcond: Callable[[PrimFunc], bool]) -> ModulePass:
    """The pass that keeps the functions for which `fcond(f)` is true."""
    return ModulePass(
        lambda mod, context: IRModule({n: f for n, f in mod.functions.items() if fcond(f)}, attrs=mod.attrs),
        PassInfo(0, "tir.Filter"),
    )


def Simplify() -> ModulePass:
    """Simpler expressions, without loops of one iteration."""
    return of_lowering(_PASSES["simplify"], "Simplify")


def RemoveNoOp() -> ModulePass:
    """Without statements that do nothing, which simplification removes."""
    return of_lowering(_PASSES["simplify"], "RemoveNoOp")


def LoopPartition() -> ModulePass:
    """Loops cut where guards begin to hold."""
    return of_lowering(_PASSES["partition_loops"], "LoopPartition")


def VectorizeLoop(enable_vectorize: bool = True) -> ModulePass:
    """Vectorized loops as statements on vectors; without `enable_vectorize`, as they are."""
    if not enable_vectorize:
        return Apply(lambda f: f)
    return of_lowering(_PASSES["vectorize_loops"], "VectorizeLoop")


def UnrollLoop() -> ModulePass:
    """Unrolled loops as their iterations in sequence."""
    return of_lowering(_PASSES["unroll_loops"], "UnrollLoop")


def FlattenBuffer() -> ModulePass:
    """Arrays as lines of elements, with one index for each access."""
    return of_lowering(_PASSES["flatten_storage"], "FlattenBuffer")


def StorageFlatten(cache_line_size: int = 64, create_bound_attribute: Any = False) -> ModulePass:
    """Arrays as lines of elements, with one index for each access."""
    return FlattenBuffer()


def _done_elsewhere(name: str) -> Callable[..., ModulePass]:
    """The classic pass of this name, which leaves modules as they are: what it did is done without being asked."""

    def made(*options: Any, **named: Any) -> ModulePass:
        return ModulePass(lambda mod, context: mod, PassInfo(0, f"tir.{name}"))

    made.__name__ = made.__qualname__ = name
    made.__doc__ = "The module as it is: lowering and building do this without being asked."
    return made


_DONE_ELSEWHERE = (
    "BF16CastElimination", "BF16ComputeLegalize", "BF16Legalize", "BF16Promote", "BF16StorageLegalize", "BindTarget", "CombineContextCall",
    "CommonSubexprElimTIR", "CoProcSync", "DecorateDeviceScope", "HoistExpression", "HoistIfThenElse", "InferFragment", "InjectDoubleBuffer",
    "InjectPrefetch", "InjectRollingBuffer", "InjectVirtualThread", "LegalizePackedCalls", "LiftAttrScope", "LowerDeviceStorageAccessInfo",
    "LowerIntrin", "LowerThreadAllreduce", "LowerTVMBuiltin", "LowerWarpMemory", "MakePackedAPI", "MakeUnpackedAPI",
    "NarrowDataType", "RewriteUnsafeSelect", "SplitHostDevice", "ThreadSync", "VerifyMemory",
)  # fmt: skip
globals().update({name: _done_elsewhere(name) for name in _DONE_ELSEWHERE})


def StorageRewrite() -> ModulePass:
    """Intermediates that are not alive together in one memory. Takes flat arrays."""
    return of_lowering(_PASSES["rewrite_storage"], "StorageRewrite")
