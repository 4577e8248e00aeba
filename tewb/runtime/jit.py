"""LLVM text to machine code: parse, verify, optimise, load."""

from __future__ import annotations

import re
import threading
from functools import cached_property, lru_cache
from typing import Any

import llvmlite.binding as llvm

from tewb.base import CodegenError

_lock = threading.RLock()


@lru_cache(maxsize=1)
def host() -> tuple[str, str, str]:
    """The triple, CPU name and feature string of this machine."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.get_default_triple(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


def target_machine(level: int = 2) -> Any:
    """A new target machine for this host (an engine takes its own)."""
    triple, cpu, features = host()
    return llvm.Target.from_triple(triple).create_target_machine(
        cpu=cpu, features=features, opt=level, jit=True
    )


@lru_cache(maxsize=1)
def data_layout() -> str:
    """How this host lays out data, in LLVM's words."""
    return str(target_machine().target_data)


def register_symbol(name: str, address: int) -> None:
    """Let generated code call `name`, which lives at `address`."""
    llvm.add_symbol(name, address)


class Compiled:
    """Machine code of one module. It lives as long as this object. With `plain` the text is translated as it
    stands, which takes half of the time."""

    def __init__(self, text: str, level: int = 2, plain: bool = False) -> None:
        triple, _, _ = host()
        self.llvm_ir = f'target triple = "{triple}"\ntarget datalayout = "{data_layout()}"\n{text}'
        with _lock:
            module = _parse(self.llvm_ir)
            machine = target_machine(level)
            _optimize(module, machine, 0 if plain else level)
            self.optimized_ir = str(module)
            _check_symbols(module)
            self._engine = llvm.create_mcjit_compiler(module, machine)
            self._engine.finalize_object()

    def address(self, name: str) -> int:
        """The address of a function of this module."""
        return int(self._engine.get_function_address(name))

    @cached_property
    def assembly(self) -> str:
        """The machine code as assembly text."""
        with _lock:
            return str(target_machine().emit_assembly(llvm.parse_assembly(self.optimized_ir)))


def _parse(text: str) -> Any:
    try:
        module = llvm.parse_assembly(text)
        module.verify()
    except RuntimeError as e:
        raise CodegenError(
            f"LLVM does not take the code that tewb made: {e}\n{_line_of(str(e), text)}"
        ) from e
    return module


def _line_of(message: str, text: str) -> str:
    found = re.search(r":(\d+):", message)
    lines = text.splitlines()
    number = int(found[1]) if found else 0
    return lines[number - 1] if 0 < number <= len(lines) else ""


def _optimize(module: Any, machine: Any, level: int) -> None:
    if level == 0:
        return
    options = llvm.create_pipeline_tuning_options(speed_level=level)
    options.loop_vectorization = options.slp_vectorization = True
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)


def _check_symbols(module: Any) -> None:
    """MCJIT would return normally on a missing symbol and jump to nowhere at the call."""
    for f in module.functions:
        if f.is_declaration and not f.name.startswith("llvm.") and llvm.address_of_symbol(f.name) is None:
            raise CodegenError(f"the function {f.name} is called and does not exist on this machine")
