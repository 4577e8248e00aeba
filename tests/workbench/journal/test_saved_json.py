"""What a session keeps in JSON."""

from __future__ import annotations

import json

import pytest

from tests.workbench.journal.sessions import TILED, applied, session
from tewb.base import ParseError, ScheduleError


def test_json_keeps_names_notes_branches_and_pin() -> None:
    s = applied(session(), TILED)
    s.label_step(1, name="tiles", note="fits L1")
    s.branch("wide")
    s.delete_step(4)
    s.pin()
    text = s.to_json()
    other = session()
    other.load(text)
    assert other.on_branch == "wide" and other.branches == s.branches
    assert (other.journal[0].name, other.journal[0].note) == ("tiles", "fits L1")
    assert other.pinned.journal == s.pinned.journal
    assert other.to_json() == text
    assert json.loads(text)["steps"][0]["note"] == "fits L1"


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("{", ParseError, "line 1, column 2: this is not JSON"),
        ("{}", ScheduleError, "this JSON is no schedule"),
        ('{"steps": 3}', ScheduleError, "3 is not a list of steps"),
        ('{"steps": [3]}', ScheduleError, "3 is not a step"),
        ('{"steps": [], "tewb": 9}', ScheduleError, "version 9; version 1 can be read"),
        ('{"steps": [], "branches": []}', ScheduleError, "branches are not an object"),
        ("[" * 100_000, ParseError, "this JSON cannot be read"),
        ('[{"primitive": "unroll", "stage": "C", "args": {"axis": "x"}}, {"primitive": "go", "stage": "C"}]',
         ScheduleError, "2 steps do not apply then\n  step 1, unroll(C, axis=x): it has no axis x\n  step 2, go(C): go is not"),
        ('{"steps": [], "branches": {"b": [{"primitive": "unroll", "stage": "C"}]}}', ScheduleError, "b cannot be loaded"),
    ],
)  # fmt: skip
def test_json_that_cannot_be_loaded(text: str, error: type[Exception], said: str) -> None:
    s = session("C:split(k,4)")
    with pytest.raises(error) as e:
        s.load(text)
    assert said in str(e.value), str(e.value)
    assert s.to_string() == "C:split(k,4)" and list(s.branches) == ["main"]


def test_a_list_of_steps_is_json_enough() -> None:
    s = session()
    s.load('[{"primitive": "split", "stage": "C", "args": {"axis": "i", "factor": 8}}]')
    assert s.to_string() == "C:split(i,8)" and s.on_branch == "main"
