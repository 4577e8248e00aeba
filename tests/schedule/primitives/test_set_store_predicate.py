"""Which threads store: the element is stored all the same. (Sums over threads are in tests/lowering.)"""

from __future__ import annotations

from typing import Any

import pytest

import tewb
from tests.programs import add_one, assert_same_result, matmul, schedule_for
from tewb import te
from tewb.base import LowerError, ScheduleError
from tewb.ir import script, structural_equal
from tewb.schedule import Step
from tewb.workbench import Session

TX = te.thread_axis("threadIdx.x")


def shared_tile(condition: Any) -> tuple[Any, list[Any], list[Any]]:
    """A product whose input is copied by all threads of a row, and stored by some of them."""
    (A, B), (C,) = matmul(6, 5, 4)
    s = schedule_for([C])
    copy = s.cache_read(A, "shared", [C])
    s[C].bind("i", TX)
    s[copy].compute_at(s[C], "i")
    s[copy].set_store_predicate(condition)
    return s, [A, B], [C]


@pytest.mark.parametrize(
    "condition", [TX.var.equal(0), TX.var.equal(5), te.all(TX.var > 1, TX.var < 3), "threadIdx.x < 9"]
)
def test_one_thread_is_enough_to_store_what_all_of_them_have(condition: Any) -> None:
    s, inputs, outputs = shared_tile(condition)
    assert_same_result(s, inputs, outputs, debug=True)


def test_the_condition_stands_around_the_store_and_in_the_code() -> None:
    s, inputs, outputs = shared_tile(TX.var.equal(0))
    assert "if threadIdx.x == 0:\n" in script(tewb.lower(s, inputs + outputs))
    session = Session(s, inputs + outputs)
    assert "set_store_predicate('threadIdx.x == 0')" in session.code.replace('"', "'")
    names: dict[str, Any] = {}
    exec(session.code, names)
    assert structural_equal(names["module"]["main"], session.function)


def test_a_reduction_is_started_and_continued_under_the_condition() -> None:
    (A, B), (C,) = matmul(6, 5, 4)
    D = te.compute((6, 5), lambda i, j: C[i, j] + 1.0, name="D")
    s = te.create_schedule(D.op)
    s[D].bind("i", TX)
    s[C].compute_at(s[D], "i")
    s[C].set_scope("shared")
    s[C].set_store_predicate(TX.var.equal(2))
    assert_same_result(s, [A, B], [D], debug=True)


def test_it_waits_for_threads_to_run() -> None:
    (A, B), (C,) = matmul(6, 5, 4)
    s = te.create_schedule(C.op)
    step = Step("set_store_predicate", "C", args={"predicate": "threadIdx.x == 0"})
    assert s.why_not(step) == "no loop is bound to threadIdx.x"
    s[C].set_store_predicate(TX.var.equal(0))  # a later call may bind one
    with pytest.raises(LowerError, match="no loop around it or inside of it is bound to threadIdx.x"):
        tewb.lower(s, [A, B, C])


def of_a_hybrid_function() -> None:
    A = te.placeholder((4,), name="A")
    B = add_one(A)
    te.create_schedule(B.op)[B].set_store_predicate("threadIdx.x == 0")


def again() -> None:
    shared_tile("threadIdx.x == 0")[0]["A.shared"].set_store_predicate("threadIdx.x == 1")


def on_an_axis() -> None:
    s = schedule_for(matmul()[1])
    s["C"].set_store_predicate(s["C"].op.axis[0].var < 3)


@pytest.mark.parametrize(
    ("misuse", "said"),
    [
        (of_a_hybrid_function, "is not a compute: its code chooses what it stores"),
        (again, "it has a predicate already"),
        (on_an_axis, "the condition uses i, which is no thread that a loop is bound to"),
    ],
)
def test_misuse_is_refused(misuse: Any, said: str) -> None:
    with pytest.raises(ScheduleError, match=said) as e:
        misuse()
    assert e.value.loops
