"""Exporting: kernels as files, for C programs and other processes.

kernel.export_library("blur.so")      a shared library, linked by the compiler or linker of this machine
kernel.export_library("blur.o")       an object file; both have a C header beside them
kernel.export_library("blur.tar")     the object and the header in one file
"""

from __future__ import annotations

import importlib.util
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tewb.base import ArgumentError, CodegenError, here
from tewb.runtime.target import Target

OBJECTS, SHARED = (".o", ".obj"), (".so", ".dylib", ".dll")


@dataclass(frozen=True, slots=True)
class Exported:
    """A library that is ready to be written: its object code, its C header, and the target of both."""

    code: bytes
    header: str
    target: Target

    def write(self, path: Path, link: Callable[..., Any] | None = None, **options: Any) -> None:
        """Write the library as `path`, whose ending says as what (see above). `link(output, objects, **options)` makes
        the shared library, `create_shared` unless it is given.

        Raises ArgumentError for another ending and CodegenError when nothing can link.
        """
        ending = path.suffix.lower()
        header = path.with_suffix(".h")
        if ending == ".tar":
            with _whole(path) as at, tarfile.open(at, "w") as tar:
                _add(tar, f"{path.stem}.o", self.code)
                _add(tar, header.name, self.header.encode())
        elif ending in OBJECTS:
            with _whole(path) as at:
                at.write_bytes(self.code)
            header.write_text(self.header, "utf-8")
        elif ending in SHARED or link is not None:
            self._link(path, link or create_shared, options)
            header.write_text(self.header, "utf-8")
        else:
            raise ArgumentError(
                f"export_library: a file that ends with {ending or 'nothing'} is no library",
                hint=f"{', '.join((*SHARED, *OBJECTS, '.tar'))} are",
                span=here(),
            )

    def _link(self, path: Path, link: Callable[..., Any], options: dict[str, Any]) -> None:
        if link is create_shared and not self.target.has_our_system:
            raise CodegenError(
                f"the linker of this machine makes no shared library for {self.target}",
                hint=f"export {path.stem}.o and link it there, or give a linker: export_library(path, fcompile)",
                span=here(),
            )
        with tempfile.TemporaryDirectory() as folder, _whole(path) as at:
            object_file = Path(folder) / f"{path.stem}.o"
            object_file.write_bytes(self.code)
            link(str(at), [str(object_file)], **options)


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A file that appears when it is complete: a program that has loaded the one before keeps that."""
    beside = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield beside
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data))


# ---------------------------------------------------------------- linkers


def create_shared(
    output: str | Path,
    objects: str | Sequence[str],
    options: Sequence[str] | None = None,
    cc: str | None = None,
) -> None:
    """Link object files to the shared library `output`, with the C compiler `cc`, or the first that is found: what CC
    names, cc, gcc, clang, and that of `pip install ziglang`. Raises CodegenError when there is none, or it fails."""
    command = [*(cc.split() if cc else linker()), "-shared", "-fPIC", "-o", str(output)]
    command += [objects] if isinstance(objects, str) else list(map(str, objects))
    done = subprocess.run([*command, *(options or ()), "-lm"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise CodegenError(
            f"{command[0]} cannot link {output}: {done.stderr.strip() or done.stdout.strip()}", span=here()
        )


def linker() -> list[str]:
    """The command that links here. Raises CodegenError when there is none."""
    own = os.environ.get("CC", "").split()
    if own and shutil.which(own[0]):
        return own
    for name in ("cc", "gcc", "clang"):
        if shutil.which(name):
            return [name]
    if importlib.util.find_spec("ziglang") is not None:
        return [sys.executable, "-m", "ziglang", "cc"]
    raise CodegenError(
        "a shared library is made by a linker, and this machine has none (cc, gcc, clang)",
        hint="pip install 'tewb[export]' brings one; .o and .tar files need none",
        span=here(),
    )
