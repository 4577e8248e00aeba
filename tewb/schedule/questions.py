"""Questions that the legality of several primitives asks. Each answers with a refusal or None."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from tewb.base import LowerError, any_depth, thread_count
from tewb.ir import AxisKind, ForKind, IterVar, Reduce, const_int, script
from tewb.schedule.declare import PRIMITIVES, Refusal, computed_in, in_a_reader, not_computed
from tewb.schedule.dependent_loops import range_known_outside
from tewb.schedule.hybrid_loops import accesses_of, loops_to, scheduled_body
from tewb.schedule.journal import Step
from tewb.schedule.relation import Split
from tewb.schedule.scans import misplaced_parts
from tewb.schedule.schedule import Schedule
from tewb.schedule.shared_loops import depends_on, in_a_circle, joined_stages, shared_pairs, wrongly_joined
from tewb.schedule.stage import At, LoopList, Stage, StageGroup, With
from tewb.tensor import ComputeOp, ExternOp, PlaceholderOp, ScanOp
from tewb.tensor.hybrid import HybridOp

_Inside = dict[tuple[Stage, Stage, IterVar], bool]


def for_now(refused: Refusal | None) -> Refusal | None:
    """A refusal that a later call can still make groundless. Ask what can never be right before."""
    return None if refused is None else replace(refused, later=True)


def at_once(refused: Refusal | None) -> Refusal | None:
    """A refusal that does not wait for later calls."""
    return None if refused is None else replace(refused, later=False)


def settled(refused: Refusal | None, later: Refusal | None) -> Refusal | None:
    """What can never be right comes before what a later call can make right."""
    return later if refused is None or (refused.later and later is not None) else refused


# ---------------------------------------------------------------- loops


def has_loops(stage: Stage) -> Refusal | None:
    """Inputs have none."""
    if isinstance(stage.op, PlaceholderOp):
        return Refusal(
            f"{stage.name} is an input and has no loops", "schedule a stage that computes something"
        )
    return None


def no_other_loop(stage: Stage, parent: Stage, axis: IterVar, of_itself: Refusal) -> Refusal | None:
    """Why loop `axis` of `parent` is none of another stage that `stage` could be put into; `of_itself` where it is its own."""
    if stage.is_placeholder:
        return not_computed(stage)
    return of_itself if parent is stage else no_loop_for_others(parent, axis)


def no_loop_for_others(parent: Stage, axis: IterVar) -> Refusal | None:
    """Why no other stage can be put into loop `axis` of `parent`: it is the inside of an extern, or not there."""
    if parent.is_placeholder:
        return Refusal(f"{parent.name} is an input", "name a stage that is computed")
    return untouched(parent, axis) if axis.kind is AxisKind.OPAQUE else not_inline(parent)


def not_inline(stage: Stage) -> Refusal | None:
    """The loops of a stage that is computed inline are not there, for now."""
    if stage.is_inlined:
        return Refusal(f"{stage.name} is computed inline and has no loops", "call compute_root first", True)
    return None


def opaque(stage: Stage, iv: IterVar) -> Refusal | None:
    """The inside of an extern is its own."""
    if iv.kind is not AxisKind.OPAQUE:
        return None
    name = stage.axis_name(iv)
    return Refusal(
        f"axis {name} is the inside of extern {stage.name}, which only its own code knows",
        f"split {name}: its outer loop makes one call for each iteration",
    )


def untouched(stage: Stage, iv: IterVar) -> Refusal | None:
    """An axis may be changed when it is not opaque, not the time of a scan, and not marked."""
    refused = opaque(stage, iv)
    if refused:
        return refused
    name = stage.axis_name(iv)
    if isinstance(stage.op, ScanOp):
        return Refusal(
            f"loop {name} is the time of scan {stage.name}, and stays one loop around its steps, in order",
            "schedule the loops of its update inside of it",
        )
    marks = stage.marks_on(iv)
    if marks:
        first = min(marks, key=lambda m: list(PRIMITIVES).index(m.primitive))
        mark = PRIMITIVES[first.primitive].mark_phrase(stage, first)
        return Refusal(f"loop {name} {mark}", f"split or fuse before {first.primitive}")
    return None


def markable(stage: Stage, iv: IterVar) -> Refusal | None:
    """Loops run as their marks say, but for the inside of an extern, and the loops of a tile, which belong together."""
    refused = at_once(unmarked(stage, iv)) if stage.marks_of("transpose") else None
    return opaque(stage, iv) or unbound(stage, iv) or refused


def unbound(stage: Stage, iv: IterVar) -> Refusal | None:
    """The threads that a loop is bound to run it, and no mark says how."""
    if iv not in stage.threads:
        return None
    return Refusal(
        f"loop {stage.axis_name(iv)} is bound to {stage.threads[iv].key}, and its threads run it",
        "split it before bind, and mark the inner loop",
    )


def unmarked(stage: Stage, iv: IterVar) -> Refusal | None:
    """A loop is marked once; of several marks the last counts."""
    if stage.loop_kind(iv) is not None:
        return Refusal(
            f"loop {stage.axis_name(iv)} is already marked {stage.annotations[iv]}",
            "a loop runs in one way: choose one of the marks, or split the loop and mark both",
            later=True,
        )
    return unbound(stage, iv)


def attached_at(stage: Stage, iv: IterVar) -> list[Stage]:
    """The stages that are computed at loop `iv` of `stage`."""
    return [
        s
        for s in stage.schedule.stages
        if isinstance(s.attach, At) and s.attach.stage is stage and s.attach.axis is iv
    ]


def independent(stage: Stage, iv: IterVar, verb: str) -> Refusal | None:
    """Whether the iterations of a loop can run in any order, or at once: `verb` says what for."""
    name = stage.axis_name(iv)
    if iv.kind is AxisKind.REDUCE:
        return _race(stage, name, verb)
    if iv.kind is AxisKind.ORDERED:
        why = getattr(stage.op, "dependence", {}).get(
            root_of(stage, iv), "an iteration may need one before it"
        )
        return Refusal(
            f"the iterations of {name} must run in order: {why}",
            "choose a loop whose iterations touch elements of their own",
        )
    return None


def _race(stage: Stage, name: str, verb: str) -> Refusal:
    """Why a reduce axis cannot run at once: another loop can, or parts of this one."""
    axes, is_shared = data_axes(stage), verb == "parallelise"
    marks = {"parallelise": ("parallel", axes[:1]), "vectorize": ("vectorize", axes[-1:])}
    mark, others = marks.get(verb, ("", []))
    parts = {"factor_axis": 0, "parallel": thread_count()} if is_shared else {}
    return Refusal(
        f"{name} is a reduce axis: its iterations all add to the same elements, so they would race",
        f"{verb} a data axis ({', '.join(axes) or 'there is none'}), or make partial results: "
        f"s.rfactor({stage.name}, {name}{', parallel=True' if is_shared else ''})",
        instead=(
            *(Step(mark, stage.name, {"axis": axis}) for axis in others),
            Step("rfactor", stage.name, {"axis": name, **parts}),
        ),
    )


def data_axes(stage: Stage) -> list[str]:
    """The loops whose iterations are independent, by name."""
    return [stage.axis_name(iv) for iv in stage.leaf_iter_vars if iv.kind is AxisKind.DATA]


def root_of(stage: Stage, iv: IterVar) -> IterVar:
    """The axis that a loop was split from, however often."""
    for r in reversed(stage.relations):
        if isinstance(r, Split) and (iv is r.outer or iv is r.inner):
            iv = r.parent
    return iv


def constant_extent(stage: Stage, iv: IterVar, most: int, verb: str) -> Refusal | None:
    """Loops whose iterations become code or lanes run a known number of times, `most` at most."""
    # A stage that is computed at a loop may need a constant part of a symbolic axis; lowering knows.
    # Of a reduce axis all is needed everywhere.
    size = const_int(stage.schedule.extents(stage)[iv])
    name = stage.axis_name(iv)
    partial = stage.attach is not None and iv.kind is not AxisKind.REDUCE
    later = not stage.is_output and iv.kind is not AxisKind.REDUCE
    if size is None and not partial:
        hint = f"split {name} by a constant and {verb} the inner loop"
        return Refusal(f"the extent of {name} is not a constant", hint, later)
    if size is not None and size > most and not partial:
        hint = f"split {name} and {verb} the inner loop"
        return Refusal(f"{name} has {size} iterations, more than {most}", hint, later)
    return None


def no_calls(stage: Stage, iv: IterVar) -> Refusal | None:
    """Loops around the calls of an extern cannot become lanes."""
    if not isinstance(stage.op, ExternOp):
        return None
    return Refusal(
        f"every iteration of {stage.axis_name(iv)} is a call of extern {stage.name}, and calls cannot become lanes",
        "vectorize a stage that computes, or parallelise this loop",
    )


def nothing_inside(stage: Stage, iv: IterVar) -> Refusal | None:
    """Iterations that become lanes run at once: no other stage can be computed in one of them."""
    at = stage.leaf_iter_vars.index(iv)
    for inner in stage.leaf_iter_vars[at:]:
        for s in attached_at(stage, inner):
            return Refusal(
                f"{s.name} is computed inside of loop {stage.axis_name(iv)}, and its loops cannot become lanes",
                f"compute {s.name} further out",
            )
    return None


def agrees_with_marks(stage: Stage, primitive: str, iv: IterVar) -> Refusal | None:
    """Whether the other marks of a stage agree with one that `primitive` leaves on a loop."""
    before = stage.marks
    if not before:
        return None
    stage.mark(primitive, iv)
    try:
        return broken_invariant(stage, besides=primitive)
    finally:
        stage.marks = before


def one_vector_loop(stage: Stage, iv: IterVar) -> Refusal | None:
    """One loop of a stage becomes lanes."""
    other = next((m.axis for m in stage.marks_of("vectorize") if m.axis is not iv), None)
    if other is None:
        return None
    name, mine = stage.axis_name(other), stage.axis_name(iv)
    hint = f"fuse {name} and {mine}, then vectorize"
    if other.kind is not iv.kind:  # of which no loop is made
        hint = f"take that step back to vectorize {mine}"
    return Refusal(f"loop {name} is vectorized already", hint, later=True)


def in_given_order(stage: Stage, verb: str) -> Refusal | None:
    """Calls of a stateful extern come one after the other, first tile first."""
    if isinstance(stage.op, ExternOp) and stage.op.effect == "stateful":
        return Refusal(
            f"extern {stage.name} is stateful: to {verb} its loops changes what its calls see",
            "declare effect='idempotent' if the order does not matter",
        )
    return None


def broken_invariant(stage: Stage, besides: str | None = None) -> Refusal | None:
    """Why the loops and places as they are now do not agree with the marks of `stage`, `besides` those of one
    primitive."""
    broken = _broken(stage, besides)
    return None if broken is None else broken[1]


def _broken(stage: Stage, besides: str | None = None) -> tuple[str, Refusal] | None:
    """A primitive whose mark does not agree with the loops and places as they are now, and why."""
    for name in dict.fromkeys([m.primitive for m in stage.marks]) if stage.marks else ():
        invariant = PRIMITIVES[name].invariant
        refused = invariant(stage) if invariant is not None and name != besides else None
        if refused is not None:
            return name, refused
    return None


# ---------------------------------------------------------------- trying other loops and places


@contextmanager
def trying(stage: Stage) -> Iterator[None]:
    """What happens to the loops of `stage` inside of the block is undone at its end."""
    before, leaves = list(stage.relations), stage.leaf_iter_vars
    try:
        yield
    finally:
        stage.relations, stage.leaf_iter_vars = before, leaves


@contextmanager
def placed(stage: Stage | StageGroup, place: At | With | str | None) -> Iterator[None]:
    """Inside of the block `stage` is computed at `place`. That the schedule is found right there says nothing of it as it is."""
    schedule = stage.schedule
    before, judged = stage.own_place, schedule.judged
    stage.own_place = place
    try:
        yield
    finally:
        stage.own_place, schedule.judged = before, judged


def reordered(leaves: LoopList, axes: list[IterVar]) -> LoopList:
    """The loops with `axes` put, in their order, into the places that they take now."""
    moved, following = LoopList(axes), iter(axes)
    return LoopList([next(following) if iv in moved else iv for iv in leaves])


def hybrid_refusal(stage: Stage) -> Refusal | None:
    """Why the statement of a hybrid function cannot take the loops that its stage has now."""
    assert isinstance(stage.op, HybridOp)
    try:
        scheduled_body(stage, stage.op.body)
    except LowerError as e:
        return Refusal(e.message, e.hint)
    return broken_invariant(stage)


# ---------------------------------------------------------------- places


def not_given(stage: Stage, verb: str) -> Refusal | None:
    """Where a stage is computed is a question for those that are neither inputs nor outputs."""
    if isinstance(stage.op, PlaceholderOp):
        return not_computed(stage)
    if stage.is_output:
        read = [s for s in stage.reads() if not s.is_placeholder]
        return Refusal(
            f"{stage.name} is an output, and outputs are computed at the root",
            f"{verb} what it reads",
            instead=tuple([step for s in read for step in _elsewhere(verb, s, stage)]),
        )
    return None


def _elsewhere(verb: str, stage: Stage, reader: Stage) -> tuple[Step, ...]:
    """The step that computes a stage elsewhere, where `reader` reads it, as `verb` says."""
    if verb == "inline":
        return (Step("compute_inline", stage.name),)
    return computed_in("compute_at", stage, reader) if verb == "compute_at" else ()


def read_by(stage: Stage) -> str:
    """The readers of a stage, for a hint."""
    readers = [s.name for s in stage.readers()]
    return f"it is read by {', '.join(readers)}" if readers else "nothing reads it"


def misplaced_at(stage: Stage, attach: At | With | str | None) -> Refusal | None:
    """Why the places of the stages would not fit together, for now, with this one at `attach`. Stages are never in a circle, and
    a part of a scan never leaves it."""
    with placed(stage, attach):
        if _circular(stage, set()):
            return Refusal(f"{stage.name} would be computed inside of itself", "move one of them")
        outside = next((refused for part, refused in misplaced_parts(stage.schedule) if part is stage), None)
        return outside or for_now(misplaced(stage.schedule))


def unsettled(schedule: Schedule) -> Refusal | None:
    """Why the bounds of the stages are not known, for now."""
    return for_now(misplaced(schedule)) if schedule.doubts else None


def misplaced(schedule: Schedule) -> Refusal | None:
    """Why the stages cannot be computed where they stand."""
    fault = first_fault(schedule)
    return None if fault is None else fault.refusal


@dataclass(frozen=True, slots=True)
class Fault:
    """What is not right with a schedule as it stands: a stage, and the primitive that was called on it."""

    stage: Stage
    primitive: str
    refusal: Refusal


@any_depth
def first_fault(schedule: Schedule) -> Fault | None:
    """The first place or mark that does not fit the others: each loop must be around everything that reads the stage
    in it."""
    for part, outside in misplaced_parts(schedule):
        return Fault(part, _placed_by(part), outside)
    placed = [s for s in schedule.stages if isinstance(s.attach, At | With) and not s.is_placeholder]
    ends: set[Stage] = set()
    for stage in placed:
        if _circular(stage, ends):
            return Fault(
                stage,
                _placed_by(stage),
                Refusal(f"{stage.name} would be computed inside of itself", "move one of them"),
            )
        refused = not_a_place(stage) if isinstance(stage.attach, At) else None
        if refused:
            return Fault(stage, "compute_at", refused)
    joined = join_fault(schedule)
    if joined is not None:
        return joined
    answers: _Inside = {}
    for stage in schedule.stages:
        broken = _broken(stage)
        if broken:
            return Fault(stage, *broken)
        refused = no_expression(stage) if stage.is_inlined else _wrong_place(stage, answers)
        if refused:
            return Fault(stage, _placed_by(stage), refused)
    return None


def join_fault(schedule: Schedule) -> Fault | None:
    """The first stage that cannot be computed with another one, or after it in its loops."""
    joined = joined_stages(schedule)
    for stage in joined:
        refused = wrongly_joined(stage) or _wrong_place(stage, {})
        if refused:
            return Fault(stage, _placed_by(stage), refused)
    circle = in_a_circle(schedule) if joined else None
    if circle is not None:
        return Fault(circle[0], _placed_by(circle[0]), circle[1])
    for stage in schedule.stages if joined else ():
        at = stage.attached
        if at is not None and not stage.is_after and depends_on(stage, [at.stage]):
            reason = f"{stage.name} depends on {at.stage.name}, in whose loops it would be computed before it"
            return Fault(stage, "compute_at", Refusal(reason, f"compute {stage.name} inline"))
    return None


def _placed_by(stage: Stage) -> str:
    """The primitive that computes a stage where it stands."""
    if stage.is_after:
        return "reverse_compute_at"
    if isinstance(stage.attach, With):
        return "compute_with"
    if stage.is_inlined:
        return "compute_inline"
    return "compute_root" if stage.attach is None else "compute_at"


def not_a_place(stage: Stage) -> Refusal | None:
    """Why the loop that `stage` is computed at is not there, or takes no other loops inside."""
    assert isinstance(stage.attach, At)
    parent, axis = stage.attach.stage, stage.attach.axis
    name = parent.axis_name(axis)
    if parent.is_inlined:
        return Refusal(
            f"{parent.name} is computed inline and has no loops, so {stage.name} cannot be computed in its loop {name}",
            f"s[{parent.name}].compute_root(), or compute {stage.name} elsewhere",
        )
    if axis not in parent.leaf_iter_vars:
        became = parent.replaced_by(axis) or "moved to another stage"
        return Refusal(
            f"{stage.name} is computed at loop {name} of {parent.name}, which was {became}",
            f"compute {stage.name} at a loop that is left",
        )
    if not parent.marks:
        return None
    if any(parent.loop_kind(iv) is ForKind.VECTORIZED for iv in loops_to(parent, axis)):
        return Refusal(
            f"loop {name} of {parent.name} is vectorized, and loops cannot become lanes",
            f"compute {stage.name} at a loop around it, or s[{parent.name}].unroll() the loop instead",
        )
    if parent.loop_kind(axis) is ForKind.DOT:
        return Refusal(
            f"loop {name} of {parent.name} is marked dot, and nothing but products is inside of it",
            f"compute {stage.name} at a loop around it",
        )
    return None


def no_expression(stage: Stage) -> Refusal | None:
    """Why there is no expression of `stage` to put where it is read, or no expression to put it in."""
    assert isinstance(stage.op, ComputeOp)
    if any(isinstance(e, Reduce) for e in stage.op.body):
        return Refusal(
            "a reduction needs loops and cannot be inlined", "use compute_at", instead=in_a_reader(stage)
        )
    for reader in stage.readers():
        if not isinstance(reader.op, ComputeOp):
            return Refusal(
                f"{reader.name} reads {stage.name} from memory, so it cannot be inlined",
                "use compute_at",
                instead=computed_in("compute_at", stage, reader),
            )
    return None


def _wrong_place(stage: Stage, answers: _Inside) -> Refusal | None:
    """Why the loop that `stage` is computed at is not around everything that reads it."""
    at = stage.loop_around
    if at is None or stage.is_after:
        return None
    parent, axis = at.stage, at.axis
    for reader in stage.schedule.readers_of(stage):
        if not inside(reader, parent, axis, answers):
            if stage not in parent.reads() and not reads_through(parent, stage):
                return Refusal(f"{parent.name} does not read {stage.name}", read_by(stage))
            return Refusal(
                f"{reader.name} also reads {stage.name}, and is computed outside of loop "
                f"{parent.axis_name(axis)} of {parent.name}",
                f"compute {reader.name} at the same loop, or {stage.name} further out",
            )
    return _hybrid_reads(stage, parent, axis) or range_known_outside(stage, parent, axis)


def reads_through(parent: Stage, stage: Stage) -> bool:
    """Whether some reader of `stage` is computed inside of `parent`, or inlined into it."""
    seen = set()
    pending = stage.readers()
    while pending:
        reader = pending.pop()
        if reader is parent:
            return True
        if reader not in seen:
            seen.add(reader)
            if reader.is_inlined:
                pending.extend(reader.readers())
            elif isinstance(reader.attach, At):
                pending.append(reader.attach.stage)
    return False


def _hybrid_reads(stage: Stage, parent: Stage, axis: IterVar) -> Refusal | None:
    """Why a hybrid function does not read the stage inside of that loop only, at indices that are known there."""
    if not isinstance(parent.op, HybridOp) or stage not in parent.reads():
        return None
    op, name = parent.op, parent.axis_name(axis)
    buffers = [
        b for t, b in zip(op.inputs, op.in_buffers, strict=True) if stage.schedule.stage_of(t) is stage
    ]
    still = [iv.var for iv in loops_to(parent, axis)]
    for access in accesses_of(scheduled_body(parent, op.body), buffers):
        line = "" if access.line is None else f" (line {access.line})"
        if not any(n.var is axis.var for n in access.loops):
            return Refusal(
                f"{parent.name} reads {stage.name} outside of loop {name} too{line}",
                f"choose a loop that is around all of them, or s[{stage.name}].compute_root()",
            )
        if None in access.box(still):
            indices = ", ".join(script(i) for i in access.node.indices)
            return Refusal(
                f"which elements of {stage.name} an iteration of {name} reads is known only when it runs: "
                f"{access.node.buffer.name}[{indices}]{line}",
                f"compute {stage.name} at the root",
            )
    return None


def _circular(stage: Stage, ends: set[Stage]) -> bool:
    """Whether `stage` is computed inside of itself. `ends` are stages that are not; more are added."""
    seen = {stage}
    place = stage.attach
    while isinstance(place, At | With) and place.stage not in ends:
        if place.stage in seen:
            return True
        seen.add(place.stage)
        place = place.stage.attach
    ends |= seen
    return False


def inside(reader: Stage, parent: Stage, axis: IterVar, answers: _Inside | None = None) -> bool:
    """Whether all of `reader` is computed inside loop `axis` of `parent`. `answers` are those for inlined stages so
    far."""
    if reader is parent:
        return True
    if reader.is_inlined:
        known, key = {} if answers is None else answers, (reader, parent, axis)
        if key not in known:
            known[key] = all([inside(r, parent, axis, known) for r in reader.readers()])
        return known[key]
    if isinstance(reader.attach, With):
        host = reader.attach.stage
        return _shared(reader, axis) is not None if host is parent else inside(host, parent, axis, answers)
    if not isinstance(reader.attach, At):
        return False
    if reader.attach.stage is parent:
        return axis is reader.attach.axis or axis in LoopList(loops_to(parent, reader.attach.axis))
    beside = reader.attach.stage.attach
    if isinstance(beside, With) and beside.stage is parent:
        same = _shared(reader.attach.stage, axis)
        return same is not None and inside(reader, reader.attach.stage, same, answers)
    return inside(reader.attach.stage, parent, axis, answers)


def _shared(stage: Stage, axis: IterVar) -> IterVar | None:
    """The loop of a stage that is the same as loop `axis` of the one it is computed with."""
    return next((mine for theirs, mine in shared_pairs(stage) if theirs is axis), None)
