"""What a simulated cache makes of accesses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workbench.trace.test_data_trace import tiled
from tewb import te
from tewb.workbench.demos import demo_session
from tewb.workbench.session import Session
from tewb.workbench.trace.access_trace import trace
from tewb.workbench.trace.cache_use import CacheUse, cache_use, strides_of, thread_of
from tewb.workbench.trace.data_trace import data_trace, of_one_buffer


def uses(session: Session, lines: int, threads: int = 1, **more: Any) -> dict[str, CacheUse]:
    return {u.name: u for u in cache_use(data_trace(session, **more), lines, threads)}


def test_a_column_walk_through_a_small_cache_takes_a_line_for_each_element() -> None:
    B = uses(demo_session("matmul", n=32), 20, sizes="full", limit=200_000)["B"]
    assert B.fetched == 32 * 32 * 32 and B.lines == 64 and B.used == 1 and B.whole == 16
    assert B.sentence == (
        "B: read along k, stride 128 B; 1 of the 16 elements of a line is used before it is lost: 512x too much traffic."
    )  # each of the 1024 elements again for every row of A


def test_what_is_too_much_is_by_the_elements_that_are_used() -> None:
    A = te.placeholder((512, 512), name="A")
    B = te.compute((512, 512), lambda i, j: A[j, i] + 1.0, name="B")
    found = uses(Session(te.create_schedule(B.op), [A, B]), 100, sizes="full", limit=8000)
    assert (
        "stride 2 KiB; 1 of the 16 elements of a line is used before it is lost: 16x too much traffic"
        in found["A"].sentence
    )
    assert found["B"].sentence == (
        "B: written along j, neighbours; all 16 elements of a line are used before it is lost: nothing is fetched twice."
    )


def test_a_cache_that_holds_all_loses_nothing() -> None:
    found = uses(demo_session("matmul", n=16), 1000)
    assert found["B"].fetched == found["B"].lines == 16 and found["B"].lost == 0
    assert found["B"].sentence == "B: read along k, stride 64 B; 16 lines fetched, none lost."
    assert found["C"].sentence.startswith("C: read and written along j, neighbours; 16 lines")


@pytest.mark.parametrize("lines", [1, 4, 15, 16, 17, 40])
def test_one_buffer_alone_is_served_as_its_stack_distances_say(lines: int) -> None:
    t = trace(demo_session("matmul", n=16), "B", limit=100_000)
    (B,) = cache_use(of_one_buffer(t), lines)
    assert 1 - B.fetched / B.accesses == pytest.approx(t.hits(lines))


def test_threads_have_caches_of_their_own() -> None:
    s = demo_session("matmul", n=16)
    s.apply({"primitive": "parallel", "stage": "C", "args": {"axis": "i"}})
    one, four = uses(s, 1000, 1)["B"], uses(s, 1000, 4)["B"]
    assert one.fetched == 16 and four.fetched == 64
    assert "16 lines fetched 64 times by the threads together" in four.sentence
    d = data_trace(s)
    assert sorted({thread_of(d, e, 4) for e in d.events}) == [0, 1, 2, 3]
    assert {thread_of(d, e, 1) for e in d.events} == {0}


def test_a_vector_is_several_elements_at_a_time() -> None:
    found = uses(tiled(), 1000)
    assert found["Y"].stride == "written along i, neighbours, 8 elements at a time"


def test_strides_are_those_of_each_loop() -> None:
    d = data_trace(demo_session("matmul", n=4))
    moves = strides_of(d)
    b = next(i for i, s in enumerate(d.sites) if d.buffers[s.buffer].name == "B")
    assert {depth: moves[b, depth].most_common(1)[0][0] for depth in range(3)} == {0: 0, 1: 1, 2: 4}


def test_what_is_not_touched_or_has_no_loop() -> None:
    A, U = te.placeholder((), name="A"), te.placeholder((4,), name="U")
    B = te.compute((), lambda: A() + 1.0, name="B")
    found = uses(Session(te.create_schedule(B.op), [A, U, B]), 8)
    assert found["U"].sentence == "U is not touched."
    assert found["A"].sentence == "A: read; 1 line fetched, none lost."


def test_indices_from_data_have_no_stride() -> None:
    I = te.placeholder((64,), name="I", dtype="int32")  # noqa: E741
    A = te.placeholder((1000,), name="A")
    B = te.compute((64,), lambda i: A[te.max(te.min(I[i], 999), 0)], name="B")
    assert (
        uses(Session(te.create_schedule(B.op), [I, A, B]), 8)["A"].stride
        == "read along i without a fixed stride"
    )
