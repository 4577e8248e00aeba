"""Which reduce loops may be lanes, and what the workbench shows of them."""

from __future__ import annotations

import pytest

from tests.lowering.test_vector_reduction import reduction
from tests.programs import lower_all
from tewb import te
from tewb.base import ScheduleError
from tewb.workbench import Session


def test_misuse_is_refused() -> None:
    _, C = reduction(te.sum, 4, 5000)
    s = te.create_schedule(C.op)
    with pytest.raises(ScheduleError, match="k has 5000 iterations, more than 1024.*\n.*\n  hint: split k"):
        s[C].vectorize("k")
    s[C].vectorize(s[C].split("k", factor=8)[1])
    with pytest.raises(ScheduleError, match="loop k.inner is vectorized already"):
        s[C].vectorize("i")
        lower_all(s)
    s[C].unroll("i")
    with pytest.raises(ScheduleError, match="reduce loop k.inner is marked vectorize"):
        s.rfactor(C, "k.outer")
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    k = te.reduce_axis((0, n), name="k")
    D = te.compute((1,), lambda i: te.sum(A[k], axis=k), name="D")
    E = te.compute((1,), lambda i: D[i], name="E")
    s = te.create_schedule(E.op)
    s[D].compute_at(s[E], "i")
    with pytest.raises(ScheduleError, match="the extent of k is not a constant"):
        s[D].vectorize(k)


def test_the_workbench_shows_lanes_and_verifies_them() -> None:
    A, C = reduction(te.sum, 6, 4096)
    bench = Session(te.create_schedule(C.op), [A, C])
    bench.apply({"primitive": "split", "stage": "C", "args": {"axis": "k", "factor": 64}})
    seen = [str(a.step) for a in bench.palette("C", "k.inner") if a.legal]
    assert "vectorize(C, axis=k.inner)" in seen
    bench.apply({"primitive": "vectorize", "stage": "C", "args": {"axis": "k.inner"}})
    assert bench.verify().ok, bench.verify().message
    (entry,) = bench.ledger()
    assert (entry.allocated.bytes, entry.declared.bytes) == (256, 24)
    assert [a.stage for a in bench.allocations()] == ["C"]
    assert "s[C].vectorize(k_inner)" in bench.code
