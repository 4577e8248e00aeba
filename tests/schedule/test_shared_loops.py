"""Stages in the loops of another: which they are, which loops they share, and in which order nests come."""

from __future__ import annotations

from typing import Any

from tewb import te
from tewb.schedule import Schedule, joined_stages, nest_of, nests_in_order, shared_pairs
from tewb.schedule.shared_loops import depends_on, in_a_circle, read_after_inlining, wrongly_joined


def diamond() -> Schedule:
    A = te.placeholder((8, 3), name="A")
    B = te.compute((8, 3), lambda i, j: A[i, j] + 1, name="B")
    C = te.compute((8, 3), lambda i, j: B[i, j] * 2, name="C")
    D = te.compute((8, 3), lambda i, j: A[i, j] - 1, name="D")
    E = te.compute((8, 3), lambda i, j: C[i, j] * D[i, j], name="E")
    return te.create_schedule(E.op)


def names(stages: Any) -> list[str]:
    return [s.name for s in stages]


def test_nests_keep_the_order_of_the_program_where_nothing_is_joined() -> None:
    s = diamond()
    assert names(nests_in_order(s)) == ["B", "C", "D", "E"] and joined_stages(s) == []


def test_a_nest_comes_after_all_that_its_stages_read() -> None:
    s = diamond()
    s["C"].compute_with(s["D"], "i")
    assert names(nests_in_order(s)) == ["B", "D", "E"]
    assert names(joined_stages(s)) == ["C"] and nest_of(s["C"]) is s["D"]
    s["E"].reverse_compute_at(s["D"], "i")  # in doubt: it reads C, too
    assert nest_of(s["E"]) is s["D"]


def test_pairs_of_loops_go_by_their_places() -> None:
    s = diamond()
    s["D"].split("i", 4)
    s["B"].reorder("j", "i")
    s["D"].compute_with(s["B"], "i")
    pairs = [(s["B"].axis_name(a), s["D"].axis_name(b)) for a, b in shared_pairs(s["D"])]
    assert pairs == [("j", "i.outer"), ("i", "i.inner")]
    assert shared_pairs(s["B"]) == []


def test_what_depends_on_what_looks_through_inlined_stages() -> None:
    s = diamond()
    s["C"].compute_inline()
    assert names(read_after_inlining(s["E"])) == ["D", "B"] or set(names(read_after_inlining(s["E"]))) == {
        "B",
        "D",
    }
    assert depends_on(s["E"], [s["B"]]) is s["B"]
    assert depends_on(s["D"], [s["B"], s["E"]]) is None


def test_two_nests_that_need_each_other_are_a_circle() -> None:
    s = diamond()
    s["E"].reverse_compute_at(s["D"], "i")
    assert in_a_circle(s) is None  # C comes before
    s["E"].compute_root()
    s["E"].reverse_compute_at(s["B"], "i")
    found = in_a_circle(s)
    assert found is not None and found[0] is s["E"]
    assert "E needs C, which needs all of B" in found[1].reason


def test_each_refusal_has_a_hint() -> None:
    s = diamond()
    s["C"].compute_with(s["B"], "i")
    refused = wrongly_joined(s["C"])
    assert refused is not None and refused.hint and "C depends on B" in refused.reason
