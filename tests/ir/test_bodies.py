"""The bodies of a function, of which a call takes one."""

from __future__ import annotations

import pytest

import tewb
from tewb import te
from tewb.base import TewbError
from tewb.ir import IRModule, bodies, const, parse, script, structural_equal
from tewb.workbench import Session

N, M, S, T = te.var("n"), te.var("m"), te.var("s"), te.var("t")


def strided() -> IRModule:
    A = te.placeholder((N, M), name="A")
    B = te.compute((N, M), lambda i, j: te.exp(A[i, j]) * 2.0, name="B")
    declared = te.decl_buffer(A.shape, name="A", strides=[S, T])
    return tewb.lower(te.create_schedule(B.op), [A, B], binds={A: declared})


def test_bodies_say_when_they_run() -> None:
    first, *others = bodies(strided()["main"])
    assert first.when == "t == 1"
    assert "if" not in script(first.function).split("T.int32()")[-1]
    assert len(others) >= 2
    assert all(b.when.startswith("not t == 1 and ") or b.when == "not t == 1" for b in others)
    assert len({b.when for b in (first, *others)}) == 1 + len(others)
    assert "for j in range(m):\n        for i in range(n):" in "".join(script(b.function) for b in others)


def test_one_body_is_shown_and_others_are_in_a_line() -> None:
    module = strided()
    count = len(bodies(module["main"]))
    text = module.script(body=1)
    line, rest = text.split("\n", 1)
    assert line.startswith(f"# body 1 of {count}, which runs when not t == 1 and ")
    assert "another runs otherwise: body=0, body=2" in line
    assert structural_equal(parse(text), parse(rest))
    assert module["main"].script(body=1) == text
    assert module.script() == script(module)


def test_show_prints_one_body(capsys: pytest.CaptureFixture[str]) -> None:
    strided().show(body=0)
    assert capsys.readouterr().out.startswith("# body 0 of ")


def test_a_function_without_choices_has_one_body() -> None:
    A = te.placeholder((4,), name="A")
    B = te.compute((4,), lambda i: A[i] + 1.0, name="B")
    f = tewb.lower(te.create_schedule(B.op), [A, B])["main"]
    (only,) = bodies(f)
    assert only.when == ""
    assert f.script(body=0) == script(f)
    with pytest.raises(TewbError, match="main has 1 body, so there is no body 1") as e:
        f.script(body=1)
    assert e.value.hint


@pytest.mark.parametrize("number", [-1, True, "a", 99])
def test_numbers_of_no_body_are_refused(number: object) -> None:
    with pytest.raises(TewbError, match="so there is no body"):
        strided().script(body=number)  # type: ignore[arg-type]


def test_expressions_have_no_bodies() -> None:
    with pytest.raises(TewbError, match="functions have bodies, IntImm has none"):
        const(1).script(body=0)


def test_guards_are_no_choices() -> None:
    A = te.placeholder((N,), name="A")
    B = te.compute((N,), lambda i: A[i] + 1.0, name="B")
    s = te.create_schedule(B.op)
    s[B].parallel(s[B].split("i", 4)[0])
    assert len(bodies(tewb.lower(s, [A, B])["main"])) == 1


def test_the_form_chooser_has_each_body() -> None:
    A = te.placeholder((N,), name="A")
    B = te.compute((N,), lambda i: A[i] + 1.0, name="B")
    s = te.create_schedule(B.op)
    with s.specialize(N % 4 == 0):
        s[B].split("i", 4)
    session = Session(s, [A, B])
    own = [f for f in session.forms() if f.name.startswith("body")]
    assert [(f.name, f.doc) for f in own] == [
        ("body 1 of 2", "one body, which runs when n % 4 == 0"),
        ("body 2 of 2", "one body, which runs when not n % 4 == 0"),
    ]
    assert not any("if" in str(line) for f in own for line in f.lines)
    assert any("i.inner" in str(line) for line in own[0].lines)
