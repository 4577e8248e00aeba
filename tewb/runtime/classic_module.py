"""Modules: what classic programs ask of the thing that `build` gives, besides calling it.

A module there held several functions, an entry among them. Here every kernel stands for the module that it was built
in: calling it calls its own function, `module["name"]` is another one.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from tewb.base import ArgumentError, NameNotFoundError, brief, here

_UNNAMED = ("main", "default_function")  # the kernel that build was given no name for


class Module:
    """The classic interface of a module, for a kernel with its `code` and its `name`."""

    name: str
    code: Any

    # ---- its functions

    def __getitem__(self, name: str) -> Any:
        """The kernel `name` of this module. Raises NameNotFoundError, an AttributeError, when there is none."""
        return self.get_function(name)

    def get_function(self, name: str, query_imports: bool = False) -> Any:
        """The kernel `name` of this module; it imports no other modules, which `query_imports` would include. The one
        that nobody gave a name is "main", and "default_function" as in classic TE. Raises NameNotFoundError."""
        if name in (self.name, "__tvm_main__"):
            return self
        own = self._own_name(name)
        if own == self.name:
            return self
        if own is None:
            names = self._names()
            near = difflib.get_close_matches(str(name), names, 1)
            raise NameNotFoundError(
                f"there is no kernel {brief(repr(name))} in this module",
                hint=f"{f'did you mean {near[0]}? ' if near else ''}it has {', '.join(names)}",
                span=here(),
            )
        return self.code.kernel(own)

    def _own_name(self, name: str) -> str | None:
        """The name by which this module knows the kernel `name`, or None."""
        names = self._names()
        if name in names:
            return name
        return next((n for n in _UNNAMED if n in names), None) if name in _UNNAMED else None

    def implements_function(self, name: str, query_imports: bool = False) -> bool:
        """Whether there is a kernel of this name."""
        return name == "__tvm_main__" or self._own_name(name) is not None

    def _names(self) -> tuple[str, ...]:
        return (self.name,) if self.code is None else self.code.names

    @property
    def entry_func(self) -> Self:
        """The function that calling the module calls: this kernel."""
        return self

    @property
    def entry_name(self) -> str:
        """The name of this kernel."""
        return self.name

    @property
    def imported_modules(self) -> list[Any]:
        """None: device code of other processors would be here."""
        return []

    def import_module(self, module: Any) -> None:
        """Raises ArgumentError: all functions of a module are built together."""
        raise ArgumentError(
            "a module imports no other one", hint="build an IRModule that has all functions", span=here()
        )

    type_key = format = "llvm"
    is_dso_exportable, is_device_module, is_binary_serializable, is_runnable = True, False, False, True

    # ---- as files

    def save(self, file_name: str | os.PathLike[str], fmt: str = "") -> None:
        """Write one file: .ll (LLVM IR), .bc (bitcode), .s or .asm (assembly), .o (object code). `fmt` is the ending
        where the name has none. Raises ArgumentError for another one."""
        path = Path(os.fspath(file_name))
        ending = fmt or path.suffix[1:]
        writers: dict[str, Callable[[], bytes]] = {
            "ll": lambda: self.code.optimized_ir.encode(),
            "bc": lambda: self.code.bitcode(),
            "s": lambda: self.code.assembly.encode(),
            "asm": lambda: self.code.assembly.encode(),
            "o": lambda: self.code.exported().code,
            "obj": lambda: self.code.exported().code,
        }
        if ending not in writers:
            raise ArgumentError(
                f"save: {brief(repr(ending))} is no form of code",
                hint=f"{', '.join(writers)} are; export_library writes shared libraries",
                span=here(),
            )
        path.write_bytes(writers[ending]())

    def export_library(
        self,
        file_name: str | os.PathLike[str],
        fcompile: Callable[..., Any] | None = None,
        addons: Any = None,
        workspace_dir: Any = None,
        **options: Any,
    ) -> None:
        """Write this module as a library, with a C header: .so, .o, or .tar with both. `fcompile(output, objects,
        **options)` links a shared library, for which a C compiler is looked for otherwise (CC, cc, gcc, clang, that of
        `pip install ziglang`). `tewb.load_module` loads it in another process; C programs call its functions.

        Raises ArgumentError for another ending, CodegenError when nothing here can link.
        """
        if addons:
            raise ArgumentError(
                "export_library: addons are no part of a library here",
                hint='link them: export_library(path, options=["other.o"])',
                span=here(),
            )
        self.code.exported().write(Path(os.fspath(file_name)), fcompile, **options)

    # ---- copies

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __reduce__(self) -> Any:
        """Kernels pickle as their IR and target: they are compiled again where they arrive, or come from the cache
        there. Raises ArgumentError for one from a library, which is only machine code."""
        return self.code.pickled(self.name)
