"""The order of terms: which reducers have one, which steps keep it, and that no idea changes it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.workbench.judge.test_next_steps import TWO
from tewb import te, topi
from tewb.base import ScheduleError
from tewb.tuning.model_search import ModelSearch, nominal_machine
from tewb.workbench.judge.draft import Draft
from tewb.workbench.judge.ideas import ideas
from tewb.workbench.judge.next_steps import scene_of
from tewb.workbench.judge.term_order import check_order, has_order, stages_in_order


def first_of_equals(x: Any, y: Any) -> Any:
    return te.select(x[1] >= y[1], x[0], y[0]), te.select(x[1] >= y[1], x[1], y[1])


def sums_of_two(x: Any, y: Any) -> Any:
    return x[0] + y[0], x[1] + y[1]


def weighted(x: Any, y: Any) -> Any:
    return x[0] + y[0], x[1] * te.exp(x[0]) + y[1] * te.exp(y[0])


def reduced(combine: Any, n: int = 24, m: int = 1000, dtype: str = "int32") -> tuple[Any, list[Any]]:
    """A reduction of the columns of a matrix by a reducer of two values."""
    reducer = te.comm_reducer(combine, lambda t0, t1: (te.const(-1, t0), te.min_value(t1)), name="argmax")
    A, k = te.placeholder((m, n), name="A", dtype=dtype), te.reduce_axis((0, m), name="k")
    T = te.compute((n,), lambda j: reducer((k.var.astype(dtype), A[k, j]), axis=k), name="T")
    return te.create_schedule(T[0].op), [A, *T]


@pytest.mark.parametrize(
    ("combine", "dtype", "is_ordered"),
    [
        (first_of_equals, "int32", True),
        (first_of_equals, "float32", True),
        (sums_of_two, "float32", False),
        (weighted, "float32", True),  # it cannot be tried
    ],
)
def test_the_order_matters_where_a_reducer_is_another_one_the_other_way_round(
    combine: Any, dtype: str, is_ordered: bool
) -> None:
    s, _ = reduced(combine, dtype=dtype)
    assert stages_in_order(s) == ({"T": True} if is_ordered else {})


@pytest.mark.parametrize("place", [topi.argmax, topi.argmin])
@pytest.mark.parametrize("last", [False, True])
def test_the_order_does_not_matter_to_topi(place: Any, last: bool) -> None:
    B = place(te.placeholder((8, 8), name="A"), 1, select_last_index=last)
    assert stages_in_order(te.create_schedule(B.op)) == {}


@pytest.mark.parametrize(
    ("steps", "is_kept"),
    [
        (lambda s: s.split("k", factor=8), True),
        (lambda s: s.reorder("k", "j"), True),
        (lambda s: (s.split("k", factor=8), s.reorder("k.outer", "j", "k.inner")), True),
        (lambda s: (s.split("k", factor=8), s.split("k.inner", factor=2), s.unroll("k.inner.inner")), True),
        (lambda s: (s.split("k", factor=8), s.fuse("k.outer", "k.inner")), True),
        (lambda s: (s.split("k", factor=8), s.reorder("k.inner", "k.outer")), False),
        (lambda s: s.vectorize(s.split("k", factor=8)[1]), False),
    ],
)
def test_steps_that_keep_the_order(steps: Any, is_kept: bool) -> None:
    s, _ = reduced(first_of_equals)
    before = stages_in_order(s)
    steps(s["T"])
    assert has_order(s["T"]) is is_kept
    if is_kept:
        check_order(before, s)
    else:
        with pytest.raises(ScheduleError, match="T would combine its terms in another order"):
            check_order(before, s)
        check_order(stages_in_order(s), s)  # who had another order may have any


def test_partial_results_are_of_parts_that_follow_each_other() -> None:
    s, _ = reduced(first_of_equals)
    before = stages_in_order(s)
    outer, _ = s["T"].split("k", nparts=4)
    s.rfactor(s["T"].op.output(0), outer)
    check_order(before, s)
    assert stages_in_order(s) == {"T": True, "T.rf": True}


def test_no_idea_changes_the_order() -> None:
    session = tewb.Session(*reduced(first_of_equals, n=64))
    T = session.schedule["T"]
    j, lanes = T.split("j", factor=16)
    k, inner = T.split("k", factor=500)
    T.reorder(j, k, inner, lanes)
    T.vectorize(lanes)
    kinds, refused = set(), set()
    for idea in ideas(scene_of(session, TWO)):
        draft = Draft(session.schedule)
        try:
            idea.make(draft)
        except ScheduleError as e:
            refused |= {idea.kind} if "in another order" in e.message else set()
            continue
        kinds.add(idea.kind)
        assert all(stages_in_order(draft.schedule).values())
    assert kinds and "cache tile" in refused


def test_of_equals_the_first_is_found_by_all_schedules_of_the_model() -> None:
    s, args = reduced(first_of_equals, n=80, m=600)
    model = ModelSearch(args, {}, nominal_machine(2))
    found = model.run(s, 60.0)
    a = np.random.default_rng(0).integers(0, 5, (600, 80), "int32")
    assert len(found) > 5
    for c in [*found[::3], model.shared(found[0])]:
        places, _ = tewb.build(c.schedule, args)(a)
        np.testing.assert_array_equal(np.asarray(places), a.argmax(axis=0))
