"""Traces of accesses: what is touched, when, how soon again; their picture and their player."""

from __future__ import annotations

import random

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import TewbError
from tewb.tensor import Tensor
from tewb.workbench.demos import demo_session
from tewb.workbench.trace.access_trace import AccessTrace, histogram, stack_distances, trace

SPLIT = {"primitive": "split", "stage": "C", "args": {"axis": "j", "factor": 8}}


def touched(t: AccessTrace) -> list[tuple[int, ...]]:
    return [t.index(e) for e in t.touches()]


# ---------------------------------------------------------------- what is recorded


def test_a_matrix_product_reads_rows_of_a_and_columns_of_b() -> None:
    s = demo_session("matmul", n=4)
    assert touched(trace(s, "A"))[:8] == [(0, 0), (0, 1), (0, 2), (0, 3)] * 2
    assert touched(trace(s, "B"))[:8] == [(k, j) for j in range(2) for k in range(4)]
    c = trace(s, "C")
    assert [a.kind for a in c.accesses[:5]] == ["write", "read", "write", "read", "write"]
    assert c.accesses[1].loops == (("i", 0), ("j", 0), ("k", 0)) and c.complete
    assert len(c) == 16 + 2 * 64


def test_a_vector_is_one_access_of_many_elements() -> None:
    s = demo_session("matmul", n=16)
    s.apply(SPLIT)
    s.apply({"primitive": "vectorize", "stage": "C", "args": {"axis": "j.inner"}})
    b = trace(s, "B")
    assert b.accesses[1].elements == tuple(range(16, 24)) and b.accesses[1].time == 1
    assert b.first_touch[:3] == (0, 8, 16)


def test_a_transposed_tile_reads_and_writes_whole_rows() -> None:
    A = te.placeholder((4, 8), name="A")
    B = te.compute((8, 4), lambda i, j: A[j, i], name="B")
    s = tewb.Session(te.create_schedule(B.op), [A, B])
    s.apply({"primitive": "split", "stage": "B", "args": {"axis": "i", "factor": 4}})
    s.apply({"primitive": "transpose", "stage": "B", "args": {"rows": "i.inner", "lanes": "j"}})
    rows = [tuple(range(8 * j + at, 8 * j + at + 4)) for at in (0, 4) for j in range(4)]
    assert [a.elements for a in trace(s, "A").accesses] == rows
    assert [a.elements for a in trace(s, "B").accesses] == [tuple(range(4 * i, 4 * i + 4)) for i in range(8)]


def test_a_tile_for_a_packed_function_is_one_access() -> None:
    s = demo_session("extern", access="elementwise")
    s.apply({"primitive": "compute_at", "stage": "E", "args": {"parent": "C", "axis": "i"}})
    assert [a.elements for a in trace(s, "A").accesses] == [
        tuple(range(32 * i, 32 * i + 32)) for i in range(3)
    ]
    first = trace(s, "E").accesses[0]
    assert (first.kind, first.elements, first.loops) == ("write", tuple(range(32)), (("i", 0),))
    assert {a.kind for a in trace(s, "A").accesses} == {"read"}


def test_memory_of_a_tile_is_used_again() -> None:
    s = demo_session("blur", n=16)
    whole = trace(s, "X")
    s.apply({"primitive": "compute_at", "stage": "X", "args": {"parent": "Y", "axis": "i"}})
    tile = s.access_trace("X")
    assert whole.shape == (16, 16) and tile.shape == (3, 16)
    assert len({tile.line(e) for e in tile.touches()}) == 3 < len({whole.line(e) for e in whole.touches()})
    assert tile.hits(4) > whole.hits(2)


def test_indices_that_come_from_data() -> None:
    I = te.placeholder((4,), name="I", dtype="int32")  # noqa: E741
    A = te.placeholder((8,), name="A")
    B = te.compute((4,), lambda i: A[te.max(te.min(I[i], 7), 0)], name="B")
    s = tewb.Session(te.create_schedule(B.op), [I, A, B], inputs=[[3, 0, 7, 3], np.zeros(8)])
    assert touched(trace(s, "A")) == [(3,), (0,), (7,), (3,)]


def test_inputs_of_the_session_are_not_changed() -> None:
    a = np.ones((4, 4), "float32")
    s = demo_session("matmul", n=4)
    s.inputs = [a, a]
    trace(s, "C")
    assert (a == 1).all()


# ---------------------------------------------------------------- limits and refusals


def test_a_trace_stops_at_its_limit() -> None:
    t = trace(demo_session("matmul", n=64), "A", limit=100)
    assert len(t) == 100 and not t.complete and "the first ones" in str(t)
    later = trace(demo_session("blur", n=256), "Y", limit=10)  # X alone is more work than is allowed
    assert len(later) == 0 and not later.complete


@pytest.mark.parametrize(
    ("buffer", "said"), [("Q", r"no buffer Q\n  hint: it has A, B, C"), ("", "no buffer")]
)
def test_an_unknown_buffer(buffer: str, said: str) -> None:
    with pytest.raises(TewbError, match=said):
        trace(demo_session("matmul", n=4), buffer)


def test_symbolic_sizes_are_refused() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1.0, name="B")
    s = tewb.Session(te.create_schedule(B.op), [A, B], sizes={"n": 8})
    with pytest.raises(TewbError, match="its sizes are symbolic\n  hint: trace a small program"):
        trace(s, "A")


def test_native_code_is_refused() -> None:
    pytest.importorskip("scipy")
    from tewb.contrib import cblas

    A, B = (te.placeholder((4, 4), name=n) for n in "AB")
    C: Tensor = cblas.matmul(A, B)
    s = tewb.Session(te.create_schedule(C.op), [A, B, C])
    with pytest.raises(TewbError, match="call_extern cannot be traced"):
        trace(s, "A")


def test_an_input_of_the_wrong_shape_is_named() -> None:
    s = demo_session("matmul", n=4)
    s.inputs = [np.zeros((4, 4)), np.zeros(3)]
    with pytest.raises(TewbError, match=r"the input for B has shape \(3,\), not \(4, 4\)"):
        trace(s, "A")


# ---------------------------------------------------------------- distances


def test_stack_distances_count_distinct_others() -> None:
    assert stack_distances([1, 2, 2, 3, 1, 2]) == [None, None, 0, None, 2, 2]
    assert stack_distances([]) == []


@pytest.mark.parametrize("seed", range(5))
def test_stack_distances_by_definition(seed: int) -> None:
    rng = random.Random(seed)
    xs = [rng.randrange(12) for _ in range(150)]
    for i, d in enumerate(stack_distances(xs)):
        before = [j for j in range(i) if xs[j] == xs[i]]
        assert d == (len(set(xs[before[-1] + 1 : i])) if before else None)


def test_histogram_by_powers_of_two() -> None:
    assert histogram([None, 0, 1, 2, 3, 9]) == [
        ("first", 1),
        ("0", 1),
        ("1", 1),
        ("2-3", 2),
        ("4-7", 0),
        ("8-15", 1),
    ]
    assert histogram([]) == []


def test_distances_of_columns_and_what_caches_hold() -> None:
    b = trace(demo_session("matmul", n=16), "B", limit=100_000)
    assert b.line_elements == 16 and b.line(16) == 1
    assert b.line_distances[16] == 15 and b.distances[16] is None  # the next column: the same lines again
    assert b.hits(8) == 0 and b.hits(16) == 1 - 16 / 4096


def test_buffers_of_one_name_have_numbers() -> None:
    A, B = te.placeholder((4,), name="X"), te.placeholder((8,), name="X")
    C = te.compute((4,), lambda i: A[i] - B[7 - i], name="X")
    s = tewb.Session(
        te.create_schedule(C.op), [A, B, C], inputs=[np.ones(4, "float32"), np.ones(8, "float32")]
    )
    assert touched(trace(s, "X")) == [(i,) for i in range(4)]
    assert touched(trace(s, "X_1")) == [(7 - i,) for i in range(4)]
    assert [a.kind for a in trace(s, "X_2").accesses] == ["write"] * 4
    with pytest.raises(TewbError, match="(?s)no buffer Y.*it has X, X_1, X_2"):
        trace(s, "Y")
