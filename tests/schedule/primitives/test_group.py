"""create_group: stages in one place, nested, moved, and what cannot be in one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.programs import Program, assert_same_result, lower_all, schedule_for
from tewb import te
from tewb.base import ScheduleError
from tewb.ir import Allocate, const_int, walk
from tewb.workbench import Session


def pipeline(n: int = 11, m: int = 7) -> Program:
    """B and C lead to D, which E reads."""
    A = te.placeholder((n, m), name="A")
    B = te.compute((n, m), lambda i, j: A[i, j] + 1.0, name="B")
    C = te.compute((n, m), lambda i, j: B[i, j] * 2.0, name="C")
    D = te.compute((n, m), lambda i, j: C[i, j] - B[i, j], name="D")
    E = te.compute((n, m), lambda i, j: D[i, j] + A[i, j], name="E")
    return [A], [E]


def sizes(s: Any) -> dict[str, list[int | None]]:
    allocated = [n.buffer for n in walk(lower_all(s)["main"].body) if isinstance(n, Allocate)]
    return {b.name: [const_int(e) for e in b.shape] for b in allocated}


def tensor(s: Any, name: str) -> Any:
    return s[name].op.output(0)


def test_its_stages_move_together() -> None:
    inputs, outputs = pipeline()
    s = schedule_for(outputs)
    group = s.create_group(outputs=tensor(s, "D"), inputs=tensor(s, "B"), include_inputs=True)
    assert [st.name for st in group.members] == ["B", "C", "D"] and s.groups == [group]
    assert s["C"].group is group and s["E"].group is None and group.num_child_stages == 3
    group.compute_at(s["E"], "i")
    assert (group.attach_type, group.attach_stage, group.attach_ivar) == (4, s["E"], s["E"].op.axis[0])
    assert sizes(s) == {"B": [1, 7], "C": [1, 7], "D": [1, 7]}
    assert_same_result(s, inputs, outputs)
    group.compute_root()
    assert sizes(s) == {"B": [11, 7], "C": [11, 7], "D": [11, 7]}
    assert_same_result(s, inputs, outputs)


def test_without_its_inputs() -> None:
    s = schedule_for(pipeline()[1])
    group = s.create_group([tensor(s, "D")], [tensor(s, "B")])
    assert [st.name for st in group.members] == ["C", "D"]
    group = schedule_for(pipeline()[1]).create_group("D", "A")
    assert [st.name for st in group.members] == ["B", "C", "D"]


def test_a_stage_may_have_a_place_of_its_own() -> None:
    inputs, outputs = pipeline()
    s = schedule_for(outputs)
    group = s.create_group("D", "A")
    s["B"].compute_at(s["C"], "j")  # D reads it too: for now
    s["C"].compute_at(s["D"], "j")
    s["B"].compute_at(s["D"], "j")
    group.compute_at(s["E"], "i")
    assert sizes(s) == {"B": [1, 1], "C": [1, 1], "D": [1, 7]}
    s["C"].compute_root()  # back to its group
    assert s["C"].attach_ivar is s["E"].op.axis[0]
    s["B"].compute_inline()
    assert sizes(s) == {"C": [1, 7], "D": [1, 7]}
    assert_same_result(s, inputs, outputs)


def test_groups_in_groups() -> None:
    inputs, outputs = pipeline()
    s = schedule_for(outputs)
    inner = s.create_group("C", "B", include_inputs=True)
    outer = s.create_group("D", "A")
    assert inner.group is outer and outer.num_child_stages == 2
    assert [st.name for st in outer.members] == ["B", "C", "D"]
    outer.compute_at(s["E"], "i")
    inner.compute_at(s["D"], "j")
    assert sizes(s) == {"B": [1, 1], "C": [1, 1], "D": [1, 7]}
    assert_same_result(s, inputs, outputs)
    inside = s.create_group("C", "B")
    assert inside.group is inner


def test_what_is_made_of_a_stage_is_in_its_group() -> None:
    inputs, outputs = pipeline()
    s = schedule_for(outputs)
    group = s.create_group("D", "A")
    s.cache_write(tensor(s, "C"), "local")
    s.cache_read(tensor(s, "B"), "local", ["C.local"])
    group.compute_at(s["E"], "i")
    assert {n for n, (rows, *_) in sizes(s).items() if rows == 1} == {"B", "B.local", "C", "C.local", "D"}
    assert_same_result(s, inputs, outputs)


def test_code_journal_and_undo_know_it() -> None:
    inputs, outputs = pipeline()
    session = Session(schedule_for(outputs), [*inputs, *outputs])
    session.load('g = s.create_group([D], [A])\ng.compute_at(s[E], "i")')
    assert session.schedule_code.splitlines() == [
        "s.create_group([D], [A])", "i, j = s[E].op.axis", 's[D].group_at("group", s[E], i)',
    ]  # fmt: skip
    text, code = session.ir, session.code
    for saved in (
        session.to_json(),
        session.to_string(),
        code,
        "s.create_group(D, A)\ns.groups[0].compute_at(s[E], 'i')",
    ):
        other = Session(schedule_for(outputs), [*inputs, *outputs])
        other.load(saved)
        assert other.ir == text
    session.undo()
    assert [st.place for st in session.stages] == ["root"] * 5
    session.undo()
    assert not session.schedule.groups and session.schedule["C"].group is None
    session.redo()
    session.redo()
    assert session.ir == text and session.verify().ok
    space: dict[str, Any] = {}
    exec(code, space)
    assert str(space["module"]) == str(session.module)
    assert str(session.schedule.copy()) == str(session.schedule)


def test_a_group_may_be_placed_before_its_readers_are() -> None:
    inputs, outputs = pipeline()
    s = schedule_for(outputs)
    group = s.create_group("C", "A")
    group.compute_at(s["E"], "i")  # D, which reads C, is not there yet
    with pytest.raises(ScheduleError, match="group_at on stage C: .*D also reads") as e:
        lower_all(s)
    assert e.value.span == s.journal[1].span
    s["D"].compute_at(s["E"], "i")
    assert_same_result(s, inputs, outputs)


def overlapping(s: Any) -> None:
    s.create_group("C", "A")
    s.create_group("D", "B")


def around_its_reader(s: Any) -> None:
    s.create_group("D", "A").compute_at(s["D"], "i")


def with_an_output(s: Any) -> None:
    s.create_group("E", "A").compute_at(s["E"], "i")


@pytest.mark.parametrize(
    ("misuse", "said"),
    [
        (lambda s: s.create_group("B", "D"), "no stage is on the way from D to B"),
        (lambda s: s.create_group("D", []), "no stage is on the way from no inputs to D"),
        (lambda s: s.create_group("D", "X"), "X is not a stage"),
        (lambda s: s.create_group("D", "A", 3), "include_inputs=3 is neither 0 nor 1"),
        (overlapping, "create_group on stage D: group would be in it, but B of group would not"),
        (around_its_reader, "D belongs to group, which cannot be computed inside of itself"),
        (with_an_output, "E of group is an output"),
        (lambda s: s.create_group("C", "B").compute_at(s["A"], "i"), "A is an input|it has no axis"),
        (lambda s: s.create_group("C", "B").compute_at(s["D"], "q"), "it has no axis q"),
        (lambda s: s["D"].group_at("others", s["E"], "i"), "there is no group others.*\n.*\n  hint: group = s.create_group"),
        (lambda s: s["D"].group_root("others"), "there is no group others"),
    ],
)  # fmt: skip
def test_misuse_is_refused(misuse: Callable[[Any], Any], said: str) -> None:
    with pytest.raises(ScheduleError, match=said):
        misuse(schedule_for(pipeline()[1]))
