"""Stages in the loops of another: computed with it, or after it, iteration by iteration.

    for i: A[i] = ...          for i:                      for i: P[i] = ...          for i:
    for i: B[i] = ...    ->        A[i] = ...              for i: C[i] = f(P[i])  ->      P[i] = ...
                                   B[i] = ...  (with)                                     C[i] = f(P[i])  (after)

Stages that share loops do not depend on each other: then any iterations of theirs may run side by side. A stage that comes
after another one in its loops reads of it what iterations so far have made: `made_so_far.py` proves that. The stages of
a nest are computed together, so that no stage outside may stand between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tewb.ir import AxisKind, ForKind, IterVar
from tewb.schedule.declare import Refusal, computed_in
from tewb.schedule.hybrid_loops import loops_to
from tewb.schedule.rounded_tails import rounded_axes
from tewb.schedule.scans import scan_of
from tewb.schedule.stage import At, LoopList, Stage, With
from tewb.schedule.threads import uses_threads
from tewb.tensor import ComputeOp, ExternOp, ScanOp
from tewb.tensor.hybrid import HybridOp

if TYPE_CHECKING:
    from tewb.schedule.schedule import Schedule

_ALONE = "its loops are no ordinary ones that another stage can be in"


def joined_stages(schedule: Schedule) -> list[Stage]:
    """The stages that are computed with others, or after them in their loops, in the order of computation."""
    return [s for s in schedule.stages if s.host is not None]


def nest_of(stage: Stage) -> Stage:
    """The stage at the root in whose nest a stage is computed."""
    seen = {stage}
    while isinstance(stage.attach, At | With) and stage.attach.stage not in seen:
        stage = stage.attach.stage
        seen.add(stage)
    return stage


def shared_pairs(stage: Stage) -> list[tuple[IterVar, IterVar]]:
    """The loops that a stage shares with the one it is computed with: those of that one, each with its own."""
    at = stage.attach
    if not isinstance(at, With):
        return []
    return list(zip(loops_to(at.stage, at.axis), stage.leaf_iter_vars, strict=False))


def run_by(stage: Stage, iv: IterVar) -> tuple[Stage, IterVar]:
    """The loop that runs a loop of a stage, with its stage, whose marks say how: of a shared one that of the other stage."""
    theirs = next((theirs for theirs, mine in shared_pairs(stage) if mine is iv), None)
    return (stage, iv) if theirs is None else (stage.attach.stage, theirs)  # type: ignore[union-attr]


def is_run_by(stage: Stage, iv: IterVar, host: Stage, loop: IterVar) -> bool:
    """Whether a loop of a stage is run by `loop` of `host`, which may be itself."""
    s, x = run_by(stage, iv)
    return s is host and x is loop


def runs_in_order(stage: Stage, iv: IterVar) -> bool:
    """Whether the iterations of a loop come one after the other."""
    stage, iv = run_by(stage, iv)
    return stage.loop_kind(iv) in (None, ForKind.SERIAL, ForKind.UNROLLED) and iv not in stage.threads


def _loops_around(at: At | With) -> LoopList:
    """The loops of a stage around a place in it, outermost first."""
    return LoopList(loops_to(at.stage, at.axis))


# ---------------------------------------------------------------- what depends on what


def read_after_inlining(stage: Stage) -> list[Stage]:
    """The stages that a stage reads, itself or by what is computed inline in it."""
    found: dict[Stage, None] = {}
    pending = stage.reads()
    for s in pending:
        if s.is_inlined:
            pending += [r for r in s.reads() if r not in pending]
        else:
            found[s] = None
    return list(found)


def depends_on(stage: Stage, others: Iterable[Stage]) -> Stage | None:
    """One of `others` that a stage needs, itself or by what it reads; None where it needs none."""
    wanted, seen, pending = set(others), {stage}, [stage]
    while pending:
        for s in pending.pop().reads():
            if s in wanted:
                return s
            if s not in seen:
                seen.add(s)
                pending.append(s)
    return None


def nests_in_order(schedule: Schedule) -> list[Stage]:
    """The stages at the root, each after the nests that its own reads; where that is a circle, in the order of the program."""
    return in_order(schedule, _at_root(schedule))


def in_order(schedule: Schedule, stages: Sequence[Stage]) -> list[Stage]:
    """The stages at one place, which are given in the order of the program, each after those that its own nest reads; where that
    is a circle, as they are given."""
    return _ordered(schedule, stages)[0]


def _at_root(schedule: Schedule) -> list[Stage]:
    return [s for s in schedule.stages if s.attach is None and not s.is_placeholder]


def _ordered(schedule: Schedule, stages: Sequence[Stage]) -> tuple[list[Stage], Stage | None]:
    """The stages at one place in an order of computation, and one whose nest needs what itself makes, if there is one."""
    joined = joined_stages(schedule)
    if not joined:
        return list(stages), None
    needs: dict[Stage, dict[Stage, None]] = {s: {} for s in stages}

    def own_nest(s: Stage) -> Stage | None:
        return next((x for x in (s, *_places_around(s)) if x in needs), None)

    for s in schedule.stages:
        own = own_nest(s)
        if s.is_placeholder or s.is_inlined or own is None:
            continue
        for r in read_after_inlining(s):
            other = own_nest(r)
            if other is not None and other is not own:
                needs[own][other] = None
    order: dict[Stage, None] = {}
    while len(order) < len(stages):
        ready = next((s for s in stages if s not in order and all(n in order for n in needs[s])), None)
        if ready is None:
            left = [s for s in stages if s not in order]
            hosts = [s for s in left if any(own_nest(x) is s for x in joined)]
            return list(stages), (hosts or left)[0]
        order[ready] = None
    return list(order), None


# ---------------------------------------------------------------- why not


def wrongly_joined(stage: Stage) -> Refusal | None:
    """Why a stage cannot be computed with another one, or after it in its loops, as these are now."""
    at = stage.own_place
    if isinstance(at, With):
        return _no_host(stage, at) or _not_alike(stage, at) or _not_independent(stage, at)
    assert isinstance(at, At)
    return _no_host(stage, at) or _not_made(stage, at)


def in_a_circle(schedule: Schedule) -> tuple[Stage, Refusal] | None:
    """A stage in the loops of another between which and that one a third must be computed, and why."""
    places: dict[object, list[Stage]] = {None: _at_root(schedule)}
    for s in schedule.stages:
        if s.attached is not None and not s.is_after and not s.is_placeholder:
            places.setdefault((s.attached.stage, s.attached.axis), []).append(s)
    root = next((found for stages in places.values() if (found := _ordered(schedule, stages)[1])), None)
    if root is None:
        return None
    members = [s for s in schedule.stages if s is root or root in _places_around(s)]
    for s in [s for s in joined_stages(schedule) if s in members]:
        for r in [r for r in read_after_inlining(s) if r not in members]:
            found = depends_on(r, members)
            if found is not None:
                return s, Refusal(
                    f"{s.name} needs {r.name}, which needs all of {found.name}, and would be computed in the loops of "
                    f"{root.name} before that is made",
                    f"compute {r.name} inline, or {s.name} at the root",
                )
    s = next((s for s in joined_stages(schedule) if s in members), root)
    return s, Refusal(
        f"{root.name} and what is computed in its loops need what other loops make, and these need them",
        f"s[{s.name}].compute_root()",
    )


def _no_host(stage: Stage, at: At | With) -> Refusal | None:
    """Why the loops of the other stage are none that this one can be in."""
    host, name = at.stage, at.stage.name
    if uses_threads(stage.schedule):
        return Refusal("loops of this schedule are bound to threads", "compute it at the root")
    if stage.group is not None or host.group is not None:
        inside = stage if stage.group is not None else host
        return Refusal(
            f"{inside.name} is in a group, which says where it is computed", "leave it out of groups"
        )
    for s in (stage, host):
        scan = scan_of(s)
        if isinstance(s.op, ScanOp) or scan is not None:
            of = f"is a part of scan {scan.name}" if scan is not None else "is a scan"
            return Refusal(f"{s.name} {of}, whose steps come in order", "choose stages outside of scans")
        if rounded_axes(s.relations):
            return Refusal(
                f'a loop of {s.name} was split with tail="round_up", and goes past its end, where the other stage has nothing to do',
                'split it with tail="guard"',
            )
        if isinstance(s.op, ComputeOp) and s.op.domains:
            return Refusal(
                f"how often a loop of {s.name} runs depends on indices or elements",
                f"compute {s.name} at the root",
            )
    refused = _not_there(stage, at)
    if refused is not None:
        return refused
    loop = host.axis_name(at.axis)
    if at.axis not in host.leaf_iter_vars:
        became = host.replaced_by(at.axis) or "moved to another stage"
        return Refusal(f"loop {loop} of {name} was {became}", f"choose a loop of {name} that is left")
    for iv in _loops_around(at):
        if iv.kind is AxisKind.OPAQUE:
            return Refusal(
                f"{host.axis_name(iv)} is the inside of extern {name}", f"split {host.axis_name(iv)}"
            )
        if host.loop_kind(iv) is ForKind.DOT or any(
            m.primitive in ("tensorize", "transpose") for m in host.marks_on(iv)
        ):
            return Refusal(f"loop {host.axis_name(iv)} of {name}: {_ALONE}", "choose a loop around it")
    return None


def _not_there(stage: Stage, at: At | With) -> Refusal | None:
    """Why the other stage is where this one cannot be."""
    host, name = at.stage, at.stage.name
    if host.attach is None:
        return None
    place = host.attached
    if isinstance(at, At) or place is None or host.is_after:
        where = "inline" if host.is_inlined else "in loops of another stage"
        return Refusal(
            f"{name} is computed {where}, and its own loops are not at the root", f"s[{name}].compute_root()"
        )
    loop = f"loop {place.stage.axis_name(place.axis)} of {place.stage.name}"
    if stage.is_output:
        return Refusal(
            f"{stage.name} is an output, and outputs are computed at the root; {name} is computed in {loop}",
            f"s[{name}].compute_root()",
        )
    if host.is_double:
        return Refusal(
            f"{name} is double buffered, and computed an iteration of {loop} ahead", "choose one of the two"
        )
    if host.stored is not None or host.is_rolling:
        return Refusal(
            f"{name} is kept from one iteration of {loop} to the next, and computes what is new only",
            f"keep {name} where it is computed, or compute {stage.name} in {loop} by itself",
        )
    return None


# ---------------------------------------------------------------- with


def _not_alike(stage: Stage, at: With) -> Refusal | None:
    """Why the loops of a stage cannot be those of another one."""
    host, loops = at.stage, _loops_around(at)
    own = [iv for iv in stage.leaf_iter_vars if iv.kind is not AxisKind.OPAQUE]
    if len(own) < len(loops):
        return Refusal(
            f"{len(loops)} loops of {host.name} would be shared, and {stage.name} has {len(own)}",
            f"share fewer, or split {stage.name} as {host.name} is",
        )
    for theirs, mine in shared_pairs(stage):
        a, b = f"{host.axis_name(theirs)} of {host.name}", f"{stage.axis_name(mine)} of {stage.name}"
        kinds = [s.loop_kind(iv) or ForKind.SERIAL for s, iv in ((host, theirs), (stage, mine))]
        if kinds[1] not in (ForKind.SERIAL, kinds[0]):
            return Refusal(
                f"{b} is marked {stage.annotations[mine]}, and {a}, which runs it, is not",
                f"s[{host.name}].{stage.annotations[mine]}({host.axis_name(theirs)}): marks of shared loops are those of {host.name}",
            )
        if kinds[0] is ForKind.PARALLEL and not _runs_in_any_order(stage, mine):
            return Refusal(
                f"{a} runs parallel, and iterations of {b} do not run in any order",
                "share the loops around it, or mark neither",
            )
        if kinds[0] is ForKind.VECTORIZED:
            return Refusal(f"{a} and {b} become lanes, each of its own stage", "share the loops around them")
        if any(m.primitive in ("tensorize", "transpose") for m in stage.marks_on(mine)):
            return Refusal(f"{b}: {_ALONE}", "share the loops around it")
        ahead = next((s for s in stage.schedule.stages if s.is_double and isinstance(s.attach, At)
                      and (s.attach.axis is theirs or s.attach.axis is mine)), None)  # fmt: skip
        if ahead is not None:
            return Refusal(f"{ahead.name} is double buffered in a shared loop", "choose one of the two")
    return None


def _runs_in_any_order(stage: Stage, iv: IterVar) -> bool:
    """Whether the iterations of a loop may run at once."""
    op = stage.op
    calls = isinstance(op, ExternOp) and (op.effect == "stateful" or op.tail == "shift")
    return iv.kind is AxisKind.DATA and not calls


def _not_independent(stage: Stage, at: With) -> Refusal | None:
    """Why iterations of two stages may not run side by side."""
    host = at.stage
    members = [s for s in stage.schedule.stages if s is host or host in _places_around(s)]
    mine = [s for s in members if s is stage or stage in _places_around(s)]
    shared = {s for s in members if _is_for_both(s, host, at.axis)}
    others = [s for s in members if s not in mine and s not in shared]
    for s in mine:
        found = depends_on(s, others)
        if found is not None:
            return Refusal(
                f"{s.name} depends on {found.name}, and they would be computed side by side",
                f"s[{stage.name}].reverse_compute_at(s[{host.name}], ...) computes it after what it reads is made",
                instead=computed_in("reverse_compute_at", stage, host, host.axis_name(at.axis)),
            )
    for s in others:
        found = depends_on(s, mine)
        if found is not None:
            return Refusal(
                f"{s.name} depends on {found.name}, and they would be computed side by side",
                f"s[{found.name}].compute_at(s[{s.name}], ...) computes it before it is read",
                instead=computed_in("compute_at", found, s),
            )
    return None


def _places_around(stage: Stage) -> list[Stage]:
    """The stages in whose loops a stage is computed, innermost first."""
    found: list[Stage] = []
    while isinstance(stage.attach, At | With) and stage.attach.stage not in found:
        stage = stage.attach.stage
        found.append(stage)
    return found


def _is_for_both(s: Stage, host: Stage, axis: IterVar) -> bool:
    """Whether a stage is computed in the loops of `host` to `axis`, before what is in them."""
    at = s.attach
    if not isinstance(at, At) or at.after:
        return False
    if at.stage is host:
        return any(at.axis is iv for iv in loops_to(host, axis))
    return _is_for_both(at.stage, host, axis)


# ---------------------------------------------------------------- after


def _not_made(stage: Stage, at: At) -> Refusal | None:
    """Why what a stage reads is not made when its part is computed. What depends on bounds is asked there."""
    host, axis = at.stage, at.axis
    name, loops = host.name, _loops_around(at)
    if isinstance(host.op, HybridOp):
        return Refusal(
            f"which iterations of {name} make an element is known to its own code only",
            "compute it at the root",
        )
    if isinstance(stage.op, HybridOp):
        return Refusal(
            f"{stage.name} is a hybrid function, and computes all of its elements at once",
            "compute it at the root",
        )
    if not stage.op.tiled or not host.op.tiled:
        whole = stage if not stage.op.tiled else host
        return Refusal(
            f"extern {whole.name} has no declared access, and is computed as a whole",
            "declare its access, as in te.tiled",
        )
    if isinstance(stage.op, ExternOp) and stage.op.tail == "shift":
        return Refusal(
            f'extern {stage.name} has tail="shift", and its last tile would need what the iteration before has',
            "compute it at the root, or declare tail='clip'",
        )
    late = next((iv for iv in loops if iv.kind is AxisKind.REDUCE), None)
    if late is not None:
        return Refusal(
            f"loop {host.axis_name(axis)} of {name} is inside of its reduce loop {host.axis_name(late)}: no element of {name} "
            "is complete there",
            f"s[{name}].reorder(...): choose a loop around all reduce loops",
            instead=computed_in("reverse_compute_at", stage, host),
        )
    if any(host.loop_kind(iv) is ForKind.VECTORIZED for iv in loops):
        return Refusal(
            f"loop {host.axis_name(axis)} of {name} is in a vectorized one, and loops cannot become lanes",
            "choose a loop around it",
        )
    members = {s for s in stage.schedule.stages if nest_of(s) is host}
    read = [s for s in read_after_inlining(stage) if s in members]
    if not any(s is host or s.is_after for s in read):
        return Refusal(f"{stage.name} does not read {name}", f"{stage.name} reads {_names(stage)}")
    for s in read:
        if s is not host and s.is_after and s.attached is not None and s.attached.axis is not axis:
            loop = host.axis_name(s.attached.axis)
            return Refusal(
                f"{stage.name} reads {s.name}, which is computed after what is in loop {loop} of {name}",
                f"compute both at one loop of {name}",
            )
        if isinstance(s.attach, With):
            return Refusal(
                f"{stage.name} reads {s.name}, which is computed with {name}", "compute it at the root"
            )
    return None


def _names(stage: Stage) -> str:
    return ", ".join(s.name for s in read_after_inlining(stage)) or "nothing"
