"""The palette: every primitive that could be applied to a stage and a loop, with what it would do.

Legal actions come first, each with a preview; refused ones say why, and which step would make them legal.
Everything is tried on copies of the schedule.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tewb.base import DType, ScheduleError, TewbError, any_depth, digits, readable
from tewb.ir import (
    BufferStore,
    Call,
    Expr,
    For,
    ForKind,
    IfThenElse,
    IterVar,
    Node,
    PrimFunc,
    Stmt,
    const_int,
    replace,
    rewriter,
    walk,
    walk_statements,
)
from tewb.lowering import LOWER, MAX_NODES, run, scheduled_loops
from tewb.runtime import Target
from tewb.schedule import (
    PRIMITIVES,
    RECIPES,
    REQUIRED,
    PrimitiveCall,
    Refusal,
    Repair,
    ResultCache,
    Schedule,
    Selection,
    Stage,
    Step,
    calls_text,
    loop_of,
    loops_text,
)
from tewb.schedule.bounds import infer_bounds
from tewb.workbench.judge.ledger import allocated_bytes, argument_stages, computed_times
from tewb.workbench.session_view import ProgramView


@readable
@dataclass(frozen=True, slots=True)
class Figures:
    """What a schedule comes to. `bytes` of intermediates, and `recompute`, how often the stage that is
    computed most computes each element, are None where sizes are symbolic. `vector` is the number of lanes
    of the longest vector loop, `parallel` the iterations of the longest parallel one; 1 when there is none. `guards` are left
    where splits do not divide."""

    bytes: int | None
    recompute: float | None
    vector: int | None
    parallel: int | None
    guards: int | None


@readable
@dataclass(frozen=True, slots=True)
class Preview:
    """What a step leads to: the loops of the stages that change, and the figures before and after."""

    loops: tuple[str, ...]
    before: Figures
    after: Figures

    @property
    def changes(self) -> tuple[str, ...]:
        """The figures that change, in words: `allocated bytes 4096 → 128`."""
        names = ("bytes", "recompute", "vector", "parallel", "guards")
        pairs = [(n, getattr(self.before, n), getattr(self.after, n)) for n in names]
        return tuple(f"{_SAID[n]} {_change(a, b)}" for n, a, b in pairs if a != b)

    def __str__(self) -> str:
        return "\n".join([*self.loops, *self.changes]) or "changes nothing"


_SAID = {
    "bytes": "allocated bytes",
    "recompute": "times an element is computed",
    "vector": "lanes",
    "parallel": "parallel iterations",
    "guards": "guards left",
}


def _change(before: float | None, after: float | None) -> str:
    """A figure before and after, with as many digits as tell the two apart."""
    if _figure(before) == _figure(after) and before is not None and after is not None:
        texts = [(f"{before:.{n}g}", f"{after:.{n}g}") for n in range(4, 18)]
        return " → ".join(next(pair for pair in texts if pair[0] != pair[1]))
    return f"{_figure(before)} → {_figure(after)}"


def _figure(x: float | None) -> str:
    return "symbolic" if x is None else f"{x:,}" if isinstance(x, int) else digits(x)


@readable
@dataclass(frozen=True, slots=True)
class Action:
    """A step that may be legal now. A refused one has the reason, perhaps a hint, and perhaps a `fix`: a
    legal step after which `then` is legal (the same step, or one on the loop that the fix makes)."""

    step: Step
    legal: bool
    reason: str | None = None
    hint: str | None = None
    fix: Step | None = None
    then: Step | None = None
    preview: Preview | None = field(default=None, compare=False)

    def __str__(self) -> str:
        if not self.legal:
            return f"✗ {self.step}: {self.reason}"
        changes = "; ".join(self.preview.changes) if self.preview is not None else ""
        return f"✓ {self.step}{f': {changes}' if changes else ''}"

    @property
    def is_for_threads(self) -> bool:
        """Whether it is about threads of another machine."""
        return is_for_threads(self.step)

    @property
    def is_place(self) -> bool:
        """Whether it says where the stage is computed or kept."""
        known = PRIMITIVES.get(self.step.primitive)
        return known is not None and known.is_place


def palette(program: ProgramView, stage: object, loop: IterVar | str | None = None) -> list[Action]:
    """What can be done to `stage` and its loop `loop` (the outermost if not given): legal actions in the
    order of the primitives, each with its preview, those that change nothing after them, refused ones last.
    Raises ScheduleError for a stage or a loop that is not there."""
    return in_order(each_action(program, stage, loop))


def each_action(program: ProgramView, stage: object, loop: IterVar | str | None = None) -> Iterator[Action]:
    """What `palette` lists, one by one as it is found: each may take some milliseconds. Raises ScheduleError."""
    trials = Trials(program)
    chosen = program.schedule[stage]
    for step in _unique(candidates(chosen, _chosen_loop(chosen, loop))):
        yield trials.action(step)


def every_candidate(stage: Stage) -> Iterator[Step]:
    """What might be done to a stage and to any of its loops, each step once."""
    names = [stage.axis_name(iv) for iv in stage.leaf_iter_vars]
    yield from _unique(step for name in names for step in candidates(stage, name))


def in_order(actions: Iterable[Action]) -> list[Action]:
    """Legal actions, then those that change nothing, those about threads of another machine, and refused ones last."""
    found = list(actions)
    usual = [a for a in found if a.preview is not None and not a.is_for_threads]
    legal = [a for a in usual if a.preview is not None and a.preview.loops]
    idle = [a for a in usual if a not in legal]
    threads = [a for a in found if a.preview is not None and a.is_for_threads]
    return [*legal, *idle, *threads, *(a for a in found if not a.legal)]


def names_threads(schedule: Schedule) -> bool:
    """Whether a schedule names threads of another machine, to which loops are bound."""
    return any(is_for_threads(step) for step in schedule.journal)


def is_for_threads(step: Step) -> bool:
    """Whether a step is about threads of another machine."""
    known = PRIMITIVES.get(step.primitive)
    return known is not None and known.is_for_threads


def is_of_bodies(step: Step) -> bool:
    """Whether a step says for which calls the next ones are."""
    known = PRIMITIVES.get(step.primitive)
    return known is not None and known.is_of_bodies


def preview(program: ProgramView, step: Step | Mapping[str, Any]) -> Preview:
    """What `step` would lead to. Raises ScheduleError if it is refused."""
    wanted = step if isinstance(step, Step) else Step.from_json(step)
    trials = Trials(program)
    refusal = trials.refusal(wanted)
    if refusal is not None:
        raise ScheduleError(
            f"{wanted.primitive} on stage {wanted.stage}: {refusal.reason}", hint=refusal.hint
        )
    return trials.preview(wanted)


def way_out(program: ProgramView, step: Step) -> tuple[Step, Step] | None:
    """A legal step, and what is legal after it: the refused `step`, or the same on the loop that the first one makes. None
    when no such step is known, or `step` is not refused."""
    trials = Trials(program)
    return trials.fix(step) if trials.refusal(step) is not None else None


def instead(program: ProgramView, step: Step, most: int = 3) -> list[Step]:
    """What the hint of a refused step names, as far as it is legal now: `most` steps at most."""
    refused = refusal_of(program.schedule, step)
    named = () if refused is None else refused.instead
    trials = Trials(program)
    return list(itertools.islice((s for s in named if trials.refusal(s) is None), most))


def _chosen_loop(stage: Stage, loop: IterVar | str | None) -> str | None:
    if loop is not None:
        return stage.axis_name(loop_of(stage, loop))
    return next((stage.axis_name(iv) for iv in stage.leaf_iter_vars), None)


def _unique(steps: Iterator[Step]) -> list[Step]:
    """Each step once; orders of loops that come to the same are one."""
    return list({_key(s): s for s in steps}.values())


def _key(*steps: Step) -> str:
    """What tells steps apart."""
    return repr([(s.primitive, s.stage, s.args) for s in steps])


# ---------------------------------------------------------------- what might be done


def lanes_of(stage: Stage) -> int:
    """How many elements of a stage's output fill a vector."""
    return max(Target.host().vector_bytes // max(DType(stage.op.output(0).dtype).nbytes, 1), 2)


def candidates(stage: Stage, loop: str | None) -> Iterator[Step]:
    """Steps that a person may want on a stage and one of its loops, legal or not; every primitive has one, and every recipe
    that takes no more than these."""
    chosen = Selection(stage, loop, lanes_of(stage))
    for p in PRIMITIVES.values():
        if stage.is_placeholder and not p.on_inputs:
            continue
        for args in p.suggest(chosen):
            yield Step(p.name, stage.name, {key: value for key, value in args.items() if value is not None})
    for recipe in () if stage.is_placeholder else list(RECIPES.values()):
        step = recipe.fills(stage.name, loop)
        if step is not None:
            yield step


# ---------------------------------------------------------------- trying


class Trials:
    """Tries steps on copies of a session's schedule, and remembers what came out of it."""

    def __init__(self, program: ProgramView) -> None:
        self.program, self.schedule = program, program.schedule
        self._kept: dict[str, Schedule | Refusal] = {}
        self._lowered: dict[str, PrimFunc | Refusal] = {}
        self._guards: dict[str, int] = {}
        self._now: tuple[dict[str, str], Figures] | None = None

    def refusal(self, *steps: Step) -> Refusal | None:
        """Why the last of `steps` cannot be done after the others, by the rules or for lack of loops."""
        *first, last = steps
        base = self.after(*first) if first else self.schedule
        if isinstance(base, Refusal):
            return base
        refused = refusal_of(base, last)
        if refused is not None:
            return refused
        loops = self.lowered(*steps)
        return loops if isinstance(loops, Refusal) else None

    def after(self, *steps: Step) -> Schedule | Refusal:
        """A copy of the schedule after `steps`."""
        key = _key(*steps)
        if key not in self._kept:
            self._kept[key] = self._applied(steps)
        return self._kept[key]

    def _applied(self, steps: Sequence[Step]) -> Schedule | Refusal:
        changed = self.schedule.copy()
        try:
            for step in steps:
                changed.apply(step)
        except TewbError as e:
            return Refusal(e.message, e.hint)
        return changed

    def lowered(self, *steps: Step) -> PrimFunc | Refusal:
        """The loops after `steps`, before any pass; refused where the passes fail."""
        key = _key(*steps)
        if key not in self._lowered:
            self._lowered[key] = self._loops_of(self.after(*steps), key)
        return self._lowered[key]

    def _loops_of(self, schedule: Schedule | Refusal, key: str) -> PrimFunc | Refusal:
        if isinstance(schedule, Refusal):
            return schedule
        try:
            loops = scheduled_loops(schedule, self.program.args)
            passed = run(_not_unrolled(loops), LOWER, memory=schedule.result_cache)
        except TewbError as e:
            return Refusal(e.message, e.hint)
        self._guards[key] = guards_left(passed, memory=schedule.result_cache)
        return loops

    def seen(self, *steps: Step) -> tuple[dict[str, str], Figures]:
        """The loops of every stage as text, and the figures, after legal `steps`."""
        schedule, function = self.after(*steps), self.lowered(*steps)
        if isinstance(schedule, Refusal) or isinstance(function, Refusal):
            raise ScheduleError(f"the schedule has no loops: {getattr(function, 'reason', '')}")
        return seen(schedule, self.program.args, function, self._guards[_key(*steps)])

    def now(self) -> tuple[dict[str, str], Figures]:
        """The loops and figures as they are; nothing is known of a schedule that cannot be lowered."""
        if self._now is None:
            broken = isinstance(self.lowered(), Refusal)
            self._now = ({}, Figures(None, None, None, None, None)) if broken else self.seen()
        return self._now

    def preview(self, step: Step) -> Preview:
        """What a legal step leads to."""
        old, before = self.now()
        new, after = self.seen(step)
        if is_of_bodies(step):
            return Preview(self._in_body(step, old, new), before, after)
        loops = tuple(f"{name}: {text}" for name, text in new.items() if old.get(name) != text)
        return Preview(loops, before, after)

    def _in_body(self, step: Step, old: Mapping[str, str], new: Mapping[str, str]) -> tuple[str, ...]:
        """The loops of the stage of a step that begins or ends a body, with the calls that they are for from there on, and of
        other stages whose loops are different there."""
        schedule = self.after(step)
        assert isinstance(schedule, Schedule)
        calls = calls_text(schedule)

        def bare(text: str) -> str:
            return text.removesuffix(f"; {calls_text(self.schedule)}").removesuffix(f"; {calls}")

        others = [name for name, text in new.items() if bare(text) != bare(old.get(name, ""))]
        names = dict.fromkeys((step.stage, *others))
        return tuple(f"{name}: {bare(new[name])}; {calls}" for name in names if name in new)

    def action(self, step: Step) -> Action:
        """Whether a step is legal, with what it leads to, or why it is not."""
        refusal = self.refusal(step)
        if refusal is None:
            return Action(step, True, preview=self.preview(step))
        fix, then = self.fix(step) or (None, None)
        return Action(step, False, refusal.reason, refusal.hint, fix, then)

    # ---- repairs

    def fix(self, step: Step) -> tuple[Step, Step] | None:
        """A legal step, and what can be done after it in the place of the refused `step`."""
        for repair in repairs(self.schedule, step):
            first = repair.step
            if refusal_of(self.schedule, first) is not None:
                continue
            base = self.after(first)
            if isinstance(base, Refusal):
                continue
            for then in _again(step, repair, base.journal[-1].results):
                useful = self.refusal(first, then) is None and self.refusal(first) is None
                if useful and self._differs(first, then):
                    return first, then
        return None

    def _differs(self, *steps: Step) -> bool:
        """Whether steps lead anywhere: to inline what was just taken out changes nothing."""
        return self.seen(*steps)[0] != self.now()[0]


def _not_unrolled(f: PrimFunc) -> PrimFunc:
    """`f` with ordinary loops in the place of unrolled ones, where unrolling has nothing to refuse: it takes long
    to try, and fails only if an extent is not constant or the text becomes enormous. (The palette of a matmul
    with 2431 unrolled iterations: 5.4 s before, 0.04 s now.)"""
    size = _unrolled_size(f.body)
    if size is None or 2 * size > MAX_NODES:
        return f

    def loop(n: For) -> Stmt:
        inside = n.map_children(rewrite)
        return replace(inside, kind=ForKind.SERIAL) if n.kind is ForKind.UNROLLED else inside

    rewrite: Callable[[Stmt], Stmt] = rewriter({For: loop})
    return f.with_body(rewrite(f.body))


def _unrolled_size(n: Node) -> int | None:
    """The nodes that there will be after unrolling; None when an extent is not constant."""
    if isinstance(n, Expr):
        return sum(1 for _ in walk(n))
    sizes = [_unrolled_size(c) for c in n.children()]
    if None in sizes:
        return None
    times = const_int(n.extent) if isinstance(n, For) and n.kind is ForKind.UNROLLED else 1
    return None if times is None else 1 + times * sum(p for p in sizes if p is not None)


def refusal_of(schedule: Schedule, step: Step) -> Refusal | None:
    """Why the rules refuse `step` now, with the hint; None when they do not."""
    if step.primitive in RECIPES:
        refused = RECIPES[step.primitive].refusal(schedule.copy(), step)
        return None if refused is None else Refusal(refused.message, refused.hint)
    if step.primitive not in PRIMITIVES or schedule.find(step.stage) is None:
        return Refusal(schedule.why_not(step) or "")
    return PrimitiveCall.resolve(
        PRIMITIVES[step.primitive], schedule[step.stage], step.args, step.span
    ).refusal()


def repairs(schedule: Schedule, step: Step) -> Iterator[Repair]:
    """What may make a refused `step` legal: what its primitive says, and stages moved out of the way. None for a step
    without a loop to take, as at a stage that has none."""
    p, stage = PRIMITIVES.get(step.primitive), schedule.find(step.stage)
    if p is None or stage is None:
        return
    needed = [param.name for param in p.params if param.default is REQUIRED]
    if any(not isinstance(step.args.get(name), str | int | list | tuple) for name in needed):
        return  # what is missing, or is no name, is in no other place either
    yield from p.repairs(Selection(stage, step.args.get("axis"), lanes_of(stage)), step.args)
    blocking = [s for s in schedule.stages if s.attach is not None]
    yield from (Repair(Step("compute_root", s.name)) for s in blocking)


def _again(step: Step, repair: Repair, results: Sequence[str]) -> Iterator[Step]:
    """The refused step once more, after a repair with these results."""
    retries = [step.args] if repair.retry is None else repair.retry(results)
    yield from (Step(step.primitive, step.stage, args) for args in retries)


# ---------------------------------------------------------------- what there is to see


def seen(
    schedule: Schedule, args: Sequence[Any], function: PrimFunc, guards: int
) -> tuple[dict[str, str], Figures]:
    """The loops of every stage as text, and what the schedule comes to. `function` are its loops before any
    pass, and `guards` are left after these."""
    bounds = infer_bounds(schedule, argument_stages(schedule, args))
    own = [s for s in schedule.stages if not s.is_placeholder]
    times = [computed_times(s, bounds) for s in own]
    recompute = None if None in times else max((t for t in times if t is not None), default=1.0)
    loops = [n for n in walk_statements(function.body) if isinstance(n, For)]
    figures = Figures(
        allocated_bytes(function),
        recompute,
        _longest(loops, ForKind.VECTORIZED),
        _longest(loops, ForKind.PARALLEL),
        guards,
    )
    return {
        s.name: loops_text(s, bounds.stages[s].extents if s in bounds.stages else {}) for s in own
    }, figures


@any_depth
def guards_left(f: PrimFunc, stage: str | None = None, memory: ResultCache | None = None) -> int:
    """The conditions that are asked where splits do not divide, or boxes pass edges: in all of `f`, or those of a stage. Of two
    statements that stand beside each other, as loops for short calls do, the one with fewer counts. `memory` knows loops that
    were counted before."""

    def left(s: Stmt) -> int:
        if memory is not None and isinstance(s, For):
            return memory.once(("guards left", id(s), stage), (s,), lambda: counted(s))
        return counted(s)

    def counted(s: Stmt) -> int:
        inside = [left(c) for c in s.children() if isinstance(c, Stmt)]
        if isinstance(s, IfThenElse) and s.other is not None:
            return min(inside)
        origin = s.origin if isinstance(s, IfThenElse | BufferStore) else None
        if stage is not None and (origin is None or origin.stage != stage):
            return sum(inside)
        asked = (
            [n for n in walk(s.value) if isinstance(n, Call) and n.op == "likely"]
            if isinstance(s, BufferStore)
            else ()
        )
        return sum(inside) + len(asked) + isinstance(s, IfThenElse)

    return left(f.body)


def _longest(loops: Sequence[For], kind: ForKind) -> int | None:
    sizes = [const_int(n.extent) for n in loops if n.kind is kind]
    return None if None in sizes else max((n for n in sizes if n is not None), default=1)
