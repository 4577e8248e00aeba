"""Stores with their loops: how often loops run, how far accesses move, and what counts as a value."""

from __future__ import annotations

from typing import Any

import tewb
from tewb import te
from tewb.ir import Add, Mul
from tewb.workbench.judge.store_nests import FAR, StoreNest, accesses, guard_of, store_nests, values_of


def nests(out: Any, *inputs: Any, sizes: dict[str, int] | None = None) -> list[StoreNest]:
    session = tewb.Session(te.create_schedule(out.op), [*inputs, out], sizes=sizes)
    return list(store_nests(session.passes[0][1].body, session.sizes))


def test_loops_and_moves_of_a_product() -> None:
    A, B = te.placeholder((4, 8), name="A"), te.placeholder((8, 16), name="B")
    k = te.reduce_axis((0, 8), name="k")
    C = te.compute((4, 16), lambda i, j: te.sum(A[i, k] * B[k, j], axis=k), name="C")
    zero, update = nests(C, A, B)
    assert [n.trips for n in zero.loops] == [4, 16] and [n.trips for n in update.loops] == [4, 16, 8]
    moves = {a.buffer.name: a.moves for a in accesses(update)}
    assert moves == {"A": (8, 0, 1), "B": (0, 1, 16), "C": (16, 1, 0)}
    assert [a.stores for a in accesses(update)] == [False, False, False, True]


def test_where_accesses_begin() -> None:
    A = te.placeholder((6, 10), name="A")
    B = te.compute((4, 8), lambda i, j: A[i, j] + A[i + 1, j + 2] + A[i + 2, j], name="B")
    (nest,) = nests(B, A)
    assert sorted(a.offset for a in accesses(nest) if not a.stores) == [0, 12, 20]


def test_sizes_that_are_known_at_run_time_have_values_and_what_varies_is_far() -> None:
    n = te.var("n")
    A, at = te.placeholder((n,), name="A"), te.placeholder((n,), "int32", name="at")
    B = te.compute((n,), lambda i: A[at[i]], name="B")
    (nest,) = nests(B, A, at, sizes={"n": 1000})
    assert nest.loops[0].trips == 1000
    assert {a.buffer.name: a.moves for a in accesses(nest)} == {"A": (FAR,), "at": (1,), "B": (1,)}


def test_loops_over_triangles_count_as_in_their_middle() -> None:
    A = te.placeholder((100, 100), name="A")
    s = te.create_schedule(te.compute((100, 100), lambda i, j: A[i, j], name="B").op)
    session = tewb.Session(s, [A, s.outputs[0].output(0)])
    (nest,) = store_nests(session.passes[0][1].body, {})
    assert [n.trips for n in nest.loops] == [100, 100]


def test_indices_and_conditions_on_loops_are_no_values() -> None:
    A = te.placeholder((64,), name="A")
    B = te.compute(
        (4, 16), lambda i, j: te.if_then_else(te.all(i * 16 + j > 3), A[i * 16 + j] * 2.0, 0.0), name="B"
    )
    (nest,) = nests(B, A)
    values = list(values_of(nest.store.value))
    assert sum(isinstance(v, Mul) for v in values) == 1 and not any(isinstance(v, Add) for v in values)
    assert sum(guard_of(v) is not None for v in values) == 1


def test_a_condition_on_elements_is_a_value() -> None:
    A = te.placeholder((64,), name="A")
    B = te.compute((64,), lambda i: te.if_then_else(A[i] > 0.0, A[i], 0.0), name="B")
    (nest,) = nests(B, A)
    assert all(guard_of(v) is None for v in values_of(nest.store.value))
