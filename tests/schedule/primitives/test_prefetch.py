"""Requests for memory that later iterations will read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tewb
from tests.programs import blur, chain, matmul, schedule_for
from tewb import te
from tewb.base import ScheduleError
from tewb.workbench import Session


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


def test_a_request_stays_when_the_result_is_computed_in_a_cache() -> None:
    """The readers of a stage go on reading the tensor that it had before cache_write."""
    A = te.placeholder((8, 8), name="A")
    B = te.compute((8, 8), lambda i, j: A[i, j] + 1.0, name="B")
    C = te.compute((8, 8), lambda i, j: B[i, j] * 2.0, name="C")
    s = te.create_schedule(C.op)
    s[C].prefetch(B, "i", 1)
    s.cache_write(B, "local")
    assert "T.prefetch(B[" in tewb.lower(s, [A, C]).script()
