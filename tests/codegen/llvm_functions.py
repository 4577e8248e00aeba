"""Instructions without IR around them: what a writer of LLVM text computes, called on arrays."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tewb.base import DType
from tewb.codegen.function import Function, Module
from tewb.codegen.types import memory_type, value_type
from tewb.runtime import Target
from tewb.runtime.jit import Compiled

Writer = Callable[[Function, Sequence[str]], str]


def function(target: str | None = None) -> Function:
    """An empty function, to look at the text of."""
    return Function(Module(Target.of(target)), "define void @f()")


def text_of(write: Writer, arguments: Sequence[DType], result: DType, target: str | None = None) -> str:
    """A module whose function `f` stores what `write` computes at its first pointer, from values at the others."""
    module = Module(Target.of(target))
    names = [f"%p{n}" for n in range(len(arguments))]
    f = Function(module, f"define void @f({', '.join(f'ptr {p}' for p in ('%out', *names))})")
    values = [_loaded(f, p, d) for p, d in zip(names, arguments, strict=True)]
    value = write(f, values)
    if result.is_bool:
        value = f.ins(f"zext {value_type(result)} {value} to {memory_type(result)}")
    f.do(f"store {memory_type(result)} {value}, ptr %out, align 1")
    f.do("ret void")
    return "\n".join([*module.declarations.values(), *module.functions, f.text()]) + "\n"


def _loaded(f: Function, p: str, d: DType) -> str:
    x = f.ins(f"load {memory_type(d)}, ptr {p}, align 1")
    if not d.is_bool:
        return x
    return f.ins(f"icmp ne {memory_type(d)} {x}, {'0' if d.lanes == 1 else 'zeroinitializer'}")


def computed(
    write: Writer, *arrays: Any, result: str | None = None, lanes: int = 1, target: str | None = None
) -> Any:
    """`write` applied to arrays, `lanes` elements at a time; the result has dtype `result`, or that of the first."""
    d = DType(result or str(arrays[0].dtype))
    text = text_of(
        write, [DType(str(a.dtype)).with_lanes(lanes) for a in arrays], d.with_lanes(lanes), target
    )
    code = Compiled(text)
    call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (len(arrays) + 1))(code.address("f"))
    arrays = tuple(np.ascontiguousarray(a) for a in arrays)
    out = np.zeros(len(arrays[0]), str(d))
    assert len(out) % lanes == 0
    for at in range(0, len(out), lanes):
        call(*[a.ctypes.data + at * a.itemsize for a in (out, *arrays)])
    return out
