"""Double buffering of a loop: the next iteration's part is stored in the other half, one iteration ahead."""

from __future__ import annotations

from typing import Any

import pytest

from tewb.base import DType, LowerError
from tewb.ir import (
    Allocate,
    Buffer,
    BufferStore,
    Expr,
    For,
    ForKind,
    Origin,
    Var,
    const,
    convert,
    load,
    ops,
    script,
    walk,
)
from tewb.lowering.double_buffer import Ahead, double_buffered

INT32 = DType("int32")
k = Var("k", INT32)


def doubled(extent: Any, size: Any = 4, strides: Any = (), at: Any = 1) -> list[str]:
    """A loop of k in which B[at] = A[k] is made and C[k] = B[at] is used."""
    steps = tuple(convert(e) for e in strides)
    A, B, C = (
        Buffer(name, DType("float32"), (convert(n),), how)
        for name, n, how in (("A", 9, ()), ("B", size, steps), ("C", 9, ()))
    )
    origin = Origin("B")
    made = BufferStore(B, load(A, (k,)), (convert(at),), origin)
    used = BufferStore(C, load(B, (convert(at),)), (k,))
    loop = For(k, const(0), convert(extent), ForKind.SERIAL, used)
    return script(double_buffered(loop, [Ahead(made, [B], origin)])).splitlines()


def test_the_first_part_is_made_before_the_loop_and_the_next_in_it() -> None:
    assert doubled(3) == [
        'B = T.allocate((2, 4), "float32")',
        "B[0 % 2, 1] = A[0]",
        "for k in range(3):",
        "    if T.likely(k + 1 < 3):",
        "        B[(k + 1) % 2, 1] = A[k + 1]",
        "    C[k] = B[k % 2, 1]",
    ]


def test_a_loop_that_may_not_run_reads_nothing_before_it() -> None:
    n = Var("n", INT32)
    assert doubled(n)[1:3] == ["if 0 < n:", "    B[0 % 2, 1] = A[0]"]


def test_the_halves_of_rows_with_gaps_are_whole_rows_apart() -> None:
    assert doubled(3, 4, (6,))[0] == 'B = T.allocate((2, 4), "float32", strides=(24, 6))'


def test_each_half_holds_what_the_largest_iteration_needs() -> None:
    assert doubled(3, k + 2)[0] == 'B = T.allocate((2, 4), "float32")'
    n = Var("n", INT32)
    assert doubled(n, ops.sub(n, k))[0] == 'B = T.allocate((2, T.max(n, 0)), "float32")'


def test_a_size_without_a_largest_value_is_refused() -> None:
    size: Expr = load(Buffer("rows", INT32, (convert(9),)), (k,))
    with pytest.raises(LowerError, match=r"how much of B an iteration of k needs differs .* rows\[k\]") as e:
        doubled(3, size)
    assert e.value.hint == "compute all of B outside of k, or without double_buffer"


def test_each_buffer_is_doubled_and_others_stay() -> None:
    B, D = (Buffer(name, DType("int8"), (convert(2),)) for name in "BD")
    origin = Origin("B")
    made = BufferStore(B, load(D, (convert(0),)), (convert(0),), origin)
    more = BufferStore(D, convert(1).astype("int8"), (convert(0),), origin)
    loop = For(k, const(0), const(5), ForKind.SERIAL, BufferStore(D, load(B, (convert(1),)), (convert(1),)))
    whole = double_buffered(loop, [Ahead(more, [D], origin), Ahead(made, [B], origin)])
    assert isinstance(whole, Allocate) and isinstance(whole.body, Allocate)
    assert [whole.buffer.name, whole.body.buffer.name] == ["D", "B"]
    assert script(whole).splitlines()[-1].strip() == "D[k % 2, 1] = B[k % 2, 1]"


def test_stores_past_the_caches_stay_so() -> None:
    A, B, C = (Buffer(name, DType("float32"), (const(9),)) for name in "ABC")
    made = BufferStore(B, load(A, (k,)), (const(1),), Origin("B"), 64)
    used = BufferStore(C, load(B, (const(1),)), (k,), None, 32)
    loop = For(k, const(0), const(3), ForKind.SERIAL, used)
    stores = [
        n for n in walk(double_buffered(loop, [Ahead(made, [B], Origin("B"))])) if isinstance(n, BufferStore)
    ]
    assert [n.nontemporal for n in stores] == [64, 64, 32]
