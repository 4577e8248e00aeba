"""Which tail of a split would leave no guard."""

from __future__ import annotations

import tewb
from tests.schedule.test_rounded_tails import chain
from tewb import te
from tewb.workbench.judge.tails import split_without_guard


def masked(stage: str) -> tewb.Session:
    """T, U and B of 4 x 43, and a split of one of them that has a mask in every part."""
    A, B = chain(4, 43)
    s = tewb.Session(te.create_schedule(B.op), [A, B])
    s.load(f's["{stage}"].split("j", 8, tail="predicate")')
    return s


def test_memory_that_can_be_padded_is() -> None:
    step = split_without_guard(masked("U"), "U", 1)
    assert str(step) == "split(U, axis=j, factor=8, tail=round_up)"


def test_an_output_is_moved_inwards() -> None:
    step = split_without_guard(masked("B"), "B", 1)
    assert str(step) == "split(B, axis=j, factor=8, tail=shift)"


def test_no_tail_is_named_where_none_leaves_less() -> None:
    assert split_without_guard(masked("B"), "B", 0) is None
    A, k = te.placeholder((43,), name="A"), te.reduce_axis((0, 43), "k")
    S = te.compute((3,), lambda i: te.sum(A[k], axis=k), name="S")
    s = tewb.Session(te.create_schedule(S.op), [A, S])
    s.load('s["S"].split("k", 8, tail="predicate")')
    assert split_without_guard(s, "S", 1) is None
