"""A schedule: the stages of a program, and the journal of primitives that shaped them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tewb.arith import Analyzer
from tewb.base import ScheduleError, Span, here, unique_name
from tewb.ir import Expr, IntImm, IterVar, Var, free_vars, substitute
from tewb.schedule.conditions import sizes_said
from tewb.schedule.declare import PRIMITIVES, PrimitiveCall, Refusal
from tewb.schedule.journal import RecipeCall, Step
from tewb.schedule.methods import SchedulePrimitives
from tewb.schedule.part_sizes import PartSize
from tewb.schedule.recipes import RECIPES
from tewb.schedule.relation import loop_extents
from tewb.schedule.result_cache import ResultCache
from tewb.schedule.scans import place_scans
from tewb.schedule.stage import Stage, StageGroup
from tewb.tensor import ComputeOp, Operation, Tensor, producers_first


class Schedule(SchedulePrimitives):
    """How to compute some outputs. `s[C]` is the stage of C; primitives change stages and are recorded.

    `stages` are in the order in which they can be computed. `journal` is the list of steps: undo, redo,
    replay and code are functions of it. Schedules of one program may share a memory of what was worked out.
    """

    stages: list[Stage]
    groups: list[StageGroup]
    outputs: tuple[Operation, ...]

    def __init__(self, outputs: Sequence[Operation], result_cache: ResultCache | None = None) -> None:
        self.outputs = tuple(outputs)
        self.stages = []
        self.journal: tuple[Step, ...] = ()
        self.calls: tuple[RecipeCall, ...] = ()  # of the recipes that are at work, outermost first
        self.groups = []
        self.version = 0
        # Steps that were not right when they were done, and what was said then: a later one may have made them right.
        self.doubts: dict[int, Refusal] = {}
        self.judged = -1  # the version that was found right in spite of them
        self.latest_bounds: tuple[object, object] | None = None  # with what they hold for; see `known_bounds`
        self.result_cache = result_cache or ResultCache()
        self.thread_names: dict[IterVar, str] = {}  # of the thread axes that loops were bound to
        self.variables: dict[
            str, Var
        ] = {}  # what sizes of splits may use besides the variables of the program
        self.part_sizes: dict[Var, PartSize] = {}  # of the splits by such sizes, in their order
        # The numbers of the steps of the body for each condition, those of the body for all other calls, and the condition
        # whose body the stages show; None for the others.
        self.bodies: dict[str, list[int]] = {}
        self.otherwise_steps: list[int] = []
        self.within: str | None = None
        self._other_bodies: dict[str | None, tuple[list[Step], Schedule]] = {}
        self._first: list[Stage] = []
        self._stage_of_op: dict[Operation, Stage] = {}
        self._former: dict[Operation, str] = {}
        # Of axes and loops from before an undo: their stages and their names there.
        self._former_axes: dict[IterVar, tuple[str, str]] = {}
        self._readers: dict[Stage, list[Stage]] | None = (
            None  # None: not known of the operations as they are now
        )
        for op in producers_first(outputs):
            stage = Stage(self, op, self.unique_name(op.name))
            self.stages.append(stage)
            self._stage_of_op[op] = stage
        self._first = list(self.stages)
        self.output_stages = [self._stage_of_op[op] for op in outputs]
        place_scans(self)

    # ---- finding stages

    def __getitem__(self, what: object) -> Stage:
        stage = self.find(what)
        if stage is None:
            name = getattr(what, "name", what)
            raise ScheduleError(
                f"{name} is not a stage of this schedule",
                hint=f"it has {', '.join(s.name for s in self.stages)}",
                span=here(),
            )
        return stage

    def find(self, what: object) -> Stage | None:
        """The stage of a tensor, an operation or a name, or None."""
        if isinstance(what, Stage):
            if what in self.stages:
                return what
            # One from before an undo is known by its name; one of another schedule, by what it computes.
            return self.find(what.name if what.schedule is self else what.op)
        if isinstance(what, str):
            return next((s for s in self.stages if s.name == what), None)
        op = what.op if isinstance(what, Tensor) else what
        if not isinstance(op, Operation):
            return None
        known = self._stage_of_op.get(op)
        # A handle from before an undo means the stage that has its name now.
        return known if known is not None else self.find(self._former.get(op, object()))

    def stage_of(self, tensor: Tensor) -> Stage:
        """The stage that computes `tensor`."""
        return self._stage_of_op[tensor.op]

    def readers_of(self, stage: Stage) -> list[Stage]:
        """The stages that read `stage`, in the order of computation."""
        if self._readers is None:
            self._readers = {}
            for reader in self.stages:
                for s in reader.reads():
                    self._readers.setdefault(s, []).append(reader)
        return self._readers.get(stage, [])

    def operations_changed(self) -> None:
        """Forget who reads whom: a stage computes another operation, or stages were added or removed."""
        self._readers = None

    def former_name(self, iv: IterVar, stage: Stage) -> str | None:
        """The name of a loop that `stage` had before an undo; None for any other loop."""
        owner, name = self._former_axes.get(iv, (None, None))
        return name if owner == stage.name else None

    def remember(self, handles: Mapping[IterVar, tuple[str, str]]) -> None:
        """Keep the stages and names of axes and loops that an undo has removed."""
        self._former_axes.update(handles)

    def owner_of(self, iv: IterVar) -> Stage | None:
        """The stage that `iv` is an axis or loop of, or was before an undo."""
        owner = next((s for s in self.stages if s.has_axis(iv)), None)
        return owner or (self.find(self._former_axes[iv][0]) if iv in self._former_axes else None)

    def unique_name(self, name: str) -> str:
        """`name`, with a number when a stage has it already."""
        taken = {s.name for s in self.stages}
        return unique_name(name, taken.__contains__)

    def insert(self, stage: Stage, at: int) -> None:
        """Add a stage at position `at` of the order of computation."""
        self.stages.insert(at, stage)
        self._stage_of_op[stage.op] = stage
        self.operations_changed()

    def swap_op(self, stage: Stage, op: Operation) -> None:
        """Let `stage` compute `op` from now on; the tensors of its former operation stay its own."""
        stage.op = op
        self._stage_of_op[op] = stage
        self.operations_changed()

    def extents(self, stage: Stage) -> dict[IterVar, Expr]:
        """The extent of every axis and loop of a stage, when all of it is computed."""
        domains = {iv: stage.op.domain(iv) for iv in (*stage.op.axis, *stage.op.reduce_axis)}
        said = sizes_said(self)
        roots = {
            iv: substitute(r.extent, said) if said else r.extent for iv, r in domains.items() if r is not None
        }
        analyzer = Analyzer()
        if stage.relations and (self.part_sizes or not all(isinstance(n, IntImm) for n in roots.values())):
            self.tell_sizes(analyzer)
        wide = stage.op.domains if isinstance(stage.op, ComputeOp) else ()
        return loop_extents(stage.relations, roots, analyzer, wide)

    def size_vars(self) -> list[Var]:
        """The variables in shapes of tensors, which are not negative."""
        shapes = (n for s in self.stages for t in s.op.outputs for n in t.shape if not isinstance(n, IntImm))
        return list(dict.fromkeys(v for n in shapes for v in free_vars(n)))

    def program_variables(self) -> dict[str, Var]:
        """The variables that computations use besides their axes, and those of shapes, by names of their own: with a number
        where several have one name."""
        found: list[Var] = []
        for op in [s.first_op for s in self._first]:
            if isinstance(op, ComputeOp):
                own = {iv.var for iv in (*op.axis, *op.reduce_axis)}
                found += [v for e in op.exprs() for v in free_vars(e) if v not in own]
        found += [v for v in self.size_vars() if v not in self.part_sizes]
        names: dict[str, Var] = {}
        for v in dict.fromkeys(found):
            names[unique_name(v.name, names.__contains__)] = v
        return names

    def size_variables(self) -> dict[str, Var]:
        """The variables that sizes of splits may use, by their names: those of the program, and those that this schedule was
        given."""
        return {**self.variables, **self.program_variables()}

    def tell_sizes(self, analyzer: Analyzer) -> None:
        """Tell an analyzer that sizes are not negative, and that parts of loops are not empty."""
        for v in self.size_vars():
            analyzer.bind(v, 0, None)
        for v in self.part_sizes:
            analyzer.bind(v, 1, None)

    # ---- as classic programs look at it

    @property
    def stage_map(self) -> dict[Operation, Stage]:
        """The stage of every operation."""
        return {s.op: s for s in self.stages}

    def normalize(self) -> Schedule:
        """An independent schedule with the same loops, as classic TE makes one before bounds are inferred. Here
        operations are made inline, and their loops counted from 0, when it is lowered."""
        return self.copy()

    # ---- doing and undoing

    def do(
        self, primitive: str, stage: Stage, arguments: Mapping[str, object], span: Span | None = None
    ) -> Any:
        """Check a primitive, apply it and record it. Raises ScheduleError and changes nothing if it is refused.

        What a later call can still make right is done, and judged by `check_schedule` when the program is lowered.
        """
        where = span or here()
        return self._run(PrimitiveCall.resolve(PRIMITIVES[primitive], stage, arguments, where), where)

    def apply(self, step: Step, at_once: bool = True) -> Any:
        """Do what `step` says, which names stages and axes. Its name and note, and the recipes that made it, are kept. With
        `at_once` it must be right as things are now. It may name a recipe in the place of a primitive."""
        if step.primitive in RECIPES:
            return RECIPES[step.primitive].apply_step(self, step)
        return self._do_step(step, at_once)

    def _do_step(self, step: Step, at_once: bool, is_right: bool = False) -> Any:
        result = self._run(self._resolve(step), step.span, at_once, is_right)
        *before, done = self.journal
        calls = step.calls or done.calls
        self.journal = (*before, replace(done, name=step.name, note=step.note, calls=calls))
        return result

    def why_not(self, step: Step, at_once: bool = True) -> str | None:
        """Why `step` cannot be applied now, in the user's names; None when it can. Without `at_once` it may wait for later
        steps that make it right."""
        if step.primitive in RECIPES:
            refused = RECIPES[step.primitive].refusal(self.copy(), step)
            return None if refused is None else refused.message
        try:
            call = self._resolve(step)
        except ScheduleError as e:
            return e.message
        refusal = call.refusal()
        return None if refusal is None or (refusal.later and not at_once) else refusal.reason

    def _resolve(self, step: Step) -> PrimitiveCall:
        if step.primitive not in PRIMITIVES:
            raise ScheduleError(
                f"{step.primitive} is not a primitive", hint=f"there are {', '.join([*PRIMITIVES, *RECIPES])}"
            )
        return PrimitiveCall.resolve(PRIMITIVES[step.primitive], self[step.stage], step.args, step.span)

    def _run(
        self, call: PrimitiveCall, span: Span | None, at_once: bool = False, is_right: bool = False
    ) -> Any:
        """Do a call, and check it before unless it `is_right` for certain."""
        refusal = None if is_right else call.refusal()
        if refusal is not None and (at_once or not refusal.later):
            raise refusal.error(call.primitive.name, call.stage, span)
        number = len(self.journal)
        if refusal is not None and refusal.in_doubt:
            self.doubts[number] = refusal
        step = call.step(span)
        results, names = call.perform(number)
        if not call.primitive.is_of_bodies:
            self.own_steps().append(number)
        self.journal = (*self.journal, replace(step, results=names, calls=self.calls))
        self.version += 1
        return results

    def restore(self, steps: Iterable[Step]) -> None:
        """Make this the schedule that `steps` lead to from the beginning.

        When a step is refused the schedule stays as it was, and the error says which step.
        """
        before, wanted, calls = self.journal, list(steps), self.calls
        self.calls = ()  # what is done again is not made by a recipe that is at work now
        try:
            self._replay(wanted)
        except ScheduleError:
            self._replay(before)
            raise
        finally:
            self.calls = calls

    def _replay(self, steps: Iterable[Step]) -> None:
        self._begin_again()
        self.journal, self.bodies, self.otherwise_steps, self.within = (), {}, [], None
        self.version += 1
        for number, step in enumerate(steps):
            try:
                self.apply(step, at_once=False)
            except ScheduleError as e:
                raise ScheduleError(
                    f"step {number + 1}, {step}: {e.message}", loops=e.loops, hint=e.hint, span=step.span
                ) from e

    def _begin_again(self) -> None:
        """Make the stages those before any step, and know handles of now by their names."""
        for stage in self.stages:
            if stage not in self._first:
                self._former[stage.op] = stage.name
        self._former.update({op: s.name for op, s in self._stage_of_op.items() if s not in self._first})
        self.remember(self._handles())
        self.stages = list(self._first)
        self._stage_of_op = {s.first_op: s for s in self._first}
        for stage in self._first:
            stage.reset(stage.first_op)
        self.doubts, self.groups, self.part_sizes = {}, [], {}
        place_scans(self)

    # ---- bodies for calls of which a condition holds

    def own_steps(self) -> list[int]:
        """The numbers of the steps of the body that the stages show."""
        return self.otherwise_steps if self.within is None else self.bodies[self.within]

    def show_body(self, condition: str | None) -> None:
        """Let the stages be those of the body for a condition, or of the one for all other calls: what is done next belongs
        to it. The body of a new condition begins with the steps of the latter."""
        before, is_new = self.own_steps(), condition is not None and condition not in self.bodies
        if condition is not None and is_new:
            self.bodies[condition] = list(self.otherwise_steps)
        self.within = condition
        if self.own_steps() != before:
            self._begin_again()
            self._do_numbered(self.own_steps())

    def _do_numbered(self, numbers: Iterable[int]) -> None:
        """Do steps of the journal again, which were right when they were done."""
        for number in numbers:
            call = self._resolve(self.journal[number])
            refusal = call.refusal()
            if refusal is not None and refusal.in_doubt:
                self.doubts[number] = refusal
            call.perform(number)

    def body(self, condition: str | None) -> Schedule:
        """The schedule whose stages are those of the body for a condition, or for all other calls."""
        if condition == self.within:
            return self
        numbers = self.otherwise_steps if condition is None else self.bodies[condition]
        steps = [self.journal[n] for n in numbers]
        known, other = self._other_bodies.get(condition, (None, self))
        if (
            known is None
            or len(known) != len(steps)
            or any(a is not b for a, b in zip(known, steps, strict=True))
        ):
            other = self.untouched(self.result_cache)
            other.thread_names, other.journal, other.within = self.thread_names, self.journal, condition
            other.bodies, other.otherwise_steps = self.bodies, self.otherwise_steps
            other._former = {**self._former, **{op: s.name for op, s in self._stage_of_op.items()}}
            other._do_numbered(numbers)
            self._other_bodies[condition] = (steps, other)
        return other

    def _handles(self) -> dict[IterVar, tuple[str, str]]:
        """All axes and loops, each with its stage and its name there."""
        return {iv: names for s in self.stages for iv, names in s.handles().items()}

    def copy(self) -> Schedule:
        """An independent schedule with the same journal. It knows the loops of this one by their names."""
        copy = self.untouched(self.result_cache)
        copy.thread_names = dict(self.thread_names)
        if self.doubts or self.bodies:
            copy.restore(self.journal)
        else:  # every step was right when it was done, and is so again
            copy._begin_again()
            for step in self.journal:
                copy._do_step(step, at_once=False, is_right=True)
        copy.remember({**self._former_axes, **self._handles()})
        return copy

    def untouched(self, result_cache: ResultCache | None = None) -> Schedule:
        """A schedule of the same program, with the same variables, before any step."""
        first = Schedule(self.outputs, result_cache)
        first.variables = dict(self.variables)
        return first

    def __reduce__(self) -> tuple[Any, ...]:
        """A pickle holds the operations, the variables and the journal, which is done again."""
        return _done_again, (self.outputs, self.journal, self.variables)

    def __copy__(self) -> Schedule:
        """`copy.copy(s)`: stages belong to one schedule, so two cannot share them."""
        return self.copy()

    def __repr__(self) -> str:
        return (
            "Schedule("
            + "; ".join(f"{s.name}: {s.loops()}" for s in self.stages if not s.is_placeholder)
            + ")"
        )


def _done_again(
    outputs: Sequence[Operation], journal: Sequence[Step], variables: Mapping[str, Var]
) -> Schedule:
    schedule = Schedule(outputs)
    schedule.variables = dict(variables)
    schedule.restore(journal)
    return schedule


def create_schedule(ops: Any) -> Schedule:
    """The schedule that computes `ops` (an operation, a tensor, or a list) with one loop nest each."""
    given = list(ops) if isinstance(ops, tuple | list) else [ops]
    outputs = [o.op if isinstance(o, Tensor) else o for o in given]
    for o in outputs:
        if not isinstance(o, Operation):
            raise ScheduleError(
                f"create_schedule takes C.op or C, not {o!r}",
                hint="s = te.create_schedule(C.op), or te.create_schedule([C.op, D.op])",
                span=here(),
            )
    if not outputs:
        raise ScheduleError(
            "create_schedule needs at least one output", hint="s = te.create_schedule(C.op)", span=here()
        )
    return Schedule(list(dict.fromkeys(outputs)))
