"""A program with a symbolic size, to be measured with several."""

from __future__ import annotations

from typing import Any

from tewb import te
from tewb.workbench.session import Session


def symbolic_session(n: int) -> Any:
    """Twice a matrix and one, in two stages; the first step is a split."""
    size = te.var("n")
    A = te.placeholder((size, size), name="A")
    D = te.compute((size, size), lambda i, j: A[i, j] * 2.0, name="D")
    C = te.compute((size, size), lambda i, j: D[i, j] + 1.0, name="C")
    s = te.create_schedule(C.op)
    s[C].split(s[C].op.axis[0], 8)
    return Session(s, [A, C], reference=lambda a: a * 2 + 1, sizes={"n": n})
