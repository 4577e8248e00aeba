"""Schedules as they are written for GPUs, which chance would hardly find: blocks and threads, copies that threads share."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.fuzz.schedules import Step
from tewb.schedule import Schedule, Stage
from tewb.tensor import ComputeOp

THREADS = ("threadIdx.x", "threadIdx.y", "vthread vx")
BLOCKS = ("blockIdx.x", "blockIdx.y")


def gpu_steps(s: Schedule, rng: random.Random) -> Iterator[Step]:
    """Steps that may be refused, each made when those before it were tried: one stage on blocks and threads, with some
    of what it reads computed inside."""
    roots = [
        st for st in s.stages if isinstance(st.op, ComputeOp) and st.attach is None and not st.is_placeholder
    ]
    stage = rng.choice(roots) if roots else None
    if stage is None or not stage.leaf_iter_vars:
        return
    for read in stage.reads():
        if rng.random() < 0.4 and not read.is_inlined:
            yield (
                "cache_read",
                read.name,
                {"scope": rng.choice(["shared", "shared", "local"]), "readers": [stage.name]},
            )
    sizes: dict[str, int] = {}
    loops = [stage.axis_name(iv) for iv in stage.op.axis]
    threads = rng.sample(THREADS, rng.randint(1, 3))
    for n, (loop, thread) in enumerate(zip(rng.sample(loops, len(loops)), threads, strict=False)):
        sizes[thread] = rng.choice((2, 3, 4, 5, 8))
        yield "split", stage.name, {"axis": loop, "factor": sizes[thread]}
        if n < len(BLOCKS) and rng.random() < 0.8:
            yield "bind", stage.name, {"axis": f"{loop}.outer", "thread": BLOCKS[n]}
        yield "bind", stage.name, {"axis": f"{loop}.inner", "thread": thread}
    now = _loops(stage)
    if rng.random() < 0.5:
        yield "reorder", stage.name, {"axes": rng.sample(now, len(now))}
    yield from _sum_over_threads(stage, rng, [t for t in THREADS if t not in sizes])
    yield from _inside(stage, sizes, rng)


def _loops(stage: Stage) -> list[str]:
    return [stage.axis_name(iv) for iv in stage.leaf_iter_vars]


def _sum_over_threads(stage: Stage, rng: random.Random, free: list[str]) -> Iterator[Step]:
    """A reduction whose terms are those of threads, whole or in partial sums."""
    if len(stage.op.reduce_axis) != 1 or not free or rng.random() < 0.5:
        return
    axis = stage.axis_name(stage.op.reduce_axis[0])
    before = set(stage.schedule.stages)
    if rng.random() < 0.6:
        yield "split", stage.name, {"axis": axis, "factor": rng.choice((2, 3, 4))}
        yield "rfactor", stage.name, {"axis": f"{axis}.inner"}
    for reduced in stage.op.reduce_axis:
        yield "bind", stage.name, {"axis": stage.axis_name(reduced), "thread": free[0]}
    for term in [st for st in stage.schedule.stages if st not in before]:
        if rng.random() < 0.8:
            yield "compute_at", term.name, {"parent": stage.name, "axis": _loops(stage)[-1]}
    if rng.random() < 0.6:
        yield "set_store_predicate", stage.name, {"predicate": f"{free[0].split()[-1]} == 0"}


def _inside(stage: Stage, sizes: dict[str, int], rng: random.Random) -> Iterator[Step]:
    """What the stage reads, computed in its loops, by each thread or by all of them together."""
    for read in stage.reads():
        if read.is_placeholder or rng.random() < 0.3:
            continue
        yield "compute_at", read.name, {"parent": stage.name, "axis": rng.choice(_loops(stage))}
        if rng.random() < 0.6:
            yield "set_scope", read.name, {"scope": rng.choice(["shared", "local", "warp"])}
        own = [read.axis_name(iv) for iv in read.op.axis]
        for loop, thread in zip(rng.sample(own, len(own)), rng.sample([*sizes], len(sizes)), strict=False):
            if rng.random() < 0.6:
                yield "split", read.name, {"axis": loop, "nparts": sizes[thread]}
                yield "bind", read.name, {"axis": f"{loop}.outer", "thread": thread}
        if sizes and rng.random() < 0.2:
            yield "set_store_predicate", read.name, {"predicate": f"{rng.choice([*sizes]).split()[-1]} == 1"}
