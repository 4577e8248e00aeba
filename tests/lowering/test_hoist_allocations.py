"""Memory moves out of serial loops, and not out of parallel ones."""

from __future__ import annotations

import pytest

from tewb.base import FLOAT32, INT32
from tewb.ir import Allocate, Buffer, BufferStore, Expr, For, ForKind, Seq, Stmt, Var, const, seq
from tewb.lowering.hoist_allocations import hoist_allocations, kept_by_threads


def nest(kind: ForKind, by_loop: bool = False) -> For:
    i, j = Var("i", INT32), Var("j", INT32)
    b = Buffer("B", FLOAT32, (i if by_loop else const(8),))
    inner = Allocate(b, BufferStore(b, const(1.0), (const(0),)))
    return For(i, const(0), const(4), kind, For(j, const(0), const(3), ForKind.SERIAL, inner))


def test_out_of_all_serial_loops() -> None:
    made = hoist_allocations(nest(ForKind.SERIAL))
    assert isinstance(made, Allocate)
    assert isinstance(made.body, For)
    assert isinstance(made.body.body, For)
    assert hoist_allocations(made) is made


@pytest.mark.parametrize(("kind", "by_loop"), [(ForKind.PARALLEL, False), (ForKind.SERIAL, True)])
def test_not_out_of_a_parallel_loop_nor_of_the_one_that_gives_the_size(kind: ForKind, by_loop: bool) -> None:
    made = hoist_allocations(nest(kind, by_loop))
    assert isinstance(made, For)
    assert isinstance(made.body, Allocate)
    assert isinstance(made.body.body, For)


def test_threads_keep_what_does_not_depend_on_the_iteration() -> None:
    own, other = filled(Var("n", INT32), "E"), filled(8, "small")
    loop = loop_over(own.body, Allocate(own.buffer, seq(other, own.body)))
    assert [a.buffer.name for a in kept_by_threads(loop)] == ["E"]
    assert kept_by_threads(nest(ForKind.PARALLEL)) == []  # it stands in a loop inside
    by_loop = nest(ForKind.PARALLEL, by_loop=True)
    made = hoist_allocations(by_loop)
    assert isinstance(made, For) and kept_by_threads(made) == []


def test_an_allocation_beside_others_stays() -> None:
    loop = nest(ForKind.SERIAL)
    inner = loop.body
    assert isinstance(inner, For)
    beside = For(loop.var, loop.min, loop.extent, loop.kind, seq(inner.body, inner.body))
    assert hoist_allocations(beside) is beside


def loop_over(*stmts: Stmt) -> For:
    return For(Var("i", INT32), const(0), const(4), ForKind.SERIAL, seq(*stmts))


def filled(size: Expr | int, name: str = "B") -> Allocate:
    b = Buffer(name, FLOAT32, (const(size) if isinstance(size, int) else size,))
    return Allocate(b, BufferStore(b, const(1.0), (const(0),)))


def test_memory_of_an_unknown_size_moves_past_what_stands_beside_it() -> None:
    """Taken and given back in each row, it cost a softmax of rows a quarter of its speed."""
    store = filled(1).body
    made = hoist_allocations(loop_over(store, filled(8, "small"), filled(Var("n", INT32), "E"), store))
    assert isinstance(made, Allocate)
    assert made.buffer.name == "E"
    loop = made.body
    assert isinstance(loop, For)
    assert isinstance(loop.body, Seq)
    assert [type(s) for s in loop.body.stmts] == [BufferStore, Allocate, BufferStore, BufferStore]
    assert hoist_allocations(made) is made


def test_memory_that_others_may_take_afterwards_stays() -> None:
    n = Var("n", INT32)
    apart = loop_over(filled(n, "first"), filled(n, "second"))
    assert hoist_allocations(apart) is apart
