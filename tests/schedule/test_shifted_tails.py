"""Splits whose last part is moved inwards: which those are, and where iterations may run twice."""

from __future__ import annotations

from tests.programs import matmul, schedule_for
from tewb.schedule import refused_again, shifted_loops


def test_only_splits_that_leave_a_rest_are_moved() -> None:
    s = schedule_for(matmul(29, 24, 3)[1])
    s["C"].split("i", 9, tail="shift")
    s["C"].split("j", 8, tail="shift")
    s["C"].split("k", 2)
    found = shifted_loops(s["C"], s.extents(s["C"]))
    assert [s["C"].axis_name(r.parent) for r in found] == ["i"]


def test_a_compute_without_a_reduction_stores_equal_values() -> None:
    inputs, outputs = matmul(29, 24, 3)
    s = schedule_for(outputs)
    copied = s.cache_read(inputs[0], "global", [outputs[0]])
    assert refused_again(s[copied], list(s[copied].leaf_iter_vars)) is None


def test_a_reduction_is_finished_before_it_begins_again() -> None:
    s = schedule_for(matmul(29, 24, 3)[1])
    C = s["C"]
    outer, _ = C.split("i", 9)
    assert refused_again(C, [outer]) is None
    C.unroll(outer)
    assert refused_again(C, [outer]) is None
    C.reorder("k", "i.outer")
    refused = refused_again(C, [outer])
    assert refused is not None and "i.outer is inside of the reduction over k" in refused.reason
