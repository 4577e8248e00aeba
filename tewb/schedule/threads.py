"""Threads of a schedule: which loops are bound to them, and which memory they share.

A stage that is computed inside of loops that are bound to threads is kept for each of them ("local") or for all
together ("shared"). What is shared is as large as the threads need together, and they wait for each other before they
read it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tewb.ir import IterVar, const_int, is_virtual, memory_kind
from tewb.schedule.places import enclosing
from tewb.schedule.relation import Fuse, Split
from tewb.schedule.stage import Stage
from tewb.schedule.thread import Thread, condition_threads, read_condition

__all__ = [
    "REDUCES", "Thread", "bound", "bound_around", "condition_threads", "is_exchanged", "is_shared_by", "launched_around",
    "read_condition", "scope_of", "shared_loops", "threads_around", "uses_threads", "wanted_iterations",
]  # fmt: skip

# The attribute of a statement in which threads combine their terms, one after the other.
REDUCES = "reduce_scope"

if TYPE_CHECKING:
    from tewb.schedule.schedule import Schedule

# ---------------------------------------------------------------- which threads run a loop


def bound(stage: Stage) -> dict[IterVar, Thread]:
    """The loops of a stage that are bound, with their threads."""
    marks = [m for m in stage.marks if m.primitive == "bind"]
    return {m.axis: Thread.parse(m.values[0]) for m in marks if m.axis is not None}


def launched_around(stage: Stage) -> list[Thread]:
    """The threads that are launched around the loops of a stage by `env_threads`."""
    marks = [m for m in stage.marks if m.primitive == "env_threads"]
    return [Thread.parse(text) for m in marks for text in m.values]


def uses_threads(schedule: Schedule) -> bool:
    """Whether any loop is bound, or any threads are launched."""
    return any(m.primitive in ("bind", "env_threads") for s in schedule.stages for m in s.marks)


def bound_around(stage: Stage) -> Iterator[tuple[Stage, IterVar, Thread]]:
    """The bound loops around the place of a stage, innermost first."""
    for s, iv in enclosing(stage):
        thread = bound(s).get(iv)
        if thread is not None:
            yield s, iv, thread


def threads_around(stage: Stage) -> dict[str, Thread]:
    """The threads, by their keys, that are launched outside of a stage: each of them comes to it."""
    around = {t.key: t for _, _, t in bound_around(stage)}
    for s in dict.fromkeys(s for s, _ in enclosing(stage)):
        around |= {t.key: t for t in launched_around(s)}
    return around


# ---------------------------------------------------------------- which memory they share


def scope_of(stage: Stage) -> str:
    """The memory of a stage. Where the schedule does not say, as in classic TE: each thread has its own of what is
    computed inside of loops that are bound to threads, unless these share the work."""
    if stage.scope != "global":
        return stage.scope
    threads = [key for key, t in threads_around(stage).items() if not t.is_block]
    if not threads:
        return "global"
    return "shared" if any(t.key in threads for t in bound(stage).values()) else "local"


def is_shared_by(scope: str, thread: Thread) -> bool:
    """Whether threads share the memory `scope`: shared memory by all of a block, that of a warp by threadIdx.x."""
    base = memory_kind(scope)
    if thread.is_block:
        return False
    if base == "warp":
        return thread.tag == "threadIdx.x" or is_virtual(thread.tag)
    return base in ("global", "shared", "texture")


def shared_loops(stage: Stage) -> list[tuple[Stage, IterVar]]:
    """The bound loops around a stage whose threads share its memory."""
    scope = scope_of(stage)
    return [(s, iv) for s, iv, t in bound_around(stage) if is_shared_by(scope, t)]


def is_exchanged(stage: Stage) -> bool:
    """Whether threads wait for each other before they read a stage."""
    scope = scope_of(stage)
    return any(is_shared_by(scope, t) for t in threads_around(stage).values())


def wanted_iterations(stage: Stage, iv: IterVar) -> int | None:
    """How many iterations the splits and fusions that made a loop asked for; it has fewer where there are not so many."""
    for r in stage.relations:
        if isinstance(r, Fuse) and iv is r.fused:
            parts = wanted_iterations(stage, r.outer), wanted_iterations(stage, r.inner)
            return None if parts[0] is None or parts[1] is None else parts[0] * parts[1]
        if not isinstance(r, Split) or iv not in (r.outer, r.inner):
            continue
        asked = r.factor if iv is r.inner else r.nparts
        if asked is not None:
            return const_int(asked)
        whole, other = wanted_iterations(stage, r.parent), r.nparts if iv is r.inner else r.factor
        count = None if other is None else const_int(other)
        return None if whole is None or count is None else -(-whole // count)
    return None
