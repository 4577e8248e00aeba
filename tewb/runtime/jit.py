"""LLVM text to machine code: parse, verify, optimise, emit an object, load it."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any
from weakref import WeakSet

import llvmlite
import llvmlite.binding as llvm

from tewb.base import CodegenError, TewbError, lazy, native, once, option
from tewb.runtime import wide_division
from tewb.runtime.llvm_process import OutOfTime, can_start, do_in_another_process, remarks, takes_long
from tewb.runtime.llvm_work import Done, Work, do, optimize, parse
from tewb.runtime.object_cache import ObjectCode, object_cache, sha256
from tewb.runtime.target import IS_NEAR, Target, host

_lock = threading.RLock()
# llvmlite's own lock, for everything that LLVM does; nobody's where it has another form.
_llvm_lock: Any = getattr(getattr(llvm.ffi.lib, "_lock", None), "_lock", None) or threading.RLock()
_begun: WeakSet[Compiled] = WeakSet()  # what threads are making now


def _before_fork() -> None:
    """LLVM and its lock stand still while a process forks, or the child could never use them."""
    _lock.acquire()
    _llvm_lock.acquire()


def _after_fork() -> None:
    _llvm_lock.release()
    _lock.release()


def _after_fork_in_child() -> None:
    _after_fork()
    for compiled in list(_begun):  # by threads that are not here
        compiled._making = threading.RLock()
    _begun.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child)


def register_symbol(name: str, address: int) -> None:
    """Let generated code call `name`, which lives at `address`."""
    llvm.add_symbol(name, address)


def address_of(name: str) -> int | None:
    """The address of a symbol: that of a native function of this name, or of this process; None if there is none."""
    registered = native(name)
    address: int | None = llvm.address_of_symbol(name) if registered is None else registered.address
    return address


class Translated:
    """LLVM text on the way to the code of `target`, this machine unless one is given: optimised, and as assembly.
    Nothing is loaded. `text` may be a function, which is called when the text is needed; with `plain` it is
    translated as it stands, which takes half of the time. `cause` says what made a text long, as the end of a sentence.
    """

    def __init__(
        self,
        text: str | Callable[[], str],
        level: int = 2,
        plain: bool = False,
        target: Target | None = None,
        cause: Callable[[], str] = str,
    ) -> None:
        self._text, self._level, self._plain, self._cause = text, level, plain, cause
        self.target = target or Target.host()

    @lazy
    def llvm_ir(self) -> str:
        """LLVM IR before optimisation."""
        text = self._text if isinstance(self._text, str) else self._text()
        target = self.target
        return f'target triple = "{target.triple}"\ntarget datalayout = "{target.data_layout}"\n{text}'

    @lazy
    def optimized_ir(self) -> str:
        """LLVM IR after optimisation; made when it is asked for, where the code came from the cache."""
        level = 0 if self._plain else self._level
        if takes_long(self.llvm_ir):
            return self._do(self.llvm_ir, level, self._level).optimized
        with _lock:
            return str(optimized(self.llvm_ir, self.target.machine(self._level), level))

    @lazy
    def assembly(self) -> str:
        """The machine code as assembly text."""
        return self._do(self.optimized_ir, 0, self._level, assembly=True).code.decode()

    def object_code(self) -> bytes:
        """The object file of this text, for a linker. Raises CodegenError."""
        return self._do(self.llvm_ir, self._level, self._level, linked=True).code

    def _do(
        self, text: str, level: int, machine_level: int, assembly: bool = False, linked: bool = False
    ) -> Done:
        """LLVM's work on a text: in a process of its own where it may be long. `linked` code goes to a linker and not
        to memory. Raises CodegenError."""
        target = self.target
        options = target.machine_options(machine_level, linked)
        work = Work(text, level, target.triple, target.cpu, target.llvm_features, options, assembly)
        done = None
        try:
            if takes_long(text) and can_start():
                done = do_in_another_process(work, target.runs_here, _limit())
            if done is None:
                with _lock:
                    done = do(work, target.machine(machine_level, linked))
        except TewbError:
            raise
        except RuntimeError as e:
            raise _refusal(e, text) from e
        except OutOfTime as e:
            raise CodegenError(
                f"LLVM has worked on this kernel for {_limit():g} s, and was stopped: its text has "
                f"{len(text) / 2**20:.1f} MB{self._cause()}",
                hint='unroll and fuse less, or allow more seconds with the option "tewb.build_timeout"',
            ) from e
        return done


def try_code(text: str, target: Target) -> None:
    """Have another process make code of a text, on which LLVM may crash. Raises CodegenError or RuntimeError when none
    is made; does nothing where no process can be started."""
    if can_start():
        options = target.machine_options(0, False)
        work = Work(text, 0, target.triple, target.cpu, target.llvm_features, options)
        if do_in_another_process(work, target.runs_here, _limit()) is None:
            raise CodegenError("LLVM gave up")


def llvm_says(text: str, level: int, target: Target, switches: Sequence[str], limit: float) -> str:
    """What LLVM, with these switches of its command line, writes to stderr while another process optimises a text; nothing
    where no process can be started. Raises CodegenError when that takes more than `limit` seconds."""
    options = target.machine_options(level, False)
    work = Work(
        text, level, target.triple, target.cpu, target.llvm_features, options, switches=tuple(switches)
    )
    try:
        return remarks(work, limit)
    except OutOfTime:
        raise CodegenError(
            f"LLVM took more than {limit:g} s", hint="unroll less, or take smaller vectors"
        ) from None


# A function that others call, and that does nothing but what must not be done.
_NOWHERE = re.compile(r"^define (?!internal )[^\n]*\{\n(?:[^\n ][^\n]*\n)?  unreachable", re.MULTILINE)


class Compiled(Translated):
    """Machine code of one module, for a target that runs here. It is made, or taken from the cache, when the
    address of a function is asked for, and lives as long as this object.

    Where `named` says all that a text depends on, a `text` that is a function is called only when the code is in
    no cache, or the text is asked for. `about` makes the data that is kept with the code, `provide` registers symbols
    that the code needs.
    """

    def __init__(
        self,
        text: str | Callable[[], str],
        level: int = 2,
        plain: bool = False,
        named: str | None = None,
        about: Callable[[], bytes] = bytes,
        provide: Callable[[Sequence[str]], None] = lambda symbols: None,
        target: Target | None = None,
        cause: Callable[[], str] = str,
    ) -> None:
        super().__init__(text, level, plain, target, cause)
        self._named, self._about, self._provide = named, about, provide
        self._making = threading.RLock()

    @property
    def about(self) -> bytes:
        """The data that is kept with the code."""
        return self._loaded[1]

    def address(self, name: str) -> int:
        """The address of a function of this module. Raises CodegenError when the code cannot be made."""
        return self._loaded[0].address(name)

    @property
    def _loaded(self) -> tuple[Library, bytes]:
        known = self.__dict__.get("_library")
        if known is None:
            _begun.add(self)
            try:
                with self._making:
                    known = (
                        self.__dict__.get("_library") or self._load()
                    )  # another thread may have been first
            finally:
                _begun.discard(self)
        return known

    def _load(self) -> tuple[Library, bytes]:
        object_code = self._object()
        self._provide(object_code.symbols)
        library = Library(object_code.code, object_code.symbols)
        self.__dict__["_library"] = library, object_code.about
        return library, object_code.about

    def _object(self) -> ObjectCode:
        """The object code: from the cache, or compiled."""
        cache = object_cache()
        if cache is None:
            return self._compile()
        key = _key(self._named or self.llvm_ir, self._level, self._plain, self.target)
        object_code = cache.load(key)
        if object_code is None:
            object_code = self._compile()
            cache.store(key, object_code)
        return object_code

    def _compile(self) -> ObjectCode:
        done = self._do(self.llvm_ir, 0 if self._plain else self._level, self._level)
        self.__dict__["optimized_ir"] = done.optimized
        if _NOWHERE.search(
            done.optimized
        ):  # its code would be empty, on which LLVM's linker ends the process
            raise CodegenError(
                "LLVM finds that a kernel can never be run to its end, whatever its arguments are",
                hint="look at the functions that it calls, and at imported LLVM text: unreachable ends the process",
            )
        return ObjectCode(done.code, done.symbols, self._about())


def _limit() -> float:
    """Seconds that LLVM may work on one text."""
    return float(option("tewb.build_timeout"))


class Library:
    """Object code in memory, as long as this object lives. With `own`, it has the wide divisions that it calls."""

    def __init__(self, code: bytes, symbols: Iterable[str], own: bool = False) -> None:
        with _lock:
            self._linker, self._name = _linker()
        builder = llvm.JITLibraryBuilder().add_object_img(code)
        for name in symbols:
            address = address_of(name)
            if address is None:
                raise CodegenError(f"the function {name} is called and does not exist on this machine")
            builder.import_symbol(name, address)
        for name in () if own else wide_division.called_by(code):
            builder.import_symbol(name, _wide_divisions().address(name))
        try:
            self._held = [builder.add_current_process().link(self._linker, self._name)]
        except RuntimeError as e:
            raise CodegenError(f"LLVM cannot load the code that it made: {e}") from e

    def address(self, name: str) -> int:
        """The address of one of its functions."""
        with _lock:
            try:
                resource = self._linker.lookup(self._name, name)
            except RuntimeError as e:
                raise CodegenError(f"LLVM cannot load the code that it made: {e}") from e
        self._held.append(resource)
        return int(resource[name])


@once
def _wide_divisions() -> Library:
    """The divisions of 128-bit integers, compiled when the first code calls one."""
    machine = Target.host().machine()
    module = optimized(wide_division.text(), machine, 2)
    return Library(bytes(machine.emit_object(module)), (), own=True)


# LLVM's linker loads code in a quarter of the time that an engine for each module takes. It keeps 10 KB for
# every library that was ever in it, so after _MOST of them a new linker takes over, and the old one goes with
# its last library.
_MOST = 256
_linkers: list[tuple[Any, Iterator[int]]] = []


def _linker() -> tuple[Any, str]:
    """A linker, and a name for one more library in it."""
    number = next(_linkers[-1][1], None) if _linkers else None
    if number is None:
        linker = llvm.create_lljit_compiler(Target.host().machine(), use_jit_link=IS_NEAR)
        _linkers[:] = [(linker, iter(range(1, _MOST)))]
        number = 0
    return _linkers[-1][0], f"tewb.{number}"


def _parse(text: str) -> Any:
    try:
        return parse(text)
    except RuntimeError as e:
        raise _refusal(e, text) from e


def _refusal(e: RuntimeError, text: str) -> CodegenError:
    return CodegenError(f"LLVM does not take the code that tewb made: {e}\n{_line_of(str(e), text)}")


def _line_of(message: str, text: str) -> str:
    location = re.search(r":(\d+):", message)
    lines = text.splitlines()
    number = int(location[1]) if location else 0
    return lines[number - 1] if 0 < number <= len(lines) else ""


def optimized(text: str, machine: Any, level: int) -> Any:
    """The module of an LLVM text, after optimisation."""
    module = _parse(text)
    optimize(module, machine, level, text)
    return module


def bitcode(text: str) -> bytes:
    """An LLVM text as bitcode."""
    return bytes(_parse(text).as_bitcode())


def _key(text: str, level: int, plain: bool, target: Target) -> str:
    """A digest of everything that the object code of a text depends on."""
    return sha256(
        f"{_circumstances()} {level} {plain} {target!r}\n{text}".encode("utf-8", "surrogatepass")
    ).hex()


@lru_cache(maxsize=1)
def _circumstances() -> str:
    """What else the code depends on: this machine, LLVM, and the sources of this package."""
    return f"{host()} {llvmlite.__version__} {llvm.llvm_version_info} {_recipe()}"


def _recipe() -> str:
    """A digest of the sources that turn IR into machine code: 80 files, which takes 1.3 ms. Where tewb is imported
    from an archive there are no files to read."""
    root, sources = os.path.dirname(os.path.dirname(__file__)), []
    for package in ("base", "ir", "arith", "lowering", "codegen", "runtime"):
        for folder, _, names in sorted(os.walk(os.path.join(root, package))):
            for name in sorted(n for n in names if n.endswith(".py")):
                with open(os.path.join(folder, name), "rb") as f:
                    sources.append(f"{package} {name}\n".encode() + f.read())
    return sha256(b"".join(sources)).hex()
