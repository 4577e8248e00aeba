"""Timing: timers around parts of a program."""

from __future__ import annotations

from collections.abc import Sequence

from tewb.base import INT64
from tewb.ir import TIMER, AttrStmt, Buffer, PrimFunc, Stmt, const, load
from tewb.lowering.loop_parts import LoopPart, with_parts


def time_loops(f: PrimFunc, scheduled: PrimFunc, kernel: LoopPart, timed: Sequence[LoopPart]) -> PrimFunc:
    """`f` with timers around the parts `timed` of `kernel`, which is what `loop_parts` found in it.

        for i in 8: body    ->    with T.attr(None, "tewb.timer", counters[2]):
                                      for i in 8: body

    Its last parameter is new: `counters`, two numbers (int64) for each part. A call adds to them the ticks that passed in the
    part, and how often it was entered. Tasks of a parallel loop add theirs together.
    """
    counters = Buffer("counters", INT64, (const(2 * len(timed), INT64),))
    numbers = {part: const(2 * n, INT64) for n, part in enumerate(timed)}

    def with_timer(part: LoopPart, s: Stmt) -> Stmt:
        if part not in numbers:
            return s
        return AttrStmt(None, TIMER, load(counters, numbers[part]), s, getattr(s, "origin", None))

    body = with_parts(f, scheduled, kernel, with_timer)
    return PrimFunc(f.name, (*f.params, counters), body, (*f.outputs, len(f.params)), f.attrs)
