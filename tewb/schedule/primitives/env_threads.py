"""env_threads: threads that are launched around a stage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tewb.ir import IterVar
from tewb.schedule.declare import Arguments, Param, Refusal, Results, Selection, Values, primitive
from tewb.schedule.questions import has_loops
from tewb.schedule.stage import Mark, Stage
from tewb.schedule.thread import Thread
from tewb.schedule.threads import launched_around


def _threads(stage: Stage) -> list[str]:
    return ["threadIdx.x(4)", "threadIdx.y(2)", "blockIdx.x(2)"]


@primitive(Param("threads", "threads", "threads with their numbers", choices=_threads))
def env_threads(stage: Stage, threads: Sequence[IterVar | str]) -> None:
    """Launch threads around all loops of this stage, so that the stages computed in these may be bound to them. Each
    needs its number: `te.thread_axis((0, 64), "threadIdx.x")`.

        for t in n: S(t)    ->    threadIdx.x = T.launch_thread("threadIdx.x", 64)
                                  for t in n: S(t)

    What does not depend on the thread runs once.
    """
    stage.do("env_threads", threads=threads)


@env_threads.legal
def _refusal(stage: Stage, v: Values) -> Refusal | None:
    refused = has_loops(stage)
    if refused:
        return refused
    if stage.marks_of("env_threads"):
        return Refusal("threads are launched around it already", "name all of them in one call")
    threads = [Thread.parse(text) for text in v["threads"]]
    if not threads:
        return Refusal("no threads are named", 'env_threads([te.thread_axis((0, 64), "threadIdx.x")])')
    for n, t in enumerate(threads):
        if t.extent is None:
            return Refusal(
                f"how many {t.tag} there are is not said", f'te.thread_axis((0, 64), "{t.tag}") says it'
            )
        if any(t.key == other.key for other in threads[:n]):
            return Refusal(f"{t.key} is named twice", "name each of them once")
    return None


@env_threads.effect
def _effect(stage: Stage, v: Values, step: int) -> Results:
    stage.mark("env_threads", None, *v["threads"])
    stage.place(step)
    return []


@env_threads.stage_property
def env(stage: Stage) -> list[Thread]:
    """The threads that are launched around its loops."""
    return launched_around(stage)


@env_threads.mark_text
def _text(stage: Stage, mark: Mark) -> str:
    return f"inside of {', '.join(mark.values)}"


@env_threads.suggest
def _suggest(at: Selection) -> Iterator[Arguments]:
    yield {"threads": ["threadIdx.x(4)"]}
