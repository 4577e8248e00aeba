"""relu(a*b + c) on 16M floats.

Bound by memory: numpy goes through it three times, tewb once. An ordinary store first reads the line it writes, a
fifth of the traffic; non-temporal stores do not.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.bench.memory import empty
from tests.bench.workload import Program, Workload, floats, reusing
from tewb import te


def relu(n: int, threads: int = 1) -> Program:
    a, b, c = (te.placeholder((n,), name=name) for name in "abc")
    out = te.compute((n,), lambda i: te.max(a[i] * b[i] + c[i], 0.0), name="out")
    s = te.create_schedule(out.op)
    s[out].nontemporal()
    vectors, lanes = s[out].split("i", factor=64)
    s[out].vectorize(lanes)
    if threads > 1:
        s[out].parallel(s[out].split(vectors, factor=256)[0])
    return s, [a, b, c, out]


def numpy(a: Any, b: Any, c: Any, out: Any) -> Any:
    np.multiply(a, b, out=out)
    np.add(out, c, out=out)
    return np.maximum(out, 0, out=out)


N = 1 << 24
WORKLOADS = [
    Workload(
        "relu(a*b + c), 16M",
        lambda threads: relu(N, threads),
        floats((N,), (N,), (N,)),
        reusing(numpy, make=lambda a, b, c: empty(a.shape)),
        goal=1.85,
        tags=("memory",),
    )
]
