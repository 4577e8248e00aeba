"""Debug locations: machine code knows the IR statement that it came from."""

from __future__ import annotations

from collections.abc import Callable

from tewb.base import llvm_string
from tewb.codegen.function import Module
from tewb.ir import Node


class DebugInfo:
    """Debug locations: the line of an instruction is the line of its statement in the IR's text."""

    def __init__(self, module: Module, numbers: dict[int, int]) -> None:
        self.module, self.numbers = module, numbers
        self.file = module.meta('!DIFile(filename: "tewb.ir", directory: ".")')
        self.unit = module.meta(
            f'distinct !DICompileUnit(language: DW_LANG_C99, file: {self.file}, producer: "tewb", '
            "isOptimized: true, runtimeVersion: 0, emissionKind: LineTablesOnly)"
        )
        self.kind = module.meta("!DISubroutineType(types: !{null})")
        self.version = module.meta('!{i32 2, !"Debug Info Version", i32 3}')
        self.dwarf = module.meta('!{i32 7, !"Dwarf Version", i32 4}')

    def named(self) -> list[str]:
        """The named metadata that ends a module."""
        return [f"!llvm.dbg.cu = !{{{self.unit}}}", f"!llvm.module.flags = !{{{self.version}, {self.dwarf}}}"]

    def scope(self, name: str) -> str:
        """A new subprogram: each LLVM function has its own."""
        return self.module.meta(
            f"distinct !DISubprogram(name: {llvm_string(name)}, scope: {self.file}, file: {self.file}, line: 1, type: {self.kind}, "
            f"scopeLine: 1, spFlags: DISPFlagDefinition | DISPFlagOptimized, unit: {self.unit})"
        )

    def start(self, scope: str) -> str:
        """The location of code that belongs to no statement."""
        return self.module.meta(f"!DILocation(line: 0, scope: {scope})")

    def locator(self, scope: str) -> Callable[[Node], str | None]:
        """Debug locations of statements in one function."""
        locations: dict[int, str] = {}

        def locate(n: Node) -> str | None:
            line = self.numbers.get(id(n))
            if line is None:
                return None
            if line not in locations:
                locations[line] = self.module.meta(f"!DILocation(line: {line}, column: 1, scope: {scope})")
            return locations[line]

        return locate
