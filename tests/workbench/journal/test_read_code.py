"""Schedules are read from Python code, which never runs."""

from __future__ import annotations

from typing import Any

import pytest

import tewb
from tests.programs import PROGRAMS, schedule_for
from tests.workbench.journal.sessions import recipes, session
from tewb.base import ParseError, TewbError
from tewb.schedule import RECIPES

BY_HAND = '''
"""My matmul."""
import numpy as np
import tvm
from tvm import te

N, bn = 32, 4 * 2
A = te.placeholder((N, N), name="A")
B = te.placeholder((N, N), name="B")
k = te.reduce_axis((0, N), name="k")
out = te.compute((N, N), lambda x, y: te.sum(A[x, k] * B[k, y], axis=k), name="C")

sch = te.create_schedule(out.op)
CC = sch.cache_write(out, "local")
xo, yo, xi, yi = sch[out].tile(*out.op.axis[:2], x_factor=bn, y_factor=bn)
sch[CC].compute_at(sch[out], scope=yo)
st = sch[CC]
(kk,) = st.op.reduce_axis
ko, ki = st.split(parent=kk, nparts=bn // 2)
st.reorder(ko, st.op.axis[0], ki, st.op.axis[-1])
st.unroll(ki)
sch[out].vectorize(yi)
sch[out].parallel(sch[out].fuse(xo, yo)) if False else None
func = tvm.build(sch, [A, B, out])
print(tvm.lower(sch, [A, B, out], simple_mode=True))
'''


def test_code_written_by_hand_is_read() -> None:
    s = session()
    s.load("\n".join(line for line in BY_HAND.splitlines() if " if False" not in line))
    assert s.to_string() == (
        "C:cache_write(local);C:tile(i,j,8,8);C.local:compute_at(C,j.outer);C.local:split(k,nparts=4);"
        "C.local:reorder(k.outer,i.c,k.inner,j.c);C.local:unroll(k.inner);C:vectorize(j.inner)"
    )
    assert s.measure(repeat=1).ok


def test_a_call_inside_a_call_is_read() -> None:
    s = session()
    s.load("s[C].vectorize(s[s.outputs[0]].split(s[C].op.axis[1], 8)[1])")
    assert s.to_string() == "C:split(j,8);C:vectorize(j.inner)"


def test_threads_are_read_as_classic_schedules_write_them() -> None:
    s = session()
    s.load(
        'tx, vx = te.thread_axis("threadIdx.x"), te.thread_axis((0, 32), "vthread", name="vx")\n'
        "partial = s.rfactor(C, s[C].split(s[C].op.reduce_axis[0], 4)[1])\n"
        "s[C].bind(s[C].op.axis[0], vx)\n"
        "s[C].bind(s[C].op.reduce_axis[0], tx)\n"
        "s[partial].compute_at(s[C], s[C].op.reduce_axis[0])\n"
        "s[C].set_store_predicate(tx.var.equal(0))\n"
    )
    assert s.to_string().endswith(
        'C:bind(i,"vthread(32) vx");C:bind(k.inner.v,threadIdx.x);C.rf:compute_at(C,k.inner.v);'
        'C:set_store_predicate("threadIdx.x == 0")'
    )
    again = session(s.to_string())
    assert again.to_string() == s.to_string()
    with pytest.raises(ParseError, match="no threads with the tag"):
        s.load('s[C].bind(s[C].op.axis[0], te.thread_axis("threadIdx.w"))')


def test_several_outputs_are_named_as_the_program_names_them() -> None:
    inputs, outputs = PROGRAMS["two_outputs"]()
    s = tewb.Session(schedule_for(outputs), inputs + outputs)
    s.load("PQ, *rest = s.cache_write(s['PQ'].op.output(1), 'local')\ns[PQ].split(s[PQ].op.axis[0], 4)")
    assert [step.stage for step in s.journal] == ["PQ", "PQ.local"]


@pytest.mark.parametrize(
    ("line", "column", "code", "said"),
    [
        (1, 1, "for i in s[C].op.axis: pass", "not from loops"),
        (1, 1, "C: split", "not from annotations"),
        (1, 8, "s[C].f(", "this is not Python"),
        (1, 3, "s[D].unroll(i)", "D has no meaning here"),
        (1, 13, "s[C].unroll(i)", "i has no meaning here"),
        (2, 1, "i, j = s[C].op.axis\ns[C].split(i, factor=0)", "split on stage C: "),
        (2, 1, "k, = s[C].op.reduce_axis\ns[C].parallel(k)", "reduce axis"),
        (
            1,
            1,
            "s[C].spilt(i, 8)",
            "no primitive spilt",
        ),
        (1, 1, "i, j, k = s[C].op.axis", "3 names for 2 values"),
        (1, 1, "i, j = s", "2 names for one value"),
        (1, 14, "i = s[C].axis[2]", "stage C has no axis here"),
        (1, 18, "i = s[C].op.axis[2]", "there are 2, so there is no number 2"),
        (1, 1, "s[C].tile('i', 'j', 8)", "missing a required argument: 'y_factor'"),
        (1, 1, "s[C].split('i', facto=8)", "unexpected keyword argument 'facto'"),
        (1, 1, "s[C].split('i', 8, **x)", "** cannot be read here"),
        (1, 17, "s[C].split('i', 2.5)", "no part of a schedule"),
        (1, 17, "s[C].split('i', 8 // 0)", "divides by zero"),
        (1, 1, "s[C].split('i', te.var('n'))", "te.var(...) is not known here"),
        (1, 1, "open('x')", "open is not a primitive"),
        (1, 1, "s.x = 3", "only names can be assigned to"),
        (1, 1, "C.split(8)", "tensor C has no primitives"),
        (1, 1, "i = C.__class__", "tensor C has no __class__ here"),
        (1, 5, "D = te.compute((4,), lambda i: i, name='D')", "has no tensor D"),
        (1, 20, "A = te.placeholder((64, 64), name='A')", "A has the shape (32, 32) in this session"),
        (1, 5, "t = te.create_schedule(A.op)", "the schedule of this session computes C"),
        (1, 3, "s['Z'].unroll('i')", "'Z' is not a stage of this schedule"),
        (1, 1, "CC = s.cache_write(C, 'hbm')", "'hbm' is not a memory scope"),
        (1, 1, "x = C.op.output(1)", "C has 1 outputs"),
        (1, 13, "s[C].unroll(s[C].op.axis[0] + 1)", "this is not a whole number"),
    ],
)
def test_code_that_cannot_be_read_is_shown_with_a_caret(line: int, column: int, code: str, said: str) -> None:
    s = session("C:split(k,4)")
    before = s.journal
    with pytest.raises(ParseError) as e:
        s.load(code)
    text = str(e.value)
    assert said in text, text
    assert text.startswith(f"line {line}, column "), text
    assert "\n    " in text and "^" in text
    assert s.journal == before


def test_the_caret_stands_under_the_call() -> None:
    with pytest.raises(ParseError) as e:
        session().load("i, j = s[C].op.axis\nif_é = s[C].split(i, factor=0)\n")
    first, code, marks, *_ = str(e.value).splitlines()
    assert first.startswith("line 2, column 8: split on stage C")
    assert code[marks.index("^") : marks.rindex("^") + 1] == "s[C].split(i, factor=0)"


def test_code_is_never_run(tmp_path: Any) -> None:
    target = tmp_path / "made"
    for code in (f"print(open({str(target)!r}, 'w'))", f"import os\nos.mkdir({str(target)!r})"):
        session().load(code)
        assert not target.exists()


DEFINITION = """@tewb.recipe
def rows(s, C, n=4):
    i, j = s[C].op.axis
    o, i = s[C].split(i, n)
    return o, i

"""


def test_a_recipe_is_defined_and_called_in_code() -> None:
    with recipes():
        s = session()
        s.load(f"import tewb\n{DEFINITION}o, i = rows(s, C, n=8)\ns[C].unroll(i)\n")
        assert [str(x) for x in s.journal] == ["split(C, axis=i, factor=8)", "unroll(C, axis=i.inner)"]
        assert [str(r.call) for r in s.runs] == ["rows(C, n=8)"] and RECIPES["rows"].source == DEFINITION[:-1]
        s.load("rows(s, C)")  # known from then on
        assert s.journal[0].args["factor"] == 4


def test_a_recipe_of_python_is_called_and_not_read() -> None:
    with recipes():

        @tewb.recipe
        def odd(s: Any, C: Any, sizes: Any = (2,), scale: float = 1.0) -> None:
            for n in sizes:
                s[C].split("i" if n == 2 else "j", int(n * scale))

        s = session()
        s.load("odd(s, C, [2, 3], scale=2.0)")
        assert [step.args["factor"] for step in s.journal] == [4, 6]
        assert s.schedule_code == "odd(s, C, sizes=[2, 3], scale=2.0)\n"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            f"{DEFINITION}rows(s, C, n=0)",
            "line 7, column 1: recipe rows, step 1: .*factor=0 must be at least 1",
        ),
        (f"{DEFINITION}rows(s)", "missing a required argument"),
        (f"{DEFINITION}rows(C)", "its first argument is the schedule|missing a required argument"),
        ("@tewb.recipe\ndef f(s, C):\n    for x in C: pass\nf(s, C)", "not from loops"),
        ("@tewb.recipe\ndef f(s, *C):\n    pass\n", "defaults of a recipe are numbers and words"),
        ("@tewb.recipe\ndef f(s, C=[x]):\n    pass\n", "defaults of a recipe are numbers and words"),
        ("@tewb.recipe\ndef split(s, C):\n    pass\n", "is a primitive"),
        ("@tewb.recipe\ndef f(s, C):\n    f(s, C)\nf(s, C)", "not a primitive|nested too deeply"),
    ],
)
def test_recipes_in_code_that_cannot_be_done(code: str, said: str) -> None:
    with recipes():
        s = session("C:split(i,4)")
        known = dict(RECIPES)
        with pytest.raises(TewbError, match=said):
            s.load(code)
        assert len(s.journal) == 1 and known == RECIPES
