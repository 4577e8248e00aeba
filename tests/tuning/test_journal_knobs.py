"""Values of a journal as knobs: which there are, what is tried for them, and where they are when the journal changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.programs import matmul, schedule_for
from tests.tuning.test_subject import session
from tewb.base import ArgumentError
from tewb.schedule import Step
from tewb.tuning.journal_knobs import (
    Turnable,
    candidates,
    choices,
    given_values,
    places,
    turnable,
    values_text,
    without_values,
)
from tewb.workbench import Session

ORDER = Turnable(1, "axes", "order", ("i", "j", "k"))
FACTOR = Turnable(1, "factor", "factor", 8)
FLAG = Turnable(1, "done", "flag", True)


def test_factors_orders_places_tails_and_whether_a_step_is_done() -> None:
    journal = [
        Step("split", "C", {"axis": "i", "factor": 8, "tail": "guard"}),
        Step("reorder", "C", {"axes": ["j", "i.outer"]}),
        Step("compute_at", "B", {"parent": "C", "axis": "i.outer"}),
        Step("fuse", "C", {"outer": "j", "inner": "k"}),
        Step("vectorize", "C", {"axis": "i.inner"}),
        Step("compute_inline", "D"),
        Step("split", "C", {"axis": "k", "factor": "n"}),
        Step("reorder", "C", {"axes": ["j"]}),
    ]
    found = {t.name: (t.kind, t.value) for t in turnable(journal)}
    assert found == {
        "1.factor": ("factor", 8),
        "1.tail": ("choice", "guard"),
        "2.axes": ("order", ("j", "i.outer")),
        "3.axis": ("choice", "i.outer"),
        "5.done": ("flag", True),
        "6.done": ("flag", True),
    }


def test_candidates_are_those_of_the_loops_before_the_step() -> None:
    s = session()  # 24 x 20 x 12; split i by 8, tile j and k by 4 and 3, vectorize j.inner
    s.apply(Step("reorder", "C", {"axes": ["k.outer", "i.inner"]}))
    found = {t.name: candidates(s.schedule, s.journal, t) for t in turnable(s.journal)}
    assert found["1.factor"] == (1, 2, 3, 4, 6, 8, 12, 16, 24)
    assert found["2.y_factor"] == (1, 2, 3, 4, 6, 8, 12)
    assert found["4.axes"] == (("k.outer", "i.inner"), ("i.inner", "k.outer"))
    assert found["3.done"] == (True, False)
    assert s.journal[0].args == {"axis": "i", "factor": 8}


def test_of_many_loops_neighbours_are_exchanged() -> None:
    t = Turnable(1, "axes", "order", ("a", "b", "c", "d", "e"))
    found = candidates(session().schedule, [Step("reorder", "C")], t)
    assert len(found) == 5 and found[0] == t.value and found[1] == ("b", "a", "c", "d", "e")
    assert len(candidates(session().schedule, [Step("reorder", "C")], ORDER)) == 6


def test_a_place_may_be_any_loop_and_a_tail_any_word() -> None:
    inputs, outputs = matmul(8, 8, 8)
    s = Session(schedule_for(outputs), inputs + outputs)
    s.apply(
        Step("cache_write", "C", {"scope": "local"}), Step("compute_at", "C.local", {"parent": "C", "axis": "i"}),
        Step("split", "C", {"axis": "j", "factor": 3, "tail": "guard"}),
    )  # fmt: skip
    found = {t.name: candidates(s.schedule, s.journal, t) for t in turnable(s.journal)}
    assert found["2.axis"] == ("i", "j") and found["3.tail"] == (
        "guard",
        "shift",
        "predicate",
    )  # C is an output


def test_what_later_steps_refuse_is_no_candidate() -> None:
    inputs, outputs = matmul(8, 8, 8)
    s = Session(schedule_for(outputs), inputs + outputs)
    s.apply(
        Step("cache_write", "C", {"scope": "local"}), Step("split", "C", {"axis": "j", "factor": 4}),
        Step("compute_at", "C.local", {"parent": "C", "axis": "i"}), Step("vectorize", "C", {"axis": "j.inner"}),
    )  # fmt: skip
    t = next(t for t in turnable(s.journal) if t.name == "3.axis")
    assert choices(s.schedule, s.journal, t) == ["i", "j.outer", "j.inner"]
    assert candidates(s.schedule, s.journal, t) == ("i", "j.outer")


def test_the_parts_of_a_reduction_are_a_factor() -> None:
    inputs, outputs = matmul(8, 8, 12)
    s = Session(schedule_for(outputs), inputs + outputs)
    s.apply(Step("rfactor", "C", {"axis": "k", "parallel": 2}))
    (t,) = turnable(s.journal)
    assert (t.name, t.kind, t.value) == ("1.parallel", "factor", 2)
    assert candidates(s.schedule, s.journal, t)[:4] == (1, 2, 3, 4)
    assert places(s.journal) == places([replace(s.journal[0], args={**s.journal[0].args, "parallel": 6})])


@pytest.mark.parametrize(
    ("t", "given", "values", "text"),
    [
        (FACTOR, "4, 16,4", (4, 8, 16), "4, 8, 16"),
        (FACTOR, [2], (2, 8), "2, 8"),
        (ORDER, "k, j, i; i,k,j", (("k", "j", "i"), ("i", "k", "j"), ("i", "j", "k")), "k, j, i; i, k, j; i, j, k"),
        (ORDER, [["j", "i", "k"]], (("j", "i", "k"), ("i", "j", "k")), "j, i, k; i, j, k"),
        (FLAG, "no", (False, True), "no, yes"),
        (Turnable(2, "tail", "choice", "guard"), "shift", ("shift", "guard"), "shift, guard"),
    ],
)  # fmt: skip
def test_what_a_person_writes(t: Turnable, given: Any, values: Any, text: str) -> None:
    assert given_values(t, given) == values and values_text(t, values) == text


@pytest.mark.parametrize(
    ("t", "given", "said"),
    [
        (FACTOR, "4, x", "'x' is not a number from 1 to"),
        (FACTOR, [0], "0 is not a number from 1 to"),
        (FACTOR, [True], "True is not a number"),
        (FACTOR, "99999999999999", "is not a number"),
        (FACTOR, [{}], "{} is not a number"),
        (FACTOR, "", "has no values"),
        (FACTOR, list(range(1, 600)), "has 599 values\n.*give at least one, and no more than 500 of them: 8"),
        (ORDER, "i, j", "is not an order of i, j, k"),
        (ORDER, [["i", "i", "j"]], "is not an order"),
        (FLAG, "perhaps", "is not yes or no"),
        (Turnable(2, "tail", "choice", "guard"), [3], "3 is not a name"),
    ],
)
def test_what_is_no_value(t: Turnable, given: Any, said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        given_values(t, given)


def test_a_place_stays_when_values_and_neighbours_change() -> None:
    split = Step("split", "C", {"axis": "i", "factor": 8})
    other = Step("split", "C", {"axis": "j", "factor": 2})
    mark = Step("vectorize", "C", {"axis": "i.inner"})
    first = places([split, mark, other])
    assert places([other, Step("split", "C", {"axis": "i", "factor": 32}), mark])[1:] == first[:2]
    assert len(set(places([mark, mark]))) == 2
    assert without_values(split) == {"axis": "i"}
