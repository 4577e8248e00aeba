"""Calls of LLVM's intrinsics by their names."""

from __future__ import annotations

from typing import Any

from tewb.base import DType, ExternError, here
from tewb.ir import Call, Expr, IntImm, StringImm, convert

# The intrinsics that programs asked the number of, by number: LLVM's own numbers are others in each of its versions.
_numbered: list[str] = []


def intrinsic_number(name: str) -> int:
    """The number of an intrinsic of LLVM, for calls of it in this process."""
    if name not in _numbered:
        _numbered.append(name)
    return _numbered.index(name) + 1


def intrinsic_name(number: int) -> str:
    """The name of the intrinsic that has a number. Raises ExternError if none was given it."""
    if not 0 < number <= len(_numbered):
        raise ExternError(
            f"call_llvm_intrin takes the name of an intrinsic, not {number}: it is the number of an intrinsic in one version"
            " of LLVM, and of another one in the next",
            hint='name it: "llvm.sqrt.f32"; tvm.target.codegen.llvm_lookup_intrinsic_id(name) gives numbers that hold here',
            span=here(),
        )
    return _numbered[number - 1]


def call_llvm_intrin(dtype: str, name: str | int, *args: Any, span: Any = None) -> Expr:
    """A call of the intrinsic `name` of LLVM that returns `dtype`.

        te.call_llvm_intrin("float32", "llvm.sqrt.f32", te.const(1, "uint32"), A[i])

    A uint32 constant as the first argument is classic: it counts the arguments that have types in the name, which are
    found here without it. The types in the name may be left out. A number in the place of the name is one that
    `tvm.target.codegen.llvm_lookup_intrinsic_id` gave. Building raises CodegenError where LLVM has no such
    intrinsic, or makes no code of it for the processor.
    """
    return _call("call_llvm_intrin", dtype, name, args)


def call_llvm_pure_intrin(dtype: str, name: str | int, *args: Any, span: Any = None) -> Expr:
    """`call_llvm_intrin` of an intrinsic without an effect."""
    return _call("call_llvm_pure_intrin", dtype, name, args)


def _call(op: str, dtype: str, name: str | int, args: tuple[Any, ...]) -> Expr:
    if isinstance(name, int | IntImm) and not isinstance(name, bool):
        name = intrinsic_name(int(name))
    if not isinstance(name, str) or not name.startswith("llvm."):
        raise ExternError(
            f"{op} takes the name of an intrinsic, not {name!r}",
            hint=f'te.{op}("float32", "llvm.sqrt.f32", te.const(1, "uint32"), x)',
            span=here(),
        )
    values = [convert(a) for a in args]
    if values and isinstance(values[0], IntImm) and values[0].dtype == "uint32":
        values = values[1:]
    return Call(op, (StringImm(name), *values), DType(dtype))
