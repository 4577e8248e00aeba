"""Kernels from the cache: found by their IR, with no text made on the way, and with all that they need."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import PROGRAMS
from tewb import te
from tewb.base import BoundError, register_native
from tewb.codegen import compile as compiling
from tewb.codegen.kernel_support import provide_kernel_support
from tewb.runtime import pool


@pytest.fixture
def translations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """An empty cache, and a list that grows with every module that is translated to LLVM text."""
    pool()
    provide_kernel_support()
    monkeypatch.setenv("TEWB_CACHE_DIR", str(tmp_path))
    seen: list[Any] = []
    translate = compiling.translate
    monkeypatch.setattr(compiling, "translate", lambda m, *how: (seen.append(m), translate(m, *how))[1])
    return seen


def shifted(name: str = "A", n: int = 8, by: int = 3) -> tuple[Any, list[Any]]:
    m = te.var("m")
    A = te.placeholder((m,), name=name)
    B = te.compute((n,), lambda i: A[i + by], name="B")
    return te.create_schedule(B.op), [A, B]


def test_what_is_in_the_cache_is_not_translated(translations: list[Any]) -> None:
    for _ in range(2):
        kernel = tewb.build(*shifted())
        np.testing.assert_array_equal(kernel(np.arange(11, dtype="float32")), np.arange(3, 11))
    assert len(translations) == 1
    text = kernel.get_source("ll0")  # made when it is asked for
    assert len(translations) == 2 and "define i32 @main" in text
    assert kernel.code.module.script().count("for ") == 1
    assert len(translations) == 2


@pytest.mark.parametrize("name", PROGRAMS)
def test_signatures_come_back_whole(translations: list[Any], name: str) -> None:
    inputs, outputs = PROGRAMS[name]()
    s = te.create_schedule([t.op for t in outputs])
    first, second = (tewb.build(s, [*inputs, *outputs]) for _ in range(2))
    assert len(translations) == 1
    assert first.signature == second.signature and first.code.llvm_ir == second.code.llvm_ir


def test_kernels_that_differ_are_told_apart(translations: list[Any]) -> None:
    tewb.build(*shifted())
    tewb.build(*shifted(by=2))
    tewb.build(*shifted(), debug=True)
    tewb.build(*shifted(), name="other")
    with tewb.PassContext(config={"tir.disable_storage_rewrite": True}):
        tewb.build(*shifted())
    with tewb.PassContext(config={"tir.instrument_bound_checkers": True}):
        tewb.build(*shifted())
    assert len(translations) == 6


@pytest.mark.parametrize("name", ["x y", "x-y", "x_y"])
def test_messages_have_the_names_of_their_own_program(translations: list[Any], name: str) -> None:
    tewb.build(*shifted("x y"))
    kernel = tewb.build(*shifted(name))  # the same text: Python reads each of these names as x_y
    with pytest.raises(BoundError, match=name):
        kernel(np.zeros(9, "float32"), np.zeros(8, "float32"))


def test_options_of_the_build_hold_for_texts_that_are_made_later(translations: list[Any]) -> None:
    A = te.placeholder((64,), name="A")
    t = A
    for k in range(4):
        t = te.compute((64,), lambda i, t=t: t[63 - i] + 1.0, name=f"t{k}")
    args = [A, t]
    with tewb.PassContext(config={"tir.disable_storage_rewrite": True}):
        apart = [tewb.build(te.create_schedule(t.op), args) for _ in range(2)]
    shared = tewb.build(te.create_schedule(t.op), args)
    texts = [k.code.module.script().count("T.allocate") for k in (*apart, shared)]
    assert texts[0] == texts[1] > texts[2]


def test_native_functions_are_found_again(translations: list[Any]) -> None:
    number = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)
    threads: list[int] = []
    half = register_native(number(lambda x: x / 2), "half_of", lambda n: (threads.append(n), 4)[1])
    A = te.placeholder((4,), name="A", dtype="float64")
    B = te.compute((4,), lambda i: tewb.tir.call_extern("float64", half.symbol, A[i]), name="B")
    s = te.create_schedule(B.op)
    s[B].parallel("i")
    for _ in range(2):
        np.testing.assert_array_equal(tewb.build(s, [A, B])(np.arange(4.0)), np.arange(4.0) / 2)
        assert threads == [1, 4]
        threads.clear()
    assert len(translations) == 1
