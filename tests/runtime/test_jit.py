"""LLVM text becomes code that runs; text that is wrong is an error of words."""

from __future__ import annotations

import ctypes
import gc
import os
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import Any

import pytest

import tewb
from tewb import te
from tewb.base import CodegenError, register_native
from tewb.runtime import jit
from tewb.runtime.jit import Compiled, Translated
from tewb.runtime.target import Target

TWICE = "define i32 @twice(i32 %x) {\n  %y = add i32 %x, %x\n  ret i32 %y\n}\n"
C_FUNCTION = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_int32)


def calls(name: str) -> str:
    """The text of a function @f that calls `name`."""
    return f"declare i32 @{name}(i32)\ndefine i32 @f(i32 %x) {{\n  %y = call i32 @{name}(i32 %x)\n  ret i32 %y\n}}\n"


def test_code_runs() -> None:
    code = Compiled(TWICE)
    assert C_FUNCTION(code.address("twice"))(21) == 42


def test_a_native_function_is_called_by_its_symbol() -> None:
    function = C_FUNCTION(lambda x: x * 3)
    symbol = register_native(function, "jit_times_three").symbol
    code = Compiled(calls(symbol))
    assert C_FUNCTION(code.address("f"))(5) == 15
    assert jit.address_of(symbol) == ctypes.cast(function, ctypes.c_void_p).value


def test_symbols_of_this_process() -> None:
    assert jit.address_of("malloc") and jit.address_of("tewb_no_such_symbol") is None
    jit.register_symbol("tewb_test_symbol", 4096)
    assert jit.address_of("tewb_test_symbol") == 4096


def test_a_function_that_does_not_exist() -> None:
    with pytest.raises(CodegenError, match="the function tewb_nowhere is called and does not exist"):
        Compiled(calls("tewb_nowhere")).address("f")
    with pytest.raises(CodegenError, match="LLVM cannot load the code that it made"):
        Compiled(TWICE).address("thrice")


def test_text_is_made_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    provided: list[Any] = []

    def text() -> str:
        made.append("text")
        return calls("toupper")

    monkeypatch.setattr(jit, "object_cache", lambda: None)
    code = Compiled(text, named="n", about=lambda: b"data", provide=provided.append)
    assert made == []
    assert C_FUNCTION(code.address("f"))(97) == 65
    assert made == ["text"] and code.about == b"data" and "toupper" in provided[0] and code.address("f")
    assert len(provided) == 1


def test_looks_at_text_for_another_machine() -> None:
    target = Target.of("llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-v1")
    text = Translated(TWICE, target=target)
    assert text.llvm_ir.startswith('target triple = "aarch64-linux-gnu"\ntarget datalayout = "e-m:e')
    assert "shl" in text.optimized_ir and "lsl\tw0, w0, #1" in text.assembly
    assert "shl" not in Translated(TWICE, plain=True, target=target).optimized_ir


def test_long_text_is_optimised_as_other_text_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jit, "takes_long", lambda text: True)
    monkeypatch.setattr(jit, "can_start", lambda: False)
    assert "shl" in Translated(TWICE).optimized_ir


def test_code_goes_with_its_object() -> None:
    code = Compiled(TWICE)
    code.address("twice")
    library = weakref.ref(code._loaded[0])
    del code
    gc.collect()
    assert library() is None


def test_linkers_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jit, "_linkers", [])
    monkeypatch.setattr(jit, "_MOST", 2)
    (a, first), (b, second), (c, third) = jit._linker(), jit._linker(), jit._linker()
    assert a is b is not c and (first, second, third) == ("tewb.0", "tewb.1", "tewb.0")


BROKEN = [
    ("@main(", "@llvm.foo("),  # an intrinsic is defined
    (
        "ret i32 0",
        "%x = add i32 %y, 0\n  %y = add i32 %x, 0\n  ret i32 0",
    ),  # a value is used before it is there
]


@pytest.mark.parametrize("old, new", BROKEN)
def test_broken_code_is_an_error_and_no_end_of_the_process(old: str, new: str) -> None:
    A = te.placeholder((4,), name="A")
    B = te.compute((4,), lambda i: A[i] + 1, name="B")
    text = tewb.build(te.create_schedule(B.op), [A, B]).get_source("ll0").split("\n", 2)[2]
    assert old in text and "!llvm.dbg.cu" in text
    with pytest.raises(CodegenError, match="LLVM does not take the code that tewb made"):
        Compiled(text.replace(old, new)).address("main")


def test_the_key_holds_what_code_depends_on(monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = Target.host(), Target.of("llvm -mcpu=x86-64-v3")
    keys = {jit._key(text, 2, False, target) for text in "ab" for target in (here, there)}
    keys |= {jit._key("a", 1, False, here), jit._key("a", 2, True, here)}
    assert len(keys) == 6
    for name in ("x86-64-v2", "+avx"):
        jit._circumstances.cache_clear()
        monkeypatch.setattr(jit, "host", lambda name=name: ("triple", name, name))
        keys.add(jit._key("a", 2, False, here))
    monkeypatch.undo()
    jit._circumstances.cache_clear()
    assert len(keys) == 8


THREADS = """if True:
    import faulthandler, os, sys, threading, time
    import numpy as np
    import tewb
    from tewb import te
    def kernel(n):
        A = te.placeholder((n,), name="A")
        X = te.compute((n,), lambda i: te.exp(A[i]), name="X")
        B = te.compute((n,), lambda i: X[i] + X[n - 1 - i], name="B")
        s = te.create_schedule(B.op)
        s[B].parallel("i")
        return tewb.build(s, [A, B])
    def is_right(k, n):
        a, b = np.ones(n, "float32"), np.zeros(n, "float32")
        k(a, b)
        return bool(np.allclose(b, 2 * np.exp(a)))
"""


def in_a_process(program: str, folder: Path) -> str:
    """What a program prints that nothing has compiled before."""
    ran = subprocess.run(
        [sys.executable, "-c", THREADS + program],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TEWB_CACHE_DIR": str(folder)},
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_of_a_fork_builds_kernels_while_threads_of_its_parent_did(tmp_path: Path) -> None:
    """Whatever locks these held, of ours, of llvmlite's, or of the object that is being made."""
    program = """
    over = []
    def build(number):
        while not over:
            kernel(100 + number)
            number += 1
    every = [threading.Thread(target=build, args=(1000 * n,)) for n in range(3)]
    for t in every: t.start()
    ends = []
    for n in range(8):
        time.sleep(0.01)
        child = os.fork()
        if not child:
            faulthandler.dump_traceback_later(30, exit=True)
            os._exit(0 if is_right(kernel(50 + n), 50 + n) else 1)
        ends.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    over.append(True)
    for t in every: t.join()
    print(ends)
    """
    assert in_a_process(program, tmp_path) == f"{[0] * 8}\n"


@pytest.mark.slow
def test_threads_that_build_the_first_kernels_together(tmp_path: Path) -> None:
    """What is made once and known by its address since, such as what gives kernels memory, is that of one of them."""
    program = """
    sys.setswitchinterval(1e-6)
    together, right = threading.Barrier(4), []
    def build(n):
        together.wait()
        right.append(is_right(kernel(n), n))
    every = [threading.Thread(target=build, args=(99_990 + n,)) for n in range(4)]
    for t in every: t.start()
    for t in every: t.join()
    print(right, tewb.codegen.kernel_support._load_support.cache_info().misses)
    """
    assert in_a_process(program, tmp_path) == f"{[True] * 4} 1\n"


def test_a_kernel_is_loaded_while_another_thread_compiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """One lock for the code of all kernels would let one wait for the other."""
    began, may_end = threading.Event(), threading.Event()
    long, short = (Compiled(text, plain=True) for text in ("define void @f() { ret void }",) * 2)
    make = Compiled._object

    def slow(self: Compiled) -> Any:
        if self is long:
            began.set()
            assert may_end.wait(20)
        return make(self)

    monkeypatch.setattr(Compiled, "_object", slow)
    first = threading.Thread(target=lambda: long.address("f"))
    first.start()
    assert began.wait(20)
    other = threading.Thread(target=lambda: (short.address("f"), may_end.set()))
    other.start()
    other.join(20)
    assert not other.is_alive()
    first.join(20)
    assert long.address("f") and short.address("f")
