"""The parts of lowered programs: which stage and loop each statement belongs to, and how often each begins."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lowering.timed import named
from tests.programs import PROGRAMS, matmul, schedule_for
from tests.scan_programs import cumulative_sum
from tewb import te, tir
from tewb.lowering import BUILD, LoopPart, Share, Trace, loop_parts, lower_schedule, run


def parts_of(s: Any, args: list[Any], size: int = 8) -> LoopPart:
    trace: Trace = []
    f = lower_schedule(s, args, trace=trace)["main"]
    return loop_parts(run(f, BUILD), trace[0][1], lambda v: float(size))


def text(part: LoopPart) -> str:
    """The parts inside of one, each line with its kind, name, entries, and share of what is around it."""
    lines = []

    def show(p: LoopPart, depth: int) -> None:
        name = p.stage if p.loop is None else f"{p.stage}/{p.loop}"
        share = p.share_of_parent().name.lower()
        lines.append(f"{'  ' * depth}{p.kind} {name} {p.entries:g} {share}{' runs' * p.runs}")
        for c in p.inside.values():
            show(c, depth + 1)

    for c in part.inside.values():
        show(c, 0)
    return "\n".join(lines)


def test_a_nest_is_a_stage_and_its_loops() -> None:
    inputs, outputs = matmul(4, 6, 5)
    assert text(parts_of(schedule_for(outputs), [*inputs, *outputs])) == (
        "stage C 1 all runs\n"
        "  loop C/i 1 all runs\n"
        "    loop C/j 4 body runs\n"
        "      loop C/k 24 some runs"  # C is set to 0 beside it
    )


def test_main_part_and_tail_are_one_loop() -> None:
    A = te.placeholder((67,), name="A")
    B = te.compute((67,), lambda i: A[i] + 1.0, name="B")
    s = te.create_schedule(B.op)
    s[B].split(B.op.axis[0], 8)
    whole = parts_of(s, [A, B])
    outer = named(whole, "B", "B/i.outer")
    assert outer.share_of_parent() is Share.ALL and named(outer, "B/i.inner").entries == 9


def test_copies_of_an_unrolled_loop_are_one_part() -> None:
    inputs, outputs = matmul(4, 32, 8)
    s = schedule_for(outputs)
    (C,) = outputs
    ko, ki = s[C].split("k", 4)
    i, j = s[C].op.axis
    s[C].reorder(ko, ki, i, j)
    s[C].unroll(ki)
    s[C].vectorize(j)
    assert text(parts_of(s, [*inputs, *outputs])).splitlines()[3:] == [
        "  loop C/k.outer 1 some runs",
        "    loop C/k.inner 2 body runs",
        "      loop C/i 2 all runs",
        "        loop C/j 32 body",
    ]


def test_the_tasks_of_a_parallel_loop_are_a_part_inside_of_it() -> None:
    inputs, outputs = matmul(4, 6, 5)
    s = schedule_for(outputs)
    s[outputs[0]].parallel("i")
    whole = parts_of(s, [*inputs, *outputs])
    tasks = named(whole, "C", "C/i", "parallel", "tasks")
    assert (tasks.entries, named(tasks, "C/j").entries) == (4, 4)


def test_a_stage_stands_in_the_loop_where_it_is_computed() -> None:
    A = te.placeholder((8, 8), name="A")
    B = te.compute((8, 8), lambda i, j: A[i, j] + 1.0, name="B")
    C = te.compute((8, 8), lambda i, j: B[i, j] * 2.0, name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], C.op.axis[0])
    whole = parts_of(s, [A, C])
    inside = named(whole, "C", "C/i")
    assert named(inside, "B").entries == 8 and named(inside, "C/j").share_of_parent() is Share.SOME


def test_the_call_of_an_extern_is_a_part() -> None:
    A = te.placeholder((4, 8), name="A")
    E = te.extern(
        A.shape, [A], lambda i, o: tir.call_packed("f", i[0], o[0]), name="E", access=te.access.elementwise
    )
    C = te.compute(A.shape, lambda i, j: E[i, j] + 1.0, name="C")
    s = te.create_schedule(C.op)
    s[E].compute_at(s[C], C.op.axis[0])
    call = named(parts_of(s, [A, C]), "C", "C/i", "E", "call")
    assert (call.entries, call.runs, call.share_of_parent()) == (4, True, Share.ALL)


def test_loops_of_hybrid_functions_and_scans_are_parts() -> None:
    @te.hybrid.script
    def add(a, b):  # type: ignore[no-untyped-def]
        c = output_tensor((8, 4), "float32")  # type: ignore[name-defined]  # noqa: F821
        for i in range(8):
            for j in range(4):
                c[i, j] = a[i, j] + b[i, j]
        return c

    a, b = te.placeholder((8, 4), name="a"), te.placeholder((8, 4), name="b")
    c = add(a, b)
    assert named(parts_of(te.create_schedule(c.op), [a, b, c]), "add", "add/i", "add/j").entries == 8
    X, *_, res = cumulative_sum(te.var("m"), te.var("n"))
    whole = parts_of(te.create_schedule(res.op), [X, res], size=6)
    assert named(whole, "res", "res/res.idx", "update", "update/i").entries == 5


def test_loops_that_threads_were_bound_to_are_parts() -> None:
    A = te.placeholder((64,), name="A")
    B = te.compute((64,), lambda i: A[i] + 1.0, name="B")
    s = te.create_schedule(B.op)
    block, thread = s[B].split(B.op.axis[0], 16)
    s[B].bind(block, te.thread_axis("blockIdx.x"))
    s[B].bind(thread, te.thread_axis("threadIdx.x"))
    assert named(parts_of(s, [A, B]), "B", "B/i.outer", "B/i.inner").entries == 4


def test_threads_that_are_dropped_or_unrolled_keep_their_place() -> None:
    A = te.placeholder((16, 32), name="A")
    B = te.compute((16, 32), lambda i, j: A[i, j] + 1.0, name="B")
    s = te.create_schedule(B.op)
    block, thread = s[B].split(B.op.axis[0], 16)  # one block
    s[B].bind(block, te.thread_axis("blockIdx.x"))
    s[B].bind(thread, te.thread_axis("vthread"))
    assert text(parts_of(s, [A, B])).splitlines() == [
        "stage B 1 all runs",
        "  loop B/i.outer 1 all runs",
        "    loop B/i.inner 1 all runs",
        "      loop B/j 16 body runs",
    ]


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_loop_of_a_plain_program_is_a_part(name: str) -> None:
    inputs, outputs = PROGRAMS[name]()
    s = schedule_for(outputs)
    names = {(p.stage, p.loop) for p in parts_of(s, [*inputs, *outputs]).all()}
    wanted = {
        (st.name, st.axis_name(iv)) for st in s.stages if not st.is_placeholder for iv in st.leaf_iter_vars
    }
    assert wanted <= names


def test_ranges_that_depend_on_other_loops_count_as_in_their_middle() -> None:
    n = te.var("n")
    A = te.placeholder((n, 9), name="A")
    B = te.compute((n, 9), lambda i, j: A[i, j] * 2.0, name="B")
    s = te.create_schedule(B.op)
    s[B].split(B.op.axis[0], 4)
    whole = parts_of(s, [A, B], size=10)
    assert named(whole, "B", "B/i.outer", "B/i.inner").entries == 3
    assert named(whole, "B", "B/i.outer", "B/i.inner", "B/j").entries == pytest.approx(10, abs=2)


def test_the_last_part_of_a_few_parallel_ones_is_counted_once() -> None:
    A = te.placeholder((3, 103), name="A")
    k = te.reduce_axis((0, 103), "k")
    B = te.compute((3,), lambda i: te.sum(A[i, k], k), name="B")
    s = te.create_schedule(B.op)
    s.rfactor(B, k, parallel=4)
    parts = {(p.kind, p.stage, p.loop): p.entries for p in parts_of(s, [A, B]).all()}
    assert parts["tasks", "B.rf", "k.outer"] == 4
    assert parts["loop", "B.rf", "i"] == 4 and parts["loop", "B.rf", "k.inner"] == 12
