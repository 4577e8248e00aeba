"""The place of the largest element of each row: pairs of place and value, in lanes.

Each of 64 lanes keeps the best of its columns, then the lanes are compared; of equal values the first wins.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.bench.workload import Program, Workload
from tewb import te

LANES = 64


def _later(x: Any, y: Any) -> Any:
    """The larger value; of equal ones the first, as places come in order."""
    return te.select(x[1] >= y[1], x[0], y[0]), te.select(x[1] >= y[1], x[1], y[1])


def _better(x: Any, y: Any) -> Any:
    """The larger value, of equal ones the lower place."""
    first = te.any(x[1] > y[1], te.all(x[1] == y[1], x[0] <= y[0]))
    return te.select(first, x[0], y[0]), te.select(first, x[1], y[1])


def argmax(n: int, m: int, threads: int = 1) -> Program:
    A = te.placeholder((n, m), name="A")
    none = lambda t0, t1: (te.const(m, t0), te.min_value(t1))  # noqa: E731
    later = te.comm_reducer(_later, none, name="later")
    better = te.comm_reducer(_better, none, name="better")
    k = te.reduce_axis((0, m // LANES), name="k")
    places, values = te.compute(
        (n, LANES), lambda i, j: later((k * LANES + j, A[i, k * LANES + j]), axis=k), name="lanes64"
    )
    stages = [places]
    for lanes in (16, 4):
        places, values = _joined(places, values, better, lanes)
        stages.append(places)
    q = te.reduce_axis((0, 4), name="q")
    at, most = te.compute((n,), lambda i: better((places[i, q], values[i, q]), axis=q), name="at")
    s = te.create_schedule(at.op)
    for t in reversed(stages):
        s[t].compute_at(s[at], at.op.axis[0])
        s[t].reorder(t.op.reduce_axis[0], t.op.axis[1])
        s[t].vectorize(t.op.axis[1])
        if t is not stages[0]:
            s[t].unroll(t.op.reduce_axis[0])
    s[at].unroll(q)
    if threads > 1:
        s[at].parallel(at.op.axis[0])
    return s, [A, at, most]


def _joined(places: Any, values: Any, better: Any, lanes: int) -> Any:
    """The best of every `lanes`-th lane, for each of the first `lanes`."""
    n, wide = (e.value for e in places.shape)
    q = te.reduce_axis((0, wide // lanes), name="q")
    return te.compute(
        (n, lanes),
        lambda i, j: better((places[i, q * lanes + j], values[i, q * lanes + j]), axis=q),
        name=f"lanes{lanes}",
    )


WORKLOADS = [
    Workload(
        "argmax of rows, 4096 x 1024",
        lambda threads: argmax(4096, 1024, threads),
        # Few values, so that many are equal.
        lambda rng: [rng.integers(0, 500, (4096, 1024)).astype("float32")],
        lambda a: np.argmax(a, axis=1),
        goal=1.0,
        rtol=0.0,
        tags=("memory",),
    )
]
