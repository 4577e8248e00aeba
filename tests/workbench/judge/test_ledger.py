"""The ledger: needed, allocated and declared bytes, packed calls, what externs touch, and the budget."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import PROGRAMS, random_schedule
from tewb import te
from tewb.base import ScheduleError, TewbError
from tewb.runtime import register_func
from tewb.schedule import Step
from tewb.workbench import Session
from tewb.workbench.demos import demo_session
from tewb.workbench.judge.ledger import Cache, cache_hint, caches


def at(stage: str, parent: str, axis: str) -> dict[str, Any]:
    return {"primitive": "compute_at", "stage": stage, "args": {"parent": parent, "axis": axis}}


def account(s: Any, stage: str) -> Any:
    return next(e for e in s.ledger() if e.stage == stage)


def test_bytes_of_a_stage_at_the_root_and_at_a_loop() -> None:
    s = demo_session("blur", n=64)
    x = account(s, "X")
    assert (x.needed.bytes, x.allocated.bytes, x.declared.bytes) == (64 * 64 * 4,) * 3
    assert x.kind == "intermediate" and x.lifetime == "the call, until Y has read it"
    s.apply(at("X", "Y", "i"))
    x = account(s, "X")
    assert (x.needed.bytes, x.allocated.bytes, x.declared.bytes) == (3 * 64 * 4, 3 * 64 * 4, 64 * 64 * 4)
    assert x.lifetime == "one iteration of Y.i, until Y has read it"
    assert x.recompute == pytest.approx((63 * 3 + 2) / 64) and x.step == 0
    y = account(s, "Y")
    assert (y.kind, y.allocated.bytes, y.lifetime) == ("argument", 0, "the caller's")


@pytest.mark.parametrize(
    ("access", "allocated", "computed"), [("whole", 384, 3.0), ("elementwise", 128, 1.0)]
)
def test_an_extern_of_unknown_access_holds_more_than_is_needed(
    access: str, allocated: int, computed: float
) -> None:
    s = demo_session("extern", access=access)
    s.apply(at("E", "C", "i"))
    e = account(s, "E")
    assert (e.needed.bytes, e.allocated.bytes, e.declared.bytes) == (128, allocated, 384)
    assert (e.recompute, e.calls) == (computed, 3)


def test_an_inlined_stage_holds_nothing_and_is_computed_for_each_access() -> None:
    s = demo_session("blur", n=64)
    s.apply({"primitive": "compute_inline", "stage": "X", "args": {}})
    x = account(s, "X")
    assert (x.kind, x.allocated.bytes, x.recompute) == ("inline", 0, 3.0)


def test_symbolic_sizes_are_formulas() -> None:
    n = te.var("n")
    A = te.placeholder((n, 8), name="A")
    B = te.compute((n, 8), lambda i, j: A[i, j] + 1.0, name="B")
    C = te.compute((n, 8), lambda i, j: B[i, j] * 2.0, name="C")
    s = tewb.Session(te.create_schedule(C.op), [A, C])
    b = account(s, "B")
    assert (b.allocated.bytes, str(b.allocated), b.recompute, b.cache) == (None, "n * 32", None, None)
    s.apply(at("B", "C", "i"))
    assert account(s, "B").allocated.bytes == 32
    assert str(s.expect("bytes", "<=", 32)) == "allocated bytes <= 32: ok, it is 32"


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("seed", range(3))
def test_allocated_bytes_are_those_of_the_ir(name: str, seed: int) -> None:
    inputs, outputs = PROGRAMS[name]()
    s = tewb.Session(random_schedule(outputs, random.Random(f"ledger{name}{seed}"), 5), inputs + outputs)
    allocated = sum(e.allocated.bytes or 0 for e in s.ledger())
    assert allocated == sum(a.bytes or 0 for a in s.allocations())
    assert all(e.needed.bytes <= e.declared.bytes for e in s.ledger())


@pytest.mark.parametrize(("n", "factor"), [(8, 4), (10, 4), (7, 3), (5, 8)])
def test_packed_calls_are_counted_as_they_happen(n: int, factor: int) -> None:
    seen: list[tuple[int, ...]] = []

    def count(a: Any, b: Any) -> None:
        seen.append(a.shape)
        np.copyto(b, a)

    register_func("tests.ledger.count", count, override=True)
    A = te.placeholder((n, 6), name="A")
    E = te.extern(
        (n, 6),
        [A],
        lambda ins, outs: te.call_packed("tests.ledger.count", ins[0], outs[0]),
        name="E",
        access=te.access.elementwise,
    )
    C = te.compute((n, 6), lambda i, j: E[i, j] + 1.0, name="C")
    sch = te.create_schedule(C.op)
    outer, _ = sch[C].split("i", factor=factor)
    sch[E].compute_at(sch[C], outer)
    s = tewb.Session(sch, [A, C])
    s.build()(np.zeros((n, 6), "float32"), np.zeros((n, 6), "float32"))
    assert account(s, "E").calls == len(seen) == -(-n // factor)


def test_the_boxes_of_an_extern_name_loops_of_the_code() -> None:
    """And none of one iteration, which is not there."""
    s = demo_session("extern")
    s.apply({"primitive": "split", "stage": "C", "args": {"axis": "i", "factor": 1}})
    s.apply(at("E", "C", "i.inner"))
    (e,) = s.extern_boxes()
    assert [t.box[0] for t in e.touched] == ["i.outer : +1", "i.outer : +1"]


def test_the_boxes_of_an_extern_are_in_the_coordinates_of_its_tensors() -> None:
    s = demo_session("extern")
    s.apply(at("E", "C", "i"))
    (e,) = s.extern_boxes()
    assert (e.stage, e.effect, e.calls) == ("E", "idempotent", 3)
    read, written = e.touched
    assert (read.tensor, read.writes, read.box) == ("A", False, ("i : +1", "0 : +4", "0 : +8"))
    assert read.strides == ("32", "8", "1") and written.writes
    assert read.tiles == tuple(((i, 1), (0, 4), (0, 8)) for i in range(3))


def test_the_boxes_of_a_stencil_overlap_and_end_at_the_edge() -> None:
    A = te.placeholder((8,), name="A")
    E = te.extern(
        (8,),
        [A],
        lambda ins, outs: te.call_packed("tests.ledger.count", ins[0], outs[0]),
        name="E",
        access=te.access.stencil(1),
    )
    sch = te.create_schedule(E.op)
    sch[E].split(E.op.axis[0], factor=4)
    (e,) = tewb.Session(sch, [A, E]).extern_boxes()
    assert [t.tiles for t in e.touched] == [(((0, 5),), ((3, 5),)), (((0, 4),), ((4, 4),))]


def test_a_budget_turns_red_and_green() -> None:
    s = demo_session("blur", n=64)
    first = s.expect("bytes", "<=", 4096, stage="X")
    s.expect("recompute", "<", 2)
    s.expect("allocations", "==", 1)
    s.expect("peak", "<=", 1 << 20)
    assert first.ok is False and first.value == 64 * 64 * 4
    assert [c.ok for c in s.checks()] == [False, True, True, True]
    assert str(s.checks()[0]) == "allocated bytes of X <= 4,096: not ok, it is 16,384"
    s.apply(at("X", "Y", "i"))
    assert [c.ok for c in s.checks()] == [True, False, True, True]
    s.undo()
    assert [c.ok for c in s.checks()] == [False, True, True, True]


def test_a_ratio_is_unknown_until_it_is_measured() -> None:
    s = demo_session("blur", n=64)
    assert s.expect("ratio", ">", 1e-6).ok is None
    (c,) = s.checks(s.measure(repeat=1))
    assert c.ok is True and c.value > 0


def test_a_line_about_a_stage_that_is_undone_is_unknown() -> None:
    s = demo_session("matmul", n=16)
    s.apply({"primitive": "cache_write", "stage": "C", "args": {"scope": "local"}})
    assert s.expect("bytes", "<=", 1024, stage="C.local").ok
    s.undo()
    assert s.checks()[0].ok is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (("speed", "<=", 1), "'speed' is nothing to expect"),
        (("bytes", "=<", 1), "'=<' is no relation"),
        (("bytes", "<=", "4K"), "the limit '4K' is not a number"),
        (("ratio", ">", 1, "X"), "numpy / tewb is of the kernel, not of one stage"),
    ],
)
def test_a_line_that_means_nothing(line: Any, said: str) -> None:
    s = demo_session("blur", n=16)
    with pytest.raises(TewbError, match=said):
        s.expect(*line)
    assert s.checks() == []


def test_a_line_about_no_stage() -> None:
    with pytest.raises(ScheduleError, match="Z is not a stage"):
        demo_session("blur", n=16).expect("bytes", "<=", 1, stage="Z")


def test_caches_are_read_where_the_system_tells(tmp_path: Path) -> None:
    for i, (kind, level, size) in enumerate(
        [("Data", 1, "32K"), ("Instruction", 1, "32K"), ("Unified", 2, "1M")]
    ):
        folder = tmp_path / f"index{i}"
        folder.mkdir()
        for name, text in (("type", kind), ("level", str(level)), ("size", size)):
            (folder / name).write_text(f"{text}\n")
    known = caches(str(tmp_path))
    assert known == (Cache(1, 32 << 10), Cache(2, 1 << 20))
    assert [cache_hint(n, known) for n in (32 << 10, 33 << 10, 2 << 20, None)] == ["L1", "L2", "memory", None]
    assert caches(str(tmp_path / "nothing")) is None and cache_hint(1, None) is None


def test_accounts_after_edits_are_those_of_a_schedule_that_was_never_edited() -> None:
    """What readers touch is remembered; nothing of it stays when a reader, or its place, is another one."""
    s = demo_session("blur", n=64)
    steps: list[dict[str, Any]] = [
        {"primitive": "split", "stage": "Y", "args": {"axis": "i", "factor": 8}},
        at("X", "Y", "i.outer"),
        {"primitive": "split", "stage": "Y", "args": {"axis": "j", "factor": 16}},
        {"primitive": "reorder", "stage": "Y", "args": {"axes": ["j.outer", "i.outer"]}},
        at("X", "Y", "i.inner"),
        {"primitive": "compute_root", "stage": "X", "args": {}},
        {"primitive": "compute_inline", "stage": "X", "args": {}},
    ]
    for step in steps:
        s.apply(step)
        assert s.ledger() == fresh(s).ledger()
    for _ in steps:
        s.undo()
        assert s.ledger() == fresh(s).ledger()
    s.apply(at("X", "Y", "i"))
    assert s.ledger() == fresh(s).ledger()


def fresh(s: Session) -> Session:
    """The program of a session with the same steps, and nothing that was worked out before."""
    schedule = s.schedule.untouched()
    schedule.restore(s.journal)
    return Session(schedule, s.args)


def test_memory_that_goes_round_is_as_large_as_its_window() -> None:
    s = demo_session("blur", n=64)
    s.apply(Step("compute_at", "X", {"parent": "Y", "axis": "i"}))
    s.apply(Step("store_root", "X"))
    x = next(e for e in s.ledger() if e.stage == "X")
    assert x.allocated.bytes == 4 * 64 * 4 and x.recompute == 1.0
    assert x.lifetime == "the call, until Y has read it"
    assert sum(a.bytes for a in s.allocations()) == x.allocated.bytes
