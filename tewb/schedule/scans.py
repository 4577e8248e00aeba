"""Scans in a schedule: their steps are computed inside of the loop over time, into the memory of the scan.

res.init:                       the first steps
for res.idx in n - 1:           time, in order
    <stages of the body>        what depends on a state, for one step
    update                      its row of `res`
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tewb.base import ScheduleError, here
from tewb.schedule.declare import Refusal
from tewb.schedule.stage import At, Stage
from tewb.tensor import ComputeOp, ScanOp, check_accesses, reads_earlier

if TYPE_CHECKING:
    from tewb.schedule.schedule import Schedule


def place_scans(schedule: Schedule) -> None:
    """Place the stages of scans: inits before the loop over time, states and all that depends on them inside. Raises
    ScheduleError for what cannot be computed there."""
    scans = [s for s in schedule.stages if isinstance(s.op, ScanOp)]
    owners: dict[Stage, Stage] = {}
    for stage in scans:
        op = stage.op
        assert isinstance(op, ScanOp)
        for part in parts_of(schedule, op):
            owner = owners.setdefault(part, stage)
            if owner is not stage:
                raise ScheduleError(
                    f"{part.name} belongs to the scans {owner.name} and {stage.name}, and can be a part of one",
                    hint="give each scan a state, an init and an update of its own",
                    span=here(),
                )
            part.attach = At(stage, op.init_axis if _is_init(part, op) else op.scan_axis)
    for stage in schedule.stages:
        if stage not in owners:
            _check_outside(stage, owners)
    for stage in schedule.output_stages:
        if stage in owners:
            raise ScheduleError(
                f"{stage.name} is a part of scan {owners[stage].name}, and no output",
                hint=f"te.create_schedule({owners[stage].name}.op)",
                span=here(),
            )


def parts_of(schedule: Schedule, op: ScanOp) -> list[Stage]:
    """The stages of a scan's inits, states and body."""
    tensors = (*op.init, *op.states, *(c.output(0) for c in op.body))
    return list(dict.fromkeys(schedule.stage_of(t) for t in tensors))


def _is_init(part: Stage, op: ScanOp) -> bool:
    return any(t.op is part.op for t in op.init)


def _check_outside(stage: Stage, owners: dict[Stage, Stage]) -> None:
    """Raise for a stage outside of all scans that reads a part of one, or reads an input before its first element."""
    for read in stage.reads() if owners else ():
        if read in owners and owners[read] is not stage:
            raise ScheduleError(
                f"{stage.name} reads {read.name}, a part of scan {owners[read].name}, and is no part of it",
                hint=f"read {owners[read].name}",
                span=stage.op.span or here(),
            )
    op = stage.op
    if isinstance(op, ComputeOp) and op.unproved and reads_earlier(op):
        check_accesses(op, of_a_step=False)


def scan_of(stage: Stage) -> Stage | None:
    """The scan whose init, state or step `stage` is; None for other stages."""
    return next((s for s in _scans(stage.schedule) if stage in parts_of(stage.schedule, _op(s))), None)


def misplaced_parts(schedule: Schedule) -> Iterator[tuple[Stage, Refusal]]:
    """The parts of scans that cannot stand where they do, and why: inits and updates are computed into the memory of their scan,
    and all that depends on a state inside of its loop."""
    for s in _scans(schedule):
        op = _op(s)
        for tensors, axis, when in (
            (op.init, op.init_axis, "before its steps"),
            (op.update, op.scan_axis, "in its steps"),
        ):
            for part in (schedule.stage_of(t) for t in tensors):
                at = part.attached
                if at is None or at.stage is not s or at.axis is not axis:
                    yield (
                        part,
                        Refusal(
                            f"{part.name} is computed into the memory of scan {s.name}, {when}, and nowhere else",
                            f"move {s.name}, or schedule the loops of {part.name} where it stands",
                        ),
                    )
        for part in (schedule.stage_of(c.output(0)) for c in op.body):
            if not part.is_inlined and not _is_at_step(part, s):
                yield (
                    part,
                    Refusal(
                        f"{part.name} depends on a state of scan {s.name}, and is computed outside of its loop "
                        f"{s.axis_name(op.scan_axis)}",
                        f"s[{part.name}].compute_at(s[{s.name}], {s.name}.op.scan_axis)",
                    ),
                )


def _is_at_step(part: Stage, scan: Stage) -> bool:
    """Whether a stage is computed inside of the loop over the time of a scan."""
    seen, place = {part}, part.attached
    while place is not None and place.stage not in seen:
        if place.stage is scan:
            return place.axis is _op(scan).scan_axis
        seen.add(place.stage)
        place = place.stage.attached
    return False


def holder_of(stage: Stage) -> Stage | None:
    """The scan into whose memory `stage`, an init or an update, is computed; None for other stages."""
    for s in _scans(stage.schedule):
        if any(stage.schedule.stage_of(t) is stage for t in (*_op(s).init, *_op(s).update)):
            return s
    return None


def shares_memory(stage: Stage, verb: str) -> Refusal | None:
    """Why an init or an update of a scan has no memory of its own to `verb`."""
    holder = holder_of(stage)
    if holder is None:
        return None
    return Refusal(
        f"{stage.name} is computed into the memory of scan {holder.name}, so there is none to {verb}",
        f"call it on {holder.name}, or on another stage of its body",
    )


def _scans(schedule: Schedule) -> Iterator[Stage]:
    return (s for s in schedule.stages if isinstance(s.op, ScanOp))


def _op(stage: Stage) -> ScanOp:
    assert isinstance(stage.op, ScanOp)
    return stage.op


def scan_memory(schedule: Schedule) -> dict[tuple[Stage, int], tuple[Stage, int]]:
    """Of each output of the inits, updates and states of scans: the output of the scan that holds it."""
    shared: dict[tuple[Stage, int], tuple[Stage, int]] = {}
    for s in _scans(schedule):
        op = _op(s)
        groups: Sequence[Sequence[object]] = (op.init, op.update, op.states)
        for tensors in groups:
            for number, t in enumerate(tensors):
                shared[schedule.stage_of(t), t.value_index] = (s, number)  # type: ignore[arg-type, attr-defined]
    return shared
