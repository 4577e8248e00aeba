"""Threads become loops: what they share, what they keep, and where they wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import LowerError
from tewb.ir import Allocate, Buffer, IRBuilder, IRModule, PrimFunc, Stmt, barrier, script, thread_axis, walk
from tewb.lowering.loop_over_threads import loop_over_threads
from tewb.workbench import Session

N = 8


def buffer(name: str, n: int = N) -> Buffer:
    made: Buffer = te.decl_buffer((n,), "int32", name=name)
    return made


A, B = buffer("A"), buffer("B")
TX, TY = thread_axis("threadIdx.x"), thread_axis("threadIdx.y")
Body = Callable[[IRBuilder, Any, Any], None]


def launched(body: Body, n: int = N) -> Stmt:
    """`body` on A and B, run by n threads."""
    ib = IRBuilder()
    ib.scope_attr(TX, "thread_extent", n)
    body(ib, ib.buffer_ptr(A), ib.buffer_ptr(B))
    return ib.get()


def result(body: Stmt, values: Any = None) -> list[int]:
    """B after the kernel, of 0 to 7 or `values` in A."""
    a = np.arange(N, dtype="int32") if values is None else np.array(values, "int32")
    b = np.zeros(N, "int32")
    tewb.build(IRModule({"f": PrimFunc("f", (A, B), body, (1,))}))(a, b)
    return [int(x) for x in b]


def reverse(ib: IRBuilder, a: Any, b: Any) -> None:
    tile = ib.allocate("int32", (N,), "tile", "shared")
    tile[TX] = a[TX]
    ib.emit(barrier())
    b[TX] = tile[N - 1 - TX]


def test_threads_that_wait_are_two_loops_over_shared_memory() -> None:
    looped = loop_over_threads(launched(reverse))
    assert script(looped) == (
        'tile = T.allocate((8,), "int32", scope="shared")\n'
        "for threadIdx.x in range(8):\n"
        "    tile[threadIdx.x] = A[threadIdx.x]\n"
        "for threadIdx.x in range(8):\n"
        "    B[threadIdx.x] = tile[7 - threadIdx.x]"
    )
    assert result(launched(reverse)) == [7, 6, 5, 4, 3, 2, 1, 0]


def test_threads_that_do_not_wait_are_one_loop_and_other_programs_stay() -> None:
    def body(ib: IRBuilder, a: Any, b: Any) -> None:
        own = ib.allocate("int32", (1,), "own", "local")
        own[0] = a[TX] * 2
        b[TX] = own[0]

    assert script(loop_over_threads(launched(body))).count("for threadIdx.x") == 1
    plain = IRBuilder()
    with plain.for_range(0, N) as i:
        plain.buffer_ptr(B)[i] = plain.buffer_ptr(A)[i]
    body_without = plain.get()
    assert loop_over_threads(body_without) is body_without


def test_what_a_thread_keeps_while_it_waits_gets_a_dimension_for_the_threads() -> None:
    def body(ib: IRBuilder, a: Any, b: Any) -> None:
        own = ib.allocate("int32", (2,), "own", "local")
        tile = ib.allocate("int32", (N,), "tile", "shared")
        own[1] = a[TX] * 10
        tile[TX] = a[TX]
        ib.emit(barrier())
        b[TX] = own[1] + tile[(TX + 1) % N]

    looped = loop_over_threads(launched(body))
    shapes = {
        n.buffer.name: [x.value for x in n.buffer.shape] for n in walk(looped) if isinstance(n, Allocate)
    }  # type: ignore[attr-defined]
    assert shapes == {"own": [8, 2], "tile": [8]}
    assert result(launched(body)) == [i * 10 + (i + 1) % N for i in range(N)]


def test_a_loop_in_which_threads_wait_is_outside_of_them() -> None:
    """A sum of all elements in every thread, by halves of shared memory."""

    def body(ib: IRBuilder, a: Any, b: Any) -> None:
        tile = ib.allocate("int32", (N,), "tile", "shared")
        tile[TX] = a[TX]
        ib.emit(barrier())
        with ib.for_range(0, 3, name="step") as step:
            half = te.const(4) >> step
            with ib.if_scope(half > TX):
                tile[TX] = tile[TX] + tile[TX + half]
            ib.emit(barrier())
        b[TX] = tile[0]

    assert result(launched(body)) == [28] * N


def test_a_condition_that_not_all_threads_pass_moves_to_where_they_do_not_wait() -> None:
    def body(ib: IRBuilder, a: Any, b: Any) -> None:
        tile = ib.allocate("int32", (N,), "tile", "shared")
        with ib.if_scope(TX < 4):
            tile[TX] = a[TX]
            ib.emit(barrier())
            b[TX] = tile[3 - TX]
        with ib.else_scope():
            b[TX] = te.const(-1)

    assert result(launched(body)) == [3, 2, 1, 0, -1, -1, -1, -1]


def test_a_name_that_differs_from_thread_to_thread_moves_too_and_one_that_does_not_stays() -> None:
    def body(ib: IRBuilder, a: Any, b: Any) -> None:
        tile = ib.allocate("int32", (N,), "tile", "shared")
        same = ib.let("same", te.const(5))
        mine = ib.let("mine", TX * 2)
        tile[TX] = mine + same
        ib.emit(barrier())
        b[TX] = tile[N - 1 - TX] + mine

    assert script(loop_over_threads(launched(body))).count("same = T.let") == 1
    assert result(launched(body)) == [19] * N


def test_threads_of_two_kinds_and_nested_launches_of_the_same_ones() -> None:
    def body(ib: IRBuilder, a: Any, b: Any) -> None:
        ib.scope_attr(TY, "thread_extent", 2)
        tile = ib.allocate("int32", (N,), "tile", "shared")
        with ib.new_scope():
            again = thread_axis((0, 4), "threadIdx.x", name="tx")
            ib.scope_attr(again, "thread_extent", 4)
            tile[TY * 4 + again] = a[TY * 4 + again]
        ib.emit(barrier())
        b[TY * 4 + TX] = tile[(1 - TY) * 4 + TX]

    assert result(launched(body, 4)) == [4, 5, 6, 7, 0, 1, 2, 3]


def test_blocks_are_the_outermost_loops_and_share_nothing() -> None:
    bx = thread_axis("blockIdx.x")

    def body(ib: IRBuilder, a: Any, b: Any) -> None:
        ib.scope_attr(bx, "thread_extent", 2)
        tile = ib.allocate("int32", (4,), "tile", "shared")
        tile[TX] = a[bx * 4 + TX]
        ib.emit(barrier())
        b[bx * 4 + TX] = tile[3 - TX]

    assert script(loop_over_threads(launched(body, 4))).startswith("for blockIdx.x in range(2):")
    assert result(launched(body, 4)) == [3, 2, 1, 0, 7, 6, 5, 4]


def test_what_is_the_same_for_all_threads_runs_once() -> None:
    def body(ib: IRBuilder, a: Any, b: Any) -> None:
        tile = ib.allocate("int32", (N,), "tile", "shared")
        tile[0] = te.const(0)
        ib.emit(barrier())
        tile[0] = tile[0] + 1
        ib.emit(barrier())
        b[TX] = tile[0]

    assert result(launched(body)) == [1] * N


def test_no_threads_do_nothing() -> None:
    def body(ib: IRBuilder, a: Any, b: Any) -> None:
        b[0] = te.const(5)

    assert result(launched(body)) == [5] + [0] * (N - 1)
    assert result(launched(body, 0)) == [0] * N
    n = te.var("n")
    f = tewb.build(IRModule({"f": PrimFunc("f", (B, n), launched(body, n), (0,))}))
    b = np.zeros(N, "int32")
    f(b, 0)
    assert not b.any()
    f(b, 2)
    assert b[0] == 5


def loop_of_a_thread(ib: IRBuilder, a: Any, b: Any) -> None:
    with ib.for_range(0, TX + 1):
        ib.emit(barrier())
        b[TX] = a[TX]


def condition_in_memory(ib: IRBuilder, a: Any, b: Any) -> None:
    with ib.if_scope(a[TX] > 3):
        b[TX] = a[TX]
        ib.emit(barrier())
        b[TX] = a[N - 1 - TX]


def two_sizes(ib: IRBuilder, a: Any, b: Any) -> None:
    ib.scope_attr(thread_axis("threadIdx.x"), "thread_extent", 4)
    b[TX] = a[TX]


def memory_of_a_thread(ib: IRBuilder, a: Any, b: Any) -> None:
    tile = ib.allocate("int32", (TX + 1,), "tile", "shared")
    tile[0] = a[TX]
    b[TX] = tile[0]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (loop_of_a_thread, "wait for each other inside of a loop that depends on threadIdx.x"),
        (condition_in_memory, "inside of a condition that reads memory: A"),
        (two_sizes, "threadIdx.x has two sizes in one launch: 4 inside of 8"),
        (memory_of_a_thread, "the memory of tile that depends on threadIdx.x"),
    ],
)
def test_threads_that_would_not_all_wait_are_refused(body: Body, said: str) -> None:
    with pytest.raises(LowerError, match=said) as e:
        loop_over_threads(launched(body))
    assert e.value.hint


def test_an_extern_built_by_hand_launches_threads() -> None:
    X = te.placeholder((N,), "int32", name="X")

    def kernel(ins: Any, outs: Any) -> Any:
        ib = IRBuilder()
        a, b = ib.buffer_ptr(ins[0]), ib.buffer_ptr(outs[0])
        tx = te.thread_axis("threadIdx.x")
        ib.scope_attr(tx, "thread_extent", N)
        tile = ib.allocate("int32", (N,), "tile", "shared")
        tile[tx] = a[tx]
        ib.emit(tewb.tir.call_intrin("int32", "tir.tvm_storage_sync", "shared"))
        b[tx] = tile[N - 1 - tx]
        return ib.get()

    Y = te.extern((N,), [X], lambda ins, outs: kernel(ins, outs), dtype="int32", name="Y")
    x, y = np.arange(N, dtype="int32"), np.zeros(N, "int32")
    tewb.build(te.create_schedule(Y.op), [X, Y])(x, y)
    assert list(y) == [7, 6, 5, 4, 3, 2, 1, 0]


def test_the_accesses_of_threads_are_traced() -> None:
    X = te.placeholder((4,), name="X")
    Y = te.compute((4,), lambda i: X[3 - i] + 1.0, name="Y")
    s = te.create_schedule(Y.op)
    copy = s.cache_read(X, "shared", [Y])
    s[Y].bind("i", TX)
    s[copy].compute_at(s[Y], "i")
    s[copy].bind("ax0", TX)
    session = Session(s, [X, Y])
    touched = session.access_trace("X.shared").accesses
    assert [(a.kind, list(a.elements)) for a in touched] == [
        *[("write", [i]) for i in range(4)],
        *[("read", [3 - i]) for i in range(4)],
    ]
