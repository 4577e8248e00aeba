"""Intrinsics of LLVM by their names, as in `te.call_llvm_intrin`: asked about before code uses them.

LLVM ends the process when it is asked for code of an intrinsic that it, or the processor, does not have. So a call is
tried out in a process of its own first, once for each intrinsic and its types.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import llvmlite.binding as llvm

from tewb.base import FLOAT32, CodegenError, DType
from tewb.codegen.narrow_floats import has_halves, is_narrow
from tewb.codegen.types import value_type
from tewb.ir import Call, Cast, Expr, IntImm, StringImm
from tewb.runtime import Target, try_code

if TYPE_CHECKING:
    from tewb.codegen.expressions import ExpressionWriter


def call_llvm(writer: ExpressionWriter, e: Call) -> str:
    """A call of an LLVM intrinsic: its name, and its arguments. Raises CodegenError if there is none of this name and
    these types."""
    name = e.args[0]
    assert isinstance(name, StringImm)
    if not _OF_A_PROCESSOR.match(name.value) and any(_is_widened(x.dtype, writer) for x in (e, *e.args[1:])):
        return writer.emit(_wide(e, name.value))
    result = "void" if e.dtype.kind == "void" else _type(e.dtype)
    types = tuple(_type(a.dtype) for a in e.args[1:])
    exact, immediate = signature(name.value, result, types)
    for i in immediate:
        if not isinstance(e.args[1 + i], IntImm):
            raise CodegenError(f"{name.value}: argument {i + 1} is a constant", hint="te.const(0, 'int32')")
    values = [_as_floats(writer, writer.emit(a), a.dtype) for a in e.args[1:]]
    constants = tuple((i, values[i]) for i in immediate)
    _try_out(exact, result, types, constants, writer.f.module.target)
    writer.f.module.declare(exact, f"{result} @{exact}({', '.join(types)})")
    text = f"call {result} @{exact}({', '.join(f'{t} {v}' for t, v in zip(types, values, strict=True))})"
    if result == "void":
        writer.f.do(text)
        return ""
    value = writer.f.ins(text)
    return writer.f.ins(f"bitcast {result} {value} to {value_type(e.dtype)}") if "bfloat" in result else value


# ---------------------------------------------------------------- floats of 16 bits

_OF_A_PROCESSOR = re.compile(r"llvm\.(?:x86|aarch64|arm|riscv|ppc|s390|wasm)\.")


def _is_widened(d: DType, writer: ExpressionWriter) -> bool:
    """Whether values of a dtype go through float32: LLVM would call a library to convert them."""
    return is_narrow(d) and (d.kind == "bfloat" or not has_halves(writer.f))


def _wide(e: Call, name: str) -> Expr:
    """A call on floats of 16 bits as one on float32s, whose result is rounded."""
    general = StringImm(re.sub(r"\.(?:v\d+)?b?f16(?=\.|$)", "", name))
    args = [Cast(a, FLOAT32.with_lanes(a.dtype.lanes)) if is_narrow(a.dtype) else a for a in e.args[1:]]
    dtype = FLOAT32.with_lanes(e.dtype.lanes) if is_narrow(e.dtype) else e.dtype
    call = Call(e.op, (general, *args), dtype)
    return call if dtype is e.dtype else Cast(call, e.dtype)


def _type(d: DType) -> str:
    """The type of a value as intrinsics take it: a bfloat is no integer for them."""
    if d.kind != "bfloat":
        return value_type(d)
    return "bfloat" if d.lanes == 1 else f"<{d.lanes} x bfloat>"


def _as_floats(writer: ExpressionWriter, value: str, d: DType) -> str:
    if d.kind != "bfloat":
        return value
    return writer.f.ins(f"bitcast {value_type(d)} {value} to {_type(d)}")


@lru_cache(maxsize=256)
def signature(name: str, result: str, types: tuple[str, ...]) -> tuple[str, tuple[int, ...]]:
    """The name with the types that LLVM wants in it, and which arguments are constants in the code.

    llvm.sqrt of a float -> llvm.sqrt.f32
    """
    words = f"{result}({', '.join(types)})"
    declaration = _declaration(name, result, types)
    if declaration is None or "Unknown intrinsic" in declaration:
        raise CodegenError(
            f"LLVM has no intrinsic {name}", hint='names are those of the LLVM language, as "llvm.sqrt.f32"'
        )
    line = re.search(r"^declare .*@(llvm\.[\w.]+)\((.*)\)(.*)$", declaration, re.MULTILINE)
    if line is None or "#" not in line[3]:  # LLVM gives attributes to those that it knows
        raise CodegenError(
            f"LLVM's {name} has other types than {words}",
            hint="the first argument says how many arguments have types; the others are those of the intrinsic",
        )
    parameters = line[2].split(", ")
    return line[1], tuple(i for i, p in enumerate(parameters) if "immarg" in p)


def _declaration(name: str, result: str, types: tuple[str, ...]) -> str | None:
    """How LLVM prints the declaration of an intrinsic, or None if it cannot read it."""
    if not re.fullmatch(r"llvm\.[A-Za-z0-9_.]+", name):
        return None
    try:
        return str(llvm.parse_assembly(f"declare {result} @{name}({', '.join(types)})"))
    except RuntimeError:
        return None


def is_known(name: str) -> bool:
    """Whether LLVM has an intrinsic of this name, with types in it or without."""
    declaration = _declaration(name, "void", ())
    return declaration is not None and "Unknown intrinsic" not in declaration


@lru_cache(maxsize=256)
def _try_out(
    name: str, result: str, types: tuple[str, ...], constants: tuple[tuple[int, str], ...], target: Target
) -> None:
    """Raise CodegenError when LLVM makes no code of an intrinsic for a target."""
    given = dict(constants)
    values = ", ".join(f"{t} {given.get(i, f'%x{i}')}" for i, t in enumerate(types))
    parameters = ", ".join(f"{t} %x{i}" for i, t in enumerate(types))
    call, back = f"call {result} @{name}({values})", f"ret {result} %y"
    if result == "void":
        back = "ret void"
    else:
        call = f"%y = {call}"
    text = (
        f"declare {result} @{name}({', '.join(types)})\n"
        f"define {result} @tried({parameters}) {{\n  {call}\n  {back}\n}}\n"
    )
    try:
        try_code(text, target)
    except (CodegenError, RuntimeError) as error:
        first = str(error).splitlines()[0]
        raise CodegenError(
            f"LLVM makes no code of {name} for {target.cpu}: {first}",
            hint="an intrinsic of a processor is for those that have its instructions",
        ) from None
