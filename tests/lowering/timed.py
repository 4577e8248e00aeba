"""Kernels with timers around all of their parts, for several tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tewb.driver import build_ir
from tewb.ir import IRModule, PrimFunc
from tewb.lowering import LoopPart, Pass, Trace, loop_parts, lower_schedule, time_loops
from tewb.runtime import Kernel

Timed = dict[LoopPart, tuple[int, int]]  # ticks and entries


def all_that_run(kernel: LoopPart) -> list[LoopPart]:
    return [p for p in kernel.all() if p.runs]


def timed_kernel(
    s: Any,
    args: Sequence[Any],
    choose: Callable[[LoopPart], list[LoopPart]] = all_that_run,
    size: int = 8,
    debug: bool = False,
) -> tuple[Kernel, LoopPart, list[LoopPart]]:
    """The kernel of a schedule with timers, all of it as a part, and the parts that have timers."""
    trace: Trace = []
    module = lower_schedule(s, args, trace=trace)
    found: list[Any] = []

    def timed(f: PrimFunc) -> PrimFunc:
        kernel = loop_parts(f, trace[0][1], lambda v: float(size))
        found[:] = kernel, choose(kernel)
        return time_loops(f, trace[0][1], *found)

    kernel = build_ir(
        IRModule(dict(module.functions)), debug=debug, more=(Pass(timed, "", named="time_loops"),)
    )
    return kernel, found[0], found[1]


def run_timed(s: Any, args: Sequence[Any], *arrays: Any, **how: Any) -> tuple[LoopPart, Timed]:
    """Call the kernel with timers once: all of it as a part, and what the timers counted."""
    kernel, whole, parts = timed_kernel(s, args, **how)
    counters = np.zeros(2 * len(parts), np.int64)
    kernel(*arrays, counters)
    return whole, {p: (int(counters[2 * i]), int(counters[2 * i + 1])) for i, p in enumerate(parts)}


def named(whole: LoopPart, *names: str) -> LoopPart:
    """The part that is found by the names on the way to it: named(kernel, "C", "C/i", "tasks")."""
    part = whole
    for name in names:
        part = next(
            c
            for c in part.inside.values()
            if name == (c.kind if c.kind in ("parallel", "tasks", "call") else _name(c))
        )
    return part


def _name(part: LoopPart) -> str:
    return part.stage if part.loop is None else f"{part.stage}/{part.loop}"
