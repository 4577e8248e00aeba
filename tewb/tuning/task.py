"""One trial at work: a lowered function is built, its result is compared, and it is timed.

A task is plain data, the module and where the arrays lie that all trials of a search share; so is its outcome. Both
go to other processes and machines.
"""

from __future__ import annotations

import contextlib
import getpass
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from tewb.base import DType, TewbError, from_memory
from tewb.driver import build_ir
from tewb.ir import IRModule
from tewb.runtime import Kernel, aligned_empty, calls_for, sample, shown

FAR = 10.0  # times the limit, and two calls are enough to give a trial up,
LONG = 1.0  # or one, of so many seconds
How = Literal["timed", "slow", "wrong", "failed"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the kernel: an array that is read from `file`, one that it fills and that is to be what `file`
    holds within `rtol` and `atol`, or a number. `order` are the axes from the one with the longest stride."""

    kind: Literal["input", "output", "scalar"]
    name: str
    file: str = ""
    order: tuple[int, ...] = ()
    dtype: str = ""
    rtol: float = 0.0
    atol: float = 0.0
    value: Any = None


Phase = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a trial: "timed" with its `samples` (seconds of a call), "slow" with those that were taken before it
    was given up, "wrong" or "failed" with a `message`. `beside` are the samples of the best, taken in turn with them."""

    how: How
    samples: tuple[float, ...] = ()
    message: str = ""
    build_seconds: float = 0.0
    beside: tuple[float, ...] = ()


GIVEN_UP = "given up as slow"


def given_up_text(samples: Sequence[float]) -> str:
    """What is said of a trial that was given up: that of its few samples none was good."""
    return f"{GIVEN_UP}: a call took {shown(min(samples))}"


class Work(Protocol):
    """What workers can be given."""

    def perform(self, tell: Phase) -> Outcome:
        """Do it. `tell` hears what begins: "building", "checking", "waiting" for the machine, "timing"."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is done in a trial. `repeat` samples are taken of it, about `seconds` each; with none it is only compared. It is
    given up as slow once two of them took longer than `worst`, or two calls ten times as long."""

    module: IRModule
    parameters: tuple[Parameter, ...]
    repeat: int = 5
    seconds: float = 0.02
    worst: float | None = None

    def perform(self, tell: Phase) -> Outcome:
        """Build, check and time."""
        made = checked(self.module, self.parameters, arguments_of, tell)
        if isinstance(made, Outcome):
            return made
        if not self.repeat:
            return Outcome("timed", build_seconds=made.build_seconds)
        tell("waiting")
        with machine_for_itself():
            tell("timing")
            samples = _samples(made, self)
        slow = len(samples) < self.repeat
        return Outcome("slow" if slow else "timed", samples, build_seconds=made.build_seconds)


def perform(task: Work, tell: Phase = lambda phase: None) -> Outcome:
    """Do what was asked."""
    return task.perform(tell)


@dataclass(frozen=True, slots=True)
class Checked:
    """A kernel whose result was right, what it was called with, and the seconds of that call: on the wall, and of the
    processor. Building it took `build_seconds`."""

    kernel: Kernel
    arguments: Sequence[Any]
    first: float
    worked: float
    build_seconds: float

    def call(self) -> None:
        """Run it once more."""
        self.kernel(*self.arguments)


def checked(
    module: IRModule,
    parameters: tuple[Parameter, ...],
    load: Callable[[tuple[Parameter, ...]], Sequence[Any]],
    tell: Phase,
) -> Checked | Outcome:
    """Build a kernel, call it with what `load` gives for its parameters, and compare the result; the outcome where it failed
    or is wrong."""
    tell("building")
    began = time.perf_counter()
    try:
        kernel = build_ir(module)
    except TewbError as e:
        return Outcome("failed", message=e.message)
    built = time.perf_counter() - began
    tell("checking")
    try:
        arguments = load(parameters)
        worked = time.process_time()
        first = sample(lambda: kernel(*arguments), 1)
        worked = time.process_time() - worked
        wrong = _difference(parameters, arguments)
    except Exception as e:  # an extern of the program may raise anything
        return Outcome("failed", message=f"{type(e).__name__}: {e}", build_seconds=built)
    if wrong:
        return Outcome("wrong", message=wrong, build_seconds=built)
    return Checked(kernel, arguments, first, worked, built)


def _samples(made: Checked, task: Task) -> tuple[float, ...]:
    if task.worst is not None and (far := samples_if_far(made, FAR * task.worst)):
        return far
    number = calls_for(made.call, task.seconds)
    taken: list[float] = []
    for _ in range(task.repeat):
        taken.append(sample(made.call, number))
        if task.worst is not None and len(taken) > 1 and min(taken) > task.worst:
            break
    return tuple(taken)


def samples_if_far(made: Checked, limit: float) -> tuple[float, ...]:
    """The seconds of two calls (one, if it is long) where each takes longer than `limit`; none where one does not. For who has the machine for itself.

    The first call of all was cold, and others were at work: it only says where a look is worth its time. What counts are calls with
    warm caches, without the time in which others kept the process from the processor. A kernel's second call makes its way of being
    called, which takes some milliseconds; its third does not.
    """
    taken: list[float] = []
    seconds = min(made.first, made.worked)
    while seconds > limit:
        if len(taken) == 2 or sum(taken) > LONG:
            return tuple(taken)
        began, worked = time.perf_counter(), time.process_time()
        made.call()
        seconds = min(time.perf_counter() - began, time.process_time() - worked)
        taken.append(seconds)
    return ()


@contextlib.contextmanager
def machine_for_itself() -> Iterator[None]:
    """One at a time: who times here waits until no other process of this user does."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    path = Path(tempfile.gettempdir()) / f"tewb-timing-{getpass.getuser()}.lock"
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # given up when the process ends, however it does
        yield


# ---------------------------------------------------------------- arrays


def _order(a: Any) -> tuple[int, ...]:
    """The axes from the one with the longest stride."""
    return tuple(sorted(range(a.ndim), key=lambda i: (-abs(a.strides[i]), i)))


def keep_array(folder: Path, name: str, a: Any) -> tuple[str, tuple[int, ...]]:
    """Write an array to a file, in the order of its strides; the file, and the axes from the one with the longest."""
    order = _order(a)
    path = folder / f"{name}.npy"
    np.save(path, np.asarray(a.transpose(order), order="C"), allow_pickle=False)
    return str(path), order


def _load(p: Parameter) -> Any:
    return np.load(p.file, allow_pickle=False).transpose(np.argsort(p.order))


def aligned_copy(a: Any) -> Any:
    """A copy that lies as `a` does, and begins at a line of the caches, as what kernels allocate does: how fast a schedule is
    must not depend on where numpy found room."""
    order = _order(a)
    copy = aligned_empty([a.shape[i] for i in order], a.dtype).transpose(np.argsort(order))
    copy[...] = a
    return copy


def arguments_of(parameters: tuple[Parameter, ...]) -> list[Any]:
    """What a kernel is called with: inputs as they lie in their files, outputs full of what is not the result."""
    return [_argument(p) for p in parameters]


def _argument(p: Parameter) -> Any:
    if p.kind == "scalar":
        return p.value
    a = aligned_copy(_load(p))
    if p.kind == "output":
        a[...] = 77  # what is not written shows
    return a


def _difference(parameters: tuple[Parameter, ...], arguments: Sequence[Any]) -> str | None:
    """Which output first differs from what it is to be, and where."""
    for p, got in zip(parameters, arguments, strict=True):
        if p.kind == "output":
            wrong = _first_difference(
                p, from_memory(got, DType(p.dtype)), from_memory(_load(p), DType(p.dtype))
            )
            if wrong:
                return f"{p.name} differs: {wrong}"
    return None


def _first_difference(p: Parameter, got: Any, want: Any) -> str | None:
    close = np.isclose(got, want, rtol=p.rtol, atol=p.atol, equal_nan=True)
    if close.all():
        return None
    where = tuple(int(i) for i in np.argwhere(~close)[0])
    return f"first at {where}: {got[where]} instead of {want[where]} ({int((~close).sum())} of {got.size} elements)"
