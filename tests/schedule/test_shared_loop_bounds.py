"""Bounds of stages in the loops of others: in which order they are found, and how much is kept."""

from __future__ import annotations

from typing import Any

import pytest

from tests.schedule.kept import kept_extents
from tewb import te
from tewb.base import ScheduleError
from tewb.schedule import INLINE, At
from tewb.schedule.bounds import infer_bounds
from tewb.schedule.shared_loop_bounds import check_joined, from_outputs


def program(also_read: bool = False) -> tuple[Any, Any, Any]:
    """C, which reads P, after it in its loops; D, which reads C, and may read P."""
    A = te.placeholder((16,), "int32", name="A")
    P = te.compute((16,), lambda i: A[i] + 1, name="P")
    C = te.compute((16,), lambda i: P[i] * 2, name="C")
    D = te.compute((16,), lambda i: C[i] + (P[i] if also_read else 0), name="D")
    s = te.create_schedule(D.op)
    s[C].reverse_compute_at(s[P], s[P].split("i", 4)[0])
    return s, P, C


def test_one_part_is_kept_of_what_is_read_in_the_iteration_that_makes_it() -> None:
    s, P, C = program()
    assert (kept_extents(s, P), kept_extents(s, C)) == ([4], [16])
    assert infer_bounds(s).kept_in == {s[P]: (s[P], s[P].leaf_iter_vars[0])}


def test_all_is_kept_of_what_others_read_too() -> None:
    s, P, _ = program(also_read=True)
    assert kept_extents(s, P) == [16] and infer_bounds(s).kept_in == {}


def test_what_comes_after_a_stage_is_found_right_after_it() -> None:
    s, P, _ = program()
    assert [x.name for x in from_outputs(s, [s[P]])] == ["P", "C", "D", "A"]
    assert [x.name for x in from_outputs(s, [])] == ["D", "C", "P", "A"]


def test_a_stage_that_cannot_be_there_is_told() -> None:
    s, P, C = program()
    check_joined(s)
    s[P].compute_root()
    s[C].attach = At(s[P], s[P].leaf_iter_vars[1], after=True)
    check_joined(s)
    s[P].attach = INLINE
    with pytest.raises(ScheduleError, match="P is computed inline"):
        check_joined(s)
