"""What a smaller program must still show: a wrong result, an error, or a kernel that is slow.

A question is a function of a schedule, the arguments of its kernel and the values of its symbolic sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tewb.base import TewbError, digits, memory_dtype
from tewb.driver import build_ir
from tewb.lowering import lower_schedule
from tewb.runtime import Kernel, calls_for, sample
from tewb.schedule import Schedule, Step
from tewb.tensor import PlaceholderOp, Tensor
from tewb.workbench.measure.counts import Sizes, shape_of
from tewb.workbench.measure.interruptible import LONG, interruptible
from tewb.workbench.measure.measure import in_order
from tewb.workbench.measure.suitable_inputs import suitable_inputs
from tewb.workbench.measure.verify import verify
from tewb.workbench.session_view import SessionView

Question = Callable[[Schedule, Sequence[Any], Sizes], bool]

SLOW = 1.2  # times as long as what it is compared with
SAMPLES = 3
MOMENT = 20e-6  # seconds; of shorter calls it is not the loops that take the time


def is_different(schedule: Schedule, args: Sequence[Any], sizes: Sizes) -> bool:
    """Whether the results differ from the definition on small sizes."""
    return verify(schedule, args, sizes).ok is False


def fails(schedule: Schedule, args: Sequence[Any], sizes: Sizes) -> bool:
    """Whether lowering raises."""
    try:
        lower_schedule(schedule, args)
    except TewbError:
        return True
    return False


def fault(program: SessionView) -> str:
    """What is wrong with a program, in the words of `minimise`: it fails, gives different results, or else is slow."""
    if program.problem is not None:
        return "fails"
    return "different" if is_different(program.schedule, program.args, program.sizes) else "slow"


def is_as_slow(schedule: Schedule, args: Sequence[Any], sizes: Sizes, against: Sequence[Step]) -> Question:
    """The question whether a program is slow as this one is: whether it loses half as much time at least, in comparison
    with the schedule of the steps `against`, and takes more than a moment. Raises TewbError when this one is not slow."""
    mine, its = _seconds(schedule, args, sizes, against)
    if mine < SLOW * its:
        other = "the pinned schedule" if against else "the schedule without any step"
        raise TewbError(
            f"the schedule as it is now is not slow: it takes {digits(mine / its)} times as long as {other}",
            hint=None if against else "pin a schedule that is faster",
        )
    enough, least = 1 + (mine / its - 1) / 2, min(MOMENT, mine / 2)

    def question(schedule: Schedule, args: Sequence[Any], sizes: Sizes) -> bool:
        mine, its = _seconds(schedule, args, sizes, against)
        return mine >= max(enough * its, least)

    return question


def _seconds(
    schedule: Schedule, args: Sequence[Any], sizes: Sizes, against: Sequence[Step]
) -> tuple[float, float]:
    """The seconds of a call of the kernel, and of that of the steps `against`."""
    other = schedule.untouched()
    other.restore(against)
    tensors = [a for a in args if isinstance(a, Tensor)]
    given = [t for t in tensors if isinstance(t.op, PlaceholderOp)]
    inputs = suitable_inputs(schedule.outputs, given, sizes, np.random.default_rng(0))
    outputs = {t: np.empty(shape_of(t, sizes), memory_dtype(t.dtype)) for t in tensors if t not in given}
    arguments = in_order(args, inputs, outputs, sizes)
    mine, its = (_call(build_ir(lower_schedule(s, args)), arguments) for s in (schedule, other))
    return _timed(mine), _timed(its)


def _call(kernel: Kernel, arguments: Sequence[Any]) -> Callable[[], Any]:
    """A call that can be given up also where it is inside of the user's own code."""
    if kernel.signature.packed:
        return lambda: interruptible(lambda: kernel(*arguments))
    return lambda: kernel(*arguments)


def _timed(call: Callable[[], Any]) -> float:
    """The seconds of a call: of one if it is long, else the best of some samples."""
    first = sample(call, 1)
    if first > LONG:
        return first
    number = calls_for(call, MOMENT * 100)
    return min(sample(call, number) for _ in range(SAMPLES))
