"""Schedules that leave loops as they are: what is injective is computed where it is used."""

from __future__ import annotations

from typing import Any

from tewb.schedule import Schedule
from tewb.topi.generic.stages import inline_all, read_by_reductions, schedule_of


def schedule_injective_from_existing(sch: Schedule, out: Any) -> Schedule:
    """The loops of one more output, fused to one."""
    sch[out].fuse(*sch[out].op.axis)
    return sch


def schedule_default(outs: Any, *_: Any) -> Schedule:
    """What is injective where it is used, unless a reduction reads it; the rest in the order of the graph. Further
    arguments, such as a layout, say nothing here."""
    s, tensors = schedule_of(outs)
    many = read_by_reductions(tensors)
    inline_all(s, tensors, keep=lambda t: t.op in many)
    return s


def schedule_extern(outs: Any) -> Schedule:
    """An extern's loops are its own; what is injective around it is computed where it is used."""
    s, tensors = schedule_of(outs)
    inline_all(s, tensors)
    return s
