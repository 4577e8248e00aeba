"""Duels: a schedule beside the best so far, in turn, and what counts as faster.

A kernel on one thread is timed by the processor time of this process, so that other work on the machine is not in it. To win, a
schedule has to be clearly faster twice: in a few samples, and then in more of them.
"""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tewb.base import check_stopped
from tewb.runtime import Timing
from tewb.schedule import Schedule
from tewb.tuning.task import machine_for_itself
from tewb.workbench.measure.measure import filled_like, in_order, workers_of, wrong_output
from tewb.workbench.measure.try_steps import Rig
from tewb.workbench.session_view import SessionView

SAMPLE = 0.005  # seconds of calls in a sample
FEW, MORE = 3, 6  # samples of each, and further ones where the first say that it is faster
FASTER = 1.03  # less than this is no gain
SLOW = 3.0  # times the best in the first call, and no samples are taken


@dataclass(frozen=True, slots=True)
class Contestant:
    """A kernel that was run once: what is wrong with its result (None: nothing), and the seconds of that call. `is_alone` says
    that it runs on one thread."""

    call: Callable[[], Any]
    is_alone: bool
    first: float
    wrong: str | None


@dataclass(frozen=True, slots=True)
class Duel:
    """The samples of the best so far and of another, taken in turn; none where the first call said enough."""

    best: Timing | None
    other: Timing
    gain: float

    @property
    def is_won(self) -> bool:
        """Whether the other is clearly faster."""
        return self.best is not None and self.gain >= FASTER


class Ring:
    """Where schedules of one program meet: its inputs, and what the outputs should be."""

    def __init__(self, session: SessionView) -> None:
        self._rig = Rig(session)
        self._session = session

    def contestant(self, schedule: Schedule) -> Contestant:
        """Build a schedule, run it once, and look at the result. Raises TewbError where it cannot be built."""
        rig = self._rig
        kernel = rig.kernel(schedule)
        outputs = {t: filled_like(a) for t, a in rig.outputs.items()}
        arguments = in_order(self._session.args, rig.inputs, outputs, rig.sizes)
        is_alone = workers_of(kernel) == 1 and not kernel.signature.packed
        first = _seconds(lambda: kernel(*arguments), 1, is_alone)
        return Contestant(lambda: kernel(*arguments), is_alone, first, wrong_output(outputs, rig.expected))

    def alone(self, c: Contestant) -> Timing:
        """The samples of one."""
        return _in_turn([c], FEW)[0]

    def duel(self, best: Contestant, seconds: float, other: Contestant) -> Duel:
        """The other beside the best, which takes about `seconds`."""
        if other.first > SLOW * seconds + SAMPLE / 5:
            return Duel(None, Timing((other.first,)), seconds / other.first)
        samples = _in_turn([best, other], FEW)
        if _gain(samples) >= FASTER:
            more = _in_turn([best, other], MORE)
            samples = [Timing(a.results + b.results) for a, b in zip(samples, more, strict=True)]
        return Duel(samples[0], samples[1], _gain(samples))


def _gain(samples: Sequence[Timing]) -> float:
    best, other = samples
    return statistics.median(a / b for a, b in zip(best.results, other.results, strict=True))


def _in_turn(contestants: Sequence[Contestant], rounds: int) -> list[Timing]:
    with contextlib.ExitStack() as stack:
        if not all(c.is_alone for c in contestants):
            stack.enter_context(machine_for_itself())
        counts = [max(1, min(int(SAMPLE / max(c.first, 1e-7)), 10_000)) for c in contestants]
        taken: list[list[float]] = [[] for _ in contestants]
        for _ in range(rounds):
            for c, count, times in zip(contestants, counts, taken, strict=True):
                check_stopped(0.0)
                times.append(_seconds(c.call, count, c.is_alone))
    return [Timing(tuple(t)) for t in taken]


def _seconds(call: Callable[[], Any], count: int, is_alone: bool) -> float:
    """Seconds of a call: of the processor, where it has one thread and no other thread of this process is busy."""
    began, worked = time.perf_counter(), time.process_time()
    for _ in range(count):
        call()
    passed, worked = time.perf_counter() - began, time.process_time() - worked
    return max(min(passed, worked) if is_alone else passed, 1e-9) / count
