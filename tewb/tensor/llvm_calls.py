"""Calls of LLVM's intrinsics by their names."""

from __future__ import annotations

from typing import Any

from tewb.base import DType, ExternError, here
from tewb.ir import Call, Expr, IntImm, StringImm, convert


def call_llvm_intrin(dtype: str, name: str, *args: Any, span: Any = None) -> Expr:
    """A call of the intrinsic `name` of LLVM that returns `dtype`.

        te.call_llvm_intrin("float32", "llvm.sqrt.f32", te.const(1, "uint32"), A[i])

    A uint32 constant as the first argument is classic: it counts the arguments that have types in the name, which are
    found here without it. The types in the name may be left out. Building raises CodegenError where LLVM has no such
    intrinsic, or makes no code of it for the processor.
    """
    if not isinstance(name, str) or not name.startswith("llvm."):
        raise ExternError(
            f"call_llvm_intrin takes the name of an intrinsic, not {name!r}",
            hint='te.call_llvm_intrin("float32", "llvm.sqrt.f32", te.const(1, "uint32"), x)',
            span=here(),
        )
    values = [convert(a) for a in args]
    if values and isinstance(values[0], IntImm) and values[0].dtype == "uint32":
        values = values[1:]
    return Call("call_llvm_intrin", (StringImm(name), *values), DType(dtype))


def call_llvm_pure_intrin(dtype: str, name: str, *args: Any, span: Any = None) -> Expr:
    """`call_llvm_intrin` of an intrinsic without an effect."""
    return call_llvm_intrin(dtype, name, *args)
