"""LLVM text to machine code: parse, verify, optimise, emit an object, load it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm

from tewb.base import CodegenError
from tewb.runtime.object_cache import ObjectCode, object_cache, sha256
from tewb.runtime.target import Target, host

_lock = threading.RLock()


def register_symbol(name: str, address: int) -> None:
    """Let generated code call `name`, which lives at `address`."""
    llvm.add_symbol(name, address)


class Translated:
    """LLVM text on the way to the code of `target`: optimised, and as assembly. Nothing is loaded."""

    def __init__(self, text: str, level: int = 2, target: Target | None = None, plain: bool = False) -> None:
        self.target = target or Target.host()
        triple, layout = self.target.triple, self.target.data_layout
        self.llvm_ir = f'target triple = "{triple}"\ntarget datalayout = "{layout}"\n{text}'
        self._level, self._plain = level, plain

    def _optimized(self, machine: Any) -> Any:
        module = _parse(self.llvm_ir)
        _optimize(module, machine, 0 if self._plain else self._level)
        return module

    @cached_property
    def optimized_ir(self) -> str:
        """LLVM IR after optimisation; made when it is asked for, where the code came from the cache."""
        with _lock:
            return str(self._optimized(self.target.machine(self._level)))

    @cached_property
    def assembly(self) -> str:
        """The machine code as assembly text."""
        with _lock:
            return str(self.target.machine().emit_assembly(llvm.parse_assembly(self.optimized_ir)))


class Compiled(Translated):
    """Machine code of one module, for a target that runs here. It lives as long as this object. With `plain` the
    text is translated as it stands, which takes half of the time."""

    def __init__(self, text: str, level: int = 2, plain: bool = False, target: Target | None = None) -> None:
        super().__init__(text, level, target, plain)
        with _lock:
            found = self._object()
            _check_symbols(found.symbols)
            self._engine = _load(found.code, level)

    def _object(self) -> ObjectCode:
        """The object code: from the cache, or compiled."""
        cache = object_cache()
        if cache is None:
            return self._compile()
        key = _key(self.llvm_ir, self._level, self._plain, self.target)
        found = cache.load(key)
        if found is None:
            found = self._compile()
            cache.store(key, found)
        return found

    def _compile(self) -> ObjectCode:
        machine = self.target.machine(self._level)
        module = self._optimized(machine)
        self.optimized_ir = str(module)  # now: to emit code changes the module
        symbols = _symbols(module)
        return ObjectCode(bytes(machine.emit_object(module)), symbols)

    def address(self, name: str) -> int:
        """The address of a function of this module."""
        return int(self._engine.get_function_address(name))


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


def _symbols(module: Any) -> tuple[str, ...]:
    """The functions and objects that a module takes from elsewhere."""
    everything = (*module.functions, *module.global_variables)
    return tuple(f.name for f in everything if f.is_declaration and not f.name.startswith("llvm."))


def _check_symbols(names: Iterable[str]) -> None:
    """MCJIT would return normally on a missing symbol and jump to nowhere at the call."""
    for name in names:
        if llvm.address_of_symbol(name) is None:
            raise CodegenError(f"the function {name} is called and does not exist on this machine")


def _load(code: bytes, level: int) -> Any:
    """An engine that holds object code."""
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), Target.host().machine(level))
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return engine


def _key(text: str, level: int, plain: bool, target: Target | None = None) -> str:
    """A name for all that the object code of a text depends on."""
    return sha256(f"{_circumstances()} {level} {plain} {target!r}\n{text}".encode()).hex()


@lru_cache(maxsize=1)
def _circumstances() -> str:
    """What else makes the code what it is: this machine, LLVM, and the way from text to code, which is
    written in this file and in that of targets."""
    recipe = ""
    for path in (Path(__file__), Path(__file__).with_name("target.py")):
        with suppress(OSError):  # imported from an archive
            recipe += path.read_text(encoding="utf-8")
    return f"{host()} {llvmlite.__version__} {llvm.llvm_version_info} {recipe}"
