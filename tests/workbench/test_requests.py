"""Every request: what it does, what it says, and how it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workbench.journal.sessions import recipes
from tests.workbench.measure.symbolic import symbolic_session
from tewb import te
from tewb.base import thread_count
from tewb.tuning import Trial, board_of
from tewb.tuning.board import Found
from tewb.workbench.demos import demo_session
from tewb.workbench.requests import REQUESTS, ask, reply_json, schema_of_requests
from tewb.workbench.session import Session
from tewb.workbench.states.schema import fits, json_text

SPLIT = {"primitive": "split", "stage": "C", "args": {"axis": "j", "factor": 8}}
VECTORIZE = {"primitive": "vectorize", "stage": "C", "args": {"axis": "j.inner"}}


def names(session: Any) -> list[str]:
    return [s.primitive for s in session.journal]


def test_steps_are_done_together_or_not_at_all() -> None:
    s = demo_session("matmul", n=32)
    refused = ask(
        s, "do", {"steps": [SPLIT, {"primitive": "vectorize", "stage": "C", "args": {"axis": "nope"}}]}
    )
    assert not refused.ok and refused.refused and "it has no axis nope" in refused.refused.message
    assert names(s) == [] and not s.can_undo and not s.can_redo
    done = ask(s, "do", {"steps": [SPLIT, VECTORIZE]})
    assert done.said == "split(C, axis=j, factor=8), then vectorize(C, axis=j.inner)"
    assert ask(s, "undo").ok and names(s) == ["split"]


def test_undo_and_redo_say_when_there_is_nothing() -> None:
    s = demo_session("matmul", n=32)
    assert ask(s, "undo").refused.message == "there is nothing more to take back"  # type: ignore[union-attr]
    ask(s, "do", {"steps": [SPLIT]})
    assert ask(s, "undo").said == "undone" and ask(s, "redo").said == "done again"
    assert "nothing more to do again" in ask(s, "redo").refused.message  # type: ignore[union-attr]


def test_the_step_that_is_named_is_deleted() -> None:
    s = demo_session("matmul", n=32)
    ask(
        s,
        "do",
        {
            "steps": [
                SPLIT,
                VECTORIZE,
                {"primitive": "split", "stage": "C", "args": {"axis": "i", "factor": 4}},
            ]
        },
    )
    assert ask(s, "delete", {"step": 3}).said == "deleted step 3, split(C, axis=i, factor=4)"
    stuck = ask(s, "delete", {"step": 1})
    assert not stuck.ok and "vectorize" in stuck.refused.text and names(s) == ["split", "vectorize"]  # type: ignore[union-attr]
    assert (
        ask(s, "delete", {"step": 1, "force": True}).said.endswith("and 1 that depended on it")
        and names(s) == []
    )
    assert "there is no step 9" in ask(s, "delete", {"step": 9}).refused.message  # type: ignore[union-attr]


def test_a_mark_goes_as_it_came() -> None:
    s = demo_session("matmul", n=32)
    ask(s, "do", {"steps": [SPLIT, VECTORIZE]})
    what = {"stage": "C", "loop": "j.inner", "primitive": "vectorize"}
    assert ask(s, "unmark", what).found is True and names(s) == ["split"]
    assert ask(s, "unmark", what).found is False and names(s) == ["split"]


def test_the_journal_is_walked_and_noted() -> None:
    s = demo_session("matmul", n=32)
    ask(s, "do", {"steps": [SPLIT, VECTORIZE]})
    assert ask(s, "jump", {"step": 1}).said == "after step 1" and names(s) == ["split"]
    assert ask(s, "jump", {"step": 0}).said == "before the first step"
    assert ask(s, "jump", {"step": 2}).ok
    assert ask(s, "label", {"step": 1, "note": "eight lanes"}).ok and s.journal[0].note == "eight lanes"
    assert ask(s, "reset").said == "back to the start"


def test_a_step_is_moved() -> None:
    s = demo_session("matmul", n=32)
    ask(s, "do", {"steps": [SPLIT, {"primitive": "split", "stage": "C", "args": {"axis": "i", "factor": 4}}]})
    assert ask(s, "move", {"step": 2, "to": 1}).said == "step 2 is step 1 now"
    assert s.journal[0].args["axis"] == "i"


def test_branches_and_the_pin() -> None:
    s = demo_session("matmul", n=32)
    assert ask(s, "branch", {"name": "wide"}).ok and s.on_branch == "wide"
    assert ask(s, "switch", {"name": "main"}).ok and ask(s, "delete_branch", {"name": "wide"}).ok
    assert ask(s, "pin").said == "pinned the schedule of 0 steps" and ask(s, "unpin").ok and s.pinned is None


@pytest.mark.parametrize("what", ["code", "cell", "share", "json", "program"])
def test_what_is_exported_can_be_loaded(what: str) -> None:
    s, other = demo_session("matmul", n=32), demo_session("matmul", n=32)
    ask(s, "do", {"steps": [SPLIT, VECTORIZE]})
    text = ask(s, "export", {"what": what}).found
    if what == "program":
        assert "te.create_schedule" in text
        return
    if what == "cell":  # runs below the workbench, although the schedule was scheduled there
        C = s.schedule.outputs[0].output(0)
        made: dict[str, Any] = {"C": C, "s": s.schedule}
        exec(text, made)
        assert made["s"] is not s.schedule and made["s"]["C"].loops() == s.schedule["C"].loops()
        return
    assert ask(other, "load", {"text": text}).said == "loaded 2 steps" and other.journal == s.journal


def test_what_is_no_schedule_is_not_loaded() -> None:
    s = demo_session("matmul", n=32)
    refused = ask(s, "load", {"text": "s[C].splt(i)"})
    assert not refused.ok and refused.refused and refused.refused.text


def test_questions_change_nothing() -> None:
    s = demo_session("matmul", n=32)
    assert (
        "would race"
        in ask(s, "why_not", {"step": {"primitive": "parallel", "stage": "C", "args": {"axis": "k"}}}).found
    )
    assert ask(s, "why_not", {"step": SPLIT}).found is None
    assert ask(s, "preview", {"step": SPLIT}).found["loops"] == ["C: i(32), j.outer(4), j.inner(8), k(32)"]
    assert names(s) == []


def test_the_budget_grows() -> None:
    s = demo_session("blur", n=32)
    assert (
        "allocated bytes of X <= 64"
        in ask(s, "expect", {"what": "bytes", "relation": "<=", "limit": 64, "stage": "X"}).said
    )


def test_running_says_what_was_found() -> None:
    s = demo_session("matmul", n=16)
    assert ask(s, "verify").found["test"] == "same"
    found = ask(s, "measure", {"repeat": 1})
    assert found.found["contestants"][0]["ok"] and "result equals numpy's" in found.said


def test_threads_are_measured() -> None:
    s = demo_session("blur", n=32)
    s.apply({"primitive": "parallel", "stage": "Y", "args": {"axis": "i"}})
    found = ask(s, "measure_threads", {"repeat": 1})
    assert found.said == found.found["sentence"] and found.found["loops"][0]["name"] == "Y.i"
    refused = ask(s, "measure_threads", {"repeat": 0}).refused
    assert refused is not None and "repeat=0 is no number of calls" in refused.message


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("unto", {}, "did you mean undo"),
        ("jump", {}, "it takes step"),
        ("reset", {"x": 1}, "it takes nothing"),
        ("undo", {"x": 1}, "it takes count"),
    ],
)
def test_wrong_requests_teach(name: str, arguments: dict[str, Any], said: str) -> None:
    refused = ask(demo_session("matmul", n=8), name, arguments).refused
    assert refused is not None and said in refused.hint


def test_every_request_has_a_schema_and_words() -> None:
    schema = schema_of_requests()
    assert set(schema) == set(REQUESTS) and all(s["doc"].endswith(".") for s in schema.values())
    assert schema["jump"]["arguments"]["required"] == ["step"]


def test_minimise_of_what_is_right_is_refused() -> None:
    s = demo_session("matmul", n=16)
    refused = ask(s, "minimise", {"still": "different"}).refused
    assert refused is not None and "is not different" in refused.message


def test_loops_are_measured_and_the_state_comes_back() -> None:
    s = demo_session("matmul", n=16)
    reply = ask(s, "measure_loops", {"slowdown": 100.0, "seconds": 0.001})
    assert reply.ok and "a call; with" in reply.said
    assert {line["key"] for line in reply.found["lines"]} == {"C", "C/i", "C/j", "C/k"}
    refused = ask(s, "measure_loops", {"slowdown": 0.0}).refused
    assert refused and "slowdown=0.0 is no number above 0" in refused.message


def test_a_recipe_is_made_edited_opened_and_deleted() -> None:
    with recipes():
        s = demo_session("matmul", n=32)
        s.load("C:tile(i,j,8,16);C:vectorize(j.inner)")
        found = ask(s, "varying", {"step": 1, "count": 2}).found
        assert found[0] == {
            "key": "1.x_factor",
            "text": str(s.journal[0]),
            "value": 8,
            "name": "x_factor",
            "chosen": True,
        }
        made = ask(
            s, "make_recipe", {"name": "tiled", "step": 1, "count": 2, "parameters": {"1.x_factor": "x"}}
        )
        assert (
            made.ok
            and made.said == "recipe tiled made these 2 steps"
            and "def tiled(s, C, x=8):" in made.found
        )
        assert ask(s, "edit_recipe", {"step": 1, "count": 2, "arguments": {"x": "4"}}).ok
        assert s.journal[0].args["x_factor"] == 4
        assert ask(s, "open_recipe", {"step": 1, "count": 2}).said == "2 steps of their own" and not s.runs
        assert ask(s, "undo").ok and len(s.runs) == 1
        assert ask(s, "delete", {"step": 1, "count": 2}).said == "deleted tiled(C, x=4)"
        done = ask(s, "do", {"steps": [{"primitive": "tiled", "stage": "C", "args": {"x": 2}}]})
        assert done.said == "tiled(C, x=2)"
        assert not ask(s, "make_recipe", {"name": "x y", "step": 1}).ok
        refused = ask(s, "do", {"steps": [{"primitive": "tiled", "stage": "C", "args": {}}]})
        assert not refused.ok and "recipe tiled, step 1" in (
            refused.refused.message if refused.refused else ""
        )


def test_steps_are_tried_and_kept_only_if_they_help(monkeypatch: pytest.MonkeyPatch) -> None:
    reorder = {"primitive": "reorder", "stage": "C", "args": {"axes": ["k", "j"]}}
    for gain, steps in ((0.5, 0), (2.0, 1)):
        monkeypatch.setattr("tewb.workbench.measure.try_steps.faster", lambda old, new, gain=gain: gain)
        s = demo_session("matmul", n=16)
        reply = ask(s, "try_steps", {"steps": [reorder]})
        assert reply.ok and reply.found == gain and len(s.journal) == steps
        assert ("taken back" in reply.said) == (gain < 1)


def test_a_sweep_and_what_it_found_can_be_taken() -> None:
    s = demo_session("matmul", n=16)
    s.apply({"primitive": "split", "stage": "C", "args": {"axis": "j", "factor": 4}})
    found = ask(s, "sweep", {"seconds": 30.0}).found
    assert found["rows"] and len(s.journal) == 1 and s.journal[0].args["factor"] == 4
    assert ask(s, "take", {"steps": found["rows"][0]["steps"]}).said == "took 1 step"
    assert s.journal[0].args["factor"] != 4
    assert "is no time" in ask(s, "sweep", {"seconds": 0}).refused.message  # type: ignore[union-attr]


def test_knobs_are_tuned_and_a_trial_is_taken() -> None:
    s = demo_session("matmul", n=16)
    s.apply({"primitive": "split", "stage": "C", "args": {"axis": "j", "factor": 4}})
    assert (
        ask(s, "knob", {"name": "1.factor", "values": "8"}).said
        == "step 1: split(C) factor is a knob with 2 values"
    )
    found = ask(s, "tune", {"seconds": 60}).found
    assert [r["values"] for r in found["rows"]] == [["4"], ["8"]] and s.journal[0].args["factor"] == 4
    assert ask(s, "pin_trial", {"number": 1}).said == "trial 1 is pinned"
    assert ask(s, "take_trial", {"number": 1}).said == "took 1 step" and s.journal[0].args["factor"] == 8
    assert ask(s, "undo").ok and s.journal[0].args["factor"] == 4
    said = ask(s, "take_trial", {"number": 0}).said
    assert "nothing is changed" in said and s.journal  # and so undo takes back what was before it
    assert ask(s, "redo").ok and s.journal[0].args["factor"] == 8 and ask(s, "undo").ok
    for name, arguments, said in (
        ("take_trial", {"number": 9}, "there is no trial 9"),
        ("pin_trial", {"number": 9}, "there is no trial 9"),
        ("knob", {"name": "1.axis"}, "there is no value of the journal 1.axis"),
        ("tune", {"knobs": {"2.factor": [1]}}, "there is no value of the journal 2.factor"),
        ("tune", {"seconds": 0}, "seconds is a time"),
    ):
        assert said in ask(s, name, arguments).refused.message  # type: ignore[union-attr, operator]
    assert ask(s, "unknob", {"name": "1.factor"}).ok
    board_of(s).show(Found("knobs", (Trial(0, {}, "refused", message="no"),)))
    refused = ask(s, "take_trial", {"number": 0}).refused
    assert refused is not None and "trial 0 has no steps, as it was refused: no" in refused.message
    assert len(s.journal) == 1
    board_of(s).show(Found("knobs", (Trial(0, {}, "wrong", message="C differs", steps=()),)))
    assert ask(s, "take_trial", {"number": 0}).said == "took 0 steps. Its result was wrong: C differs"


def test_a_refusal_comes_with_the_steps_that_lead_there() -> None:
    A = te.placeholder((100, 8), name="A")
    n = te.var("n")
    B = te.compute((n, 100), lambda i, j: A[j, 0] * 2.0, name="B")
    s = Session(te.create_schedule(B.op), [A, B])
    step = {"primitive": "vectorize", "stage": "B", "args": {"axis": "i"}}
    refused = ask(s, "do", {"steps": [step]}).refused
    assert (
        refused is not None and refused.steps_text.startswith("split(B, axis=i") and len(refused.steps) == 2
    )
    assert ask(s, "do", {"steps": list(refused.steps)}).ok
    assert [x.primitive for x in s.journal] == ["split", "vectorize"]
    no_way = ask(s, "do", {"steps": [{"primitive": "split", "stage": "nope", "args": {}}]}).refused
    assert no_way is not None and no_way.steps == ()


def test_a_size_is_set_for_measurements() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] * 2.0, name="B")
    s = Session(te.create_schedule(B.op), [A, B], sizes={n: 16})
    heard: list[int] = []
    s.on_change(lambda: heard.append(1))
    assert ask(s, "size", {"name": "n", "value": 40}).said == "n is 40 in measurements"
    assert heard and s.measure(1, cold=False).sizes == "n = 40"
    assert "is no size" in ask(s, "size", {"name": "n", "value": 0.5}).refused.message  # type: ignore[union-attr]
    assert "there is no variable m" in ask(s, "size", {"name": "m", "value": 4}).refused.message  # type: ignore[union-attr]


def test_accesses_are_followed_for_programs() -> None:
    s = demo_session("matmul", n=4)
    reply = ask(s, "trace", {"limit": 40, "sizes": "full"})
    assert reply.said == "traced 40 accesses" and reply.found["count"] == 40
    assert "sizes is 'x'" in ask(s, "trace", {"sizes": "x"}).found["problem"]
    assert ask(s, "data_page").found.startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("do", {"steps": {"a": 1}}, "steps is a list, each of whose items is an object, not {'a': 1}"),
        ("do", {"steps": 5}, "steps is a list, each of whose items is an object, not 5"),
        ("do", "steps", "has arguments by their names, not 'steps'"),
        ("edit_recipe", {"step": 1, "count": 1, "arguments": None}, "arguments is an object, not None"),
        ("delete", {"step": 1, "count": "two"}, "count is a whole number, not 'two'"),
        ("try_steps", {"steps": [], "others": 1.5}, "others is a list"),
        ("minimise", {"seconds": "x"}, "seconds is a number, not 'x'"),
        ("minimise", {"still": 5}, "still is text, not 5"),
        ("make_recipe", {"name": "print", "step": 1}, "'print' cannot be the name of a recipe"),
        ("make_recipe", {"name": "class", "step": 1}, "'class' cannot be the name of a recipe"),
    ],
)
def test_arguments_of_another_kind_are_refused_and_change_nothing(
    name: str, arguments: Any, said: str
) -> None:
    with recipes():
        s = demo_session("matmul", n=8)
        s.apply(SPLIT)
        if name == "edit_recipe":
            s.make_recipe("lanes", 1, 1)
        before = s.to_json()
        refused = ask(s, name, arguments).refused
        assert refused is not None and said in refused.message
        assert s.to_json() == before


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_size_is_finite(value: float) -> None:
    s = symbolic_session(16)
    refused = ask(s, "size", {"name": "n", "value": value}).refused
    assert (
        refused is not None and f"value is a number, not {value}" in refused.message and s.sizes == {"n": 16}
    )


ANYTHING: tuple[Any, ...] = (
    None, True, -1, 3, 10**400, 1.5, float("nan"), float("inf"), "", "nope", "\ud800", [], [1], [{}], [[{}]], {}, {"a": 1},
    {"primitive": ["split"], "stage": "C"}, [{"primitive": "spilt", "stage": "C", "args": {}}],
    [{"primitive": "split", "stage": ["C"]}], [{"primitive": "split", "stage": "C", "args": {"factor": float("nan")}}],
)  # fmt: skip
RUNS = {
    "verify",
    "measure",
    "measure_loops",
    "measure_threads",
    "try_steps",
    "sweep",
    "tune",
    "autoschedule",
    "trace",
    "minimise",
    "data_page",
}


@pytest.mark.parametrize("name", REQUESTS)
def test_whatever_is_given_the_answer_is_a_reply_in_strict_json(name: str) -> None:
    types = REQUESTS[name].arguments
    for wrong in ANYTHING:
        for given in [wrong, *({argument: wrong} for argument in types)]:
            will_run = name in RUNS and isinstance(given, dict | None) and all(
                fits(value, types[k]) for k, value in (given or {}).items() if k in types
            )  # fmt: skip
            if not will_run:
                json_text(reply_json(ask(demo_session("matmul", n=4), name, given)))


def test_a_refusal_has_what_its_hint_names() -> None:
    s = demo_session("matmul", n=8)
    step = {"primitive": "parallel", "stage": "C", "args": {"axis": "k"}}
    refused = reply_json(ask(s, "do", {"steps": [step]}))["refused"]
    assert [other["text"] for other in refused["instead"]] == [
        "parallel(C, axis=i)",
        f"rfactor(C, axis=k, factor_axis=0, parallel={thread_count()})",
    ]
    assert ask(s, "do", {"steps": [refused["instead"][1]["step"]]}).ok
    assert ask(s, "do", {"steps": [step, step]}).refused.instead == ()  # type: ignore[union-attr]


def test_what_is_no_step_has_no_way_out() -> None:
    s = demo_session("matmul", n=4)
    for step in ({"primitive": "spilt", "stage": "C", "args": {}}, {"primitive": ["split"], "stage": "C"}):
        refused = ask(s, "do", {"steps": [step]}).refused
        assert refused is not None and refused.steps == ()
    assert "is not a step" in refused.message


def test_what_is_typed_is_read_with_what_it_leads_to() -> None:
    s = demo_session("matmul", n=64)

    def read(text: str) -> list[dict[str, Any]]:
        return list(ask(s, "typed", {"text": text, "stage": "C", "loop": "j"}).found)

    (tile,) = read("split 16")
    assert tile["text"] == "split(C, axis=j, factor=16)" and "j.outer(4)" in tile["note"]
    assert ask(s, tile["request"], tile["arguments"]).ok and len(s.journal) == 1
    (refused,) = read("parallel k")
    assert refused["note"].startswith("✗ k is a reduce axis") and "rfactor" in refused["note"]
    assert read("undo 1")[0]["arguments"] == {"count": 1} and read("branch tiled")[0]["arguments"] == {
        "name": "tiled"
    }
    for text in ("undo", "undo x", "undo 1 2", "pin 3", "measure 5", "export code", "typed x", "", "fly 3"):
        assert read(text) == [], text


def test_several_changes_are_taken_back_at_once() -> None:
    s = demo_session("matmul", n=64)
    s.apply(SPLIT, VECTORIZE)
    s.undo()
    s.redo()
    assert ask(s, "undo", {"count": 2}).said == "undone: 2 changes" and not s.journal
    assert ask(s, "redo", {"count": 9}).said == "done again: 2 changes" and len(s.journal) == 2
    refused = ask(s, "undo", {"count": 0}).refused
    assert refused is not None and "a number of changes from 1 on" in refused.message
