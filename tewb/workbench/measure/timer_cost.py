"""What the timers of kernels measure in, and what they cost themselves."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tewb.base import INT32, INT64
from tewb.codegen import compile_module
from tewb.ir import NOOP, TIMER, AttrStmt, Buffer, For, ForKind, IRModule, PrimFunc, Var, const, load

_MANY = 20_000  # entries that are timed
_SAMPLES = 5


@dataclass(frozen=True, slots=True)
class TimerCost:
    """The seconds of one tick; and how many ticks one entry of a timer takes, of which `inside` are counted by itself."""

    tick: float
    entry: float
    inside: float


@lru_cache(maxsize=1)
def timer_cost() -> TimerCost:
    """The cost of timers on this machine, measured by a loop of empty ones in a timer. Raises CodegenError where the
    processor has no clock that can be read."""
    counters = Buffer("counters", INT64, (const(4, INT64),))
    empty = AttrStmt(None, TIMER, load(counters, const(2, INT64)), NOOP)
    loop = For(Var("i", INT32), const(0, INT32), const(_MANY, INT32), ForKind.SERIAL, empty)
    whole = AttrStmt(None, TIMER, load(counters, const(0, INT64)), loop)
    f = PrimFunc("timer_cost", (counters,), whole, (0,))
    kernel = compile_module(IRModule({f.name: f})).kernel(f.name)
    samples = []
    for _ in range(_SAMPLES):
        found = np.zeros(4, np.int64)
        began = time.perf_counter()
        kernel(found)
        samples.append((time.perf_counter() - began, found))
    seconds, found = min(samples, key=lambda s: s[0])
    ticks, inside = float(found[0]), float(found[2])
    return TimerCost(seconds / ticks, ticks / _MANY, inside / _MANY)
