"""Loading: kernels from a file that `export_library` wrote, in another process, on an equal machine.

    kernel = tewb.load_module("blur.so")

To load a library is to run its code: load what you trust. Nothing is loaded unasked.
"""

from __future__ import annotations

import ctypes
import os
import tarfile
import tempfile
from pathlib import Path
from typing import Any, NoReturn

from tewb.base import ArgumentError, CodegenError, here, lazy, native
from tewb.runtime.abi import HOOKS, Description, KernelSignature
from tewb.runtime.callbacks import register_native
from tewb.runtime.exported import OBJECTS, SHARED
from tewb.runtime.jit import Library, address_of
from tewb.runtime.kernel import Kernel
from tewb.runtime.target import Target
from tewb.runtime.thread_pool import pool

TEXTS = (".ll", ".bc", ".s", ".asm")  # what `save` writes and LLVM reads


def load_module(path: str | os.PathLike[str], fmt: str = "") -> Kernel:
    """The first kernel of a library that `export_library` wrote; `kernel["name"]` is another one of the same file.
    `fmt` is its ending where the name has none. Loading runs code of the file: load what you trust.

    Raises ArgumentError for a file that is not there or is no such library, CodegenError for one that was made for
    another processor, or that needs functions which are not here.
    """
    file = Path(os.fspath(path))
    ending = f".{fmt}".lower() if fmt else file.suffix.lower()
    if not file.is_file():
        raise ArgumentError(f"load_module: there is no file {file}", span=here())
    if ending in SHARED:
        return _SharedLibrary(file).first()
    if ending in OBJECTS:
        return _ObjectFile(file, file.read_bytes()).first()
    if ending == ".tar":
        return _ObjectFile(file, _object_in(file)).first()
    if ending in TEXTS:
        raise ArgumentError(
            f"load_module: {file.name} is code as LLVM reads it, which does not say what its kernels take",
            hint='save the kernel as ".o", which load_module loads; s[C].pragma(loop, "import_llvm", path) links LLVM text',
            span=here(),
        )
    raise ArgumentError(
        f"load_module: {file.name} is no library",
        hint=f"files that end with {', '.join((*SHARED, *OBJECTS, '.tar'))} are",
        span=here(),
    )


def system_lib(symbol_prefix: str = "") -> Kernel:
    """The first kernel of the libraries that this process was linked with, or that it loaded; `kernel["name"]` is another
    one. Those that were built for `llvm --system-lib` are all found, of others the first, if it was loaded with
    RTLD_GLOBAL."""
    if symbol_prefix:
        raise ArgumentError(
            f"system_lib: no symbol here begins with {symbol_prefix!r}",
            hint="leave the prefix out",
            span=here(),
        )
    return _SystemLibraries().first()


def _object_in(file: Path) -> bytes:
    """The object file of an archive; nothing is unpacked to the disk."""
    try:
        with tarfile.open(file) as tar:
            for member in tar:
                content = tar.extractfile(member) if member.name.endswith(OBJECTS) else None
                if content is not None:
                    return bytes(content.read())
    except tarfile.TarError:
        pass
    raise _not_ours(file)


class LoadedLibrary:
    """Kernels of a library in memory. As `kernel.code` it has no text: a library keeps none."""

    def __init__(self, file: Path | None) -> None:
        self.file = file
        self.descriptions = [self._description(text) for text in self._abouts()]
        # Libraries that we call stay loaded for as long as this one.
        needed = [name for d in self.descriptions for name in d.natives]
        self._natives = [n for n in map(native, needed) if n is not None]
        self._fill_hooks()

    def _abouts(self) -> list[bytes]:
        """The texts that describe the kernels."""
        return [ctypes.string_at(self._symbol("tewb_about"))]

    def _description(self, text: bytes) -> Description:
        try:
            description = Description.from_json(text.decode())
        except (ValueError, KeyError, TypeError) as e:
            raise ArgumentError(f"load_module: {self} was made by another tewb: {e}", span=here()) from None
        self._check_target(Target.processor(*description.target))
        return description

    def _symbol(self, name: str) -> int:
        """The address of a symbol of this library. Raises ArgumentError when it has none of this name."""
        raise NotImplementedError

    def _check_target(self, target: Target) -> None:
        if not target.runs_here:
            raise CodegenError(
                f"load_module: {self} is made for {target}, and this machine is {Target.host()}",
                hint='export it for all of them: tewb.build(s, args, target="llvm -mcpu=x86-64-v3")',
                span=here(),
            )

    def _fill_hooks(self) -> None:
        """Let these kernels call the runtime: its threads, its memory, and packed functions."""
        register_native()
        pool()
        for table in self._hook_tables():
            hooks = (ctypes.c_void_p * len(HOOKS)).from_address(table)
            for n, name in enumerate(HOOKS):
                hooks[n] = address_of(name)

    def _hook_tables(self) -> list[int]:
        """The addresses of the tables of functions that the kernels call."""
        return [self._symbol("tewb_hooks")]

    @lazy
    def _symbols(self) -> dict[str, tuple[str, KernelSignature]]:
        found = [(symbol, s) for d in self.descriptions for symbol, s in d.kernels.items()]
        return {s.name: (symbol, s) for symbol, s in reversed(found)}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the kernels in it."""
        return tuple(dict.fromkeys(s.name for d in self.descriptions for s in d.kernels.values()))

    def kernel(self, name: str) -> Kernel:
        """The kernel of this name, which is one of `names`."""
        symbol, signature = self._symbols[name]
        setters = dict.fromkeys(n.set_threads for n in self._natives if n.set_threads is not None)
        return Kernel(self._symbol(symbol), signature, self, tuple(setters))

    def first(self) -> Kernel:
        """The kernel that comes first."""
        return self.kernel(self.names[0])

    def __getattr__(self, name: str) -> NoReturn:
        """Texts and IR, which compiled modules have. Raises ArgumentError."""
        if name.startswith("_"):
            raise AttributeError(name)
        raise ArgumentError(
            f"{self} is machine code alone: a library keeps no text",
            hint="look at it where it is built: get_source, lower",
            span=here(),
        )

    def __str__(self) -> str:
        return self.file.name if self.file else "the library of this process"


class _SharedLibrary(LoadedLibrary):
    """A shared library that the system loads; of this process itself when there is no file."""

    def __init__(self, file: Path | None) -> None:
        try:
            self._library = _load_anew(file) if file else ctypes.CDLL(None)
        except OSError as e:
            raise CodegenError(f"load_module: the system does not load {file}: {e}", span=here()) from None
        super().__init__(file)

    def _abouts(self) -> list[bytes]:
        """The texts of all object files that it was linked of."""
        return _listed_texts(_pointer(self._library, "tewb_own_libs")) or super()._abouts()

    def _symbol(self, name: str) -> int:
        try:
            return ctypes.addressof(ctypes.c_char.in_dll(self._library, name))
        except ValueError:
            raise _not_ours(self.file) from None


def _pointer(library: ctypes.CDLL, name: str) -> int | None:
    """The address that a variable of a library holds; None where it has no such variable."""
    try:
        return ctypes.c_void_p.in_dll(library, name).value
    except ValueError:
        return None


def _listed_texts(at_first: int | None) -> list[bytes]:
    """The texts of a list, whose last entry is in the pointer at this address, from the first entry."""
    at = ctypes.c_void_p.from_address(at_first).value if at_first else None
    texts: list[bytes] = []
    while at:
        at, about = (ctypes.c_void_p * 2).from_address(at)
        texts.insert(0, ctypes.string_at(about or 0))
    return texts


class _SystemLibraries(_SharedLibrary):
    """The libraries of this process that were built for `--system-lib`, or, where there is none, another one."""

    def __init__(self) -> None:
        self._alone = [*_own_system_libraries()]
        super().__init__(None)

    def _abouts(self) -> list[bytes]:
        """The texts of all of them, from the one that was loaded first."""
        libraries = [*self._alone, self._library]
        texts = [
            text for library in libraries for text in _listed_texts(_address(library, "tewb_system_libs"))
        ]
        if texts:
            return texts
        return LoadedLibrary._abouts(self)

    def _symbol(self, name: str) -> int:
        for library in self._alone:
            at = _address(library, name)
            if at is not None:
                return at
        return super()._symbol(name)

    def _hook_tables(self) -> list[int]:
        found = [_address(library, "tewb_hooks") for library in (*self._alone, self._library)]
        return [at for at in found if at is not None] or super()._hook_tables()


class _LoadedObject(ctypes.Structure):
    """The begin of what `dl_iterate_phdr` tells of a library."""

    _fields_ = (("address", ctypes.c_void_p), ("name", ctypes.c_char_p))


def _own_system_libraries() -> list[ctypes.CDLL]:
    """The system libraries that only those who loaded them see, as `ctypes.CDLL` loads one."""
    each = getattr(ctypes.CDLL(None), "dl_iterate_phdr", None) if os.name == "posix" else None
    if each is None:
        return []
    names: list[bytes] = []

    def note(loaded: Any, size: int, data: int) -> int:
        names.append(loaded.contents.name or b"")
        return 0

    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_LoadedObject), ctypes.c_size_t, ctypes.c_void_p)
    each(kind(note), None)
    shared, found = _address(ctypes.CDLL(None), "tewb_system_libs"), []
    for name in filter(None, names):
        try:
            library = ctypes.CDLL(os.fsdecode(name), mode=os.RTLD_NOLOAD | os.RTLD_LAZY)
        except OSError:
            continue
        at = _address(library, "tewb_system_libs")
        if at not in (None, shared) and _listed_texts(at):
            found.append(library)
        else:
            _close(library)
    return found


def _close(library: ctypes.CDLL) -> None:
    """Let the system unload a library when nobody else uses it."""
    from _ctypes import dlclose  # only where libraries are so closed

    dlclose(library._handle)


def _address(library: ctypes.CDLL, name: str) -> int | None:
    """The address of a variable or function of a library; None where it has none of this name."""
    try:
        return ctypes.addressof(ctypes.c_char.in_dll(library, name))
    except ValueError:
        return None


class _ObjectFile(LoadedLibrary):
    """An object file, which LLVM's linker loads."""

    def __init__(self, file: Path, code: bytes) -> None:
        if b"tewb_about" not in code:
            raise _not_ours(file)
        self._library = Library(code, ())
        super().__init__(file)

    def _symbol(self, name: str) -> int:
        return self._library.address(name)


def _load_anew(file: Path) -> ctypes.CDLL:
    """The library that is in `file` now: by its name the system would find one that was there before."""
    if os.name != "posix":
        return ctypes.CDLL(str(file.resolve()))
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / file.name
        link.symlink_to(file.resolve())
        return ctypes.CDLL(str(link))


def _not_ours(file: Path | None) -> ArgumentError:
    return ArgumentError(
        f"load_module: {file or 'this process'} has no kernels of tewb",
        hint="kernel.export_library(path) writes them",
        span=here(),
    )
