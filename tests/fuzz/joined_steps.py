"""Stages in the loops of others: computed with them, or after what they read."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.fuzz.schedules import FACTORS, Step
from tewb.schedule import Schedule, Stage


def joined_steps(s: Schedule, rng: random.Random) -> Iterator[Step]:
    """Some stages one after the other, each in the loops of one that it reads, or of any other one. Steps that do not fit are
    refused."""
    computed = [st for st in s.stages if not st.is_placeholder]
    for stage in computed:
        read = [st for st in stage.reads() if not st.is_placeholder]
        others = [st for st in computed if st is not stage and not st.is_inlined]
        if read and rng.random() < 0.5:
            yield from _after(stage, rng.choice(read), rng)
        elif (siblings := _siblings(stage)) and rng.random() < 0.5:
            yield from _with_in_a_loop(stage, *rng.choice(siblings), rng)
        elif others and rng.random() < 0.5:
            yield from _with(stage, rng.choice(others), rng)


def _loops(stage: Stage) -> list[str]:
    return [stage.axis_name(iv) for iv in stage.leaf_iter_vars]


def _after(stage: Stage, host: Stage, rng: random.Random) -> Iterator[Step]:
    """A reader after what it reads, in loops that are split or not. One that reads such a reader joins the same loop."""
    at = host.attached
    if at is not None and host.is_after:
        yield "reverse_compute_at", stage.name, {"parent": at.stage.name, "axis": at.stage.axis_name(at.axis)}
        return
    if rng.random() < 0.7:
        yield "split", host.name, {"axis": rng.choice(_loops(host) or ["i"]), "factor": rng.choice(FACTORS)}
    for loop in rng.sample(_loops(host), min(2, len(_loops(host)))):
        yield "reverse_compute_at", stage.name, {"parent": host.name, "axis": loop}


def _siblings(stage: Stage) -> list[tuple[Stage, Stage]]:
    """Each reader of a stage, with each other stage that it reads."""
    readers = [r for r in stage.readers() if not r.is_inlined]
    return [
        (r, x) for r in readers for x in r.reads() if not (x is stage or x.is_placeholder or x.is_inlined)
    ]


def _with_in_a_loop(stage: Stage, reader: Stage, host: Stage, rng: random.Random) -> Iterator[Step]:
    """A stage beside another one that is computed in a loop of a reader of both."""
    if rng.random() < 0.5:
        yield (
            "split",
            reader.name,
            {"axis": rng.choice(_loops(reader) or ["i"]), "factor": rng.choice(FACTORS)},
        )
    if _loops(reader):
        yield "compute_at", host.name, {"parent": reader.name, "axis": rng.choice(_loops(reader))}
    yield from _with(stage, host, rng)


def _with(stage: Stage, host: Stage, rng: random.Random) -> Iterator[Step]:
    """A stage beside another one, both split alike or not. What both read may come into a shared loop."""
    if rng.random() < 0.5:
        factor = rng.choice(FACTORS)
        for st in (stage, host):
            loops = _loops(st)
            yield "split", st.name, {"axis": loops[0] if loops else "i", "factor": factor}
    for loop in rng.sample(_loops(host), min(2, len(_loops(host)))):
        yield "compute_with", stage.name, {"parent": host.name, "axis": loop}
    shared = stage.shared_loops
    for read in stage.reads() if shared else ():
        if not read.is_placeholder:
            yield "compute_at", read.name, {"parent": host.name, "axis": rng.choice(shared)}
