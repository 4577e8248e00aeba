"""Statements remember the loops and the journal steps that they came from."""

from __future__ import annotations

from typing import Any

import tewb
from tests.programs import blur, matmul, schedule_for
from tewb import te
from tewb.ir import BufferStore, For, walk
from tewb.schedule import Schedule


def stores(s: Schedule, args: list[Any]) -> list[Any]:
    body = tewb.lower(s, args)["main"].body
    return [n.origin for n in walk(body) if isinstance(n, BufferStore)]


def test_unrolled_statements_remember_their_loop() -> None:
    inputs, (C,) = matmul(8, 8, 8)
    s = schedule_for([C])
    s[C].split("i", factor=4)
    s[C].unroll("i.inner")
    found = stores(s, [*inputs, C])
    assert len(found) == 8
    assert {o.steps for o in found} == {(0, 1)}  # the split made the loop, unroll took it away
    assert {o.gone for o in found} == {(("C", "i.inner"),)}


def test_vectors_in_unrolled_loops_remember_both() -> None:
    inputs, (C,) = matmul(8, 8, 8)
    s = schedule_for([C])
    s[C].vectorize("j")
    s[C].unroll("i")
    assert {o.steps for o in stores(s, [*inputs, C])} == {(0, 1)}
    assert {o.gone for o in stores(s, [*inputs, C])} == {(("C", "j"), ("C", "i"))}


def test_loops_of_one_iteration_are_remembered() -> None:
    A = te.placeholder((8,), name="A")
    B = te.compute((8,), lambda i: A[i] + 1.0, name="B")
    s = te.create_schedule(B.op)
    s[B].split("i", factor=1)
    (store,) = stores(s, [A, B])
    assert store.steps == (0,) and store.gone == (("B", "i.inner"),)


def test_a_loop_knows_every_step_that_shaped_it() -> None:
    inputs, (C,) = matmul(8, 8, 8)
    s = schedule_for([C])
    s[C].fuse("i", "j")
    s[C].split("i.j.fused", factor=16)
    s[C].reorder("k", "i.j.fused.inner")
    body = tewb.lower(s, [*inputs, C])["main"].body
    steps = {n.var.name: n.origin.steps for n in walk(body) if isinstance(n, For)}
    assert steps["i.j.fused.outer"] == (0, 1)
    assert steps["i.j.fused.inner"] == (0, 1, 2)
    assert steps["k"] == (2,)


def test_what_is_inlined_lives_on_in_its_readers() -> None:
    inputs, (Y,) = blur()
    s = schedule_for([Y])
    s["X"].compute_inline()
    assert {o.steps for o in stores(s, [*inputs, Y])} == {(0,)}
