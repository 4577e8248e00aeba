"""The accesses of all buffers together: their order, their memory, small twins, limits."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.programs import PROGRAMS as OTHERS
from tests.programs import random_schedule
from tewb import te
from tewb.base import ArgumentError, Stopped, TewbError, stopped_by
from tewb.workbench.demos import demo_session
from tewb.workbench.session import Session
from tewb.workbench.trace.access_trace import trace
from tewb.workbench.trace.data_trace import DataTrace, accesses_of, data_trace, lines_in, of_one_buffer


def touched(d: DataTrace) -> list[tuple[str, bool, int]]:
    """Buffer, whether it is written, and first element of each access."""
    found = []
    for number, at, _ in d.events:
        site = d.sites[number]
        found.append((d.buffers[site.buffer].name, site.writes, at))
    return found


def scan() -> Session:
    X, state = te.placeholder((6, 5), name="X"), te.placeholder((6, 5), name="state")
    init = te.compute((1, 5), lambda _, i: X[0, i], name="init")
    update = te.compute((6, 5), lambda t, i: state[t - 1, i] + X[t, i], name="update")
    S = te.scan(init, update, state, inputs=[X])
    return Session(te.create_schedule(S.op), [X, S])


@te.hybrid.script
def outer(a: Any, b: Any) -> Any:
    c = output_tensor((a.shape[0], b.shape[0]), "float32")  # type: ignore[name-defined] # noqa: F821
    for i in range(a.shape[0]):
        for j in range(b.shape[0]):
            c[i, j] = a[i] * b[j]
    return c


def hybrid() -> Session:
    a, b = te.placeholder((3,), name="a"), te.placeholder((5,), name="b")
    c = outer(a, b)
    return Session(te.create_schedule(c.op), [a, b, c])


def narrow() -> Session:
    A = te.placeholder((4, 9), name="A", dtype="int8")
    B = te.compute((9, 4), lambda i, j: A[j, i] + te.const(1, "int8"), name="B")
    return Session(te.create_schedule(B.op), [A, B])


def tiled() -> Session:
    s = demo_session("blur", n=8)
    s.apply({"primitive": "compute_at", "stage": "X", "args": {"parent": "Y", "axis": "i"}})
    s.apply({"primitive": "vectorize", "stage": "Y", "args": {"axis": "j"}})
    s.apply({"primitive": "parallel", "stage": "Y", "args": {"axis": "i"}})
    return s


PROGRAMS: dict[str, Callable[[], Session]] = {
    "matmul": lambda: demo_session("matmul", n=4), "softmax": lambda: demo_session("softmax", n=4, m=3),
    "extern": lambda: demo_session("extern"), "scan": scan, "hybrid": hybrid, "int8": narrow, "tiled": tiled,
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_buffer_has_the_accesses_that_it_has_alone(name: str) -> None:
    assert_same_alone(PROGRAMS[name]())


@pytest.mark.parametrize("name", OTHERS)
def test_random_schedules_have_the_accesses_that_each_buffer_has_alone(name: str) -> None:
    inputs, outputs = OTHERS[name]()
    schedule = random_schedule(outputs, random.Random(f"data{name}"), 4)
    assert_same_alone(Session(schedule, inputs + outputs))


def assert_same_alone(session: Session) -> None:
    d = data_trace(session, sizes="full", limit=3000)
    for b in d.buffers if d.complete else ():
        one = d.of_buffer(b.name)
        ours = [
            (one.sites[n].writes, tuple(at + lane for lane in one.sites[n].lanes), values)
            for n, at, values in one.events
        ]
        alone = trace(session, b.name, limit=10_000).accesses
        assert ours == [(a.kind == "write", a.elements, tuple(value for _, value in a.loops)) for a in alone]


def test_accesses_are_in_the_order_of_the_schedule() -> None:
    d = data_trace(demo_session("matmul", n=2))
    c, first = ("C", True, 0), [("C", False, 0), ("A", False, 0), ("B", False, 0), ("C", True, 0)]
    assert touched(d)[:5] == [c, *first]
    assert [e[2] for e in d.events[:6]] == [(0, 0), *[(0, 0, 0)] * 4, (0, 0, 1)]
    assert [(n.name, n.extent) for n in d.loops] == [("i", 2), ("j", 2), ("k", 2)]
    assert [(b.name, b.kind) for b in d.buffers] == [("A", "input"), ("B", "input"), ("C", "output")]


def test_the_line_of_code_is_that_of_the_statement() -> None:
    s = demo_session("matmul", n=4)
    lines = s.ir.splitlines()
    d = data_trace(s)
    assert [lines[x.line].strip()[:12] for x in d.sites if x.line is not None] == [
        "C[i, j] = T.",
        *["C[i, j] = C["] * 4,
    ]


def test_a_twin_has_the_lines_of_the_program_itself() -> None:
    s = demo_session("matmul", n=512)
    s.apply(
        {"primitive": "tile", "stage": "C", "args": {"x": "i", "y": "j", "x_factor": 8, "y_factor": 32}},
        {"primitive": "vectorize", "stage": "C", "args": {"axis": "j.inner"}},
    )  # fmt: skip
    d = data_trace(s)  # in the twin j.outer has one iteration, and is gone
    lines = s.ir.splitlines()
    assert d.sizes == "32 for 512" and d.ratio == 16
    assert ["Broadcast(T.float32(0.0)" in lines[x.line or 0] for x in d.sites] == [True] + [False] * 4
    assert all("* B[" in lines[x.line or 0] for x in d.sites[1:])


def test_lines_of_the_same_function_are_its_own() -> None:
    f = demo_session("blur", n=4).function
    found = lines_in(f, f)
    assert len(set(found.values())) == len(found) > 3


def test_a_large_program_is_shrunk_and_its_own_sizes_can_be_asked_for() -> None:
    s = demo_session("blur", n=1024)
    small, full = data_trace(s), data_trace(s, limit=1000, sizes="full")
    assert small.complete and small.sizes == "32 for 1024" and small.buffers[0].shape == (32, 32)
    assert not full.complete and not full.sizes and full.buffers[0].shape == (1024, 1024) and full.ratio == 1
    assert len(full) == 1000


def test_every_outermost_loop_has_its_share_of_the_limit() -> None:
    d = data_trace(demo_session("blur", n=256), limit=400, sizes="full")
    stages = [d.sites[n].stage for n, _, _ in d.events]
    assert stages.count("X") == stages.count("Y") == 200


def test_a_limit_is_kept_without_any_loop() -> None:
    A = te.placeholder((), name="A")
    B = te.compute((), lambda: A() + 1.0, name="B")
    d = data_trace(Session(te.create_schedule(B.op), [A, B]), limit=1, sizes="full")
    assert len(d) == 1 and not d.complete


def test_symbolic_sizes_have_values() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[n - 1 - i] * 2.0, name="B")
    s = te.create_schedule(B.op)
    s[B].parallel(s[B].split("i", 8)[0])
    d = data_trace(Session(s, [A, B], sizes={"n": 19}))
    assert [at for name, _, at in touched(d) if name == "A"] == list(range(18, -1, -1))
    assert d.buffers[0].shape == (19,) and d.complete and not d.sizes
    large = data_trace(Session(s, [A, B], sizes={"n": 1_000_000}))
    assert large.sizes == "37 for n = 1000000" and large.buffers[0].shape == (37,)
    assert data_trace(Session(s, [A, B])).buffers[0].shape == (37,)  # none were given


def test_rows_that_are_padded_are_apart_in_memory() -> None:
    A = te.placeholder((4, 6), name="A")
    X = te.compute((4, 6), lambda i, j: A[i, j] + 1.0, name="X")
    Y = te.compute((4, 6), lambda i, j: X[i, j] * 2.0, name="Y")
    s = te.create_schedule(Y.op)
    s[X].storage_align("i", 8, 0)
    x = data_trace(Session(s, [A, Y])).of_buffer("X").buffers[0]
    assert (x.shape, x.strides, x.elements, x.kind) == ((4, 6), (8, 1), 30, "inside")


def test_machine_code_of_others_touches_what_it_declares() -> None:
    pytest.importorskip("scipy")
    from tewb.contrib import cblas

    A, B = (te.placeholder((3, 3), name=n) for n in "AB")
    C: Any = cblas.matmul(A, B)
    D = te.compute((3, 3), lambda i, j: C[i, j] + 1.0, name="D")
    d = data_trace(Session(te.create_schedule(D.op), [A, B, D]))
    whole = {
        (d.buffers[x.buffer].name, x.writes) for n, _, _ in d.events if len((x := d.sites[n]).lanes) == 9
    }
    assert whole == {("A", False), ("B", False), ("C", True)}


def test_tasks_of_a_parallel_loop() -> None:
    s = demo_session("matmul", n=4)
    s.apply({"primitive": "parallel", "stage": "C", "args": {"axis": "i"}})
    d = data_trace(s)
    assert [d.task(e) for e in d.events[:: len(d) // 4]] == [(0, 4), (1, 4), (2, 4), (3, 4)]
    plain = data_trace(demo_session("matmul", n=2))
    assert plain.task(plain.events[0]) is None


def test_inputs_that_are_given_decide_and_are_not_changed() -> None:
    I = te.placeholder((3,), name="I", dtype="int32")  # noqa: E741
    A = te.placeholder((8,), name="A")
    B = te.compute((3,), lambda i: A[te.max(te.min(I[i], 7), 0)], name="B")
    index, values = np.array([9, 7, 9, 0, 9, 5], "int32")[1::2], np.zeros(8, "float32")  # strided
    s = Session(te.create_schedule(B.op), [I, A, B], inputs=[index, values])
    assert [at for name, _, at in touched(data_trace(s)) if name == "A"] == [7, 0, 5]
    s.inputs = [index, np.zeros(3)]
    with pytest.raises(ArgumentError, match=r"the input for A has shape \(3,\), not \(8,\)"):
        data_trace(s)


def test_arrays_that_are_only_begun_are_not_filled() -> None:
    began = time.perf_counter()
    d = data_trace(demo_session("matmul", n=16_384), limit=100, sizes="full")  # 3 GiB, if it were
    assert len(d) == 100 and time.perf_counter() - began < 30
    with pytest.raises(TewbError, match="too large to be traced"):
        data_trace(demo_session("matmul", n=1 << 17), limit=100, sizes="full")


def test_a_trace_that_nobody_wants_ends() -> None:
    s = demo_session("matmul", n=512)
    with stopped_by(lambda: True), pytest.raises(Stopped):
        data_trace(s, limit=10_000_000, sizes="full")


def test_a_program_that_cannot_be_lowered_says_why() -> None:
    A = te.placeholder((8,), name="A")
    B = te.compute((8,), lambda i: A[i] + 1.0, name="B")
    with pytest.raises(TewbError, match="not among the arguments"):
        data_trace(Session(te.create_schedule(B.op), [B]))


@pytest.mark.parametrize(
    ("given", "said"),
    [({"limit": 0}, "limit"), ({"limit": "x"}, "limit"), ({"sizes": "tiny"}, "sizes is 'tiny'")],
)
def test_misuse(given: Any, said: str) -> None:
    with pytest.raises(TewbError, match=said):
        data_trace(demo_session("matmul", n=2), **given)
    with pytest.raises(TewbError, match="(?s)no buffer Q.*it has A, B, C"):
        data_trace(demo_session("matmul", n=2)).of_buffer("Q")


def test_accesses_are_counted_before_they_are_made() -> None:
    s = demo_session("matmul", n=4)
    assert accesses_of(s.function.body, {}) == len(data_trace(s)) == 16 + 4 * 64


def test_buffers_of_one_name_have_numbers() -> None:
    A, B = te.placeholder((4,), name="X"), te.placeholder((4,), name="X")
    C = te.compute((4,), lambda i: A[i] - B[i], name="X")
    d = data_trace(Session(te.create_schedule(C.op), [A, B, C]))
    assert [b.name for b in d.buffers] == ["X", "X_1", "X_2"]


def test_a_trace_of_one_buffer_is_one_of_all() -> None:
    t = trace(demo_session("matmul", n=3), "B")
    d = of_one_buffer(t)
    assert [at for _, at, _ in d.events] == list(t.touches()) and repr(d) == "DataTrace(27 accesses of B)"
    assert d.events[1][2] == (0, 0, 1) and [n.name for n in d.loops] == ["i", "j", "k"]
