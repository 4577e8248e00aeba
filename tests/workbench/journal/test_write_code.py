"""The program of a session as Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import matmul, schedule_for
from tewb import te
from tewb.base import ParseError


def test_a_program_without_source_has_code_of_its_schedule() -> None:
    inputs, outputs = matmul(8, 8, 8)
    s = tewb.Session(schedule_for(outputs), inputs + outputs)
    s.load("C:split(i,4)")
    assert s.schedule_code == "i, j = s[C].op.axis\ni_outer, i_inner = s[C].split(i, factor=4)\n"


@pytest.mark.parametrize("name", ["f", "s", "te"])
def test_a_split_by_a_variable_is_written_and_read_back(name: str) -> None:
    n, f = te.var("n"), te.var(name)
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    session = tewb.Session(te.create_schedule(B.op), [A, B, f])
    _, inner = session.schedule[B].split("i", factor=f)
    session.schedule[B].split(inner, nparts=(n - 1) // 4 + f)
    session.refresh()
    text, code, journal = session.to_string(), session.code, session.journal
    assert text == f'B:split(i,{name});B:split(i.inner,nparts="((n - 1) // 4) + {name}")'
    for one in (text, code, session.schedule_code, session.to_json()):
        session.load("")
        session.load(one)
        assert session.journal == journal, one
    assert code.count("te.var(") == 2
    names: dict[str, Any] = {}
    exec(code, names)
    assert [step.args for step in names["s"].journal] == [step.args for step in journal]
    x, y = np.arange(9, dtype="float32"), np.zeros(9, "float32")
    tewb.build(names["s"], names["args"])(x, y, 4)
    np.testing.assert_equal(y, x + 1)


def test_a_program_without_the_variable_says_so() -> None:
    A = te.placeholder((9,), name="A")
    B = te.compute((9,), lambda i: A[i] + 1.0, name="B")
    for text, said in (
        ("B:split(i,f)", "'f' is not a whole number: the program has no variable f"),
        ('f = te.var("f")\ns[B].split("i", factor=f)', "the value of te.var.*is not known here"),
    ):
        with pytest.raises(ParseError, match=said):
            tewb.Session(te.create_schedule(B.op), [A, B]).load(text)
