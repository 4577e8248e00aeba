"""Gaps between rows: strides as they were asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import assert_same_result, blur, chain, lower_all, matmul, schedule_for, two_outputs
from tewb import te
from tewb.base import LowerError, ScheduleError
from tewb.ir import Allocate, script, structural_equal, walk
from tewb.ir.parser import parse
from tewb.workbench import Session


def strides_of(s: Any, args: list[Any]) -> dict[str, list[int]]:
    nodes = walk(tewb.lower(s, args)["main"].body)
    return {n.buffer.name: [e.value for e in n.buffer.strides] for n in nodes if isinstance(n, Allocate)}


@pytest.mark.parametrize(
    ("factor", "offset", "stride"),
    [(32, 0, 32), (32, 16, 48), (7, 3, 24), (1, 0, 24), (24, 0, 24), (24, 1, 25), (100, 5, 105)],
)
def test_a_stride_is_the_smallest_that_is_asked(factor: int, offset: int, stride: int) -> None:
    inputs, outputs = blur(18, 24)
    s = schedule_for(outputs)
    s["X"].storage_align("i", factor, offset)
    assert strides_of(s, inputs + outputs) == {"X": [stride, 1]}
    assert_same_result(s, inputs, outputs, debug=True)


def test_several_dimensions_the_innermost_too() -> None:
    A = te.placeholder((4, 5, 6), name="A")
    B = te.compute((4, 5, 6), lambda i, j, k: A[i, j, k] * 2.0, name="B")
    C = te.compute((6, 5, 4), lambda k, j, i: B[i, j, k] + 1.0, name="C")
    s = te.create_schedule(C.op)
    s[B].storage_align(B.op.axis[1], 8, 1)
    s[B].storage_align(B.op.axis[0], 64)
    assert strides_of(s, [A, C]) == {"B": [64, 9, 1]}
    assert_same_result(s, [A], [C], debug=True)
    s[B].storage_align("k", 4, 3)
    assert strides_of(s, [A, C]) == {"B": [128, 25, 3]}
    s[B].vectorize("k")
    assert_same_result(s, [A], [C], debug=True)


def test_the_part_at_a_loop_is_aligned_too_and_text_comes_back() -> None:
    inputs, outputs = blur(32, 24)
    s = schedule_for(outputs)
    band, _ = s["Y"].split("i", factor=8)
    s["X"].compute_at(s["Y"], band)
    s["X"].storage_align("i", 32, 16)
    module = tewb.lower(s, inputs + outputs)
    assert 'X = T.allocate((10, 24), "float32", strides=(48, 1))' in script(module)
    assert structural_equal(parse(script(module)), module)
    assert_same_result(s, inputs, outputs, debug=True)


def test_copies_of_inputs_and_results_can_be_aligned() -> None:
    inputs, outputs = matmul(16, 32, 8)
    s = schedule_for(outputs)
    local = s.cache_write(outputs[0], "local")
    copy = s.cache_read(inputs[1], "global", [local])
    s[copy].storage_align("ax0", 16, 8)
    s[local].storage_align("i.c", 64)
    assert strides_of(s, inputs + outputs) == {"C.local": [64, 1], "B.global": [40, 1]}
    assert_same_result(s, inputs, outputs)


def test_rows_of_several_outputs_and_a_symbolic_length() -> None:
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((n, m), name="A")
    P, Q = te.compute((n, m), lambda i, j: (A[i, j] * 2.0, A[i, j] + 1.0), name="PQ")
    C = te.compute((n, m), lambda i, j: P[i, j] - Q[i, j], name="C")
    s = te.create_schedule(C.op)
    s[P].storage_align("i", 8, 3)
    kernel = tewb.build(s, [A, C], debug=True)
    for shape in [(3, 5), (1, 3), (4, 19), (2, 0), (0, 3)]:
        a, c = np.random.rand(*shape).astype("float32"), np.zeros(shape, "float32")
        kernel(a, c)
        np.testing.assert_allclose(c, a * 2 - (a + 1), rtol=1e-5)


def test_alignment_survives_cache_write_and_inlining_forgets_nothing() -> None:
    inputs, outputs = chain(12, 10)
    s = schedule_for(outputs)
    s["B"].storage_align("i", 16)
    s.cache_write(s["B"].op.output(0), "local")
    assert strides_of(s, inputs + outputs)["B"] == [16, 1]
    assert_same_result(s, inputs, outputs)


def test_an_extern_reads_rows_with_gaps() -> None:
    A = te.placeholder((6, 5), name="A")
    B = te.compute((6, 5), lambda i, j: A[i, j] + 1.0, name="B")
    seen: list[tuple[int, ...]] = []

    def double(b: Any, c: Any) -> None:
        seen.append(b.strides)
        c[...] = b * 2

    tewb.register_func("test.align.double", double, override=True)
    C = te.extern((6, 5), [B], lambda i, o: te.call_packed("test.align.double", i[0], o[0]), name="C")
    s = te.create_schedule(C.op)
    s[B].storage_align("i", 8)
    assert_same_result(s, [A], [C])
    assert (32, 4) in seen


def misuse_of(stage: str, *args: Any) -> Callable[[], object]:
    return lambda: schedule_for(blur()[1])[stage].storage_align(*args)


def inlined() -> None:
    s = schedule_for(chain()[1])
    s["B"].compute_inline()
    s["B"].storage_align("i", 8)
    lower_all(s)


def of_an_extern() -> None:
    A = te.placeholder((4, 4), name="A")
    E = te.extern((4, 4), [A], lambda i, o: te.call_packed("f", i[0], o[0]), name="E")
    B = te.compute((4, 4), lambda i, j: E[i, j], name="B")
    te.create_schedule(B.op)[E].storage_align("i", 8)


def one_element() -> None:
    A = te.placeholder((), name="A")
    B = te.compute((), lambda: A() + 1.0, name="B")
    C = te.compute((), lambda: B() + 1.0, name="C")
    te.create_schedule(C.op)[B].storage_align("i", 8)


def an_argument() -> None:
    inputs, outputs = blur()
    s = schedule_for(outputs)
    s["X"].storage_align("i", 8)
    tewb.lower(s, [*inputs, s["X"].op.output(0), *outputs])


@pytest.mark.parametrize(
    ("misuse", "said"),
    [
        (misuse_of("A", "i", 8), "A is an input: the caller.*\n.*\n  hint: s.cache_read"),
        (one_element, "B is one element"),
        (misuse_of("Y", "i", 8), "Y is an output.*\n.*\n  hint: s.cache_write"),
        (misuse_of("X", "k", 8), "k is not an axis of the tensor X.*\n.*\n  hint: it has i, j"),
        (misuse_of("X", "i", 0), "factor=0 must be from 1"),
        (misuse_of("X", "i", 1 << 30), "factor=1073741824 must be from 1"),
        (misuse_of("X", "i", 8, 8), "no stride is 8 more than a multiple of 8.*\n.*\n  hint: offset goes from 0 to 7"),
        (misuse_of("X", "i", 8, -1), "no stride is -1 more"),
        (misuse_of("X", "i", 2.5), "2.5 is not a whole number"),
        (inlined, "B is computed inline and has no memory"),
        (of_an_extern, "E is not a compute"),
        (an_argument, "X is an argument, so its strides are the caller's"),
    ],
)  # fmt: skip
def test_misuse_is_refused(misuse: Callable[[], object], said: str) -> None:
    with pytest.raises((ScheduleError, LowerError), match=said):
        misuse()


def test_the_ledger_shows_allocated_against_needed() -> None:
    inputs, outputs = blur(32, 24)
    bench = Session(schedule_for(outputs), [*inputs, *outputs])
    bench.apply(
        {"primitive": "storage_align", "stage": "X", "args": {"axis": "i", "factor": 32, "offset": 16}}
    )
    x = next(e for e in bench.ledger() if e.stage == "X")
    assert (x.allocated.bytes, x.needed.bytes) == ((31 * 48 + 24) * 4, 32 * 24 * 4)
    assert sum(a.bytes or 0 for a in bench.allocations()) == x.allocated.bytes
    assert bench.peak_bytes() == x.allocated.bytes
    assert "s[X].storage_align(i, factor=32, offset=16)" in bench.code
    (preview,) = [a.preview for a in bench.palette("X", "i") if a.step.primitive == "compute_at" and a.legal][
        :1
    ]
    assert preview is not None
    trace = bench.access_trace("X")
    assert trace.shape == (32, 48) and max(e for a in trace.accesses for e in a.elements) == 31 * 48 + 23
    assert bench.verify().ok
    found: dict[str, Any] = {}
    exec(bench.code, found)
    assert found["s"].journal == bench.journal
    steps = bench.journal
    bench.schedule.restore([])
    assert strides_of(bench.schedule, [*inputs, *outputs]) == {"X": []}
    bench.schedule.restore(steps)
    assert strides_of(bench.schedule, [*inputs, *outputs]) == {"X": [48, 1]}


def test_every_output_of_a_stage_is_aligned() -> None:
    inputs, outputs = two_outputs(9)
    s = schedule_for(outputs)
    s["S"].storage_align("j", 2)
    assert strides_of(s, inputs + outputs) == {"S": [8, 2]}
    assert_same_result(s, inputs, outputs)
