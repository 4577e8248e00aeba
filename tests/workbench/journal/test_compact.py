"""A journal as one short line."""

from __future__ import annotations

import pytest

import tewb
from tests.workbench.journal.sessions import TILED, session
from tewb import te
from tewb.base import ParseError
from tewb.schedule import PRIMITIVES, Step


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
        ("C:split(i,8,2,1,3)", "split takes at most 4 arguments"),
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
