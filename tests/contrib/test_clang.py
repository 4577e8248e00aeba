"""C to LLVM text, by a clang where there is one. A program that behaves like clang takes its place here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.contrib import clang

TEXT = "define i32 @%s(i32 %%x) {\n  %%y = add i32 %%x, %d\n  ret i32 %%y\n}\n"


@pytest.fixture
def compiler(tmp_path: Path) -> str:
    """A program with the arguments of clang: it writes TEXT for a source of a name and a number."""
    path = tmp_path / "clang"
    path.write_text(
        f"#!{sys.executable}\n"
        "import sys\n"
        f"text = {TEXT!r}\n"
        "words = sys.argv[1:]\n"
        "if words[:3] != ['-O2', '-S', '-emit-llvm'] or '-bad' in words: sys.exit('clang: error: no such option')\n"
        "name, number = open(words[words.index('-o') - 1]).read().split()\n"
        "open(words[words.index('-o') + 1], 'w').write(text % (name, int(number)))\n"
    )
    path.chmod(0o755)
    return str(path)


def test_a_source_becomes_text_that_a_kernel_imports(compiler: str, tmp_path: Path) -> None:
    source = tmp_path / "f.c"
    source.write_text("g 2")
    output = tmp_path / "out.ll"
    text = clang.create_llvm(["f 1", str(source)], output=str(output), cc=compiler)
    assert output.read_text() == text
    A = te.placeholder((4,), "int32", name="A")
    B = te.compute(
        (4,), lambda i: te.call_extern("int32", "f", A[i]) * te.call_extern("int32", "g", A[i]), name="B"
    )
    s = te.create_schedule(B.op)
    s[B].pragma(B.op.axis[0], "import_llvm", text)
    b = np.zeros(4, "int32")
    tewb.build(s, [A, B])(np.arange(4, dtype="int32"), b)
    assert b.tolist() == [2, 6, 12, 20]


def test_clang_is_found_on_the_path(compiler: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("PATH", str(Path(compiler).parent))
    assert clang.find_clang() == [compiler]
    assert "@f" in clang.create_llvm("f 1")


def test_without_clang_an_error_says_so(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert clang.find_clang(required=False) == []
    with pytest.raises(
        tewb.TewbError, match="there is no clang on this machine(?s:.*)give the LLVM text itself"
    ):
        clang.create_llvm('extern "C" int f();')


def test_mistakes_are_said(compiler: str, tmp_path: Path) -> None:
    with pytest.raises(tewb.TewbError, match="does not compile the source: clang: error: no such option"):
        clang.create_llvm("f 1", options=["-bad"], cc=compiler)
    with pytest.raises(tewb.TewbError, match="nothing to compile"):
        clang.create_llvm([], cc=compiler)
    with pytest.raises(tewb.TewbError, match="cannot be started"):
        clang.create_llvm("f 1", cc=str(tmp_path / "nobody"))
    with pytest.raises(tewb.TewbError, match="the texts cannot be linked: .*multiply defined"):
        clang.create_llvm(["f 1", "f 2"], cc=compiler)
