"""Statements: loops that can be interrupted and loops that stay loops, memory in registers, on the stack and on the heap."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import tewb
from tests.codegen.llvm_functions import function
from tewb import te
from tewb.base import CodegenError, DType
from tewb.codegen import statements
from tewb.codegen.debug_locations import DebugInfo
from tewb.ir import (
    Allocate,
    Buffer,
    BufferStore,
    Call,
    DeclBuffer,
    Evaluate,
    For,
    ForKind,
    IfThenElse,
    Seq,
    Stmt,
    Var,
    const,
    ops,
)


def total(n: object) -> tuple[tewb.runtime.Kernel, object]:
    k = te.reduce_axis((0, n), name="k")
    A = te.placeholder((4,), name="A", dtype="int64")
    C = te.compute((1,), lambda i: te.sum(A[k % 4] + k.var.astype("int64"), axis=k), name="C")
    s = te.create_schedule(C.op)
    args = [A, C] if isinstance(n, int) else [n, A, C]
    return tewb.build(s, args)


def wanted(n: int) -> int:
    return sum(range(n)) + sum(k % 4 for k in range(n))


@pytest.mark.parametrize("n", [1, 999, 4096, 4097, 10_000])
@pytest.mark.parametrize("symbolic", [False, True])
def test_a_loop_in_parts_computes_the_same(monkeypatch: pytest.MonkeyPatch, n: int, symbolic: bool) -> None:
    monkeypatch.setattr(statements, "PART", 1 << 10)
    monkeypatch.setenv("TEWB_CACHE_DIR", "/nonexistent")
    a, c = np.arange(4, dtype="int64"), np.zeros(1, "int64")
    if symbolic:
        total(te.var("n"))(n, a, c)
    else:
        total(n)(a, c)
    assert c[0] == wanted(n)


def test_a_symbolic_loop_in_parts_may_be_empty() -> None:
    c = np.full(1, 77, "int64")
    total(te.var("n"))(0, np.arange(4, dtype="int64"), c)
    assert c[0] == 0


def looks(kernel: tewb.runtime.Kernel) -> int:
    return kernel.get_source("ll0").count("load atomic i32, ptr %ctx monotonic")


def test_only_loops_without_end_in_sight_look_at_the_flag() -> None:
    assert looks(total(1 << 33)) == 1
    assert looks(total(te.var("n"))) == 1
    assert looks(total(10_000)) == 0
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")  # memory is a bound for it
    assert looks(tewb.build(te.create_schedule(B.op), [A, B])) == 0


@pytest.mark.slow
@pytest.mark.one_in(2)
@pytest.mark.parametrize("n, hidden", [(100, 0), (600, 1)])
def test_a_long_body_keeps_the_count_of_its_loop(n: int, hidden: int) -> None:
    A = te.placeholder((7, n), name="A")
    C = te.compute((7, n), lambda i, j: A[i, j] * 2.0, name="C")
    s = te.create_schedule(C.op)
    s[C].unroll("j")
    kernel = tewb.build(s, [A, C])
    assert kernel.get_source("ll0").count(' asm "", "=r,0"') == hidden
    a, c = np.random.rand(7, n).astype("float32"), np.zeros((7, n), "float32")
    kernel(a, c)
    np.testing.assert_array_equal(c, a * 2)
    s[C].parallel("i")
    c[:] = 0
    tewb.build(s, [A, C])(a, c)
    np.testing.assert_array_equal(c, a * 2)


@pytest.mark.slow
def test_a_flat_loop_of_many_iterations_can_be_interrupted() -> None:
    text = """
        import os, signal, threading
        import numpy as np
        import tewb
        from tewb import te

        k = te.reduce_axis((0, 1 << 40), name="k")
        A = te.placeholder((4,), name="A", dtype="int64")
        C = te.compute((1,), lambda i: te.sum((A[k // 3 % 4] + k) % 7, axis=k), name="C")
        kernel = tewb.build(te.create_schedule(C.op), [A, C])
        threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            kernel(np.zeros(4, "int64"), np.zeros(1, "int64"))
        except KeyboardInterrupt:
            print("interrupted")
    """
    found = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(text)],
        capture_output=True,
        text=True,
        timeout=100,
        env=dict(os.environ),
    )
    assert found.stdout.split() == ["interrupted"], found.stderr


@pytest.mark.parametrize(
    "n, lanes, rolled",
    [(4096, 64, True), (4100, 64, True), (4096, 8, False), (512, 64, False), (4096, None, False)],
)
def test_long_iterations_are_not_unrolled(n: int, lanes: int | None, rolled: bool) -> None:
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] * 2.0 + 1.0, name="B")
    s = te.create_schedule(B.op)
    if lanes is not None:
        s[B].vectorize(s[B].split("i", lanes)[1])
    kernel = tewb.build(s, [A, B])
    assert ("llvm.loop.unroll.disable" in kernel.get_source("ll0")) == rolled
    a = np.random.default_rng(0).random(n, dtype="float32")
    np.testing.assert_allclose(kernel(a), a * 2 + 1, rtol=1e-6)


@pytest.mark.parametrize("rows, columns", [(4, 64), (8, 48), (5, 24)])
def test_accumulators_live_in_registers(rows: int, columns: int) -> None:
    n, m, q = 4 * rows, 2 * columns, 64
    A, B = te.placeholder((n, q), name="A"), te.placeholder((q, m), name="B")
    k = te.reduce_axis((0, q), name="k")
    C = te.compute((n, m), lambda i, j: te.sum(A[i, k] * B[k, j], axis=k), name="C")
    s = te.create_schedule(C.op)
    L = s.cache_write(C, "local")
    _, yo, xi, yi = s[C].tile("i", "j", rows, columns)
    s[C].unroll(xi)
    s[C].vectorize(yi)
    s[L].compute_at(s[C], yo)
    s[L].reorder("k", "i.c", "j.c")
    s[L].unroll("i.c")
    s[L].vectorize("j.c")
    assert "alloca" not in tewb.build(s, [A, B, C]).get_source("ll")


def test_accumulators_live_in_registers_beside_large_buffers() -> None:
    """16384 floats of P are all that a stack has: the tile must not go to the heap because they came first."""
    A = te.placeholder((4, 16384), name="A")
    P = te.compute((4, 16384), lambda i, j: A[i, j] + 1.0, name="P")
    k = te.reduce_axis((0, 1024), name="k")
    T = te.compute((4, 16), lambda i, j: te.sum(P[i, k * 16 + j], axis=k), name="T")
    C = te.compute((4, 16), lambda i, j: T[i, j] * 2.0, name="C")
    s = te.create_schedule(C.op)
    s[T].set_scope("local")
    for t in (T, P):
        s[t].compute_at(s[C], "i")
    s[C].vectorize("j")
    s[T].reorder("k", "j")
    s[T].vectorize("j")
    s[P].vectorize(s[P].split("j", factor=16)[1])
    text = tewb.build(s, [A, C]).get_source("ll")
    assert "alloca" not in text and len(re.findall(r"call [^@\n]*@tewb\.alloc\(", text)) == 1


# ---------------------------------------------------------------- what has no code

i, x, p = Var("i", DType("int32")), Var("x", DType("float32")), Var("p", DType("handle"))
OUT = Buffer("B", DType("float32"), (const(8),))
STORE, NOTHING = BufferStore(OUT, const(1.0), (const(0),)), Evaluate(const(0))
LANES = ops.less(ops.ramp(i, 1, 4), ops.broadcast(const(3), 4))


def writer() -> statements.Statements:
    f = function()
    info = DebugInfo(f.module, {})
    return statements.Statements(f, {OUT.data: "%B", i: "%i"}, False, set(), info, info.scope("f"))


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (DeclBuffer(OUT, STORE), "no machine code for the statement DeclBuffer"),
        (
            For(i, const(0), const(4), ForKind.UNROLLED, STORE),
            "the loop i is unroll: lowering should have replaced it",
        ),
        (For(i, const(0), const(4), ForKind.VECTORIZED, STORE), "the loop i is vectorized"),
        (Evaluate(Call("address", (), DType("handle"))), "address is no statement"),
        (IfThenElse(LANES, STORE, STORE), "a condition of 4 lanes guards stores only"),
        (IfThenElse(LANES, Seq((STORE, NOTHING)), None), "a condition of 4 lanes guards stores only"),
        (
            BufferStore(Buffer("T", DType("float32"), (const(8),)), const(1.0), (i,)),
            "the buffer T has no memory here",
        ),
    ],
)
def test_statements_without_code_are_refused(statement: Stmt, said: str) -> None:
    with pytest.raises(CodegenError, match=said):
        writer().emit(statement)


def test_a_loop_without_iterations_has_no_code() -> None:
    w = writer()
    w.emit(For(i, const(0), const(0), ForKind.SERIAL, STORE))
    assert not any("store" in line or "br " in line for line in w.f.lines)


def test_slots_of_registers_are_shared_and_the_stack_has_an_end() -> None:
    w = writer()

    def allocate(count: int, scope: str = "global", body: Stmt = NOTHING) -> None:
        w.emit(Allocate(Buffer("T", DType("float32"), (const(count),), scope=scope), body))

    for _ in range(3):
        allocate(16, "register")
    assert len(w.f.entry) == 1 and w.f.stack_bytes == 0
    allocate(statements.STACK_LIMIT // 8)
    assert len(w.f.entry) == 2 and w.f.module.intermediates == []
    allocate(statements.STACK_LIMIT // 4)
    allocate(0)
    assert w.f.module.intermediates == ["T"] and "alloca [1 x float]" in w.f.entry[-1]
