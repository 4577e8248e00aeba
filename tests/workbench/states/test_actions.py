"""Actions: legal steps with what they lead to, refused ones with the way there, and the forms of primitives."""

from __future__ import annotations

from tests.workbench.journal.sessions import recipes
from tewb.workbench.demos import demo_session
from tewb.workbench.states.actions import Actions, actions_state, forms_of, steps_state
from tewb.workbench.states.views import look


def last(session: object, stage: str, loop: str | None = None) -> Actions:
    *pauses, found = actions_state(session, stage, loop)  # type: ignore[arg-type]
    assert found is not None and set(pauses) <= {None}
    return found


def test_a_press_does_the_step_or_what_leads_to_it() -> None:
    s = demo_session("softmax", n=24, m=40)
    found = last(s, "E", "i")
    legal = next(
        c for c in found.choices if (c.primitive == "vectorize" and not c.legal) or c.primitive == "parallel"
    )
    assert legal.steps and legal.steps[0]["stage"] == "E"
    refused = next(c for c in found.choices if not c.legal and c.steps)
    assert refused.reason and refused.steps_text.count(", then ") == 1 and len(refused.steps) == 2
    s.apply(*refused.steps)
    assert len(s.journal) == 2


def test_legal_steps_come_first_and_say_what_changes() -> None:
    s = demo_session("blur", n=64)
    found = last(s, "X")
    legal = [c.legal for c in found.choices]
    assert legal == sorted(legal, reverse=True)
    place = next(c for c in found.choices if c.is_place and c.legal and c.preview and c.preview.changes)
    assert any("allocated bytes" in change for change in place.preview.changes)  # type: ignore[union-attr]


def test_work_pauses_between_steps() -> None:
    assert len(list(actions_state(demo_session("matmul", n=16), "C"))) > 5


def test_a_stage_or_loop_that_is_gone_has_nothing_or_all() -> None:
    s = demo_session("matmul", n=16)
    assert last(s, "Z").choices == ()
    assert last(s, "C", "gone").loop is None and look(s, "actions", {"stage": "C", "loop": "gone"})["choices"]


def test_the_form_of_a_primitive_has_its_parameters() -> None:
    s = demo_session("blur", n=64)
    forms = {f.name: f for f in forms_of(s, "X")}
    axis, factor, nparts, *_ = forms["split"].fields
    assert (axis.kind, axis.choices, factor.value, nparts.value) == ("axis", ("i", "j"), "16", "")
    tail = next(f for f in forms["split"].fields if f.name == "tail")
    assert (tail.unsaid, tail.value) == (
        "guard",
        "",
    ) and "guard" not in tail.choices  # it is the empty choice
    parent, place = forms["compute_at"].fields
    assert parent.choices == ("Y",) and parent.places == {"Y": ("i", "j")} and place.kind == "place"
    assert forms["split"].doc.startswith("Split a loop") and forms_of(s, "Z") == ()
    assert {"cache_read"} <= {f.name for f in forms_of(s, "A")} and "split" not in {
        f.name for f in forms_of(s, "A")
    }


def test_recipes_are_choices_and_forms_as_primitives_are() -> None:
    with recipes():
        s = demo_session("blur", n=64)
        s.load("X:split(j,8);X:vectorize(j.inner)")
        s.make_recipe("lanes", 1, 2)
        s.undo()
        found = {c.text: c for c in last(s, "Y").choices if c.primitive == "lanes"}
        assert found["lanes(Y)"].legal and found["lanes(Y)"].preview is not None
        assert found["lanes(Y)"].preview.loops[0].startswith("Y: i(64)")
        refused = next(c for c in last(s, "X").choices if c.primitive == "lanes")
        assert not refused.legal and "recipe lanes, step 1" in refused.reason
        form = forms_of(s, "Y")[-1]
        assert form.name == "lanes" and [(f.name, f.kind, f.value) for f in form.fields] == [
            ("factor", "int", "8"),
        ]
        assert all(f.name != "lanes" for f in forms_of(s, "A"))


def test_what_few_people_want_is_rare() -> None:
    forms = {f.name: f for f in forms_of(demo_session("matmul", n=16), "C")}
    assert [f.name for f in forms["split"].fields if f.rare] == ["disable_predication"]
    assert [f.name for f in forms["rfactor"].fields if f.rare] == ["factor_axis"]
    assert not any(f.rare and f.required for form in forms.values() for f in form.fields)


def test_all_legal_steps_are_those_of_every_loop_the_chosen_stage_first() -> None:
    s = demo_session("blur", n=64)
    *pauses, found = steps_state(s, "Y")
    assert found is not None and set(pauses) == {None} and len(pauses) > 20
    texts = [c.text for c in found]
    assert (
        len(texts) == len(set(texts)) and "vectorize(X, axis=j)" in texts and "parallel(Y, axis=i)" in texts
    )
    stages = [c.steps[0]["stage"] for c in found]
    assert stages == sorted(stages, reverse=True)  # Y first, then X
    for c in found:
        assert c.legal and s.why_not(c.steps[0]) is None


def test_threads_are_offered_where_the_schedule_names_some_and_can_always_be_typed() -> None:
    s = demo_session("matmul", n=16)

    def offered() -> set[str]:
        *_, found = actions_state(s, "C", "j")
        assert found is not None
        return {c.primitive for c in found.choices}

    threads = {"bind", "env_threads"}
    assert not offered() & threads
    *_, steps = steps_state(s)
    assert steps is not None
    names = [c.primitive for c in steps]
    assert "bind" in names and set(names[names.index("bind") :]) <= threads, "last of what may be typed"
    assert threads <= {f.name for f in forms_of(s, "C")}
    s.apply({"primitive": "bind", "stage": "C", "args": {"axis": "i", "thread": "blockIdx.x"}})
    assert threads <= offered()
