"""Rare arguments: a function of their own, off the path of the usual ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tewb.base import DType
from tewb.codegen.function import Function
from tewb.codegen.types import suffix, value_type

Rule = Callable[[Function, DType, Sequence[str]], str]


def choose(
    f: Function, d: DType, rare: str, args: Sequence[str], usual: Callable[[], str], name: str, exact: Rule
) -> str:
    """`usual()`, or the function `exact` where a lane of `rare` is set."""
    if d.lanes > 1:
        reduce = f"llvm.vector.reduce.or.v{d.lanes}i1"
        f.module.declare(reduce, f"i1 @{reduce}(<{d.lanes} x i1>)")
        rare = f.ins(f"call i1 @{reduce}(<{d.lanes} x i1> {rare})")
    t = value_type(d)
    far, near, done = f.label(), f.label(), f.label()
    f.branch(rare, far, near)
    f.start(near)
    fast = usual()
    from_near = f.block
    f.jump(done)
    f.start(far)
    given = ", ".join(f"{t} {a}" for a in args)
    slow = f.ins(f"call {t} @{outlined(f, d, len(args), name, exact)}({given})")
    f.jump(done)
    f.start(done)
    return f.ins(f"phi {t} [ {fast}, %{from_near} ], [ {slow}, %{far} ]")


def outlined(f: Function, d: DType, count: int, name: str, exact: Rule) -> str:
    """Emit a function that computes `exact`, once in a module; returns its name."""
    symbol = f"tewb.{name}.{suffix(d)}"
    header = f"define internal {value_type(d)} @{symbol}("
    if not any(text.startswith(header) for text in f.module.functions):
        t = value_type(d)
        names = [f"%x{k}" for k in range(count)]
        own = Function(f.module, f"{header}{', '.join(f'{t} {x}' for x in names)}) noinline cold nounwind")
        own.do(f"ret {t} {exact(own, d, names)}")
        f.module.functions.append(own.text())
    return symbol
