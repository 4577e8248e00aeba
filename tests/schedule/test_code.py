"""A schedule as Python: names for stages and axes, and a line for each step."""

from __future__ import annotations

from typing import Any

import pytest

import tewb
from tests.programs import PROGRAMS, chain, matmul, random_schedule, schedule_for
from tewb import te
from tewb.schedule import Schedule
from tewb.schedule.code import JournalWriter, Names, schedule_code


def code(s: Schedule, *taken: str) -> list[str]:
    stages = {
        stage.name: stage.name for stage in s.stages if stage.first_op is not None and "." not in stage.name
    }
    return schedule_code(s, stages, set(taken))


def test_names_are_python_and_nobody_else_s() -> None:
    names = Names({"C": "C"}, {"te"})
    assert [names.fresh("i.outer"), names.fresh("i.outer")] == ["i_outer", "i_outer_1"]
    assert "s" not in (names.fresh("s"), names.fresh("C")) and names.fresh("te") != "te"
    assert all(names.fresh(word).isidentifier() for word in ("for", "1st", "a b", "", "é"))
    assert names.fresh("for") != "for"


def test_an_axis_has_one_name_in_its_stage_and_another_in_others() -> None:
    names = Names({}, set())
    assert names.axis("B", "i") == names.axis("B", "i") == "i"
    assert names.axis("C", "i") != "i"
    assert names.stage("B.local") == "B_local" == names.stage("B.local")


def test_root_axes_are_named_before_their_first_use() -> None:
    s = schedule_for(chain(6, 4)[1])
    s["D"].tile("i", "j", 4, 2)
    s["D"].fuse("i.outer", "j.outer")
    s["C"].compute_at(s["D"], "i.outer.j.outer.fused")
    s["B"].compute_inline()
    assert code(s) == [
        "i, j = s[D].op.axis",
        "i_outer, j_outer, i_inner, j_inner = s[D].tile(i, j, 4, 2)",
        "i_outer_j_outer_fused = s[D].fuse(i_outer, j_outer)",
        "s[C].compute_at(s[D], i_outer_j_outer_fused)",
        "s[B].compute_inline()",
    ]


def test_a_single_axis_is_unpacked_from_a_tuple_and_copies_have_names() -> None:
    s = schedule_for(matmul(8, 8, 8)[1])
    s.cache_read(s["A"].op.output(0), "local", [s["C"]])
    s.rfactor(s["C"].op.output(0), "k")
    assert code(s) == [
        'A_local = s.cache_read(A, "local", [C])',
        "(k,) = s[C].op.reduce_axis",
        "C_rf = s.rfactor(C, k, factor_axis=0)",
    ]


def test_a_writer_goes_on_from_the_journal_before() -> None:
    """Whatever way journals come in, the lines are those that each has by itself."""
    s = schedule_for(chain(6, 4)[1])
    writer = JournalWriter(s.untouched(), Names({x.name: x.name for x in s.stages}, set()))
    x, y = s["D"].tile("i", "j", 4, 2)[:2]
    whole = s.journal
    s["D"].reorder(y, x)
    longer = s.journal
    s.restore(whole[:1])
    s["D"].fuse("i.outer", "j.outer")
    other = s.journal
    for journal in (whole, longer, (), other, whole[:1], longer, other, longer):
        s.restore(journal)
        assert writer.lines(journal) == code(s)


def test_nothing_done_is_no_code() -> None:
    assert code(schedule_for(chain()[1])) == []


@pytest.mark.parametrize("name", ["matmul", "chain", "rows", "argmax"])
def test_the_lines_make_the_same_journal(name: str) -> None:
    import random

    _, outputs = PROGRAMS[name]()
    s = random_schedule(outputs, random.Random(7), 6)
    assert s.journal
    stages = {t.name: f"t{n}" for n, t in enumerate(s.stages)}
    again = schedule_for(outputs)
    tensors: dict[str, Any] = {stages[t.name]: t.op.output(0) for t in again.stages}
    first = {name: identifier for name, identifier in stages.items() if identifier in tensors}
    exec("\n".join(schedule_code(s, first, set())), {"s": again, "te": te, "tewb": tewb, **tensors})
    assert again.journal == s.journal


def test_tensors_may_be_called_as_printed_ir_calls_things() -> None:
    A = te.placeholder((8, 8), name="A")
    T = te.compute((8, 8), lambda i, j: A[i, j] + 1.0, name="T")
    I = te.compute((8, 8), lambda i, j: T[i, j] * T[i, j], name="I")  # noqa: E741
    s = te.create_schedule(I.op)
    s[T].compute_at(s[I], s[I].op.axis[0])
    again = te.create_schedule(I.op)
    exec(tewb.Session(s, [A, I]).schedule_code, {"s": again, "T": T, "I": I})
    assert again.journal == s.journal
