"""relu(a*b + c) on 16M floats, one thread.

Bound by memory: numpy goes through it three times, tewb once. An ordinary store first reads the line it writes, a
fifth of the traffic; non-temporal stores do not.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.bench.harness import against_numpy, heading
from tewb import te


def relu(n: int) -> tuple[Any, list[Any]]:
    a, b, c = (te.placeholder((n,), name=name) for name in "abc")
    out = te.compute((n,), lambda i: te.max(a[i] * b[i] + c[i], 0.0), name="out")
    s = te.create_schedule(out.op)
    s[out].nontemporal()
    s[out].vectorize(s[out].split("i", factor=64)[1])
    return s, [a, b, c, out]


def main(n: int = 1 << 24) -> None:
    heading("relu(a*b + c), float32, one thread", "numpy")
    rng = np.random.default_rng(0)
    result = np.empty(n, np.float32)

    def numpy(a: Any, b: Any, c: Any) -> Any:
        np.multiply(a, b, out=result)
        np.add(result, c, out=result)
        return np.maximum(result, 0, out=result)

    given = [rng.standard_normal(n, dtype=np.float32) for _ in range(3)]
    against_numpy(f"{n >> 20}M", relu(n), given, numpy, 1.85)
