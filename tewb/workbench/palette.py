"""The palette: every primitive that could be applied to a stage and a loop, with what it would do.

Legal actions come first, each with a preview; refused ones say why, and which step would make them legal.
Everything is tried on copies of the schedule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tewb.base import DType, ScheduleError, TewbError
from tewb.ir import (
    Expr,
    For,
    ForKind,
    IterVar,
    Node,
    PrimFunc,
    Stmt,
    const_int,
    replace,
    rewriter,
    walk,
)
from tewb.lowering import LOWER, MAX_NODES, run, scheduled_loops
from tewb.runtime import Target
from tewb.schedule import PRIMITIVES, Schedule, Stage, Step, loop_of, loops_text
from tewb.schedule.bounds import infer_bounds
from tewb.schedule.primitive import REQUIRED, Call, Refusal
from tewb.workbench.ledger import allocated_bytes, argument_stages, computed_times

if TYPE_CHECKING:
    from tewb.workbench.session import Session

PLACES = ("compute_at", "compute_inline", "compute_root")


@dataclass(frozen=True, slots=True)
class Figures:
    """What a schedule comes to. `bytes` of intermediates, and `recompute`, how often the stage that is
    computed most computes each element, are None where sizes are symbolic. `vector` is the number of lanes
    of the longest vector loop, `parallel` the iterations of the longest parallel one; 1 when there is none."""

    bytes: int | None
    recompute: float | None
    vector: int | None
    parallel: int | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a step leads to: the loops of the stages that change, and the figures before and after."""

    loops: tuple[str, ...]
    before: Figures
    after: Figures

    @property
    def changes(self) -> tuple[str, ...]:
        """The figures that change, in words: `allocated bytes 4096 → 128`."""
        names = ("bytes", "recompute", "vector", "parallel")
        pairs = [(n, getattr(self.before, n), getattr(self.after, n)) for n in names]
        return tuple(f"{_SAID[n]} {_figure(a)} → {_figure(b)}" for n, a, b in pairs if a != b)


_SAID = {
    "bytes": "allocated bytes",
    "recompute": "times an element is computed",
    "vector": "lanes",
    "parallel": "parallel iterations",
}


def _figure(x: float | None) -> str:
    return "symbolic" if x is None else f"{x:,}" if isinstance(x, int) else f"{x:.3g}"


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

    @property
    def is_place(self) -> bool:
        """Whether it says where the stage is computed."""
        return self.step.primitive in PLACES


def palette(session: Session, stage: object, loop: IterVar | str | None = None) -> list[Action]:
    """What can be done to `stage` and its loop `loop` (the outermost if not given): legal actions in the
    order of the primitives, each with its preview, those that change nothing after them, refused ones last.
    Raises ScheduleError for a stage or a loop that is not there."""
    trials = Trials(session)
    chosen = session.schedule[stage]
    steps = _unique(candidates(chosen, _chosen_loop(chosen, loop)))
    legal: list[Action] = []
    idle: list[Action] = []
    refused: list[Action] = []
    for step in steps:
        refusal = trials.refusal(step)
        if refusal is not None:
            fix, then = trials.fix(step) or (None, None)
            refused.append(Action(step, False, refusal.reason, refusal.hint, fix, then))
            continue
        shown = trials.preview(step)
        (legal if shown.loops else idle).append(Action(step, True, preview=shown))
    return [*legal, *idle, *refused]


def preview(session: Session, step: Step | Mapping[str, Any]) -> Preview:
    """What `step` would lead to. Raises ScheduleError if it is refused."""
    wanted = step if isinstance(step, Step) else Step.from_json(step)
    trials = Trials(session)
    refusal = trials.refusal(wanted)
    if refusal is not None:
        raise ScheduleError(
            f"{wanted.primitive} on stage {wanted.stage}: {refusal.reason}", hint=refusal.hint
        )
    return trials.preview(wanted)


def _chosen_loop(stage: Stage, loop: IterVar | str | None) -> str | None:
    if loop is not None:
        return stage.axis_name(loop_of(stage, loop))
    return next((stage.axis_name(iv) for iv in stage.leaf_iter_vars), None)


def _unique(steps: Iterator[Step]) -> list[Step]:
    """Each step once; orders of loops that come to the same are one."""
    return list({repr((s.primitive, s.args)): s for s in steps}.values())


# ---------------------------------------------------------------- what might be done


def lanes_of(stage: Stage) -> int:
    """How many elements of a stage's output fill a vector."""
    return max(Target.host().vector_bytes // max(DType(stage.op.output(0).dtype).nbytes, 1), 2)


def candidates(stage: Stage, loop: str | None) -> Iterator[Step]:
    """Steps that a person may want on a stage and one of its loops, legal or not; every primitive has one."""
    for name in PRIMITIVES:
        if stage.is_placeholder and name != "cache_read":
            continue
        for args in _GUESSES[name](stage, loop):
            yield Step(name, stage.name, {key: value for key, value in args.items() if value is not None})


Arguments = Iterator[dict[str, Any]]


def _splits(stage: Stage, loop: str | None) -> Arguments:
    n = _extent(stage, loop)
    lanes = lanes_of(stage)
    useful = [f for f in (4, lanes, 4 * lanes) if n is None or f < n]
    yield from ({"axis": loop, "factor": f} for f in useful or [1])


def _tiles(stage: Stage, loop: str | None) -> Arguments:
    other = _neighbour(stage, loop)
    if other is None:
        yield {"x": loop, "x_factor": 4, "y_factor": 4}
        return
    lanes = lanes_of(stage)
    x, y = (loop, other) if _at(stage, loop) < _at(stage, other) else (other, loop)
    sizes = [_extent(stage, a) for a in (x, y)]
    pairs = [(4, lanes), (lanes, lanes), (2 * lanes, 4 * lanes)]
    fits = [p for p in pairs if all(n is None or f < n for f, n in zip(p, sizes, strict=True))]
    for a, b in fits or [(2, 2)]:
        yield {"x": x, "y": y, "x_factor": a, "y_factor": b}


def _fusions(stage: Stage, loop: str | None) -> Arguments:
    leaves = stage.leaf_iter_vars
    at = _at(stage, loop)
    names = [stage.axis_name(iv) for iv in leaves]
    if at > 0:
        yield {"axes": [names[at - 1], loop]}
    if at + 1 < len(names):
        yield {"axes": [loop, names[at + 1]]}
    far = [p for p, iv in enumerate(leaves) if abs(p - at) > 1 and _same_kind(iv, leaves[at])]
    if far:
        yield {"axes": [loop, names[far[0]]] if far[0] > at else [names[far[0]], loop]}
    if len(names) < 2:
        yield {"axes": names}


def _orders(stage: Stage, loop: str | None) -> Arguments:
    names = [stage.axis_name(iv) for iv in stage.leaf_iter_vars]
    at = _at(stage, loop)
    before, after = names[:at], names[at + 1 :]
    if after:
        yield {"axes": [after[0], loop]}
    if before:
        yield {"axes": [loop, before[-1]]}
    if len(after) > 1:
        yield {"axes": [*after, loop]}
    if len(before) > 1:
        yield {"axes": [loop, *before]}
    if not before and not after:
        yield {"axes": names}


def _loop(stage: Stage, loop: str | None) -> Arguments:
    yield {"axis": loop}


def _register_tiles(stage: Stage, loop: str | None) -> Arguments:
    names = [stage.axis_name(iv) for iv in stage.leaf_iter_vars]
    at = _at(stage, loop)
    if at + 1 < len(names):
        yield {"rows": loop, "lanes": names[at + 1]}
    if at > 0:
        yield {"rows": names[at - 1], "lanes": loop}
    if len(names) < 2:
        yield {"rows": loop, "lanes": loop}


def _places(stage: Stage, loop: str | None) -> Arguments:
    parents = next(p for p in PRIMITIVES["compute_at"].params if p.name == "parent")
    names = parents.choices(stage) if parents.choices else []
    for parent in names:
        for iv in stage.schedule[parent].leaf_iter_vars:
            yield {"parent": parent, "axis": stage.schedule[parent].axis_name(iv)}
    if not names:
        yield {"parent": stage.name, "axis": loop}


def _nothing(stage: Stage, loop: str | None) -> Arguments:
    yield {}


def _scopes(stage: Stage, loop: str | None) -> Arguments:
    yield {"scope": "global" if stage.scope == "local" else "local"}


def _copies(stage: Stage, loop: str | None) -> Arguments:
    readers = [s.name for s in stage.readers()]
    yield {"scope": "local", "readers": readers}
    if len(readers) > 1:
        yield from ({"scope": "local", "readers": [r]} for r in readers)


def _results(stage: Stage, loop: str | None) -> Arguments:
    yield {"scope": "local"}


def _gaps(stage: Stage, loop: str | None) -> Arguments:
    """Rows an odd number of vectors apart."""
    names = [stage.axis_name(iv) for iv in stage.op.axis]
    lanes = lanes_of(stage)
    yield {
        "axis": names[-2] if len(names) > 1 else next(iter(names), loop),
        "factor": 2 * lanes,
        "offset": lanes,
    }


def _ahead(stage: Stage, loop: str | None) -> Arguments:
    yield from ({"tensor": s.name, "axis": loop, "offset": 8} for s in stage.reads())
    if not stage.reads():
        yield {"tensor": stage.name, "axis": loop}


def _unrolling(stage: Stage, loop: str | None) -> Arguments:
    yield {"axis": loop, "key": "auto_unroll_max_step", "value": 16}


_GUESSES: dict[str, Callable[[Stage, str | None], Arguments]] = {
    "split": _splits,
    "tile": _tiles,
    "fuse": _fusions,
    "reorder": _orders,
    "vectorize": _loop,
    "unroll": _loop,
    "parallel": _loop,
    "transpose": _register_tiles,
    "dot": _loop,
    "compute_at": _places,
    "compute_inline": _nothing,
    "compute_root": _nothing,
    "set_scope": _scopes,
    "cache_read": _copies,
    "cache_write": _results,
    "nontemporal": _nothing,
    "rfactor": _loop,
    "storage_align": _gaps,
    "prefetch": _ahead,
    "double_buffer": _nothing,
    "pragma": _unrolling,
}


def _at(stage: Stage, loop: str | None) -> int:
    """The position of a loop; 0 for none."""
    iv = stage.find_axis(loop)
    return stage.leaf_iter_vars.index(iv) if iv is not None else 0


def _extent(stage: Stage, loop: str | None) -> int | None:
    iv = stage.find_axis(loop)
    return None if iv is None else const_int(stage.schedule.extents(stage)[iv])


def _same_kind(a: Any, b: Any) -> bool:
    return bool(a.kind is b.kind)


def _neighbour(stage: Stage, loop: str | None) -> str | None:
    """The loop to tile `loop` with: the next of its kind inside of it, or around it, or the next of any kind."""
    leaves, at = stage.leaf_iter_vars, _at(stage, loop)
    order = [*leaves[at + 1 :], *reversed(leaves[:at])]
    same = [iv for iv in order if _same_kind(iv, leaves[at])]
    return next((stage.axis_name(iv) for iv in (*same, *order)), None)


# ---------------------------------------------------------------- trying


class Trials:
    """Tries steps on copies of a session's schedule, and remembers what came out of it."""

    def __init__(self, session: Session) -> None:
        self.session, self.schedule = session, session.schedule
        self._kept: dict[str, Schedule | Refusal] = {}
        self._lowered: dict[str, PrimFunc | Refusal] = {}
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
        made = self.lowered(*steps)
        return made if isinstance(made, Refusal) else None

    def after(self, *steps: Step) -> Schedule | Refusal:
        """A copy of the schedule after `steps`."""
        key = repr(steps)
        if key not in self._kept:
            self._kept[key] = self._applied(steps)
        return self._kept[key]

    def _applied(self, steps: Sequence[Step]) -> Schedule | Refusal:
        made = self.schedule.copy()
        try:
            for step in steps:
                made.apply(step)
        except ScheduleError as e:
            return Refusal(e.message, e.hint)
        return made

    def lowered(self, *steps: Step) -> PrimFunc | Refusal:
        """The loops after `steps`, before any pass; refused where the passes fail."""
        key = repr(steps)
        if key not in self._lowered:
            self._lowered[key] = self._loops_of(self.after(*steps))
        return self._lowered[key]

    def _loops_of(self, schedule: Schedule | Refusal) -> PrimFunc | Refusal:
        if isinstance(schedule, Refusal):
            return schedule
        try:
            made = scheduled_loops(schedule, self.session.args)
            run(_not_unrolled(made), LOWER, memory=schedule.memory)
        except TewbError as e:
            return Refusal(e.message, e.hint)
        return made

    def seen(self, *steps: Step) -> tuple[dict[str, str], Figures]:
        """The loops of every stage as text, and the figures, after legal `steps`."""
        schedule, function = self.after(*steps), self.lowered(*steps)
        if isinstance(schedule, Refusal) or isinstance(function, Refusal):
            raise ScheduleError(f"the schedule has no loops: {getattr(function, 'reason', '')}")
        return seen(schedule, self.session.args, function)

    def now(self) -> tuple[dict[str, str], Figures]:
        """The loops and figures as they are; nothing is known of a schedule that cannot be lowered."""
        if self._now is None:
            broken = isinstance(self.lowered(), Refusal)
            self._now = ({}, Figures(None, None, None, None)) if broken else self.seen()
        return self._now

    def preview(self, step: Step) -> Preview:
        """What a legal step leads to."""
        old, before = self.now()
        new, after = self.seen(step)
        changed = tuple(f"{name}: {text}" for name, text in new.items() if old.get(name) != text)
        return Preview(changed, before, after)

    # ---- repairs

    def fix(self, step: Step) -> tuple[Step, Step] | None:
        """A legal step, and what can be done after it in the place of the refused `step`."""
        for first in repairs(self.schedule, step):
            if refusal_of(self.schedule, first) is not None:
                continue
            base = self.after(first)
            if isinstance(base, Refusal):
                continue
            for then in _again(step, first, base.journal[-1].results):
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
        made = n.map_children(rewrite)
        return replace(made, kind=ForKind.SERIAL) if n.kind is ForKind.UNROLLED else made

    rewrite: Callable[[Stmt], Stmt] = rewriter({For: loop})
    return PrimFunc(f.name, f.params, rewrite(f.body), f.outputs)


def _unrolled_size(n: Node) -> int | None:
    """The nodes that there will be after unrolling; None when an extent is not constant."""
    if isinstance(n, Expr):
        return sum(1 for _ in walk(n))
    parts = [_unrolled_size(c) for c in n.children()]
    if None in parts:
        return None
    times = const_int(n.extent) if isinstance(n, For) and n.kind is ForKind.UNROLLED else 1
    return None if times is None else 1 + times * sum(p for p in parts if p is not None)


def refusal_of(schedule: Schedule, step: Step) -> Refusal | None:
    """Why the rules refuse `step` now, with the hint; None when they do not."""
    if step.primitive not in PRIMITIVES or schedule.find(step.stage) is None:
        return Refusal(schedule.why_not(step) or "")
    return Call.resolve(PRIMITIVES[step.primitive], schedule[step.stage], step.args, step.span).refusal()


def repairs(schedule: Schedule, step: Step) -> Iterator[Step]:
    """Steps that may make a refused `step` legal: loops brought together, stages moved out of the way or
    along, a loop cut by a constant or taken inside. None for a step without a loop to take, as at a stage that has
    none."""
    stage = schedule[step.stage]
    needed = (p.name for p in PRIMITIVES[step.primitive].params if p.default is REQUIRED)
    if any(not isinstance(step.args.get(name), str | int | list | tuple) for name in needed):
        return  # what is missing, or no name, is in no other place either
    axes = step.args.get("axes")
    if step.primitive == "fuse" and isinstance(axes, list | tuple) and len(axes) > 1:
        first, *others = axes
        names = [stage.axis_name(iv) for iv in stage.leaf_iter_vars]
        rest = [n for n in names if n not in others]
        at = rest.index(first) + 1 if first in rest else 0
        yield Step("reorder", stage.name, {"axes": [*rest[:at], *others, *rest[at:]]})
    if step.primitive in ("vectorize", "unroll", "parallel", "dot"):
        for factor in (4, 2) if step.primitive == "dot" else (lanes_of(stage), 1):
            yield Step("split", stage.name, {"axis": step.args["axis"], "factor": factor})
    if step.primitive == "transpose" and step.args["rows"] != step.args["lanes"]:
        lanes = lanes_of(stage)
        x, y = step.args["rows"], step.args["lanes"]
        yield Step("tile", stage.name, {"x": x, "y": y, "x_factor": lanes, "y_factor": lanes})
        names = [stage.axis_name(iv) for iv in stage.leaf_iter_vars]
        yield Step("reorder", stage.name, {"axes": [*(n for n in names if n not in (x, y)), x, y]})
    if step.primitive == "dot":
        names = [stage.axis_name(iv) for iv in stage.leaf_iter_vars]
        inside = names[names.index(step.args["axis"]) + 1 :] if step.args["axis"] in names else []
        yield Step("reorder", stage.name, {"axes": [*inside, step.args["axis"]]})
    if step.primitive == "compute_at":
        for reader in stage.readers():
            if reader.name != step.args["parent"]:
                yield Step("compute_at", reader.name, dict(step.args))
                yield Step("compute_inline", reader.name)
    if step.primitive == "nontemporal":
        yield Step("cache_write", stage.name, {"scope": "local"})
    blocking = [s for s in schedule.stages if s.attach is not None]
    yield from (Step("compute_root", s.name) for s in blocking)


def _again(step: Step, first: Step, made: Sequence[str]) -> Iterator[Step]:
    """The refused step once more; after a split, on one of the new loops, and after a tile, on its inner ones."""
    if first.primitive == "tile":
        yield Step(step.primitive, step.stage, {"rows": made[2], "lanes": made[3]})
        return
    if first.primitive != "split":
        yield step
        return
    for loop in made if step.primitive == "parallel" else reversed(made):
        yield Step(step.primitive, step.stage, {**step.args, "axis": loop})


# ---------------------------------------------------------------- what there is to see


def seen(schedule: Schedule, args: Sequence[Any], function: PrimFunc) -> tuple[dict[str, str], Figures]:
    """The loops of every stage as text, and what the schedule comes to. `function` are its loops before any
    pass."""
    bounds = infer_bounds(schedule, argument_stages(schedule, args))
    own = [s for s in schedule.stages if not s.is_placeholder]
    times = [computed_times(s, bounds) for s in own]
    recompute = None if None in times else max((t for t in times if t is not None), default=1.0)
    loops = [n for n in walk(function.body) if isinstance(n, For)]
    figures = Figures(
        allocated_bytes(function),
        recompute,
        _longest(loops, ForKind.VECTORIZED),
        _longest(loops, ForKind.PARALLEL),
    )
    return {
        s.name: loops_text(s, bounds.stages[s].extents if s in bounds.stages else {}) for s in own
    }, figures


def _longest(loops: Sequence[For], kind: ForKind) -> int | None:
    sizes = [const_int(n.extent) for n in loops if n.kind is kind]
    return None if None in sizes else max((n for n in sizes if n is not None), default=1)
