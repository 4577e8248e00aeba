"""Checks for the accesses of statements that a user wrote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te, tir
from tewb.base import BoundError
from tewb.ir import AssertStmt, Call, walk
from tewb.runtime import Kernel

Write = Callable[[Any, Any, Any, Any], None]


def extern_of(write: Write, sizes: Any = 5) -> tuple[Any, list[Any]]:
    """E by `write(ib, a, index, e)`, of elements of A and of integers I."""
    A, index = te.placeholder((sizes,), name="A"), te.placeholder((sizes,), "int32", name="I")

    def body(ins: Any, outs: Any) -> Any:
        ib = tir.ir_builder.create()
        write(ib, ib.buffer_ptr(ins[0]), ib.buffer_ptr(ins[1]), ib.buffer_ptr(outs[0]))
        return ib.get()

    E = te.extern((sizes,), [A, index], body, dtype="float32", name="E")
    return te.create_schedule(E.op), [A, index, E]


def kernel_of(write: Write) -> Kernel:
    return tewb.build(*extern_of(write))


def called(kernel: Kernel, index: list[int]) -> list[float]:
    e = np.zeros(5, "float32")
    kernel(np.arange(1, 6, dtype="float32"), np.array(index, "int32"), e)
    result: list[float] = e.tolist()
    return result


def scatter(ib: Any, a: Any, i: Any, e: Any) -> None:
    with ib.for_range(0, 5, name="k") as k:
        e[i[k]] = a[k]


def gather(ib: Any, a: Any, i: Any, e: Any) -> None:
    with ib.for_range(0, 5, name="k") as k:
        e[k] = a[i[k]]


def gather_in_lanes(ib: Any, a: Any, i: Any, e: Any) -> None:
    with ib.for_range(0, 5, name="k", kind="vectorize") as k:
        e[k] = a[i[k]]


def by_name(ib: Any, a: Any, i: Any, e: Any) -> None:
    with ib.for_range(0, 5, name="k") as k:
        place = ib.let("place", i[k])
        e[place] = a[k]


def in_a_range_of_data(ib: Any, a: Any, i: Any, e: Any) -> None:
    with ib.for_range(0, i[0] + 1, name="k") as k:
        e[k] = a[k]


def while_counted(ib: Any, a: Any, i: Any, e: Any) -> None:
    n = ib.allocate("int32", (1,), name="n")
    n[0] = 4
    with ib.while_loop(i[n[0]] != 4):
        e[n[0]] = a[n[0]]
        n[0] = n[0] - 1


def of_own_memory(ib: Any, a: Any, i: Any, e: Any) -> None:
    held = ib.allocate("float32", (5,), name="held")
    with ib.for_range(0, 5, name="k") as k:
        held[i[k]] = a[k]


@pytest.mark.parametrize(
    ("write", "wrong", "named"),
    [
        (scatter, [0, 1, -1, 2, 3], r"extern E writes outside of E in dimension 0: I\[k\]"),
        (scatter, [0, 1, 7, 2, 3], r"writes outside of E in dimension 0: I\[k\]"),
        (gather, [0, 1, 5, 2, 3], r"reads outside of A in dimension 0: I\[k\]"),
        (gather_in_lanes, [0, 1, -1, 2, 3], r"reads outside of A in dimension 0: I\[k\]"),
        (by_name, [0, -1, 1, 2, 3], "writes outside of E in dimension 0: place"),
        (in_a_range_of_data, [5, 0, 0, 0, 0], "outside of A in dimension 0: k"),
        (while_counted, [0, 0, 0, 0, 0], r"reads outside of I in dimension 0: n\[0\]"),
        (of_own_memory, [0, 1, 2, 3, 5], r"writes outside of held in dimension 0: I\[k\]"),
    ],
)
def test_an_index_of_data_is_checked(write: Write, wrong: list[int], named: str) -> None:
    kernel = kernel_of(write)
    with pytest.raises(BoundError, match=named):
        called(kernel, wrong)
    called(kernel, [4, 3, 2, 1, 0])


def test_indices_that_are_inside_are_used() -> None:
    assert called(kernel_of(scatter), [4, 3, 2, 1, 0]) == [5, 4, 3, 2, 1]
    assert called(kernel_of(gather), [4, 4, 0, 0, 1]) == [5, 5, 1, 1, 2]
    assert called(kernel_of(while_counted), [0, 0, 4, 0, 0]) == [0, 0, 0, 4, 5]


def test_an_index_under_its_condition() -> None:
    def write(ib: Any, a: Any, i: Any, e: Any) -> None:
        with ib.for_range(0, 5, name="k") as k, ib.if_scope(tir.all(i[k] >= 0, i[k] < 5)):
            e[i[k]] = a[k]

    assert called(kernel_of(write), [7, -1, 0, 1, 2]) == [3, 4, 5, 0, 0]


def test_a_condition_that_a_store_changes() -> None:
    def write(ib: Any, a: Any, i: Any, e: Any) -> None:
        n = ib.allocate("int32", (1,), name="n")
        n[0] = i[0]
        with ib.if_scope(n[0] < 5):
            n[0] = i[1]
            e[n[0]] = a[0]

    with pytest.raises(BoundError, match="writes outside of E"):
        called(kernel_of(write), [0, 5, 0, 0, 0])


@pytest.mark.parametrize("choose", [tir.Select, tir.if_then_else])
def test_a_side_that_is_not_taken_is_not_read(choose: Any) -> None:
    def write(ib: Any, a: Any, i: Any, e: Any) -> None:
        with ib.for_range(0, 5, name="k") as k:
            e[k] = choose(tir.all(i[k] >= 0, i[k] < 5), a[i[k]], 0.0)

    s, args = extern_of(write)
    made = list(walk(tewb.lower(s, args)["main"].body))
    assert any(isinstance(n, Call) and n.name == "if_then_else" for n in made)
    assert called(tewb.build(s, args), [7, -1, 0, 4, 5]) == [0, 0, 1, 5, 0]


def test_an_index_that_passes_its_dtype() -> None:
    def write(ib: Any, a: Any, i: Any, e: Any) -> None:
        with ib.for_range(0, 5, name="k") as k:
            e[k] = a[i[k] * 1073741824]

    assert called(kernel_of(write), [0] * 5) == [1] * 5
    with pytest.raises(BoundError, match=r"I\[k\] \* 1073741824"):
        called(kernel_of(write), [4] * 5)


def test_one_index_for_the_elements_of_two_dimensions() -> None:
    A, index = te.placeholder((4, 6), name="A"), te.placeholder((1,), "int32", name="I")

    def body(ins: Any, outs: Any) -> Any:
        ib = tir.ir_builder.create()
        a, i, e = ib.buffer_ptr(ins[0]), ib.buffer_ptr(ins[1]), ib.buffer_ptr(outs[0])
        e[0] = a[i[0]]
        return ib.get()

    E = te.extern((1,), [A, index], body, dtype="float32", name="E")
    kernel = tewb.build(te.create_schedule(E.op), [A, index, E])
    a, e = np.arange(24, dtype="float32").reshape(4, 6), np.zeros(1, "float32")
    kernel(a, np.array([23], "int32"), e)
    assert e[0] == 23
    for wrong in (24, -1):
        with pytest.raises(BoundError, match="reads outside of A"):
            kernel(a, np.array([wrong], "int32"), e)


@pytest.mark.parametrize("sizes", [(10, 7), (te.var("n"), te.var("m"))])
@pytest.mark.parametrize("tail", ["clip", "shift", "pad"])
def test_loops_over_a_tile_need_no_checks(sizes: Any, tail: str) -> None:
    A = te.placeholder((sizes[0] + 2, sizes[1]), name="A")

    def body(ins: Any, outs: Any) -> Any:
        ib = tir.ir_builder.create()
        a, e = ib.buffer_ptr(ins[0]), ib.buffer_ptr(outs[0])
        rows, columns = outs[0].shape
        with (
            ib.for_range(0, rows, name="y") as y,
            ib.for_range(0, (columns + 3) // 4, name="x") as x,
            ib.for_range(0, 4, name="z") as z,
            ib.if_scope(x * 4 + z < columns),
        ):
            e[y, x * 4 + z] = a[y + 2, x * 4 + z]
        return ib.get()

    E = te.extern(
        sizes,
        [A],
        body,
        name="E",
        tail=tail,
        access=lambda *r: [[(r[0][0], r[0][1] + 2), r[1]]],
    )
    s = te.create_schedule(E.op)
    s[E].tile("d0", "d1", 4, 3)
    assert not any(isinstance(n, AssertStmt) for n in walk(tewb.lower(s, [A, E])["main"].body))


def rows_as_one_vector(first: Any) -> Any:
    """E of one float32x8, from element `first(i)` on of the 8 rows of 4 in A."""
    A, index = te.placeholder((8, 4), name="A"), te.placeholder((1,), "int32", name="I")

    def body(ins: Any, outs: Any) -> Any:
        ib = tir.ir_builder.create()
        row = first(ib.buffer_ptr(ins[1]))
        ib.emit(outs[0].vstore([0], ins[0].vload([row, 0], "float32x8")))
        return ib.get()

    E = te.extern((8,), [A, index], body, dtype="float32", name="E")
    return te.create_schedule(E.op), [A, index, E]


def test_lanes_that_go_on_in_the_next_row() -> None:
    module = tewb.lower(*rows_as_one_vector(lambda i: 6))
    assert not any(isinstance(n, AssertStmt) for n in walk(module["main"].body))
    kernel = tewb.build(*rows_as_one_vector(lambda i: i[0]))
    a, e = np.arange(32, dtype="float32").reshape(8, 4), np.zeros(8, "float32")
    kernel(a, np.array([6], "int32"), e)
    assert e.tolist() == list(range(24, 32))
    for wrong in (7, -1):
        with pytest.raises(BoundError, match="extern E reads outside of A"):
            kernel(a, np.array([wrong], "int32"), e)


def test_an_element_without_dimensions() -> None:
    A = te.placeholder((), name="A")

    def body(ins: Any, outs: Any) -> Any:
        ib = tir.ir_builder.create()
        ib.buffer_ptr(outs[0])[()] = ib.buffer_ptr(ins[0])[()] + 1.0
        return ib.get()

    E = te.extern((), [A], body, name="E")
    e = np.zeros((), "float32")
    tewb.build(te.create_schedule(E.op), [A, E])(np.full((), 2, "float32"), e)
    assert e == 3
