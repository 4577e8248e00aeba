"""Non-temporal stores as machine code: which instructions they are, what orders them, and what alignment is claimed."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import tewb
from tests.pages import between_pages
from tewb import te
from tewb.codegen import compile_module
from tewb.ir import IRModule
from tewb.lowering import BUILD
from tewb.lowering.pipeline import run
from tewb.runtime.target import host

needs_x86 = pytest.mark.skipif(not host()[0].startswith("x86_64"), reason="reads x86 assembly")


def plus(
    n: int, parallel: bool = False, nontemporal: bool = True, dtype: str = "float32"
) -> tuple[Any, list[Any]]:
    A = te.placeholder((8, n), name="A", dtype=dtype)
    B = te.compute((8, n), lambda i, j: A[i, j] + te.const(1, dtype), name="B")
    s = te.create_schedule(B.op)
    s[B].vectorize(s[B].split("j", factor=64 // np.dtype(dtype).itemsize)[1])
    if parallel:
        s[B].parallel("i")
    if nontemporal:
        s[B].nontemporal()
    return s, [A, B]


def compiled(s: Any, args: list[Any], binds: Any = None, debug: bool = False) -> Any:
    return compile_module(
        IRModule({"main": run(tewb.lower(s, args, binds=binds)["main"], BUILD)}), debug=debug
    )


def functions(text: str) -> dict[str, str]:
    """The body of every function of LLVM text."""
    return {m[1]: m[2] for m in re.finditer(r"^define [^@]*@([\w.]+)\(.*?\{\n(.*?)^\}", text, re.M | re.S)}


@needs_x86
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int64", "int16"])
@pytest.mark.parametrize("debug", [False, True])
def test_the_assembly_has_them_for_addresses_between_lines(dtype: str, debug: bool) -> None:
    """LLVM makes ordinary stores where the alignment it is told does not suffice."""
    code = compiled(*plus(256, dtype=dtype), debug=debug).assembly
    assert re.search(r"\tv?movnt(ps|pd|dq)\s+%xmm", code) and "sfence" in code
    ordinary = compiled(*plus(256, nontemporal=False, dtype=dtype), debug=debug).assembly
    assert "movnt" not in ordinary and "sfence" not in ordinary


@needs_x86
def test_known_lines_are_stored_whole() -> None:
    s, args = plus(256)
    code = compiled(s, args, {args[1]: te.decl_buffer((8, 256), name="B", data_alignment=64)}).assembly
    widest = re.findall(r"movntps\s+%([xyz])mm", code)
    assert widest and set(widest) == {"z" if "+avx512f" in host()[2] else "y" if "+avx" in host()[2] else "x"}


@needs_x86
def test_stores_are_ordered_before_anybody_else_looks() -> None:
    text = compiled(*plus(256)).llvm_ir
    entry = functions(text)["main"].splitlines()
    assert "call void @llvm.x86.sse.sfence()" in entry[-2] and "ret i32" in entry[-1]


@needs_x86
def test_each_iteration_of_a_parallel_loop_orders_its_own_and_finds_earlier_ones_ordered() -> None:
    found = functions(compiled(*plus(256, parallel=True)).llvm_ir)
    wrappers = [body for name, body in found.items() if re.fullmatch(r"main\.par\d+", name)]
    stores = {name: "!nontemporal" in body for name, body in found.items() if name.endswith(".body")}
    assert len(wrappers) == 2 and sum(stores.values()) == 1
    ordered = ["sfence" in body.splitlines()[-2] for body in wrappers]
    assert sorted(ordered) == [False, True]  # the other side of the branch has ordinary stores
    calls = [
        line for line in found["main.body"].splitlines() if "sfence" in line or "@tewb_rt_parallel" in line
    ]
    assert ["sfence" in line for line in calls] == [True, False, True, False]


@needs_x86
def test_a_packed_call_finds_them_ordered() -> None:
    A = te.placeholder((64,), name="A")
    B = te.compute((64,), lambda i: A[i] + 1.0, name="B")
    C = te.extern((64,), [B], lambda i, o: te.call_packed("nontemporal.c", i[0], o[0]), name="C")
    s = te.create_schedule(C.op)
    s[B].nontemporal()
    s[B].vectorize(s[B].split("i", factor=16)[1])
    lines = functions(compiled(s, [A, C]).llvm_ir)["main.body"].splitlines()
    fence = next(i for i, line in enumerate(lines) if "sfence" in line)
    call = next(i for i, line in enumerate(lines) if "@tewb_rt_call_packed" in line)
    store = max(i for i, line in enumerate(lines) if "!nontemporal" in line)
    assert store < fence < call


@needs_x86
def test_c_functions_of_numbers_wait_for_nothing_and_those_of_memory_do() -> None:
    A = te.placeholder((64,), name="A")
    B = te.compute((64,), lambda i: A[i] + 1.0, name="B")
    C = te.compute((64,), lambda i: te.call_extern("float32", "sinf", B[i]), name="C")
    s = te.create_schedule(C.op)
    s[B].nontemporal()
    s[B].vectorize(s[B].split("i", factor=16)[1])
    assert "sfence" not in functions(compiled(s, [A, C]).llvm_ir)["main.body"]
    E = te.extern(
        (64,), [B], lambda i, o: te.call_extern("int32", "memcpy", o[0].data, i[0].data, 256), name="E"
    )
    s = te.create_schedule(E.op)
    s[B].nontemporal()
    s[B].vectorize(s[B].split("i", factor=16)[1])
    lines = functions(compiled(s, [A, E]).llvm_ir)["main.body"].splitlines()
    fence = next(i for i, line in enumerate(lines) if "sfence" in line)
    assert fence < next(i for i, line in enumerate(lines) if '@"memcpy"' in line)


def test_on_arm_they_are_stores_of_pairs() -> None:
    kernel = compiled(*plus(256)).kernel("main")
    target = "llvm -mtriple=aarch64-unknown-linux-gnu"
    text, code = (kernel.get_source(fmt, target=target) for fmt in ("ll0", "asm"))
    assert "fence release" in text and "llvm.x86.sse.sfence" not in text
    assert re.search(r"\tstnp\s+q\d+, q\d+", code) and re.search(r"\tdmb\s+ish", code)


# ---------------------------------------------------------------- what is claimed of addresses


def vector_accesses(text: str, kind: str) -> set[int]:
    """The alignment of every access of 16 floats in LLVM text."""
    pattern = (
        r"load <16 x float>, ptr [^,]+, align (\d+)"
        if kind == "load"
        else r"store <16 x float> [^,]+, ptr [^,]+, align (\d+)"
    )
    return {int(n) for n in re.findall(pattern, text)}


@pytest.mark.parametrize("parallel", [False, True])
def test_declared_alignments_become_aligned_vectors(parallel: bool) -> None:
    s, args = plus(256, parallel, nontemporal=False)
    binds = {t: te.decl_buffer((8, 256), name=t.name, data_alignment=64) for t in args}
    told = compiled(s, args, binds).optimized_ir
    assert vector_accesses(told, "load") == {64} and vector_accesses(told, "store") == {64}
    untold = compiled(s, args).optimized_ir
    assert vector_accesses(untold, "load") == {4} and vector_accesses(untold, "store") == {4}


def test_rows_between_lines_are_not_claimed() -> None:
    s, args = plus(260, nontemporal=False)
    binds = {t: te.decl_buffer((8, 260), name=t.name, data_alignment=64) for t in args}
    assert max(vector_accesses(compiled(s, args, binds).optimized_ir, "store")) == 16


def test_an_enormous_alignment_is_checked_and_not_claimed() -> None:
    s, args = plus(256)
    layout = te.decl_buffer((8, 256), name="B", data_alignment=1 << 33)
    kernel = tewb.build(s, args, binds={args[1]: layout})
    with pytest.raises(tewb.TewbError, match="B must begin at a multiple of 8589934592 bytes"):
        kernel(at_offset(0), at_offset(0))


def at_offset(offset: int) -> Any:
    """8 x 256 floats that begin `offset` of them after a line."""
    raw = np.zeros(8 * 256 + 64, np.float32)
    first = (-raw.ctypes.data % 64) // 4 + offset
    return raw[first : first + 2048].reshape(8, 256)


@pytest.mark.parametrize("name", ["A", "B"])
def test_the_entry_refuses_what_is_not_as_declared(name: str) -> None:
    s, args = plus(256)
    binds = {t: te.decl_buffer((8, 256), name=t.name, data_alignment=64) for t in args}
    kernel = tewb.build(s, args, binds=binds)
    given = {n: at_offset(0) for n in "AB"}
    kernel(given["A"], given["B"])
    assert (given["B"] == 1).all()
    given[name] = at_offset(4)
    with pytest.raises(tewb.TewbError, match=f"{name} must begin at a multiple of 64 bytes"):
        kernel(given["A"], given["B"])


def test_two_results_in_the_lanes_of_a_tail() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B, C = te.compute((n,), lambda i: (A[i] + 1.0, A[i] * 2.0), name="B")
    s = te.create_schedule(B.op)
    s[B].vectorize(s[B].split("i", factor=4)[1])
    s[B].nontemporal()
    kernel = tewb.build(s, [A, B, C])
    for size in (1, 4, 13):
        a, b, c = np.arange(size, dtype="float32"), *np.zeros((2, size), "float32")
        kernel(between_pages(a), between_pages(b), made := between_pages(c))
        np.testing.assert_array_equal(made, a * 2)
