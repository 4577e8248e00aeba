"""set_scope: the memory in which a stage is kept."""

from __future__ import annotations

import pytest

from tests.lowering.passes import after
from tests.programs import chain, schedule_for
from tewb.base import ScheduleError
from tewb.schedule import PRIMITIVES
from tewb.schedule.declare import Selection


def test_an_intermediate_is_kept_where_it_is_told() -> None:
    inputs, outputs = chain(6, 4)
    s = schedule_for(outputs)
    s["B"].set_scope("local")
    text = after("schedule_ops", s, inputs + outputs)
    assert 'B = T.allocate((6, 4), "float32", scope="local")' in text
    assert 'C = T.allocate((6, 4), "float32")' in text


def test_the_last_scope_counts_and_global_is_no_mark() -> None:
    s = schedule_for(chain(6, 4)[1])
    s["B"].set_scope("local")
    s["B"].set_scope("local")
    assert s["B"].loops() == "i(6), j(4); in local memory"
    s["B"].set_scope("global")
    assert s["B"].loops() == "i(6), j(4)" and s["B"].scope == "global"
    assert [step.args for step in s.journal] == [{"scope": "local"}] * 2 + [{"scope": "global"}]


def test_outputs_are_in_global_memory_which_may_be_said() -> None:
    s = schedule_for(chain(6, 4)[1])
    s["D"].set_scope("global")
    assert s["D"].loops() == "i(6), j(4)"


@pytest.mark.parametrize("scope", ["global:tag", "local.L0A", "local_TB2", "shared.dyn", "wmma.matrix_a"])
def test_scopes_have_words_that_say_more(scope: str) -> None:
    s = schedule_for(chain(6, 4)[1])
    s["B"].set_scope(scope)
    assert s["B"].scope == scope


@pytest.mark.parametrize(
    ("stage", "scope", "said"),
    [
        ("A", "local", "A is an input: its values are given, not computed"),
        ("D", "local", "D is an output.*hint: set the scope of what it reads"),
        ("B", "globally", "'globally' is not a memory scope"),
        ("B", "cloud", "'cloud' is not a memory scope"),
        ("B", None, "scope is missing"),
        ("B", 3, "3"),
    ],
)
def test_misuse_is_refused(stage: str, scope: str, said: str) -> None:
    s = schedule_for(chain(6, 4)[1])
    with pytest.raises(ScheduleError, match=f"(?s)set_scope on stage {stage}: .*{said}"):
        s[stage].set_scope(scope)
    assert not s.journal and s[stage].scope == "global"


def test_the_step_is_what_placed_the_stage() -> None:
    s = schedule_for(chain(6, 4)[1])
    s["C"].split("i", factor=2)
    s["B"].set_scope("local")
    assert (s["B"].origin().step, s["C"].origin().step) == (1, None)


def test_the_other_scope_is_suggested() -> None:
    s = schedule_for(chain(6, 4)[1])
    suggest = PRIMITIVES["set_scope"].suggest
    assert list(suggest(Selection(s["B"], "i", 8))) == [{"scope": "local"}]
    s["B"].set_scope("local")
    assert list(suggest(Selection(s["B"], "i", 8))) == [{"scope": "global"}]
