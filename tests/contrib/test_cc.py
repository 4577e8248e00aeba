"""C compilers by their classic names."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import tewb
from tests.runtime.test_exported import compiler, program
from tewb.contrib import cc


def test_a_cross_compiler_links_with_its_options(tmp_path: Path) -> None:
    kernel, path = program(), tmp_path / "both.so"
    kernel.export_library(path, cc.cross_compiler(compiler(), ["-Wl,--as-needed"]))
    a = np.ones((2, 4), "float32")
    np.testing.assert_array_equal(tewb.runtime.load_module(path)(a, 1.0), kernel(a, 1.0))
    with pytest.raises(tewb.TewbError, match="cannot link"):
        kernel.export_library(path, cc.cross_compiler(compiler(), ["-lno_such_library"]))


def test_a_compiler_says_its_machine() -> None:
    assert "-" in cc.get_target_by_dump_machine(compiler())()
    with pytest.raises(tewb.TewbError, match="no-such-cc does not say"):
        cc.get_target_by_dump_machine("no-such-cc")()


def test_the_compiler_that_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", sys.executable)
    assert cc.get_cc() == sys.executable
    monkeypatch.delenv("CXX")
    monkeypatch.setenv("PATH", "")
    assert cc.get_cc() is None
