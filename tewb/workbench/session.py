"""Session: everything the workbench does, without a notebook.

A session holds a schedule and the arguments of its kernel. What it shows (loops, IR, allocations, regions,
graph, code) is computed from the journal; what it does changes the journal (`journal/history.py` walks and edits it).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from tewb.base import (
    ArgumentError,
    ScheduleError,
    Stop,
    TewbError,
    collection_waits,
    here,
    lazy,
    masked_elements,
    one_of,
)
from tewb.driver import Source, build_ir
from tewb.ir import IRModule, PrimFunc, Var, script
from tewb.lowering import Trace, lower_schedule
from tewb.runtime import Kernel, Target
from tewb.schedule import PRIMITIVES, Primitive, Schedule, Step, steps_of
from tewb.workbench.journal.history import History
from tewb.workbench.journal.write_code import program_code
from tewb.workbench.judge.advice import advice
from tewb.workbench.judge.ledger import Budget, checks, expect, extern_boxes, ledger
from tewb.workbench.judge.minimise import minimise
from tewb.workbench.judge.next_steps import advise
from tewb.workbench.judge.palette import palette, preview
from tewb.workbench.judge.sweep import sweep
from tewb.workbench.judge.why import explain
from tewb.workbench.looks.code_forms import CodeForm, CodeForms
from tewb.workbench.looks.diff import Diff
from tewb.workbench.looks.loop_tree import StageInfo, loop_tree
from tewb.workbench.looks.lowered_ir import (
    AllocationInfo,
    IRLine,
    RegionInfo,
    allocations,
    ir_lines,
    peak_bytes_of,
    regions,
    remark,
)
from tewb.workbench.measure.counts import Sizes
from tewb.workbench.measure.loop_times import LoopTimes
from tewb.workbench.measure.measure import STOPPED, Pinned, measure, sizes_text
from tewb.workbench.measure.measure_loops import measure_loops
from tewb.workbench.measure.measurement import Measurement
from tewb.workbench.measure.roofline import Roofline, roofline
from tewb.workbench.measure.thread_times import ThreadTimes
from tewb.workbench.measure.threads import measure_threads
from tewb.workbench.measure.trials import Progress, Timings
from tewb.workbench.measure.try_steps import Tried, measured_by_trial, try_steps
from tewb.workbench.measure.verify import Verdict, verify
from tewb.workbench.speed.why_fast import why_this_fast
from tewb.workbench.trace.access_trace import AccessTrace, trace

if TYPE_CHECKING:
    from tewb.tuning import Board
    from tewb.workbench.notebook.panes import Pane
    from tewb.workbench.notebook.snapshot import Snapshot


class Session(History):
    """The workbench without its looks.

    `schedule` is changed in place, so later cells can build it. `args` are the kernel's arguments.
    `reference(*inputs)` is the numpy program to compare with (the definition of the tensors if not given);
    `inputs` are the arrays to measure with (random ones if not given). `sizes` gives values to symbolic sizes, by
    their names, or by the variables themselves, of which several may have one name. `loop_times` is what `measure_loops`
    found last.
    """

    def __init__(
        self,
        schedule: Schedule,
        args: Sequence[Any],
        name: str = "main",
        reference: Callable[..., Any] | None = None,
        inputs: Sequence[Any] | None = None,
        sizes: Sizes | None = None,
    ) -> None:
        _check_given(schedule, args, name, reference, inputs, sizes)
        super().__init__(schedule, args, name)
        for i, array in enumerate(inputs or ()):
            if masked_elements(array):
                raise ArgumentError(
                    f"input {i} is a masked array that hides {masked_elements(array)} elements",
                    hint="x.filled(value) gives an array",
                    span=here(),
                )
        self.reference, self.inputs, self.sizes = reference, inputs, dict(sizes or {})
        self._forget()
        # JupyterLab gives what the page asks to a thread of its own, while a cell runs on the first one.
        self._one_at_a_time = threading.RLock()
        self._seen = (-1, name)
        self._code_forms: CodeForms | None = None
        self._trace: Trace = []
        self._problem: TewbError | None = None

    def _forget(self) -> None:
        """Nothing was measured, tried or searched for yet."""
        self.timings_by_sizes: dict[str, Timings] = {}  # by `sizes_text`
        self.loop_times: LoopTimes | None = None
        self.thread_times: ThreadTimes | None = None  # what was measured last
        self.tried: list[Tried] = []
        self.board: Board | None = None  # of its searches, once there are some

    def __repr__(self) -> str:
        count = len(self.journal)
        return f"Session({self.name}: {count} step{'' if count == 1 else 's'}; {self.schedule!r})"

    # ---- doing

    def apply(self, *steps: Step | Mapping[str, Any]) -> None:
        """Do steps one after the other, each given as a Step or as its JSON form. Raises ScheduleError and changes
        nothing if one of them is refused, or if the loops that it leads to cannot be made.

        {"primitive": "register_tile", "stage": "C", "args": {"x": 8}} does a recipe; {"recipe", "args", "steps"} the steps
        that one made."""
        wanted = steps_of(steps, 'apply(Step("split", "C", {"axis": "i", "factor": 8}))')
        with collection_waits():
            with self._one_at_a_time:
                self._apply(wanted)
            self._changed()

    def _apply(self, wanted: Sequence[Step]) -> None:
        self._notice()
        before = self.schedule.journal
        try:
            for step in wanted:
                self.schedule.apply(step)
            if self.problem is not None:
                self.schedule.restore(before)
                self._apply_one_by_one(wanted)
        except TewbError:
            if self.schedule.journal is not before:
                self.schedule.restore(before)
            raise
        self._notice()

    def _apply_one_by_one(self, steps: Sequence[Step]) -> None:
        """Apply steps that together lead to no loops, up to the first after which there are none. Raises ScheduleError."""
        for step in steps:
            self.schedule.apply(step)
            if self.problem is not None:
                problem = self.problem
                raise ScheduleError(
                    f"{step.primitive} on stage {step.stage}: {problem.message}", hint=problem.hint
                ) from problem

    def take_steps(self, steps: Sequence[Step | Mapping[str, Any]]) -> None:
        """Make these steps the journal. Raises ScheduleError, and changes nothing, when one of them does not apply."""
        self.take(self._possible(steps_of(steps, "take_steps(session.journal)"), ""))

    def why_not(self, step: Step | Mapping[str, Any]) -> str | None:
        """Why a step would be refused now; None when it would not."""
        return self.schedule.why_not(step if isinstance(step, Step) else Step.from_json(step))

    # ---- seeing

    @property
    def journal(self) -> tuple[Step, ...]:
        return self.schedule.journal

    @property
    def stages(self) -> list[StageInfo]:
        """All stages in the order of computation."""
        return loop_tree(self.schedule)

    def primitives(self, stage: str) -> list[Primitive]:
        """The primitives, in the order of menus (a stage that is an input has few)."""
        given = self.schedule[stage].is_placeholder
        return [p for p in PRIMITIVES.values() if p.on_inputs or not given]

    def choices(self, stage: str, primitive: str, param: str, **others: Any) -> list[str]:
        """What a parameter may be, for a form. `others` are parameters chosen before."""
        params = {p.name: p for p in PRIMITIVES[one_of("primitive", primitive, PRIMITIVES)].params}
        parameter = params[one_of(f"parameter of {primitive}", param, params)]
        s = self.schedule[stage]
        if parameter.kind == "place":
            parent = self.schedule.find(others.get("parent"))
            return [] if parent is None else [parent.axis_name(iv) for iv in parent.leaf_iter_vars]
        return parameter.choices(s) if parameter.choices else []

    # ---- IR

    def _lowered(self) -> None:
        with self._one_at_a_time:
            now = self.schedule.version, self.name
            if self._seen == now:
                return
            trace: Trace = []
            problem = None
            try:
                lower_schedule(self.schedule, self.args, self.name, trace=trace)
            except TewbError as e:
                problem = e
            self._trace, self._problem, self._seen = trace, problem, now

    @property
    def problem(self) -> TewbError | None:
        """Why the schedule cannot be lowered now, or None."""
        self._lowered()
        return self._problem

    @property
    def passes(self) -> Trace:
        """The function after each lowering pass, beginning with the loops as scheduled."""
        self._lowered()
        return list(self._trace)

    @property
    def function(self) -> PrimFunc:
        """The lowered function. Raises what kept it from being made."""
        if self.problem is not None:
            raise self.problem
        return self._trace[-1][1]

    @property
    def module(self) -> IRModule:
        """The lowered module, as `tewb.lower` gives it."""
        return IRModule({self.name: self.function})

    @property
    def ir(self) -> str:
        """The lowered IR as text."""
        return script(self.function)

    def ir_lines(self) -> list[IRLine]:
        """The lowered IR, line by line, with sizes in bytes and where each line came from."""
        return ir_lines(self.function)

    def allocations(self) -> list[AllocationInfo]:
        """Every allocation of memory in the lowered IR, outermost first; one that was unrolled is listed once."""
        return allocations(self.function)

    def peak_bytes(self) -> int | None:
        """The most bytes that intermediates take at once in the kernel, where those that are not alive together
        share memory; in one iteration of parallel loops. None when a size is symbolic."""
        return peak_bytes_of(self.function)

    def regions(self) -> list[RegionInfo]:
        """Every extern_scope region of the lowered IR."""
        return regions(self.function)

    # ---- code

    @property
    def code(self) -> str:
        """A Python program that defines the same tensors and schedules them the same way.

        It ends with `s`, `args` and `module`. Raises ExternError when an operation is made by code of its
        own that has no source here.
        """
        return program_code(self.schedule, self.args, self.name)

    # ---- running

    def build(self, debug: bool = False) -> Kernel:
        """The kernel of the schedule as it is now."""
        kernel = build_ir(self.module, debug=debug)
        kernel.source = Source.now(self.schedule, self.args, debug)
        return kernel

    def assembly_for(self, target: Target | str) -> str:
        """The assembly that the schedule would have on another processor:

        session.assembly_for("llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-v1")
        """
        return build_ir(self.module, target=Target.of(target)).get_source("asm")

    def measure(
        self,
        repeat: int = 9,
        stop: Stop | None = None,
        progress: Progress | None = None,
        pinned: Pinned | None = None,
        cold: bool = True,
    ) -> Measurement:
        """Build, check against numpy and time both, sample by sample in turn: `measure.measure` says how."""
        measurement = measure(self, repeat, stop, progress, pinned, cold)
        if measurement.message != STOPPED:
            self._timings_with(measurement.sizes)[measurement.journal] = measurement
        return measurement

    @property
    def timings(self) -> Timings:
        """The measurements with the sizes of now: those with others are kept until these are set again."""
        return self._timings_with(sizes_text(self))

    def _timings_with(self, sizes: str) -> Timings:
        return self.timings_by_sizes.setdefault(sizes, Timings())

    def measure_loops(
        self,
        seconds: float = 10.0,
        slowdown: float = 0.1,
        stop: Stop | None = None,
        progress: Progress | None = None,
    ) -> LoopTimes:
        """The time of each loop and stage, by timers in the kernel: `measure_loops.measure_loops` says how. `loop_times`
        keeps it, and is what was found last."""
        found = measure_loops(self, seconds, slowdown, stop, progress)
        if found.message != STOPPED:
            self.loop_times = found
        return found

    def measure_threads(
        self,
        repeat: int = 9,
        seconds: float = 10.0,
        stop: Stop | None = None,
        progress: Progress | None = None,
    ) -> ThreadTimes:
        """What each thread does in a call of the kernel: tasks of parallel loops, their times and memory, and idle time.
        `measure.threads` says how; the result is kept as `thread_times`."""
        self.thread_times = measure_threads(self, repeat, seconds, stop, progress)
        return self.thread_times

    def roofline(self) -> Roofline:
        """How near to this machine's peaks the measurements so far have come."""
        return roofline(self)

    # ---- every form, from TE to assembly

    @property
    def code_forms(self) -> CodeForms:
        """The forms of the program, their lines linked to the journal, and what differs from other states."""
        known = self._code_forms
        if known is None or known.name != self.name or known.args is not self.args:
            numbers = None if known is None else known.loop_numbers
            known = CodeForms(self.schedule, self.args, self.name, remark, numbers, lambda: self.passes)
            self._code_forms = known
        return known

    def forms(self) -> list[CodeForm]:
        return self.code_forms.forms

    def diff(self, form: str, against: str | Sequence[Step] = "before") -> Diff:
        if isinstance(against, str) and against == "pinned" and self.pinned is not None:
            self.code_forms.pinned = self.pinned.journal
        return self.code_forms.diff(form, against)

    # ---- judging: what could be done, what it costs (each function takes the session first)

    palette, preview, explain, advice = palette, preview, explain, advice
    ledger, extern_boxes, expect, checks = ledger, extern_boxes, expect, checks
    minimise, why_this_fast = minimise, why_this_fast
    advise, sweep = advise, sweep

    def try_steps(
        self,
        steps: Sequence[Step | Mapping[str, Any]],
        others: Sequence[Sequence[Step | Mapping[str, Any]]] = (),
        seconds: float = 20.0,
    ) -> Tried:
        """Do steps, or the best of `others`, if they make the program faster: all are timed on copies first. What does not
        help is not done, and not proposed by `advise` again."""
        return self.settle(try_steps(self, steps, others, seconds))

    def settle(self, tried: Tried) -> Tried:
        """Remember what was tried, and do the steps if they help, and the journal and the sizes are still those that they
        were tried with: what is returned says which."""
        was_edited = self.journal != tried.journal or tried.sizes != sizes_text(self)
        tried = replace(tried, was_edited=was_edited)
        self.tried.append(tried)
        if tried.is_kept:
            self.apply(*tried.steps)
            self.timings[self.journal] = measured_by_trial(self, tried)
        self._changed()
        return tried

    @lazy
    def budget(self) -> Budget:
        """The lines that `expect` added."""
        return Budget()

    def snapshot(self, measured: Measurement | None = None) -> Snapshot:
        """What the session shows now, as HTML to keep: for a cell of its own, before a notebook is shared."""
        from tewb.workbench.notebook.snapshot import snapshot  # stands on this file

        return snapshot(self, measured)

    def view(self, pane: str) -> Pane:
        """A pane of the workbench as a widget of its own: "loops", "code", "actions", "journal", "memory", "data", "graph",
        "times", "tune", "threads", "advice", "why", "llvm", "speed" or "schedule". All widgets of a session stay in step. `view("data")` has
        `save("access.html")`, a page that plays without a kernel. Raises TewbError."""
        from tewb.workbench.notebook.data_pane import DataPane  # stand on this file
        from tewb.workbench.notebook.panes import Pane

        return DataPane(self) if pane == "data" else Pane(self, pane)

    def copy(self) -> Self:
        """An independent session of the same program, with the same journal."""
        schedule, given = self.schedule.copy(), (self.name, self.reference, self.inputs, self.sizes)
        return type(self)(schedule, self.args, *given)

    def verify(self) -> Verdict:
        """A fast check on small random inputs that no step changed the results, which none should."""
        return verify(self.schedule, self.args)

    def access_trace(self, buffer: str, limit: int = 4096) -> AccessTrace:
        """What the loops touch of one buffer over time; see `tewb.workbench.trace.access_trace.trace`."""
        return trace(self, buffer, limit)


def _check_given(schedule: Any, args: Any, name: Any, reference: Any, inputs: Any, sizes: Any) -> None:
    """Raise ArgumentError for what no session can be about."""
    for given, is_right, wanted in (
        (schedule, isinstance(schedule, Schedule), "a schedule, s = te.create_schedule(C.op)"),
        (args, isinstance(args, list | tuple), "a list of arguments, [A, B, C]"),
        (name, isinstance(name, str), 'a name, "main"'),
        (reference, reference is None or callable(reference), "a reference that is a function of the inputs"),
        (inputs, inputs is None or isinstance(inputs, list | tuple), "a list of inputs, [a, b]"),
        (sizes, sizes is None or isinstance(sizes, Mapping), 'sizes as a dict, {"n": 128}'),
    ):
        if not is_right:
            raise ArgumentError(
                f"a Session takes {wanted}; {given!r} is none", hint="tewb.Session(s, [A, B, C])", span=here()
            )
    for key, value in (sizes or {}).items():
        if not isinstance(key, str | Var) or not isinstance(value, int | float | np.number):
            raise ArgumentError(
                f"sizes gives {value!r} to {key!r}, and a number to the name of a variable is wanted",
                hint='sizes={"n": 128}',
                span=here(),
            )
