"""What is searched: functions of knobs, and journals whose factors are knobs."""

from __future__ import annotations

import numpy as np
import pytest

from tests.programs import matmul, schedule_for
from tests.tuning.programs import product
from tewb.base import ArgumentError
from tewb.schedule import Step
from tewb.tuning.knobs import at
from tewb.tuning.subject import FromJournal, FromProgram
from tewb.workbench import Session


def session() -> Session:
    inputs, outputs = matmul(24, 20, 12)
    made = Session(schedule_for(outputs), inputs + outputs, reference=np.matmul)
    made.apply(Step("split", "C", {"axis": "i", "factor": 8}))
    made.apply(Step("tile", "C", {"x": "j", "y": "k", "x_factor": 4, "y_factor": 3}))
    made.apply(Step("vectorize", "C", {"axis": "j.inner"}))
    return made


def test_a_function_of_knobs() -> None:
    config, made = FromProgram(product, reference=np.matmul).session(at({"x": 6, "vector": True}))
    assert (
        config.point["x"] == 6 and made.journal[-1].primitive == "vectorize" and made.reference is np.matmul
    )


def test_the_factors_of_a_journal_are_knobs() -> None:
    subject = FromJournal(session())
    config, made = subject.session(at({}))
    assert made.journal == session().journal and made.reference is np.matmul
    assert config.point == {"1.factor": 8, "2.x_factor": 4, "2.y_factor": 3}
    assert config.knobs["2.y_factor"].values == (1, 2, 3, 4, 6, 8, 12)
    _, other = subject.session(at({"1.factor": 2, "2.y_factor": 6}))
    assert [s.args.get("factor", s.args.get("y_factor")) for s in other.journal[:2]] == [2, 6]


def test_a_space_names_values_of_steps() -> None:
    subject = FromJournal(session(), {"1.factor": [2, 8], "3.axis": ["j.inner", "k.inner"]})
    config, _ = subject.session(at({}))
    assert config.knobs["1.factor"].values == (2, 8) and config.point == {"1.factor": 8, "3.axis": "j.inner"}


def test_expectations_go_with_a_journal() -> None:
    given = session()
    given.expect("bytes", "<=", 64)
    assert [str(c) for c in FromJournal(given).session(at({}))[1].checks()] == [
        str(c) for c in given.checks()
    ]


def test_misuse() -> None:
    inputs, outputs = matmul(4, 4, 4)
    empty = Session(schedule_for(outputs), inputs + outputs)
    with pytest.raises(ArgumentError, match="no factors to search over"):
        FromJournal(empty)
    with pytest.raises(ArgumentError, match="no value '9.factor' that could be a knob"):
        FromJournal(session(), {"9.factor": [1, 2]})
    with pytest.raises(ArgumentError, match="the program returned int"):
        FromProgram(lambda cfg: 3).session(at({}))  # type: ignore[arg-type, return-value]


def test_an_order_and_whether_a_step_is_done_are_knobs_too() -> None:
    given = session()
    given.apply(Step("reorder", "C", {"axes": ["k.outer", "i.inner"]}))
    subject = FromJournal(
        given, {"4.axes": [["i.inner", "k.outer"], ("k.outer", "i.inner")], "3.done": [True, False]}
    )
    config, made = subject.session(at({}))
    assert made.journal == given.journal and config.point == {
        "3.done": True,
        "4.axes": ("k.outer", "i.inner"),
    }
    _, other = subject.session(at({"3.done": False, "4.axes": ["i.inner", "k.outer"]}))
    assert [s.primitive for s in other.journal] == ["split", "tile", "reorder"]
    assert other.journal[-1].args["axes"] == ["i.inner", "k.outer"]


def test_what_a_search_is_of_has_the_steps_without_what_is_turned() -> None:
    assert FromProgram(product).about == {}
    about = FromJournal(session()).about
    assert about["space"] is None and about["steps"][0]["args"] == {"axis": "i", "factor": None}
    about = FromJournal(session(), {"2.x_factor": [2, 4]}).about
    assert about["space"] == {"2.x_factor": [2, 4]} and about["steps"][0]["args"]["factor"] == 8
    assert about["steps"][1]["args"] == {"x": "j", "y": "k", "x_factor": None, "y_factor": 3}


def test_steps_of_a_recipe_stay_its_steps() -> None:
    given = session()
    given.make_recipe("both", 1, 2)
    _, made = FromJournal(given, {"1.factor": [2, 8]}).session(at({"1.factor": 2}))
    assert [run.call.recipe for run in made.runs] == ["both"]
