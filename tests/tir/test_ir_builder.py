"""`tir.ir_builder`: the builder of statements by its classic name, as old code uses it."""

from __future__ import annotations

import tewb
from tests.programs import matmul
from tewb import te, tir
from tewb.ir import IRBuilder, script
from tewb.tir import ir_builder


def test_create_makes_a_new_builder_each_time() -> None:
    a, b = ir_builder.create(), tir.ir_builder.create()
    assert isinstance(a, IRBuilder) and a is not b


def test_a_classic_body_of_an_extern_is_what_compute_lowers_to() -> None:
    A = te.placeholder((8,), name="A")

    def body(ins: list[tir.Buffer], outs: list[tir.Buffer]) -> object:
        ib = tewb.tir.ir_builder.create()
        a, b = ib.buffer_ptr(ins[0]), ib.buffer_ptr(outs[0])
        with ib.for_range(0, 8, name="i") as i:
            b[i] = a[i] * 2.0
        return ib.get()

    B = te.extern((8,), [A], body, name="B", dtype="float32")
    C = te.compute((8,), lambda i: A[i] * 2.0, name="B")
    by_hand, computed = (tewb.lower(te.create_schedule(t.op), [A, t])["main"].body for t in (B, C))
    assert script(by_hand).splitlines()[-2:] == ["    " + line for line in script(computed).splitlines()]


def test_what_is_allocated_is_indexed_like_a_buffer() -> None:
    ib = ir_builder.create()
    x = ib.allocate("int32", (2, 3), name="x", scope="local")
    assert isinstance(x, ir_builder.BufferVar) and x.dtype == "int32"
    x[1, 2] = x[5] + 1
    assert script(ib.get()).splitlines() == [
        'x = T.allocate((2, 3), "int32", scope="local")',
        "x[1, 2] = x[1, 2] + 1",
    ]


def test_a_matmul_by_hand_has_the_loops_of_the_schedule() -> None:
    (A, B), (C,) = matmul(2, 3, 4)
    ib = ir_builder.create()
    a, b, c = (ib.buffer_ptr(tir.decl_buffer(t.shape, t.dtype, t.name)) for t in (A, B, C))
    with ib.for_range(0, 2, name="i") as i, ib.for_range(0, 3, name="j") as j:
        c[i, j] = 0.0
        with ib.for_range(0, 4, name="k") as k:
            c[i, j] = c[i, j] + a[i, k] * b[k, j]
    assert script(ib.get()) == script(tewb.lower(te.create_schedule(C.op), [A, B, C])["main"].body)
