"""Debug locations: one for each line of a function, and metadata that LLVM understands."""

from __future__ import annotations

from tests.codegen.llvm_functions import function
from tewb.base import DType
from tewb.codegen.debug_locations import DebugInfo
from tewb.codegen.function import Module
from tewb.ir import Evaluate, Node, Var, const
from tewb.runtime import Target
from tewb.runtime.llvm_work import parse

FIRST, SECOND, UNNUMBERED = (Evaluate(const(n)) for n in range(3))


def test_statements_of_a_line_share_a_location() -> None:
    module = Module(Target.host())
    info = DebugInfo(module, {id(FIRST): 3, id(SECOND): 4, id(FIRST.value): 3})
    scope = info.scope("f")
    locate = info.locator(scope)
    a, b, c, none = (locate(n) for n in (FIRST, SECOND, FIRST.value, UNNUMBERED))
    assert a == c != b and none is None
    assert module.metadata[int((b or "")[1:])] == f"!DILocation(line: 4, column: 1, scope: {scope})"


def test_each_function_has_locations_of_its_own() -> None:
    module = Module(Target.host())
    info = DebugInfo(module, {id(FIRST): 3})
    f, g = info.scope("f"), info.scope("g")
    assert f != g and info.locator(f)(FIRST) != info.locator(g)(FIRST)


def test_llvm_understands_the_metadata() -> None:
    f = function()
    info = DebugInfo(f.module, {id(FIRST): 3})
    scope = info.scope('a "name"\n')
    f.location = info.start(scope)
    f.ins("add i32 1, 2")
    f.location = info.locator(scope)(FIRST)
    f.do("ret void")
    f.header += f" !dbg {scope}"
    nodes = [f"!{n} = {text}" for n, text in enumerate(f.module.metadata)]
    module = parse("\n".join([f.text(), *info.named(), *nodes]))
    assert "!DILocation(line: 3, column: 1" in str(module) and "!DILocation(line: 0" in str(module)


def test_nodes_are_told_apart_by_identity() -> None:
    x = Var("x", DType("int32"))
    equal: list[Node] = [Evaluate(x), Evaluate(x)]
    info = DebugInfo(Module(Target.host()), {id(equal[0]): 7})
    locate = info.locator(info.scope("f"))
    assert locate(equal[0]) is not None and locate(equal[1]) is None
