"""C compilers: linking exported kernels to shared libraries.

kernel.export_library("lib.so", cc.create_shared)
kernel.export_library("lib.so", cc.cross_compiler("aarch64-linux-gnu-gcc"))
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from tewb.base import CodegenError, here
from tewb.compat import face
from tewb.runtime import create_shared

__all__ = ["create_shared", "cross_compiler", "get_cc", "get_target_by_dump_machine"]

face.wear(__name__)


def cross_compiler(compile_func: str, options: Sequence[str] | None = None) -> Callable[..., None]:
    """What links for another machine: `export_library(path, cross_compiler("aarch64-linux-gnu-gcc"))`. `options` are for
    every link."""
    always = list(options or ())

    def link(output: str | Path, objects: str | Sequence[str], options: Sequence[str] | None = None) -> None:
        create_shared(output, objects, [*always, *(options or ())], cc=compile_func)

    link.output_format = "so"  # type: ignore[attr-defined]
    return link


def get_cc() -> str | None:
    """The path of the C++ compiler that is here, or None: that of the environment variable CXX, or a usual one."""
    names = (os.environ.get("CXX"), "g++", "gcc", "clang++", "clang", "c++", "cc")
    return next((path for name in names if name and (path := shutil.which(name))), None)


def get_target_by_dump_machine(compiler: str) -> Callable[[], str]:
    """A function that asks a compiler for the triple of the machine it compiles for. Raises CodegenError where there is
    no such compiler."""

    def triple() -> str:
        try:
            done = subprocess.run([compiler, "-dumpmachine"], capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError) as e:
            raise CodegenError(
                f"{compiler} does not say which machine it compiles for: {e}", span=here()
            ) from None
        return done.stdout.strip()

    return triple
