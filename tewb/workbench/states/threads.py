"""Threads: what each of them did when it was measured last, or what could be shared among them."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from tewb.base import TewbError
from tewb.ir import For, ForKind, const_int, walk_statements
from tewb.lowering import body_in_view
from tewb.runtime import get_num_threads
from tewb.schedule import Step
from tewb.workbench.judge.cost import costs
from tewb.workbench.judge.palette import Trials
from tewb.workbench.measure.measure import sizes_text
from tewb.workbench.measure.thread_bars import LoopSpan, ThreadBar
from tewb.workbench.measure.thread_loops import LoopTimes, TaskMemory
from tewb.workbench.measure.thread_times import ThreadTimes
from tewb.workbench.measure.thread_words import loop_text
from tewb.workbench.measure.threads import processors
from tewb.workbench.session import Session

MOST_ROWS = 64  # threads that are shown by themselves


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """A thread: 0 is the one that calls. Seconds in which it was `busy` (thread 0 also between parallel loops) and `idle`;
    the tasks that it ran, and what they took from the heap."""

    number: int
    busy: float
    idle: float
    tasks: int
    bytes: int
    allocations: int


@dataclass(frozen=True, slots=True)
class ParallelLoop:
    """A parallel loop in one call: begun `runs` times, its iterations and the tasks that they were shared in, of `smallest`
    to `largest` iterations and `shortest` to `longest` seconds; `waited` is what each thread waited at its end. `part` is
    its number in the links of code, `depth` how many parallel loops are around it. `memory` is what an iteration has for
    itself, `bytes` and `allocations` what all tasks took from the heap. `text` is all of it in words."""

    name: str
    stage: str | None
    loop: str | None
    part: int | None
    depth: int
    runs: int
    iterations: int
    tasks: int
    smallest: int
    largest: int
    shortest: float
    mean: float
    longest: float
    seconds: float
    waited: tuple[float, ...]
    bytes: int
    allocations: int
    memory: tuple[TaskMemory, ...]
    text: str


@dataclass(frozen=True, slots=True)
class ThreadTimeline:
    """One call of a kernel in seconds since it began. `sentence` says how busy the threads were, `reasons` why they were
    not. `share` is busy time of all time, `imbalance` the busiest thread over the mean, `serial` the time without a
    parallel loop, `plain` the time of a call that is not traced. `others` are threads without a row, `dropped` tasks
    without a bar. It is of the schedule after `steps` steps, and current while that is the schedule and the sizes are the same."""

    sentence: str
    reasons: tuple[str, ...]
    seconds: float
    plain: float
    serial: float
    share: float
    imbalance: float
    rows: tuple[ThreadRow, ...]
    others: int
    loops: tuple[ParallelLoop, ...]
    spans: tuple[LoopSpan, ...]
    bars: tuple[ThreadBar, ...]
    dropped: int
    steps: int
    is_current: bool


@dataclass(frozen=True, slots=True)
class ParallelChoice:
    """A step that makes a loop parallel: its iterations, where they are known, and how often it would begin."""

    text: str
    steps: tuple[dict[str, Any], ...]
    iterations: int | None
    runs: float | None


@dataclass(frozen=True, slots=True)
class Threads:
    """The threads of a session's kernel: how many there are for the processors that this process may use; what was
    measured last. Where no loop is parallel, `note` says what one would be, and `choices` are the loops that may be."""

    threads: int
    processors: int
    is_parallel: bool
    note: str
    choices: tuple[ParallelChoice, ...]
    measured: ThreadTimeline | None
    problem: str | None


def threads_state(session: Session) -> Iterator[Threads | None]:
    """What the threads of a session's kernel do. Nothing runs: `measure_threads` measures. None comes while it is found
    out which loops may be parallel."""
    times = session.thread_times
    measured = None if times is None else timeline_state(session, times)
    threads, on = get_num_threads(), processors()
    try:
        function = session.function
    except TewbError as e:
        yield Threads(threads, on, False, "", (), measured, e.message)
        return
    if any(isinstance(n, For) and n.kind is ForKind.PARALLEL for n in walk_statements(function.body)):
        yield Threads(threads, on, True, "", (), measured, None)
        return
    choices = yield from _choices(session)
    yield Threads(threads, on, False, _note(session, threads), choices, measured, None)


def timeline_state(session: Session, t: ThreadTimes) -> ThreadTimeline:
    """A measurement of a session's threads."""
    part = session.code_forms.loop_numbers.number
    took_part = t.trace.threads
    rows = [
        ThreadRow(n, t.busy[n], t.idle[n], *((x.tasks, x.bytes, x.allocations) if x else (0, 0, 0)))
        for n, x in enumerate([*took_part, *[None] * (t.threads - len(took_part))][:MOST_ROWS])
    ]
    loops = [_loop(loop, part(loop.facts.stage, loop.facts.loop)) for loop in t.loops]
    return ThreadTimeline(
        t.sentence, t.reasons[1:] if t.loops and t.threads > 1 else (), t.seconds, t.plain, t.serial, t.share, t.imbalance,
        tuple(rows), max(t.threads - MOST_ROWS, 0), tuple(loops), t.spans,
        tuple([b for b in t.bars if b.thread < MOST_ROWS]), t.trace.dropped, len(t.journal),
        t.journal == session.journal and t.sizes == sizes_text(session),
    )  # fmt: skip


def _loop(t: LoopTimes, part: int) -> ParallelLoop:
    f = t.facts
    return ParallelLoop(
        f.name, f.stage, f.loop, None if f.stage is None else part, t.depth, t.runs, t.iterations, t.tasks, t.smallest,
        t.largest, t.shortest, t.mean, t.longest, t.seconds, t.waits, t.bytes, t.allocations, f.memory, loop_text(t),
    )  # fmt: skip


# ---------------------------------------------------------------- without a parallel loop


def _note(session: Session, threads: int) -> str:
    """What there is instead of a parallel loop, and what one would be."""
    marked = [
        n
        for n in walk_statements(session.passes[0][1].body)
        if isinstance(n, For) and n.kind is ForKind.PARALLEL
    ]
    if marked:
        return "The loop that is marked parallel has one iteration: there is nothing to share, and one thread does all."
    shared = (
        f"{threads} threads would share its iterations, each taking some when it is free"
        if threads > 1
        else "its iterations would be shared, if there were more threads than one (set_num_threads, TEWB_NUM_THREADS)"
    )
    return f"No loop is parallel, so one thread does all. Of a parallel loop, {shared}."


_found: WeakKeyDictionary[Session, tuple[int, tuple[ParallelChoice, ...]]] = WeakKeyDictionary()


def _choices(session: Session) -> Generator[None, None, tuple[ParallelChoice, ...]]:
    """The loops that may be parallel, those that begin least often first; found once for each state of a schedule."""
    version, known = _found.get(session, (-1, ()))
    if version == session.schedule.version:
        return known
    version, trials = session.schedule.version, Trials(session)
    legal: list[Step] = []
    for stage in session.schedule.stages:
        for iv in () if stage.is_placeholder else stage.leaf_iter_vars:
            step = Step("parallel", stage.name, {"axis": stage.axis_name(iv)})
            if session.why_not(step) is None and trials.refusal(step) is None:
                legal.append(step)
            yield None
    choices = sorted(_counted(session, legal), key=lambda c: c.runs or 0.0)
    _found[session] = version, tuple(choices)
    return tuple(choices)


def _counted(session: Session, steps: list[Step]) -> Iterator[ParallelChoice]:
    """Steps with the iterations of their loops."""
    f = body_in_view(session.schedule, session.passes[0][1])
    loops = [n for n in walk_statements(f.body) if isinstance(n, For) and n.origin is not None]
    extents = {(n.origin.stage, n.origin.axis): const_int(n.extent) for n in loops if n.origin is not None}
    work = costs(session)
    for step in steps:
        key = step.stage, step.args["axis"]
        count, all_of_it = extents.get(key), work.get(key)
        runs = all_of_it.iterations / count if count and all_of_it is not None else None
        yield ParallelChoice(str(step), (step.to_json(),), count, runs)
