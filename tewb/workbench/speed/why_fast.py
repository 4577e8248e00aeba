"""Why a kernel is as fast as it is: the limits of its innermost loops, from their own assembly, beside the roofline and
the cache misses that are to be expected; and, in a sentence, what rules.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tewb.codegen import CompiledModule
from tewb.ir import PrimFunc
from tewb.lowering import Trace, body_in_view, lower_schedule
from tewb.runtime import Target, get_num_threads
from tewb.schedule import Schedule, Step
from tewb.workbench.looks.code_forms import CodeForms
from tewb.workbench.looks.short_names import told_apart
from tewb.workbench.measure.counts import Sizes, least_bytes, operations
from tewb.workbench.measure.roofline import Peaks, machine_peaks, peak_dtype
from tewb.workbench.measure.trials import Timings
from tewb.workbench.session_view import SessionView
from tewb.workbench.speed.cache_misses import Cache, Fetched, Key, predict_misses
from tewb.workbench.speed.inner_loops import inner_loops, straight_code
from tewb.workbench.speed.loop_places import conditions_around, loops_of_lines, place_of, place_of_all
from tewb.workbench.speed.loop_speed import (
    LoopSpeed,
    add_memory,
    loop_of_another_architecture,
    loop_speed,
    share_among_copies,
    share_of_remainders,
)
from tewb.workbench.speed.memory_levels import MemoryLevels, cache_sizes, memory_levels
from tewb.workbench.speed.processors import Processor, processor_of
from tewb.workbench.speed.sentences import KIND_NAMES, notes_of, sentence_of
from tewb.workbench.speed.verdict import Verdict, by_time, number, seconds_of_loops, time_text, verdict_of

_CALL = "tewb_rt_call_"
_OPAQUE = " It calls functions of C or Python, whose time is not seen here."
BEING_MEASURED = "What memory takes on this machine is being measured; until then all data counts as near."
THREADS_BEGIN = 5e-6
"""Seconds until all threads have begun."""
A_CALL = 3e-7
"""Seconds of a call below which it is of interest that it is one."""
MOST = 6
"""Loops that are told of: those that take the most time."""


class Program(SessionView, Protocol):
    """A session, as far as this is about it."""

    @property
    def code_forms(self) -> CodeForms: ...
    @property
    def timings(self) -> Timings: ...


@dataclass(frozen=True, slots=True)
class Roof:
    """The roof over a prediction: operations for each byte that a call moves at least, the GFLOP/s of the prediction (None: its
    operations cannot be counted) and of the roof above it, the machine's peaks, and the seconds that a call takes at least:
    its operations at the peak of all threads, or its arguments from the cache that holds them, or from memory."""

    intensity: float | None
    gflops: float | None
    roof: float | None
    peaks: Peaks | None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Speed:
    """The answer: a sentence, what else is to be said, and the loops (all of the kernel as one, where it has none), the longest first, of which `predicted` is the time of
    a call in seconds (None for another machine). `measured` is the median of the last measurement of this schedule. `verdict` is
    what all panes say of it; None where there is no loop. `times` are the predicted seconds of stages and loops, each
    with all that is inside of it."""

    sentence: str
    notes: tuple[str, ...]
    loops: tuple[LoopSpeed, ...]
    predicted: float | None
    measured: float | None
    roof: Roof
    processor: str
    gigahertz: float | None
    caches: tuple[Cache, ...]
    fetched: tuple[Fetched, ...]
    vector_bytes: int = 16
    verdict: Verdict | None = None
    times: Mapping[Key, float] = field(default_factory=dict)

    def __str__(self) -> str:
        verdict = [str(self.verdict)] if self.verdict is not None else []
        return "\n".join(
            [self.sentence, *verdict, *self.notes, *(line for x in self.loops for line in _rows(x))]
        )

    __repr__ = __str__

    def share(self, x: LoopSpeed) -> float:
        """The part of all loops' cycles that one of them takes."""
        total = sum(y.total_cycles for y in self.loops)
        return x.total_cycles / total if total else 0.0


@dataclass(frozen=True, slots=True)
class Question:
    """All that the answer is made from, as it was when it was asked: the session may go on meanwhile."""

    compiled: Callable[[], CompiledModule]
    scheduled: PrimFunc
    schedule: Schedule
    sizes: Sizes
    operations: int | None
    bytes: int
    measured: float | None
    workers: int

    def answer(self, target: Target | None = None, measures: bool = True) -> Speed:
        """Compile, look and, if it `measures`, find out what this machine takes to fetch lines: the first time that takes half
        a second, or several on a busy machine. Nothing of the session is needed."""
        compiled = self.compiled()
        is_here = target is None and measures
        if target is not None:
            compiled = compiled.for_target(target)
        target = compiled.target
        loops, processor = _loops(compiled, self.sizes)
        levels = memory_levels() if is_here else None
        caches = levels.caches if levels is not None else cache_sizes()
        fetched = predict_misses(self.scheduled, caches, self.sizes)
        rest = add_memory(loops, fetched, levels) if levels is not None else 0.0
        loops = by_time(loops)
        for x, name in zip(loops, told_apart([x.name for x in loops]), strict=True):
            x.told = name
        times: list[tuple[LoopSpeed, float]] = []
        seconds = None
        if levels is not None and all(x.is_timed for x in loops):
            times = self._seconds(loops, levels)
            is_shared = self.workers > 1 and any(x.place is not None and x.place.is_parallel for x in loops)
            seconds = rest + (THREADS_BEGIN if is_shared else 0.0) + sum(s for _, s in times)
        widest = 8 * target.vector_bytes
        has_calls = _CALL in compiled.assembly
        sentence, notes = _said(loops, processor, widest, levels, target, has_calls)
        notes += self._beside_measured(seconds, has_calls)
        if not measures:
            notes.append(BEING_MEASURED)
        return Speed(
            sentence, tuple(notes), tuple(loops[:MOST]), seconds, self.measured if is_here else None,
            self._roof(seconds, levels), processor.name if processor is not None else target.cpu or target.triple,
            levels.gigahertz if levels is not None else None, caches, tuple(fetched),
            target.vector_bytes, verdict_of(loops, seconds, has_calls), seconds_of_loops(times),
        )  # fmt: skip

    def _seconds(self, loops: list[LoopSpeed], levels: MemoryLevels) -> list[tuple[LoopSpeed, float]]:
        """The time of each loop in a call: threads share the work of parallel loops, and the way to memory, which is not
        wider for them. A last part that is shorter is waited for."""
        found: list[tuple[LoopSpeed, float]] = []
        for x in loops:
            tasks = x.place.tasks if x.place is not None else 1.0
            threads = max(min(float(self.workers), tasks), 1.0)
            threads = tasks / math.ceil(tasks / threads) if tasks >= 1 else 1.0
            cycles = max(x.core / threads, x.memory / math.sqrt(threads))
            found.append((x, x.iterations * cycles / levels.gigahertz / 1e9))
        return found

    def _roof(self, seconds: float | None, levels: MemoryLevels | None) -> Roof:
        intensity = self.operations / self.bytes if self.operations and self.bytes else None
        if levels is None:
            return Roof(intensity, None, None, None)
        peaks = machine_peaks(peak_dtype(self.schedule.outputs[0].output(0)), self.workers)
        if not self.operations:
            return Roof(intensity, None, None, peaks)
        gflops = self.operations / seconds / 1e9 if seconds else None
        lines = levels.seconds_of_bytes(self.bytes, peaks.gbytes, self.workers)
        least = max(self.operations / peaks.gflops / 1e9, lines)
        return Roof(intensity, gflops, self.operations / least / 1e9, peaks, least)

    def _beside_measured(self, seconds: float | None, has_calls: bool) -> list[str]:
        if not seconds or not self.measured:
            return []
        ratio = self.measured / seconds
        said = f"Measured: {time_text(self.measured)}, {number(ratio)} times the {time_text(seconds)} that these limits allow"
        why = (
            "a call from Python takes some tens of nanoseconds"
            if self.measured < A_CALL
            else "as on a busy machine"
        )
        if has_calls:
            why = "the functions that it calls take the rest"
        far = f": more than they explain, {why}" if ratio > 2 else ""
        return [f"{said}{far}."]


def question(program: Program) -> Question:
    """What `why_this_fast` is asked about, taken from a session as it is now. Raises what keeps it from being lowered."""
    if program.problem is not None:
        raise program.problem
    measured = program.timings.get(program.journal)
    kernel = None if measured is None else measured.kernel
    return Question(
        program.code_forms.compiled,
        body_in_view(program.schedule, program.passes[0][1]),
        program.schedule,
        dict(program.sizes),
        operations(program.schedule.outputs, program.sizes),
        least_bytes(program.args, program.sizes),
        None if kernel is None else kernel.median,
        get_num_threads(),
    )


def question_after(program: Program, steps: Sequence[Step]) -> Question:
    """What `why_this_fast` would be asked about after more steps. Raises what keeps them from being done, or the program
    from being lowered then."""
    schedule = program.schedule.copy()
    for step in steps:
        schedule.apply(step)
    trace: Trace = []
    lower_schedule(schedule, program.args, program.name, trace=trace)
    forms = CodeForms(schedule, program.args, program.name, lowered=lambda: trace)
    work, moved = operations(schedule.outputs, program.sizes), least_bytes(program.args, program.sizes)
    sizes = dict(program.sizes)
    return Question(forms.compiled, trace[0][1], schedule, sizes, work, moved, None, get_num_threads())


def why_this_fast(program: Program, target: Target | str | None = None) -> Speed:
    """Why the kernel is as fast as it is: a sentence on the innermost loop that takes the most time, and the numbers behind it:
    instructions, width of vectors, loads and stores, spills, the latency chain, the pressure on ports, cache misses and
    the roofline.

    For x86-64 the figures of processors are tewb's own, beside those of llvm-mca where that is found. `target` is another
    processor to make the code for: then nothing is said of memory. Loops of other architectures are counted, and timed by
    llvm-mca alone. The first call measures the machine (half a second). Raises TewbError when there is no machine code.
    """
    return question(program).answer(None if target is None else Target.of(target))


def _loops(compiled: CompiledModule, sizes: Sizes) -> tuple[list[LoopSpeed], Processor | None]:
    """The innermost loops of a kernel (all of it, where it has none), and the processor whose figures they have."""
    target = compiled.target
    lines = loops_of_lines(compiled.module)
    conditions = conditions_around(compiled.module)
    found = [(x, place_of(x, lines, sizes, conditions)) for x in inner_loops(compiled.assembly)]
    once = None if found or _CALL in compiled.assembly else straight_code(compiled.assembly)
    if once is not None:
        found = [(once, place_of_all(compiled.module))]
    if not target.triple.startswith(("x86_64", "amd64", "i386", "i686")):
        return [loop_of_another_architecture(x, p, target.triple, target.cpu) for x, p in found], None
    processor, is_known = processor_of(target.cpu)
    loops = [loop_speed(x, p, processor, is_known, target.triple, target.cpu) for x, p in found]
    share_of_remainders(loops)
    share_among_copies(loops)
    return loops, processor


def _said(
    loops: list[LoopSpeed],
    processor: Processor | None,
    widest: int,
    levels: MemoryLevels | None,
    target: Target,
    calls: bool,
) -> tuple[str, list[str]]:
    if not loops:
        said = "The machine code has no loop: all of it is done once, one instruction after the other."
        return said + (_OPAQUE if calls else ""), []
    first = loops[0]
    figures = processor or processor_of("")[0]
    notes = notes_of(first, figures, widest, levels.caches if levels is not None else ())
    if processor is not None and not processor_of(target.cpu)[1]:
        notes.append(
            f"The processor {target.cpu or 'of this target'} is not in tewb's table: the figures are those of Skylake."
        )
    return sentence_of(first, figures, widest, levels) + (_OPAQUE if calls and not first.calls else ""), notes


def _rows(x: LoopSpeed) -> list[str]:
    """The table of a loop as text."""
    kinds = ", ".join(f"{n} {KIND_NAMES.get(k, KIND_NAMES['other'])[n != 1]}" for k, n in x.kinds.items())
    return [
        f"{x.shown} ({x.label}): {number(x.cycles)} cycles for {number(x.steps)} steps, {x.iterations:.6g} iterations",
        f"    latency chain {number(x.chain_cycles)}, ports {number(x.port_cycles)}, front end {number(x.front)}, "
        f"memory {number(x.memory)}: {x.rule}",
        f"    {len(x.body)} instructions ({kinds}); {x.bits} bits; {x.loads} loads, {x.stores} stores, {x.spills} spills",
    ]
