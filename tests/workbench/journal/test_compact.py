"""A journal as one short line."""

from __future__ import annotations

from dataclasses import replace

import pytest

import tewb
from tests.workbench.journal.sessions import TILED, session
from tewb import te
from tewb.base import ParseError
from tewb.schedule import PRIMITIVES, RecipeCall, Step, runs_of
from tewb.workbench.journal.compact import compact, is_compact, read_compact


def test_the_compact_string_is_short() -> None:
    s = session(TILED)
    assert s.to_string() == TILED
    assert session().to_string() == ""
    s.load("")
    assert s.journal == ()
    nparts = (
        "C:cache_write(local);C:split(i,nparts=4);C.local:compute_at(C,i.outer);A:cache_read(local,[C.local])"
    )
    assert session(nparts).to_string() == nparts


def test_names_that_are_no_words_are_quoted() -> None:
    A = te.placeholder((8, 8), name="my A")
    B = te.compute((8, 8), lambda i, j: A[i, j] + 1.0, name='b(";",)')
    s = tewb.Session(te.create_schedule(B.op), [A, B])
    s.apply(Step("split", B.op.name, {"axis": "i", "factor": 4}))
    text, code, journal = s.to_string(), s.code, s.journal
    for one in (text, code, s.schedule_code, s.to_json()):
        s.load("")
        s.load(one)
        assert s.journal == journal, one


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("C:split(i,8", "line 1, column 12: expected , or ), found the end of the text"),
        ("C:spilt(i,8)", "spilt is not a primitive"),
        ("C:split(i,8)C:unroll(j)", "expected ;, found C"),
        ("C:split(i,8);C unroll(j)", "expected :, found unroll"),
        ("C:split(i,8,2,1,3,4)", "split takes at most 5 arguments"),
        ("C:split(i,by=3)", "split has no parameter by"),
        ("C:split(i,axis=j)", "axis of split is given twice"),
        ("C:split(i,many)", "'many' is not a whole number"),
        (
            "C:split(i,8);C:unroll(i)",
            "line 1, column 14: unroll(C, axis=i) does not apply: axis i was already split",
        ),
        ("Z:unroll(i)", "Z is not a stage"),
        ("C:unroll(i);\nC:unroll(!)", "line 2, column 10: ! does not belong here"),
        ('C:unroll("\\x")', "this is not a JSON string"),
        ("C:unroll(,)", "expected a value for axis, found ,"),
    ],
)
def test_strings_that_cannot_be_read(text: str, said: str) -> None:
    s = session("C:split(k,4)")
    with pytest.raises(ParseError) as e:
        s.load(text)
    assert said in str(e.value), str(e.value)
    assert "^" in str(e.value) and s.to_string() == "C:split(k,4)"


def test_every_primitive_has_a_compact_form() -> None:
    assert all(
        sum(p.kind == "axes" for p in primitive.params) <= 1
        and all(p.kind != "axes" or p is primitive.params[-1] for p in primitive.params)
        for primitive in PRIMITIVES.values()
    )


GIVEN = {
    "a": {"tensor": "C"}, "b": {"tensor": "PQ", "output": 1}, "c": {"loop": "i.outer", "stage": "C"}, "d": [1, "x", [True]],
    "e": 0.5, "f": None, "g": False, "h": "True", "i": {"size": "n // 4"}, "j": {"stage": "a b"}, "k": -3, "l": {"operation": "C"},
}  # fmt: skip


def test_what_a_recipe_was_given_is_read_as_it_was_written() -> None:
    call = RecipeCall("made", GIVEN)
    inner = RecipeCall("inside", {})
    s = session("C:split(i,8);C:unroll(i.inner);C:vectorize(j)")
    s.take(tuple(replace(step, calls=(call, inner)[: 2 - i]) for i, step in enumerate(s.journal)))
    text = compact(s.journal)
    assert text.startswith("made(a=tensor:C,") and text.endswith(
        "{inside(){C:split(i,8)};C:unroll(i.inner)};C:vectorize(j)"
    )
    assert is_compact(text)
    back = [step for step, _ in read_compact(text, s.schedule)]
    assert back == list(s.journal) and back[0].calls[0].args == GIVEN
    assert [(r.call.recipe, r.first, r.count, r.depth) for r in runs_of(back)] == [
        ("made", 0, 2, 0),
        ("inside", 0, 1, 1),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("made(){C:split(i,8)", "expected }, found the end"),
        ("made(a=1 b=2){}", "expected , or \\), found b"),
        ("made(1){}", "expected =, found \\)"),
        ("made(a=thing:C){}", "thing is no kind of what a recipe is given"),
        ('made(a=float:"x"){}', "x is not a number"),
        ("made(){C:split(z,8)}", "does not apply"),
        ('define:"def f(";C:split(i,8)', "this is not Python"),
        ('define:"x = 1";', "this is not the definition of a recipe"),
        ("f(){" * 60, "recipes are nested more than 50 deep"),
    ],
)
def test_recipes_that_cannot_be_read(text: str, said: str) -> None:
    s = session("C:split(i,4)")
    with pytest.raises(ParseError, match=said):
        s.load(text)
    assert len(s.journal) == 1
