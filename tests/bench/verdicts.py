"""What the workbench says of programs, pane beside pane: what bounds each by Speed, by Advice and by Data, with several
schedules (without steps, after each of the first proposals of advice, and by hand), and predicted times beside measured ones.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

import tewb
from tests.bench import (
    argmax,
    attention,
    blur,
    convolution,
    elementwise,
    int8_matmul,
    matmul,
    rows,
    stencil,
    transpose,
)
from tests.bench.workload import Workload
from tewb.workbench.states.data import data_state

MODULES = (matmul, convolution, blur, rows, transpose, int8_matmul, elementwise, stencil, argmax, attention)
PROPOSALS = 2
SECONDS = 0.3


def sessions(w: Workload) -> Iterator[tuple[str, tewb.Session, list[Any]]]:
    """A program without steps, after proposals of advice, and by hand."""
    s, args = w.program(1)
    given = w.given(np.random.default_rng(0))
    plain = tewb.Session(s.untouched(), args, inputs=given)
    yield "without steps", plain, given
    for n in plain.advise().next[:PROPOSALS]:
        after = plain.copy()
        after.apply(*n.steps)
        yield f"{n.kind} {n.stage} (predicted {n.gain:.2f} times as fast)", after, given
    yield "by hand", tewb.Session(s, args, inputs=given), given


def fewest(session: tewb.Session, given: list[Any]) -> float:
    """The fewest seconds of a call."""
    kernel = session.build()
    outputs = [np.empty([int(n) for n in t.shape], str(t.dtype)) for t in session.args[len(given) :]]
    best, until = float("inf"), time.perf_counter() + SECONDS
    while time.perf_counter() < until:
        start = time.perf_counter()
        kernel(*given, *outputs)
        best = min(best, time.perf_counter() - start)
    return best


def main() -> None:
    for w in [w for m in MODULES for w in m.WORKLOADS[:2]]:
        print(f"\n{w.name}")
        for what, session, given in sessions(w):
            speed, measured = session.why_this_fast(), fewest(session, given)
            predicted = "" if not speed.predicted else f", predicted {speed.predicted * 1e3:.3g} ms"
            print(f"  {what}: measured {measured * 1e3:.3g} ms{predicted}")
            print(f"    Speed   {speed.sentence}")
            print(f"    Advice  {session.advise().standing}")
            print(f"    Data    {data_state(session).bound}", flush=True)


if __name__ == "__main__":
    main()
