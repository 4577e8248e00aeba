"""Requests for memory that later iterations will read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests.programs import assert_same_result, blur, chain, matmul, padded, schedule_for
from tewb import te
from tewb.base import ScheduleError
from tewb.ir import script, structural_equal
from tewb.ir.parser import parse
from tewb.workbench import Session


def requests(s: Any, args: list[Any]) -> list[str]:
    lines = script(tewb.lower(s, args)).splitlines()
    return [x.strip().removeprefix("T.evaluate(").removesuffix(")") for x in lines if "prefetch" in x]


def test_one_request_for_each_line_of_the_box() -> None:
    inputs, outputs = matmul(16, 64, 8)
    s = schedule_for(outputs)
    _, jo, _, ji = s["C"].tile("i", "j", 4, 32)
    s["C"].reorder("i.outer", jo, "k", "i.inner", ji)
    s["C"].vectorize(ji)
    s["C"].prefetch(inputs[1], "k", 3)
    s["C"].prefetch(inputs[0], "i.outer")
    assert requests(s, inputs + outputs) == [
        "T.prefetch(A[i.outer * 4 + row0 + 4, 0])",
        "T.prefetch(B[k + 3, j.outer * 32 + line * 16])",
    ]
    module = tewb.lower(s, inputs + outputs)
    assert structural_equal(parse(script(module)), module)
    assert "prefetcht0" in tewb.build(s, inputs + outputs).get_source("asm") or not _is_x86()
    assert_same_result(s, inputs, outputs)
    assert_same_result(s, inputs, outputs, debug=True)


def _is_x86() -> bool:
    import platform

    return platform.machine().lower() in ("x86_64", "amd64")


@pytest.mark.parametrize("offset", [0, 1, 7, 65536])
def test_past_the_end_nothing_happens(offset: int) -> None:
    inputs, outputs = blur(18, 21)
    s = schedule_for(outputs)
    band, _ = s["Y"].split("i", factor=4)
    s["X"].compute_at(s["Y"], band)
    s["X"].prefetch(s["A"], "i", offset)
    s["Y"].prefetch(s["X"], "j", offset)
    assert_same_result(s, inputs, outputs)
    assert_same_result(s, inputs, outputs, debug=True)


def test_columns_have_a_line_for_each_element() -> None:
    A = te.placeholder((40, 30), name="A")
    B = te.compute((30, 40), lambda i, j: A[j, i] * 2.0, name="B")
    s = te.create_schedule(B.op)
    s[B].split("j", factor=4)
    s[B].prefetch(A, "j.outer", 2)
    assert requests(s, [A, B]) == ["T.prefetch(A[j.outer * 4 + row0 + 8, i])"]
    assert_same_result(s, [A], [B])


def test_symbolic_sizes_and_strides() -> None:
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((n, m), name="A")
    B = te.compute((n, m), lambda i, j: A[i, j] + 1.0, name="B")
    s = te.create_schedule(B.op)
    s[B].prefetch(A, "i", 2)
    kernel = tewb.build(s, [A, B])
    for shape in [(0, 3), (1, 1), (9, 33)]:
        a, b = np.random.rand(*shape).astype("float32"), np.zeros(shape, "float32")
        kernel(a, b)
        np.testing.assert_allclose(b, a + 1)


def test_what_is_not_read_any_more_is_not_asked_for() -> None:
    inputs, outputs = padded(23)
    s = schedule_for(outputs)
    s["C"].prefetch(s["P"], "i", 1)
    s.cache_read(s["P"].op.output(0), "local", [s["C"]])
    assert requests(s, inputs + outputs) == []
    assert_same_result(s, inputs, outputs)


def test_what_comes_to_be_computed_there_is_not_asked_for() -> None:
    inputs, outputs = blur(18, 21)
    s = schedule_for(outputs)
    s["Y"].prefetch(s["X"], "i", 1)
    assert len(requests(s, inputs + outputs)) == 1
    s["X"].compute_at(s["Y"], "j")
    assert requests(s, inputs + outputs) == []
    assert_same_result(s, inputs, outputs)


def misuse(f: Callable[[Any], object], program: Any = matmul) -> Callable[[], object]:
    return lambda: f(schedule_for(program(32, 32)[1]))


def vector(s: Any) -> None:
    s["C"].vectorize("j")
    s["C"].prefetch(s["B"], "j")


def vector_around(s: Any) -> None:
    s["C"].reorder("k", "j")
    s["C"].prefetch(s["B"], "j")
    s["C"].vectorize("k")


def split_after(s: Any) -> None:
    s["C"].prefetch(s["B"], "j")
    s["C"].split("j", factor=4)


def factor_after(s: Any) -> None:
    s["C"].prefetch(s["B"], "j")
    s.rfactor(s["C"].op.output(0), "k")


def write_after(s: Any) -> None:
    s["C"].prefetch(s["B"], "j")
    s.cache_write(s["C"].op.output(0), "local")


def twice(s: Any) -> None:
    s["C"].prefetch(s["B"], "j")
    s["C"].prefetch(s["B"], "j", 4)


def inlined(s: Any) -> None:
    s["B"].compute_inline()
    s["C"].prefetch(s["B"], "j")


def gathered() -> None:
    A, I = te.placeholder((9,), name="A"), te.placeholder((20,), name="I", dtype="int32")  # noqa: E741
    B = te.compute((20,), lambda i: A[I[i]], name="B")
    te.create_schedule(B.op)[B].prefetch(A, "i")


def enormous() -> None:
    s = schedule_for(matmul(1024, 1024, 1024)[1])
    s["C"].prefetch(s["B"], "i")


@pytest.mark.parametrize(
    ("f", "said"),
    [
        (misuse(lambda s: s["C"].prefetch(s["C"], "j")), "C does not read C.*\n.*\n  hint: it reads A, B"),
        (misuse(lambda s: s["A"].prefetch(s["A"], "j")), "it has no axis j"),
        (misuse(lambda s: s["C"].prefetch(s["B"], "x")), "it has no axis x"),
        (misuse(lambda s: s["C"].prefetch(s["B"], "j", -1)), "offset=-1 must be from 0"),
        (misuse(lambda s: s["C"].prefetch(s["B"], "j", 1 << 17)), "offset=131072 must be from 0"),
        (misuse(lambda s: s["C"].prefetch("Q", "j")), "Q is not a stage"),
        (misuse(vector), "loop j is vectorized"),
        (misuse(vector_around), "loop j prefetches, which is done once.*\n.*\n  hint: prefetch at a loop around"),
        (misuse(split_after), "loop j prefetches for its later iterations.*\n.*\n  hint: split or fuse before"),
        (misuse(factor_after), "loop j prefetches B.*\n.*\n  hint: call rfactor first"),
        (misuse(write_after), "its loops are scheduled already"),
        (misuse(twice), "B is prefetched at loop j already"),
        (misuse(inlined, chain), "B is computed inline, so it is never in memory"),
        (misuse(lambda s: (s["X"].compute_at(s["Y"], "j"), s["Y"].prefetch(s["X"], "i")), blur),
         "X is computed inside of loop i.*\n.*\n  hint: prefetch what it reads"),
        (gathered, "which elements of A an iteration of i reads is known only when it runs"),
        (enormous, "an iteration of i reads 4,194,304 bytes of B.*\n.*\n  hint: prefetch at a loop further in"),
    ],
)  # fmt: skip
def test_misuse_is_refused(f: Callable[[], object], said: str) -> None:
    with pytest.raises(ScheduleError, match=said):
        f()


def test_the_workbench_shows_and_replays_it() -> None:
    inputs, outputs = matmul(32, 32, 32)
    bench = Session(schedule_for(outputs), [*inputs, *outputs])
    bench.apply({"primitive": "prefetch", "stage": "C", "args": {"tensor": "A", "axis": "i", "offset": 8}})
    assert bench.schedule["C"].loops() == "i(32, prefetch A 8 ahead), j(32), k(32)"
    assert "s[C].prefetch(A, i, offset=8)" in bench.code
    assert any("prefetch A 8 ahead" in str(a.preview.loops) for a in bench.palette("C", "j") if a.preview)
    assert bench.verify().ok
    assert all(e.kind == "read" for e in bench.access_trace("A").accesses)
    found: dict[str, Any] = {}
    exec(bench.code, found)
    assert found["s"].journal == bench.journal
