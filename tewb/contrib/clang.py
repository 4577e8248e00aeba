"""`contrib.clang`: C and C++ to LLVM text, which the pragma import_llvm links to a kernel.

    s[C].pragma(x, "import_llvm", tvm.contrib.clang.create_llvm(source))

The text is made by a clang of this machine; tewb brings none.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import llvmlite.binding as llvm

from tewb.base import CodegenError, here

__all__ = ["create_llvm", "find_clang"]

_SOURCES = (".cc", ".c", ".cpp", ".cxx", ".C", ".m", ".mm", ".ll", ".bc")


def find_clang(required: bool = True) -> list[str]:
    """The clangs of this machine, the one nearest to tewb's LLVM first. Raises CodegenError where there is none, if one
    is `required`."""
    major = int(llvm.llvm_version_info[0])
    names = ["clang", *(f"clang-{version}" for version in range(major, 5, -1)), "clang.exe"]
    found = [path for path in map(shutil.which, names) if path]
    if required and not found:
        raise CodegenError(
            "there is no clang on this machine",
            hint="install one (apt-get install clang, conda install clang), or give the LLVM text itself to the pragma",
            span=here(),
        )
    return found


def create_llvm(
    inputs: str | Sequence[str],
    output: str | None = None,
    options: Sequence[str] | None = None,
    cc: str | None = None,
) -> str:
    """The LLVM text of C++ sources, each as text or as the name of a file; it is also written to the file `output`, if
    that is given. `options` are those of clang, after -O2. Functions that kernels call are `extern "C"`.

    Raises CodegenError where there is no clang, or where it does not take a source.
    """
    sources = [inputs] if isinstance(inputs, str) else list(inputs)
    if not sources:
        raise CodegenError("create_llvm has nothing to compile", hint="create_llvm(source_text)", span=here())
    compiler = cc or find_clang()[0]
    texts = [_compiled(source, list(options or ()), compiler) for source in sources]
    text = texts[0] if len(texts) == 1 else _joined(texts)
    if output is not None:
        Path(output).write_text(text, encoding="utf-8")
    return text


def _compiled(source: str, options: list[str], compiler: str) -> str:
    with tempfile.TemporaryDirectory(prefix="tewb-") as folder:
        path, result = Path(folder) / "input.cc", Path(folder) / "output.ll"
        if "\n" not in source and source.endswith(_SOURCES):
            path = Path(source)
        else:
            path.write_text(source, encoding="utf-8")
        command = [compiler, "-O2", "-S", "-emit-llvm", *options, str(path), "-o", str(result)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as e:
            raise CodegenError(f"{compiler} cannot be started: {e.strerror}", span=here()) from None
        if done.returncode or not result.exists():
            raise CodegenError(
                f"{compiler} does not compile the source: {(done.stderr or done.stdout).strip()}", span=here()
            )
        return result.read_text(encoding="utf-8")


def _joined(texts: Sequence[str]) -> str:
    """Several texts as one."""
    try:
        first, *others = map(llvm.parse_assembly, texts)
        for other in others:
            first.link_in(other)
    except RuntimeError as e:
        raise CodegenError(f"create_llvm: the texts cannot be linked: {e}", span=here()) from None
    return str(first)
