"""The loop tree: stages where they run, with the extents and bytes that they have there."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

import tewb
from tests.programs import PROGRAMS, random_schedule
from tests.scan_programs import cumulative_sum
from tewb import te
from tewb.base import ScheduleError
from tewb.workbench.demos import demo_session
from tewb.workbench.states.loops import LoopNode, loops_state, node_text, tree_text

AT = {"primitive": "compute_at", "stage": "X", "args": {"parent": "Y", "axis": "i.outer"}}
SPLIT = {"primitive": "split", "stage": "Y", "args": {"axis": "i", "factor": 8}}


def nodes(session: tewb.Session) -> list[LoopNode]:
    def below(n: LoopNode) -> list[LoopNode]:
        return [n, *(x for inner in n.inside for x in below(inner))]

    return [x for root in loops_state(session).roots for x in below(root)]


def test_a_stage_stands_in_the_loop_where_it_is_computed_with_its_extents_there() -> None:
    s = demo_session("blur", n=64)
    s.apply(SPLIT, AT)
    assert tree_text(loops_state(s)).splitlines() == [
        "A  input  16 KiB",
        "Y  the caller's array",
        "  i.outer in 8",
        "    X  (at Y.i.outer)  2.5 KiB, of 16 KiB  each element 1.23 times",
        "      i in 10",
        "        j in 64",
        "    i.inner in 8",
        "      j in 64",
    ]


def test_trips_count_the_loops_around() -> None:
    s = demo_session("blur", n=64)
    s.apply(SPLIT, AT)
    trips = {n.key: n.trips for n in nodes(s)}
    assert (trips["X"], trips["X/i"], trips["X/j"], trips["Y/j"]) == (8, 80, 80 * 64, 64 * 64)


def test_an_inlined_stage_takes_no_memory_and_has_no_loops() -> None:
    s = demo_session("blur", n=64)
    s.apply({"primitive": "compute_inline", "stage": "X", "args": {}})
    (x,) = [n for n in nodes(s) if n.stage == "X"]
    assert (x.kind, x.inside, x.bytes) == ("inline", (), None) and "where it is read" in node_text(x)


def test_the_extern_that_began_it_all_shrinks_in_the_tree() -> None:
    for access, shown in (("whole", "384 B"), ("elementwise", "128 B, of 384 B")):
        s = demo_session("extern", access=access)
        s.apply({"primitive": "compute_at", "stage": "E", "args": {"parent": "C", "axis": "i"}})
        (e,) = [n for n in nodes(s) if n.key == "E"]
        assert e.memory == shown


def test_symbolic_sizes_are_formulas() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    C = te.compute((n,), lambda i: B[i] * 2.0, name="C")
    found = {x.key: x for x in nodes(tewb.Session(te.create_schedule(C.op), [A, C]))}
    assert found["B/i"].extent == "n" and found["B/i"].trips is None and found["B"].bytes is None
    assert "n" in found["B"].memory


def test_marks_steps_and_kinds_of_axes() -> None:
    s = demo_session("matmul", n=32)
    s.apply({"primitive": "parallel", "stage": "C", "args": {"axis": "i"}})
    found = {x.key: x for x in nodes(s)}
    assert found["C/i"].marks == ("parallel",) and found["C/k"].axis == "reduce"
    assert "k in 32  reduce" in tree_text(loops_state(s))


def test_a_schedule_without_bounds_has_a_tree_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_bounds(*_: object) -> None:
        raise ScheduleError("i stands inside of j")

    monkeypatch.setattr("tewb.workbench.states.loops.known_bounds", no_bounds)
    s = demo_session("blur", n=64)
    assert loops_state(s).problem == "i stands inside of j"
    assert [n.extent for n in nodes(s) if n.stage == "Y"] == ["", "64", "64"]


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("seed", range(4))
def test_every_program_has_a_tree_with_each_stage_and_loop_once(name: str, seed: int) -> None:
    inputs, outputs = PROGRAMS[name]()
    schedule = random_schedule(outputs, random.Random(f"tree{name}{seed}"), 7)
    found = nodes(tewb.Session(schedule, inputs + outputs))
    keys = [n.key for n in found]
    assert len(keys) == len(set(keys))
    assert [n.stage for n in found if n.kind != "loop"] and {n.stage for n in found} == {
        s.name for s in schedule.stages
    }
    for s in schedule.stages:
        if not s.is_placeholder and not s.is_inlined:
            assert [n.loop for n in found if n.kind == "loop" and n.stage == s.name] == [
                s.axis_name(iv) for iv in s.leaf_iter_vars
            ]


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("seed", range(2))
def test_a_tree_that_followed_all_steps_is_that_of_one_who_comes_late(name: str, seed: int) -> None:
    inputs, outputs = PROGRAMS[name]()
    journal = random_schedule(outputs, random.Random(f"late{name}{seed}"), 5).journal

    def session() -> tewb.Session:
        return tewb.Session(te.create_schedule([t.op for t in outputs]), inputs + outputs)

    follows = session()
    for n in [*range(len(journal) + 1), *range(len(journal), -1, -2)]:
        late = session()
        for s in (follows, late):
            s.schedule.restore(journal[:n])
            s.problem  # noqa: B018  lowers it
        assert [replace(x, part=0, inside=()) for x in nodes(follows)] == [
            replace(x, part=0, inside=()) for x in nodes(late)
        ]
        assert tree_text(loops_state(follows)) == tree_text(loops_state(late))


def test_what_an_edit_leaves_alone_are_the_nodes_that_they_were() -> None:
    s = demo_session("blur", n=64)
    before = loops_state(s).roots
    s.apply(SPLIT)
    after = loops_state(s).roots
    assert [a is b for a, b in zip(before, after, strict=True)] == [False, True, False]


def test_the_state_of_a_scan_is_no_input_and_its_memory_is_the_scans() -> None:
    X, _, _, _, result = cumulative_sum(8, 4)
    A = te.placeholder((4,), name="A")
    B = te.compute((8, 4), lambda t, i: result[t, i] + A[i], name="B")
    tree = loops_state(tewb.Session(te.create_schedule(B.op), [X, A, B])).roots
    kinds = {n.stage: (n.kind, n.bytes, n.memory) for n in tree if not n.loop}
    states = [name for name, (kind, _, _) in kinds.items() if kind == "state"]
    assert kinds["X"][0] == kinds["A"][0] == "input" and len(states) == 1
    assert kinds[states[0]] == ("state", None, "no memory of its own: the steps before, of res")
    assert any(node_text(n) == f"{states[0]}  state  {kinds[states[0]][2]}" for n in tree)
