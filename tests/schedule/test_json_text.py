"""Schedules as JSON: the loops that come back are the same."""

from __future__ import annotations

from typing import Any

import pytest

import tewb
from tests.lowering.test_prim_func import program
from tewb import te
from tewb.base import ParseError, TewbError
from tewb.ir import structural_equal


def again(s: Any, args: list[Any]) -> str:
    """The loops of a schedule that was saved and read."""
    s2, *args2 = tewb.load_json(tewb.save_json([s, *args]))
    assert s2.journal == s.journal
    first, second = tewb.lower(s, args), tewb.lower(s2, args2)
    assert structural_equal(first, second, map_free_vars=True) and str(first) == str(second)
    return str(second)


def test_a_schedule_comes_back() -> None:
    A, B, T, C = program()
    s = te.create_schedule(C.op)
    cached = s.cache_write(C, "local")
    outer, _ = s[C].split(C.op.axis[0], factor=2)
    s[cached].compute_at(s[C], outer)
    s[T].compute_inline()
    s[C].vectorize(C.op.axis[1])
    s[C].pragma(outer, "mine", 3)
    assert "C.local" in again(s, [A, B, C])
    text = tewb.save_json(s)
    assert tewb.save_json(tewb.load_json(text)) == text


def test_rfactor_and_threads_come_back() -> None:
    A, B, T, C = program()
    s = te.create_schedule(C.op)
    s.rfactor(C, C.op.reduce_axis[0])
    again(s, [A, B, C])
    s = te.create_schedule(T.op)
    s[T].bind(T.op.axis[0], te.thread_axis("blockIdx.x"))
    s[T].bind(T.op.axis[1], te.thread_axis("threadIdx.x"))
    again(s, [A, T])


def test_symbolic_sizes_stay_the_same_variable() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] * 2.0, name="B")
    s = te.create_schedule(B.op)
    s[B].parallel(s[B].split(B.op.axis[0], 8)[0])
    again(s, [A, B])


def test_texts_that_are_no_schedule() -> None:
    A, B, T, C = program()
    s = te.create_schedule(C.op)
    s[T].compute_inline()
    text = tewb.save_json(s)
    with pytest.raises(ParseError, match="a step of the schedule is not right: step 1, nope"):
        tewb.load_json(text.replace("compute_inline", "nope"))
    with pytest.raises(ParseError, match="no JSON that save_json wrote"):
        tewb.load_json(text.replace('"parts"', '"part"'))
    E = te.extern((4,), [], lambda i, o: te.call_packed("f", o[0]), dtype="float32", name="E")
    with pytest.raises(TewbError, match="an ExternOp is known to its own Python code only"):
        tewb.save_json(te.create_schedule(E.op))
