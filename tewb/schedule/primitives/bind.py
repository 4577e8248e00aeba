"""bind: the iterations of a loop on blocks, threads or virtual threads."""

from __future__ import annotations

from collections.abc import Iterator

from tewb.ir import AxisKind, IterVar
from tewb.schedule import threads as of_schedule
from tewb.schedule.declare import AXIS, Arguments, Param, Refusal, Repair, Selection, Values, primitive
from tewb.schedule.primitives.marks import split_first
from tewb.schedule.primitives.store_at import without_threads
from tewb.schedule.questions import (
    at_once,
    for_now,
    has_loops,
    in_given_order,
    independent,
    not_inline,
    opaque,
    unmarked,
)
from tewb.schedule.relation import mixed_loops
from tewb.schedule.stage import Mark, Stage
from tewb.schedule.thread import Thread

THREADS = ("threadIdx.x", "threadIdx.y", "blockIdx.x", "blockIdx.y", "vthread vx", "vthread vy")


def _threads(stage: Stage) -> list[str]:
    return list(THREADS)


@primitive(AXIS, Param("thread", "thread", "blocks, threads or virtual threads", choices=_threads))
def bind(stage: Stage, ivar: IterVar | str, thread_ivar: IterVar | str) -> None:
    """Run the iterations of a loop on the threads of `thread_ivar`, made by `te.thread_axis`, as GPU schedules do.

        for i in 4:                            blockIdx.x = T.launch_thread("blockIdx.x", 4)
            for j in 64: C[i*64 + j] = ... ->  threadIdx.x = T.launch_thread("threadIdx.x", 64)
                                               C[blockIdx.x*64 + threadIdx.x] = ...

    Here blocks and threads are loops on the processor. What is computed inside of loops that are bound to threads is
    kept for each thread ("local"), or for all of them ("shared"): then the loops over the threads are split where the
    threads wait for each other. Threads of one tag have one number in a launch. A loop of a reduction may be bound to
    threads when all of its reduce loops are: its threads combine their terms one after the other.
    """
    stage.do("bind", axis=ivar, thread=thread_ivar)


@bind.legal
def _refusal(stage: Stage, v: Values) -> Refusal | None:
    iv, thread = v["axis"], Thread.parse(v["thread"])
    refused = has_loops(stage) or opaque(stage, iv) or at_once(unmarked(stage, iv)) or not_inline(stage)
    if refused:
        return refused
    for other, t in threads(stage).items():
        if t.key == thread.key:
            return Refusal(
                f"{thread.key} is bound to loop {stage.axis_name(other)} already",
                "bind each loop to threads of its own, or fuse the two",
            )
    if iv.kind is AxisKind.REDUCE:
        if iv in mixed_loops(stage.relations):
            return Refusal(
                f"{stage.axis_name(iv)} runs over elements and over terms of a reduction, and threads have one of both",
                "fuse axes of one kind, or bind the loops before they are fused",
            )
        if not thread.is_block:
            return None
        return Refusal(
            f"{stage.axis_name(iv)} is a reduce axis, and blocks do not wait for each other to combine their terms",
            "bind it to threadIdx.x, or make partial results: "
            f"s.rfactor({stage.name}, {stage.axis_name(iv)})",
        )
    refused = independent(stage, iv, "bind") or in_given_order(stage, "bind")
    return refused or for_now(without_threads(stage))


@bind.stage_property
def threads(stage: Stage) -> dict[IterVar, Thread]:
    """The threads that its loops are bound to."""
    return of_schedule.bound(stage)


@bind.mark_text
def _text(stage: Stage, mark: Mark) -> str:
    return f"bind {mark.values[0]}"


@bind.mark_phrase
def _phrase(stage: Stage, mark: Mark) -> str:
    return f"is bound to {mark.values[0]}"


@bind.suggest
def _suggest(at: Selection) -> Iterator[Arguments]:
    used = {t.key for t in threads(at.stage).values()}
    free = [text for text in THREADS if text.split()[-1] not in used]
    yield {"axis": at.loop, "thread": free[0] if free else THREADS[0]}


@bind.repairs
def _parts(at: Selection, args: Arguments) -> Iterator[Repair]:
    yield from split_first(at, args, (at.lanes, 1))
