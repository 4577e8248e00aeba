"""Memory moves out of serial loops, and not out of parallel ones."""

from __future__ import annotations

import pytest

from tewb.base import FLOAT32, INT32
from tewb.ir import Allocate, Buffer, BufferStore, For, ForKind, Var, const, seq
from tewb.lowering.hoist_allocations import hoist_allocations


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


def test_an_allocation_beside_others_stays() -> None:
    loop = nest(ForKind.SERIAL)
    inner = loop.body
    assert isinstance(inner, For)
    beside = For(loop.var, loop.min, loop.extent, loop.kind, seq(inner.body, inner.body))
    assert hoist_allocations(beside) is beside
