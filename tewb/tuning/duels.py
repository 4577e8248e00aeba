"""Duels: a schedule beside the best so far, in turn, and what counts as faster.

A duel is done by a worker, as a trial is. Kernels on one thread are timed by the processor time of their process, so that other
work on the machine is not in it; beside one of several threads, by the clock on the wall as that is. To win, a schedule has to be clearly faster twice: in a few samples, and then in more of
them.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from tewb.base import TewbError, check_stopped
from tewb.driver import build_ir
from tewb.ir import IRModule
from tewb.runtime import Kernel, get_num_threads, set_num_threads
from tewb.tuning.task import (
    Checked,
    Outcome,
    Parameter,
    Phase,
    aligned_copy,
    arguments_of,
    checked,
    machine_for_itself,
    samples_if_far,
)
from tewb.workbench.measure.measure import workers_of

SAMPLE = 0.005  # seconds of calls in a sample
FEW, MORE = 3, 7  # samples of each, and further ones where the first say that it is faster
FASTER = 1.03  # less than this is no gain
SLOW = 3.0  # times the best in a call, and no samples are taken


@dataclass(frozen=True, slots=True)
class Contestant:
    """A kernel that can be timed: about how long a call takes, and whether it runs on one thread."""

    call: Callable[[], Any]
    is_alone: bool
    about: float


@dataclass(frozen=True, slots=True)
class Duel:
    """What is done in a trial: `other` is built and compared, and then timed in turn with `best`, which takes about `seconds`;
    alone where there is no best yet. Parallel loops run on `threads`, those of the process if None."""

    other: IRModule
    best: IRModule | None
    seconds: float
    parameters: tuple[Parameter, ...] = field(repr=False)
    threads: int | None = None

    def perform(self, tell: Phase) -> Outcome:
        """Build, check and time. An outcome without samples `beside` is of one that was alone, or far slower at once."""
        if self.threads is not None and self.threads != get_num_threads():
            set_num_threads(self.threads)
        made = checked(self.other, self.parameters, _fresh, tell)
        if isinstance(made, Outcome):
            _loaded.cache_clear()  # what is wrong with it may be that it wrote where it should not
            return made
        other = _contestant(made)
        contestants = [other]
        if self.best is not None:
            try:
                kernel = build_ir(self.best)
            except TewbError as e:
                return Outcome("failed", message=f"the best so far cannot be built again: {e.message}")
            contestants = [_beside(made, kernel, self.seconds), other]
        tell("waiting")
        with machine_for_itself():
            tell("timing")
            if self.best is not None and (far := samples_if_far(made, SLOW * self.seconds + SAMPLE / 5)):
                return Outcome("slow", far, build_seconds=made.build_seconds)
            *best, samples = fought(contestants)
        return Outcome("timed", samples, build_seconds=made.build_seconds, beside=best[0] if best else ())


def _contestant(made: Checked) -> Contestant:
    first = made.first if made.kernel.signature.packed else min(made.first, made.worked)
    return Contestant(made.call, _is_alone(made.kernel), max(first, 1e-9))


def _beside(made: Checked, kernel: Kernel, seconds: float) -> Contestant:
    """The best so far, on the arrays that the other one has."""
    if seconds < SAMPLE:
        kernel(*made.arguments)  # the other was called once too
    return Contestant(lambda: kernel(*made.arguments), _is_alone(kernel), seconds)


def _is_alone(kernel: Kernel) -> bool:
    return workers_of(kernel) == 1 and not kernel.signature.packed


def fought(contestants: Sequence[Contestant]) -> list[tuple[float, ...]]:
    """The samples of the best and another, taken in turn. Where the first few say that the other is faster, further ones decide
    by themselves: those that looked so well are more often lucky. Of one alone, a few."""
    samples = _in_turn(contestants, FEW)
    if len(contestants) > 1 and gain(*samples) >= FASTER:
        return _in_turn(contestants, MORE)
    return samples


def gain(best: Sequence[float], other: Sequence[float]) -> float:
    """How many times as fast the other is: the median of the ratios of samples that were taken in turn."""
    return statistics.median(a / b for a, b in zip(best, other, strict=True))


def _in_turn(contestants: Sequence[Contestant], rounds: int) -> list[tuple[float, ...]]:
    counts = [max(1, min(int(SAMPLE / max(c.about, 1e-7)), 10_000)) for c in contestants]
    taken: list[list[float]] = [[] for _ in contestants]
    are_alone = all(
        c.is_alone for c in contestants
    )  # or else both are timed by the same clock, that on the wall
    for _ in range(rounds):
        for c, count, times in zip(contestants, counts, taken, strict=True):
            check_stopped(0.0)
            times.append(_seconds(c.call, count, are_alone))
    return [tuple(t) for t in taken]


def _seconds(call: Callable[[], Any], count: int, is_alone: bool) -> float:
    """Seconds of a call: of the processor, where it has one thread and no other thread of this process is busy."""
    began, worked = time.perf_counter(), time.process_time()
    for _ in range(count):
        call()
    passed, worked = time.perf_counter() - began, time.process_time() - worked
    return max(min(passed, worked) if is_alone else passed, 1e-9) / count


def _fresh(parameters: tuple[Parameter, ...]) -> list[Any]:
    """What a kernel is called with: the inputs that all have, and outputs of its own."""
    known = _loaded(parameters)
    return [aligned_copy(a) if p.kind == "output" else a for p, a in zip(parameters, known, strict=True)]


@lru_cache(maxsize=1)
def _loaded(parameters: tuple[Parameter, ...]) -> list[Any]:
    return arguments_of(parameters)
