"""Lowering after an edit gives what lowering from the beginning gives: nothing that is remembered is stale."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from typing import Any

import pytest

import tewb
from tests.bench.graphs import network, stencils
from tests.programs import PROGRAMS, random_step
from tests.test_fuzz_externs import graph, registered
from tewb import te
from tewb.base import PassContext, TewbError
from tewb.ir import Stmt, script_lines, walk
from tewb.lowering import LOWER
from tewb.schedule import Schedule

packed = pytest.fixture(registered.__wrapped__ if hasattr(registered, "__wrapped__") else registered)


def shown(session: Any) -> list[tuple[str, list[tuple[int, str, Any]]]]:
    """Every form of a session's program, line by line, with where each line came from. (The operation of a
    copy has the line where the copy was made first.)"""
    given = {stage.name for stage in Schedule(session.schedule.outputs).stages}

    def origin(n: Any) -> Any:
        o = getattr(n, "origin", None)
        return o if o is None or o.stage in given else replace(o, span=None)

    return [
        (name, [(n.depth, n.text, origin(n.node)) for n in script_lines(f)]) for name, f in session.passes
    ]


def from_scratch(session: Any) -> Any:
    """A session of the same program and journal that remembers nothing."""
    fresh = Schedule(session.schedule.outputs)
    fresh.restore(session.journal)
    return tewb.Session(fresh, session.args)


def edit(session: Any, rng: random.Random) -> None:
    """A random change of the schedule, of the kinds that people make; what is refused changes nothing."""
    n = len(session.journal)
    try:
        match rng.choice(
            ["apply"] * 6 + ["undo", "undo", "redo", "jump", "delete", "move", "branch", "reset"]
        ):
            case "apply":
                session.apply(random_step(session.schedule, rng))
            case "undo":
                session.undo()
            case "redo":
                session.redo()
            case "jump":
                session.jump(rng.randint(0, n))
            case "delete" if n:
                session.delete_step(rng.randint(1, n), force=rng.random() < 0.5)
            case "move" if n:
                session.move_step(rng.randint(1, n), rng.randint(1, n), force=rng.random() < 0.5)
            case "branch":
                name = str(rng.randint(0, 2))
                session.switch(name) if name in session.branches else session.branch(name)
            case "reset" if rng.random() < 0.2:
                session.reset()
    except TewbError:
        pass


def check(outputs: list[Any], inputs: list[Any], rng: random.Random, edits: int) -> None:
    session = tewb.Session(te.create_schedule([t.op for t in outputs]), [*inputs, *outputs])
    for _ in range(edits):
        edit(session, rng)
        fresh = from_scratch(session)
        assert shown(session) == shown(fresh), session.to_string()
        assert str(session.problem) == str(fresh.problem)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("seed", range(4))
def test_random_edits_lower_as_from_scratch(name: str, seed: int) -> None:
    inputs, outputs = PROGRAMS[name]()
    check(outputs, inputs, random.Random(f"{name}{seed}"), 25)


@pytest.mark.one_in(3)
@pytest.mark.parametrize("seed", range(12))
def test_random_edits_of_graphs_with_externs_lower_as_from_scratch(packed: None, seed: int) -> None:
    rng = random.Random(seed)
    inputs, outputs = graph(rng)
    check(outputs, inputs, rng, 12)


@pytest.mark.slow
@pytest.mark.parametrize("program", [network, stencils])
def test_edits_of_large_graphs_lower_as_from_scratch(program: Any) -> None:
    s, args = program()
    session, rng = tewb.Session(s, args), random.Random(0)
    for _ in range(12):
        edit(session, rng)
        assert shown(session) == shown(from_scratch(session)), session.to_string()


def chain(n: int = 6) -> Any:
    """A session of `n` stages, each of which reads the one before."""
    t = A = te.placeholder((24, 40), name="A")
    for k in range(n):
        t = te.compute((24, 40), lambda i, j, t=t: t[i, j] + 1.0, name=f"S{k}")
    return tewb.Session(te.create_schedule(t.op), [A, t])


def parts(session: Any) -> dict[str, Stmt]:
    """The lowered loop nest of every stage."""
    return {
        n.origin.stage: n
        for n in reversed(list(walk(session.function.body)))
        if isinstance(n, tewb.tir.For) and n.origin is not None and n.origin.stage is not None
    }


def test_an_edit_of_one_stage_keeps_the_loops_of_the_others() -> None:
    session = chain()
    before = parts(session)
    session.apply({"primitive": "split", "stage": "S3", "args": {"axis": "j", "factor": 7}})
    after = parts(session)
    assert [name for name in before if before[name] is not after[name]] == ["S3"]
    session.undo()
    assert parts(session) == before
    session.redo()
    assert parts(session) == after


def test_moving_a_stage_redoes_the_two_that_meet() -> None:
    session = chain()
    before = parts(session)
    session.apply({"primitive": "compute_at", "stage": "S2", "args": {"parent": "S3", "axis": "i"}})
    after = parts(session)
    assert {name for name in before if before[name] is not after.get(name)} == {"S2", "S3"}


def test_copies_are_the_same_stages_after_undo_and_redo() -> None:
    session = chain(3)
    copy = session.schedule.cache_read(session.args[0], "local", ["S0"])
    moved = session.schedule.cache_write(session.args[1], "local")
    session.sync()
    for _ in range(2):
        session.undo()
    for _ in range(2):
        session.redo()
    assert session.schedule[copy].op is copy.op and session.schedule[moved].op is moved.op


def test_two_copies_of_one_tensor_are_two_stages() -> None:
    session = chain(3)
    s, (A, _) = session.schedule, session.args
    first = s.cache_read(A, "local", ["S0"])
    second = s.cache_read(A, "local", [first])
    assert first.op is not second.op
    session.refresh()
    assert shown(session) == shown(from_scratch(session))


@pytest.mark.parametrize("key", ["tir.LoopPartition", "tir.disable_vectorize"])
def test_options_are_not_forgotten(key: str) -> None:
    session = chain(2)
    for step in (("split", {"axis": "j", "factor": 16}), ("vectorize", {"axis": "j.inner"})):
        session.apply({"primitive": step[0], "stage": "S1", "args": step[1]})
    s, args = session.schedule, session.args
    texts = []
    for value in (True, False, True, False):
        with PassContext(config={key: value}):
            texts.append(tewb.lower(s, args).script())
    assert texts[0] == texts[2] != texts[1] == texts[3]


def test_every_pass_on_parts_is_the_pass_on_the_whole() -> None:
    s, args = stencils()
    session = tewb.Session(s, args)
    (_, f), *forms = session.passes
    for p, (name, form) in zip(LOWER, forms, strict=True):
        f = p.run(f)
        assert p.name == name and f.script() == form.script()


def test_what_is_not_used_any_more_is_forgotten() -> None:
    session = chain(4)
    sizes = []
    for factor in range(2, 120):
        session.apply({"primitive": "split", "stage": "S3", "args": {"axis": "j", "factor": factor}})
        assert session.ir
        session.undo()
        assert session.ir
        sizes.append(len(session.schedule.result_cache._known))
    assert max(sizes[60:]) <= max(sizes[:60])


ALTERNATIVES = [
    ("split", {"axis": "j", "factor": 5}, {"axis": "j", "factor": 9}, {"axis": "j", "nparts": 5}),
    ("vectorize", {"axis": "j"}, {"axis": "i"}),
    ("fuse", {"axes": ["i", "j"]}),
    ("reorder", {"axes": ["j", "i"]}),
    ("unroll", {"axis": "j"}),
    ("parallel", {"axis": "j"}, {"axis": "i"}),
    ("compute_at", {"parent": "S3", "axis": "i"}, {"parent": "S3", "axis": "j"}),
    ("set_scope", {"scope": "local"}),
    ("cache_read", {"scope": "local", "readers": ["S3"]}, {"scope": "global", "readers": ["S3"]}),
    ("cache_write", {"scope": "local"}, {"scope": "global"}),
    ("compute_inline", {}),
]


def test_steps_that_take_the_place_of_others_are_told_apart() -> None:
    """Each of many steps as the first one: names and numbers are the same, and what they do is not."""
    session, texts = chain(5), []
    for primitive, *choices in ALTERNATIVES:
        for args in choices:
            session.apply({"primitive": primitive, "stage": "S2", "args": args})
            assert shown(session) == shown(from_scratch(session)), session.to_string()
            texts.append("\n".join(str(n) for n in script_lines(session.passes[0][1])))
            session.undo()
    assert len(set(texts)) == len(texts)


def test_orders_of_the_same_loops_are_told_apart() -> None:
    A = te.placeholder((3, 4, 5), name="A")
    B = te.compute((3, 4, 5), lambda i, j, k: A[i, j, k] + 1.0, name="B")
    session, texts = tewb.Session(te.create_schedule(B.op), [A, B]), set()
    for order in itertools.permutations("ijk"):
        session.apply({"primitive": "reorder", "stage": "B", "args": {"axes": list(order)}})
        assert shown(session) == shown(from_scratch(session))
        texts.add(session.ir)
        session.undo()
    assert len(texts) == 6


def test_needs_that_change_reach_stages_that_were_not_touched() -> None:
    """Tiles of 7 rows do not divide 20: the stages before compute more rows, though nothing was done to them."""
    A = te.placeholder((40, 8), name="A")
    P = te.compute((40, 8), lambda i, j: A[i, j] + 1.0, name="P")
    Q = te.compute((36, 8), lambda i, j: P[i + 2, j] * 2.0, name="Q")
    R = te.compute((32, 8), lambda i, j: Q[i + 2, j] * 3.0, name="R")
    C = te.compute((20, 8), lambda i, j: R[i + 1, j], name="C")
    session = tewb.Session(te.create_schedule(C.op), [A, C])
    before = {a.name: a.shape for a in session.allocations()}
    session.apply({"primitive": "split", "stage": "C", "args": {"axis": "i", "factor": 7}})
    session.apply({"primitive": "compute_at", "stage": "R", "args": {"parent": "C", "axis": "i.outer"}})
    after = {a.name: a.shape for a in session.allocations()}
    assert before["P"] == "(20, 8)" and before["P"] != after["P"] and before["Q"] != after["Q"]
    assert shown(session) == shown(from_scratch(session))
    session.undo()
    assert {a.name: a.shape for a in session.allocations()} == before


def test_memory_of_the_same_size_that_begins_elsewhere_is_told_apart() -> None:
    """Tiles of 7 rows make either side need two more rows of P: 4 to 18, or 2 to 16. That is memory of 14 rows
    both times, and the same one, whose first row is another."""
    A = te.placeholder((20, 8), name="A")
    P = te.compute((20, 8), lambda i, j: A[i, j] + 1.0, name="P")
    C = te.compute((8, 8), lambda i, j: P[i + 5, j], name="C")  # between the two, and never touched
    outputs = [C]
    for side, row in (("up", lambda i: i + 4), ("down", lambda i: 15 - i)):
        D = te.compute((16, 8), lambda i, j, row=row: P[row(i), j] * 2.0, name=f"D.{side}")
        F = te.compute((16, 8), lambda i, j, D=D: D[i, j] * 3.0, name=f"F.{side}")
        outputs.append(te.compute((12, 8), lambda i, j, F=F: F[i, j], name=f"E.{side}"))
    session = tewb.Session(te.create_schedule([t.op for t in outputs]), [A, *outputs])
    reads, sizes = [], []
    for side in ("up", "down", "up"):
        session.apply({"primitive": "split", "stage": f"E.{side}", "args": {"axis": "i", "factor": 7}})
        args = {"parent": f"E.{side}", "axis": "i.outer"}
        session.apply({"primitive": "compute_at", "stage": f"F.{side}", "args": args})
        assert shown(session) == shown(from_scratch(session))
        reads.append(next(line.strip() for line in session.ir.splitlines() if line.strip().startswith("C[")))
        sizes.append({a.name: a.shape for a in session.allocations()}["P"])
        session.undo()
        session.undo()
    assert reads == ["C[i, j] = P[i + 1, j]", "C[i, j] = P[i + 3, j]", reads[0]]
    assert sizes == ["(14, 8)"] * 3


def test_the_first_undo_keeps_what_was_there() -> None:
    session = chain()
    for name in ("S1", "S4", "S5"):
        session.schedule[name].split("j", 4)
    session.sync()
    before = parts(session)
    session.undo()
    assert [name for name in before if before[name] is not parts(session)[name]] == ["S5"]


def test_copies_of_a_schedule_share_what_was_worked_out() -> None:
    session = chain()
    pinned = session.pin()
    assert parts(pinned) == parts(session)
    pinned.schedule["S2"].split("j", 8)
    session.schedule["S2"].split("j", 5)
    for one in (session, pinned):
        one.sync()
        assert shown(one) == shown(from_scratch(one))


def test_memory_that_only_calls_use_is_known() -> None:
    """An intermediate between two externs: no element of it is loaded or stored by our own code."""
    A = te.placeholder((8,), name="A")
    B = te.extern((8,), [A], lambda i, o: te.call_packed("test.memory", i[0], o[0]), name="B")
    C = te.extern((8,), [B], lambda i, o: te.call_packed("test.memory", i[0], o[0]), name="C")
    text = tewb.lower(te.create_schedule(C.op), [A, C]).script()
    assert "B = T.allocate((8,)" in text
