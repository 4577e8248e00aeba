"""Recipes: called as functions, done as a whole, remembered by their steps, and written as calls."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

import tewb
from tests.programs import assert_same_result, chain, matmul, schedule_for, two_outputs
from tewb import te
from tewb.base import CallError, LowerError, ScheduleError
from tewb.ir import load_json, save_json
from tewb.schedule import RECIPES, Recipe, Schedule, Step, runs_of

TWO = te.const(2)


def tile_recipe() -> Recipe:
    @tewb.recipe
    def register_tile(s: Any, C: Any, x=4, y=8) -> Any:  # type: ignore[no-untyped-def]
        """A tile of registers."""
        i, j = s[C].op.axis
        xo, yo, xi, yi = s[C].tile(i, j, x, y)
        s[C].unroll(xi)
        s[C].vectorize(yi)
        return xo, yo

    assert isinstance(register_tile, Recipe)
    return register_tile


def calls(s: Schedule) -> list[tuple[str, int, int, int]]:
    return [(str(r.call), r.first, r.count, r.depth) for r in runs_of(s.journal)]


def test_a_call_is_one_named_step_which_holds_those_it_made() -> None:
    register_tile = tile_recipe()
    inputs, outputs = matmul()
    s = schedule_for(outputs)
    outer, _ = register_tile(s, outputs[0], y=16)
    s["C"].parallel(outer)
    assert calls(s) == [("register_tile(C, x=4, y=16)", 0, 3, 0)]
    assert [step.primitive for step in s.journal] == ["tile", "unroll", "vectorize", "parallel"]
    assert s.journal[3].calls == ()
    assert_same_result(s, inputs, outputs)


def test_its_steps_are_those_that_are_done_without_it() -> None:
    register_tile = tile_recipe()
    s, plain = schedule_for(matmul()[1]), schedule_for(matmul()[1])
    register_tile(s, "C")
    xo, yo, xi, yi = plain["C"].tile("i", "j", 4, 8)
    plain["C"].unroll(xi)
    plain["C"].vectorize(yi)
    assert s.journal == plain.journal and s["C"].loops() == plain["C"].loops()


def test_a_refusal_undoes_all_of_it_and_names_recipe_step_and_line() -> None:
    @tewb.recipe
    def greedy(s: Any, C: Any) -> None:
        s[C].split("i", 4)
        s[C].vectorize("j")
        s[C].split("j", 4)

    s = schedule_for(matmul()[1])
    s["C"].split("k", 4)
    before, loops = s.journal, s["C"].loops()
    with pytest.raises(ScheduleError) as e:
        greedy(s, s["C"])
    text = str(e.value)
    assert "recipe greedy, step 3 (at " in text and "split on stage C: loop j is marked vectorize" in text
    assert "loops there: i.outer(5), i.inner(4), j(13, vectorize)" in text
    assert e.value.span is not None and e.value.span.line == greedy_line()
    assert s.journal == before and s["C"].loops() == loops and s.calls == ()
    s["C"].parallel("i")
    assert s.journal[-1].calls == ()


def greedy_line() -> int:
    """The line of the call in the test above."""
    with open(__file__, encoding="utf-8") as f:
        return next(n for n, line in enumerate(f, 1) if line.strip() == 'greedy(s, s["C"])')


def test_any_error_undoes_it() -> None:
    @tewb.recipe
    def broken(s: Any, C: Any) -> None:
        s[C].split("i", 4)
        raise ZeroDivisionError("mine")

    s = schedule_for(matmul()[1])
    with pytest.raises(ZeroDivisionError, match="mine"):
        broken(s, "C")
    assert s.journal == () and s["C"].loops() == "i(17), j(13), k(11)"
    assert s.why_not(Step("broken", "C")) == "recipe broken: ZeroDivisionError: mine"


def test_recipes_compose_and_a_refusal_inside_may_be_caught() -> None:
    @tewb.recipe
    def lanes(s: Any, C: Any, axis: tewb.tir.IterVar, n: int = 8) -> Any:
        _, inner = s[C].split(axis, n)
        s[C].vectorize(inner)
        return inner

    @tewb.recipe
    def both(s: Any, C: Any) -> None:
        lanes(s, C, s[C].op.axis[1], n=4)
        try:
            lanes(s, C, s[C].op.axis[0], n=0)
        except ScheduleError:
            s[C].unroll("i")

    s = schedule_for(matmul()[1])
    both(s, "C")
    assert calls(s) == [("both(C=C)", 0, 3, 0), ("lanes(C=C, axis=j, n=4)", 0, 2, 1)]
    with pytest.raises(ScheduleError, match=r"recipe both, step 1.*recipe lanes, step 1.*already split"):
        both(s, "C")
    assert len(s.journal) == 3


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda r, s: r(), "missing a required argument: 's'"),
        (lambda r, s: r(s), "missing a required argument: 'C'"),
        (lambda r, s: r(s, "C", z=1), "unexpected keyword argument 'z'"),
        (lambda r, s: r(s, object()), "cannot be given to a recipe"),
        (lambda r, s: r("C", s), "its first argument is the schedule, not 'C'"),
        (lambda r, s: r(s, te.placeholder((2,), name="Z")), "Z is not a stage"),
        (lambda r, s: r.apply(s, {"D": 1}), "has no parameter D"),
        (lambda r, s: r.apply_step(s, Step(r.name, "Z")), "Z is not a stage"),
    ],
)
def test_misuse_of_a_call(call: Any, said: str) -> None:
    s = schedule_for(matmul()[1])
    with pytest.raises((ScheduleError, CallError, TypeError), match=said):
        call(tile_recipe(), s)
    assert s.journal == ()


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (7, "a recipe is made of a function"),
        (lambda s: None, "it has no name"),
        (eval("[f for f in [type('', (), {})]][0]"), "a recipe is made of a function"),
    ],
)
def test_what_is_no_recipe(function: Any, said: str) -> None:
    with pytest.raises(ScheduleError, match=said):
        tewb.recipe(function)


def test_names_of_recipes_and_of_their_parameters() -> None:
    def split(s: Any) -> None: ...
    def nothing() -> None: ...
    def many(s: Any, *axes: Any) -> None: ...
    def words(s: Any, **axes: Any) -> None: ...
    def steps(s: Any) -> Any:
        yield 1

    async def later(s: Any) -> None: ...

    for f, said in (
        (split, "is a primitive"),
        (nothing, "takes no schedule"),
        (many, "axes"),
        (words, "axes"),
    ):
        with pytest.raises(ScheduleError, match=f"recipe {f.__name__}.*{said}"):
            tewb.recipe(f)
    assert not {"split", "nothing", "many", "words"} & set(RECIPES)


def test_parameters_have_kinds_by_their_types_or_defaults() -> None:
    @tewb.recipe
    def f(
        s,
        C,
        D: te.Tensor,
        a: tewb.tir.IterVar,
        b: int,
        c: str,
        d=2,
        e=0.5,
        g=True,
        h=None,
        i: int | None = None,
    ):  # type: ignore[no-untyped-def]
        pass

    assert [(p.name, p.kind) for p in f.params] == [
        ("C", "stage"), ("D", "stage"), ("a", "axis"), ("b", "int"), ("c", "word"), ("d", "int"), ("e", "float"),
        ("g", "flag"), ("h", "any"), ("i", "int"),
    ]  # fmt: skip


def test_a_form_gives_names_and_texts() -> None:
    seen: list[Any] = []

    @tewb.recipe
    def f(s, C, axis: tewb.tir.IterVar, what=None, n=2, x=0.5, deep=False, scope="local"):  # type: ignore[no-untyped-def]
        seen[:] = [C, axis, what, n, x, deep, scope]

    _, outputs = chain()
    s = schedule_for(outputs)
    args = {"axis": "i", "what": "B", "n": "4", "x": "1.5", "deep": "True", "scope": "global"}
    s.apply(Step("f", "C", args))
    C = s["C"]
    assert seen == [C.op.output(0), C.op.axis[0], s["B"].op.output(0), 4, 1.5, True, "global"]
    s.apply(Step("f", "C", {"C": "B", "axis": "j", "what": "i"}))
    assert seen[:3] == [s["B"].op.output(0), s["B"].op.axis[1], s["B"].op.axis[0]]
    s.apply(Step("f", "C", {"axis": "j", "what": "7"}))
    assert seen[2] == 7
    assert s.why_not(Step("f", "C", {"axis": "z"})) is not None and s.why_not(Step("f", "C")) is not None


def test_undo_redo_copies_and_texts_keep_the_calls() -> None:
    register_tile = tile_recipe()
    s = schedule_for(matmul()[1])
    register_tile(s, "C")
    s["C"].parallel("i.outer")
    wanted = calls(s)
    journal = s.journal
    s.restore(journal[:3])
    s.restore(journal)
    assert calls(s) == wanted
    assert calls(s.copy()) == calls(copy.copy(s)) == calls(load_json(save_json(s))) == wanted
    assert calls(pickle.loads(pickle.dumps(s))) == wanted


def test_a_handle_of_a_loop_is_good_after_a_refusal() -> None:
    register_tile = tile_recipe()
    s = schedule_for(matmul()[1])
    outer, inner = s["C"].split("k", 4)
    with pytest.raises(ScheduleError):
        register_tile(s, "C", y=0)
    s["C"].unroll(inner)
    assert str(s.journal[-1]) == "unroll(C, axis=k.inner)"


def test_what_is_wrong_when_lowered_names_the_recipe_and_the_line_that_called_it() -> None:
    @tewb.recipe
    def inside(s: Any, P: Any, C: Any, axis: tewb.tir.IterVar) -> None:
        s[P].compute_at(s[C], axis)

    inputs, outputs = chain()
    s = schedule_for(outputs)
    inside(s, "C", "B", s["B"].op.axis[1])
    with pytest.raises(
        (ScheduleError, LowerError), match=r"recipe inside \(at .*\): compute_at on stage C"
    ) as e:
        tewb.lower(s, inputs + outputs)
    assert e.value.span == s.journal[0].calls[0].span
    assert "in recipe inside, called at" in s.journal[0].where


def test_a_recipe_that_undoes_what_was_there_is_refused() -> None:
    @tewb.recipe
    def back(s: Any) -> None:
        s.restore(())

    s = schedule_for(matmul()[1])
    s["C"].split("i", 4)
    with pytest.raises(ScheduleError, match="it undid steps"):
        back(s)
    assert len(s.journal) == 1


def test_the_function_shows_itself_as_it_was_written() -> None:
    register_tile = tile_recipe()
    assert register_tile.__name__ == "register_tile" and register_tile.__doc__ == "A tile of registers."
    assert register_tile.fills("C", None) == Step("register_tile", "C")


def test_a_type_says_whether_a_stage_or_its_tensor_or_operation_is_given() -> None:
    seen: list[Any] = []

    @tewb.recipe
    def f(s, C: te.schedule.Stage, D: te.Tensor, op: te.Operation):  # type: ignore[no-untyped-def]
        seen[:] = [C, D, op]
        C.split(C.op.axis[0], 4)

    inputs, outputs = matmul()
    s = schedule_for(outputs)
    s.apply(Step("f", "C", {"D": "A", "op": "C"}))
    assert seen == [s["C"], s["A"].op.output(0), s["C"].op]
    assert s.journal[0].calls[0].args == {"C": {"stage": "C"}, "D": {"tensor": "A"}, "op": {"operation": "C"}}
    session = tewb.Session(s, inputs + outputs)
    session.edit_recipe(1, {"D": "C"})
    assert s.journal[0].calls[0].args == {"C": {"stage": "C"}, "D": {"tensor": "C"}, "op": {"operation": "C"}}


def test_what_was_given_by_name_can_be_edited() -> None:
    register_tile = tile_recipe()
    inputs, outputs = matmul()
    s = schedule_for(outputs)
    register_tile(s, "C")
    session = tewb.Session(s, inputs + outputs)
    session.edit_recipe(1, {"x": "2"})
    assert s.journal[0].args["x_factor"] == 2 and s.journal[0].calls[0].args["C"] == "C"


def test_what_a_form_shows_as_it_was_is_as_it_was() -> None:
    @tewb.recipe
    def f(s, T, axes=None, sizes=(2, 4), loops=None):  # type: ignore[no-untyped-def]
        for axis, n in zip(axes, sizes, strict=False):
            s[T].split(axis, n)

    inputs, outputs = two_outputs()
    s = schedule_for([outputs[0]])
    i, j = s[outputs[1]].op.axis
    f(s, outputs[1], [i, j])
    session = tewb.Session(s, [*inputs, *outputs])
    shown = {"T": "PQ", "axes": "[i, j]", "sizes": "[8, 4]"}
    session.edit_recipe(1, shown)
    args = session.journal[0].calls[0].args
    assert args["T"] == {"tensor": "PQ", "output": 1} and args["sizes"] == [8, 4]
    assert args["axes"] == [{"loop": "i", "stage": "PQ"}, {"loop": "j", "stage": "PQ"}]
    assert [step.args["factor"] for step in s.journal] == [8, 4]
    session.edit_recipe(1, {"axes": "[j]"})
    assert [step.args for step in s.journal] == [{"axis": "j", "factor": 8}]


def test_parameters_may_have_any_names_and_kinds() -> None:
    @tewb.recipe
    def f(schedule, /, C, self="i", span=4, *, args=TWO, kwargs=None):  # type: ignore[no-untyped-def]
        schedule[C].split(self, span * int(args.value))

    @tewb.recipe
    def by_place(s, C, n, /, m=2):  # type: ignore[no-untyped-def]
        s[C].split("i", n * m)

    inputs, outputs = matmul()
    s = schedule_for(outputs)
    f(s, C="C", self="j", span=2)
    by_place(s, "C", 4)
    assert [step.args["factor"] for step in s.journal] == [4, 8]
    session = tewb.Session(s, inputs + outputs)
    assert session.schedule_code == 'f(s, "C", self="j", span=2, args=2)\nby_place(s, "C", 4)\n'
    session.edit_recipe("by_place", {"n": 2})
    assert s.journal[1].args["factor"] == 4


def test_brackets_are_too_much() -> None:
    with pytest.raises(ScheduleError, match="made of a function") as e:
        tewb.recipe()
    assert "without brackets" in str(e.value)


def test_a_recipe_that_calls_itself_without_end_is_refused() -> None:
    @tewb.recipe
    def again(s: Any) -> None:
        again(s)

    s = schedule_for(matmul()[1])
    with pytest.raises(ScheduleError, match="recipe again, step 1") as e:
        again(s)
    assert len(str(e.value)) < 3000 and s.journal == () and s.calls == ()
    assert again.fills("C", None) == Step("again", "C")
