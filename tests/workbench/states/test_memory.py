"""Memory: accounts, allocations, what externs touch, the budget."""

from __future__ import annotations

from tewb import te
from tewb.workbench.demos import demo_session
from tewb.workbench.session import Session
from tewb.workbench.states.memory import memory_state


def test_an_intermediate_has_what_it_keeps_and_where() -> None:
    s = demo_session("blur", n=64)
    s.apply({"primitive": "compute_at", "stage": "X", "args": {"parent": "Y", "axis": "i"}})
    m = memory_state(s)
    x, y = m.accounts
    assert (x.stage, x.allocated, x.declared, x.allocated_bytes) == ("X", "768 B", "16 KiB", 768)
    assert "one iteration of Y.i" in x.lifetime and y.kind == "argument"
    (a,) = m.allocations
    assert (a.name, a.bytes, m.peak) == ("X", 768, 768)


def test_sizes_that_are_not_known_are_bytes_too() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    C = te.compute((n,), lambda i: B[i] * 2.0, name="C")
    b, _ = memory_state(Session(te.create_schedule(C.op), [A, C])).accounts
    assert (b.allocated, b.needed, b.declared) == ("n * 4 B",) * 3 and b.allocated_bytes is None


def test_an_extern_says_what_it_touches() -> None:
    s = demo_session("extern")
    s.apply({"primitive": "compute_at", "stage": "E", "args": {"parent": "C", "axis": "i"}})
    (e,) = memory_state(s).externs
    read, written = e.touched
    assert (
        (e.calls, e.effect) == (3, "idempotent")
        and read.box == ("i : +1", "0 : +4", "0 : +8")
        and written.writes
    )
    assert read.tiles[0] == (0, 1, 0, 4, 0, 8)


def test_the_budget_has_its_lines() -> None:
    s = demo_session("blur", n=64)
    s.expect("bytes", "<=", 64, stage="X")
    (line,) = memory_state(s).budget
    assert line.holds is False and line.value == 16384 and "allocated bytes of X" in line.text


def test_without_lowering_the_problem_is_said() -> None:
    s = demo_session("matmul", n=16)
    s.args = s.args[:1]
    s.schedule.version += 1
    assert "not among the arguments" in (memory_state(s).problem or "")
