"""store_at and store_root: where a stage is kept, apart from where it is computed."""

from __future__ import annotations

from collections.abc import Iterator

from tewb.ir import IterVar
from tewb.schedule.bounds import infer_bounds
from tewb.schedule.declare import (
    Arguments,
    Param,
    Refusal,
    Repair,
    Results,
    Selection,
    Values,
    loop_names,
    primitive,
)
from tewb.schedule.journal import Step
from tewb.schedule.places import enclosing, inside_of
from tewb.schedule.questions import attached_at, for_now, no_other_loop, not_given
from tewb.schedule.rounded_tails import kept_between_iterations, rounded_axes
from tewb.schedule.scans import shares_memory
from tewb.schedule.shared_loops import is_run_by, run_by, runs_in_order
from tewb.schedule.sliding import window_of
from tewb.schedule.stage import At, Mark, Stage
from tewb.tensor import ScanOp, Tensor

ROOT = "root"


def _parents(stage: Stage) -> list[str]:
    """The stages around the place of a stage."""
    return list(dict.fromkeys(s.name for s, _ in enclosing(stage)))


@primitive(
    Param("parent", "stage", "the stage to keep this one in", choices=_parents, code="s[{}]"),
    Param("axis", "place", "a loop of that stage, around the one that this stage is computed at"),
    is_place=True,
)
def store_at(stage: Stage, parent: Stage | Tensor, scope: IterVar | str) -> None:
    """Keep this stage in memory inside of loop `scope` of stage `parent`, around the loop that it is computed at. What an
    iteration of the loops between has computed is not computed again, and memory goes round where an iteration needs a part
    of it: no more than the rows that are in use, rounded up to a power of two where that is cheap.

        for y:                                     B = allocate((4, m))
            B = allocate((3, m))                   for y:
            for r in 3: B[r] = f(y + r)     ->         for r in 3: if y == 0 or r == 2: B[(y + r) % 4] = f(y + r)
            C[y] = B[0] + B[1] + B[2]                  C[y] = B[y % 4] + B[(y + 1) % 4] + B[(y + 2) % 4]

    The loops between run in order. Along a loop where a part does not slide forwards, or that leaves iterations out, the
    whole part is computed each time: `s[B].sliding` says so, and why. Memory does not go round for externs, hybrid
    functions and intrinsics, which see views of it.
    """
    stage.do("store_at", parent=parent, axis=scope)


@store_at.legal
def _at_refusal(stage: Stage, v: Values) -> Refusal | None:
    parent, axis = v["parent"], v["axis"]
    of_itself = Refusal("a stage cannot be kept inside of itself", "name a stage that reads it")
    return (
        _keepable(stage)
        or no_other_loop(stage, parent, axis, of_itself)
        or for_now(_kept_between(stage, At(parent, axis)))
    )


def _keepable(stage: Stage) -> Refusal | None:
    """Whether a stage has memory of its own whose place can be chosen."""
    return not_given(stage, "keep") or shares_memory(stage, "place")


def not_kept_around(stage: Stage, iv: IterVar) -> Refusal | None:
    """Why the iterations of a loop of `stage` must come in order: they share what is kept of another stage."""
    for s in stage.schedule.stages:
        between = inside_of(s.stored, enclosing(s)) if s.stored else None
        if any(is_run_by(*loop, stage, iv) for loop in between or ()):
            return Refusal(
                f"{s.name} is kept around {stage.axis_name(iv)}, and shared by its iterations: they must come in order",
                f"s[{s.name}].store_at a loop inside of it, or choose another loop",
            )
    return None


@store_at.invariant
def _in_order(stage: Stage) -> Refusal | None:
    """Why a stage cannot be kept around the loops that it is computed in."""
    return _kept_between(stage, stage.stored)


def _kept_between(stage: Stage, stored: At | str | None) -> Refusal | None:
    name = stage.name
    if stage.attached is None or stage.is_after:
        return Refusal(
            f"{name} is kept around a loop that it is computed at, and it is computed at none",
            f"s[{name}].compute_at(...)",
        )
    for other, word in ((stage.is_rolling, "rolling_buffer"), (stage.is_double, "double_buffer")):
        if other:
            return Refusal(f"{word} says where {name} is kept", "choose one of the two")
    if rounded_axes(stage.relations):
        return kept_between_iterations(stage)
    around = enclosing(stage)
    between = inside_of(stored, around)
    at = stage.attached
    where = f"loop {at.stage.axis_name(at.axis)} of {at.stage.name}"
    if between is None:
        assert isinstance(stored, At)
        loop = stored.stage.axis_name(stored.axis)
        return Refusal(
            f"{name} is computed at {where}, which is not inside of loop {loop} of {stored.stage.name}",
            f"keep it at a loop around {where}",
        )
    for s, iv in between:
        loop = f"loop {s.axis_name(iv)} of {s.name}"
        if isinstance(s.op, ScanOp):
            return Refusal(
                f"{loop} is the time of a scan, whose stages have memory of their own",
                f"s[{name}].store_at a loop inside of it",
            )
        if not runs_in_order(s, iv):
            host, one = run_by(s, iv)
            bound = one in host.threads
            how = f"is bound to {host.threads[one].key}" if bound else f"is marked {host.annotations[one]}"
            how += f" as {host.axis_name(one)} of {host.name}" if host is not s else ""
            return Refusal(
                f"{loop} {how}: its iterations do not come one after the other, and would write to the memory of "
                f"{name} at once",
                "store_at a loop inside of it: each iteration then has memory of its own, and a window of its own",
            )
        ahead = next((x for x in attached_at(s, iv) if x.is_double), None)
        if ahead is not None:
            return Refusal(f"{ahead.name} is double buffered at {loop}", "choose one of the two")
    if any(x.threads for x in (stage, *(s for s, _ in around))):
        return _threads_share(stage)
    return None


def _threads_share(stage: Stage) -> Refusal:
    return Refusal(
        f"threads are bound to loops around {stage.name}, and its scope says which of them share its memory",
        f"leave out store_at: s[{stage.name}].set_scope(...)",
    )


def without_threads(stage: Stage) -> Refusal | None:
    """Why loops of `stage` cannot be bound to threads: their memory is that of one."""
    for s in stage.schedule.stages:
        if s.stored and (s is stage or any(x is stage for x, _ in enclosing(s))):
            return _threads_share(s)
    return None


@store_at.effect
def _effect(stage: Stage, v: Values, step: int) -> Results:
    _keep(stage, step, "store_at", v["parent"], v["axis"])
    return []


def _keep(stage: Stage, step: int, primitive: str, *values: object) -> None:
    for word in ("store_at", "store_root"):
        stage.unmark(word)
    stage.mark(primitive, None, *values)
    stage.place(step)


@store_at.suggest
def _suggest(at: Selection) -> Iterator[Arguments]:
    for parent, loop in _places(at.stage) or [(at.stage.name, at.loop)]:
        yield {"parent": parent, "axis": loop}


def _places(stage: Stage) -> list[tuple[str, str | None]]:
    """Loops around the one that a stage is computed at; before it is computed at one, those of its readers that have others
    inside of them."""
    around = enclosing(stage)
    if around:
        return [(s.name, s.axis_name(iv)) for s, iv in around[1:]]
    return [(s.name, loop) for s in stage.readers() for loop in loop_names(s)[:-1]]


@store_at.repairs
def _compute_inside(at: Selection, args: Arguments) -> Iterator[Repair]:
    parent, loop = at.stage.schedule.find(args.get("parent")), args.get("axis")
    loops = [] if parent is None else loop_names(parent)
    if loop in loops:
        for inner in loops[loops.index(loop) + 1 :]:
            yield Repair(Step("compute_at", at.stage.name, {"parent": args["parent"], "axis": inner}))


@store_at.mark_text
def _text(stage: Stage, mark: Mark) -> str:
    parent, axis = mark.values
    return f"kept at {parent.name}.{parent.axis_name(axis)}"


@store_at.stage_property
def stored(stage: Stage) -> At | str | None:
    """Where its memory is: at a loop around the one that it is computed at, or at the root; None where it is computed."""
    for m in stage.marks:
        if m.primitive == "store_at":
            return At(*m.values)
        if m.primitive == "store_root":
            return ROOT
    return None


@store_at.stage_property
def sliding(stage: Stage) -> str:
    """Along which loops it slides, in how many places its memory goes round, and where it does not, why."""
    window = window_of(stage, infer_bounds(stage.schedule))
    return "it is kept where it is computed" if window is None else str(window)


@primitive(is_place=True)
def store_root(stage: Stage) -> None:
    """Keep this stage in memory outside of all loops, and compute it where it is computed: as `store_at`, around all loops.

    for y: for x: B = f(y, x); use B    ->    B = allocate(...); for y: for x: what is new of B; use B
    """
    stage.do("store_root")


@store_root.legal
def _root_refusal(stage: Stage, v: Values) -> Refusal | None:
    return _keepable(stage) or for_now(_kept_between(stage, ROOT))


@store_root.invariant
def _in_order_at_root(stage: Stage) -> Refusal | None:
    return _kept_between(stage, stage.stored)


@store_root.effect
def _root_effect(stage: Stage, v: Values, step: int) -> Results:
    _keep(stage, step, "store_root")
    return []


@store_root.repairs
def _compute_in_loop(at: Selection, args: Arguments) -> Iterator[Repair]:
    for reader in at.stage.readers():
        for loop in loop_names(reader):
            yield Repair(Step("compute_at", at.stage.name, {"parent": reader.name, "axis": loop}))


@store_root.mark_text
def _root_text(stage: Stage, mark: Mark) -> str:
    return "kept at the root"
