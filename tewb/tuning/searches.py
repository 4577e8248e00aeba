"""Searches side by side: one for each kind of processor, all fed by whatever the workers are done with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from tewb.base import Stop, stopped_by
from tewb.tuning.cluster import Cluster
from tewb.tuning.processor import Processor
from tewb.tuning.task import Outcome, Parameter, Work
from tewb.tuning.workers import Limits, local_workers


class Pool(Protocol):
    """Workers of one kind. `count` tasks are done at once; `is_gone` says that there are none any more."""

    @property
    def count(self) -> int: ...
    @property
    def is_full(self) -> bool: ...
    @property
    def is_idle(self) -> bool: ...
    @property
    def is_gone(self) -> bool: ...
    def submit(self, key: Any, task: Work) -> None: ...


class AllWorkers(AbstractContextManager["AllWorkers"], Protocol):
    """Workers of one or several kinds of processors."""

    def start(self) -> None:
        """Have them begin to be there; of a cluster, wait until some are."""

    def keep(self, parameters: tuple[Parameter, ...]) -> tuple[Parameter, ...]:
        """The parameters of tasks, whose arrays lie where workers find them."""

    def ask(self, processor: Processor, f: Callable[..., Any], *args: Any) -> Any:
        """What a function says on a worker of a kind."""

    @property
    def processors(self) -> list[Processor]: ...
    @property
    def threads(self) -> int | None:
        """On how many threads parallel loops run there; None where that is a matter of the worker."""

    def of(self, processor: Processor) -> Pool: ...
    def finished(self) -> Iterator[tuple[Any, Outcome]]: ...


def workers_of_search(
    client: Any, count: int | None, limits: Limits, cluster_limit: float, calls_python: bool
) -> AllWorkers:
    """Those of a cluster, or `count` processes of this machine."""
    if client is None:
        return local_workers(count, limits, calls_python)
    return Cluster(client, limits, cluster_limit, calls_python)


def run_searches(
    workers: AllWorkers, begin: Callable[[Processor, Pool], Iterator[None]], stop: Stop | None = None
) -> None:
    """Run the search of every kind of processor, also of those that come later, until all have ended.

    `begin` starts one, an iterator that comes back whenever it waits; what it submits to its pool has as key a function that
    is called with the outcome. `stop()` ends what goes on after a search began. Raises Stopped.
    """
    searches: dict[Processor, Iterator[None]] = {}
    waiting: set[Processor] = set()
    while True:
        for processor in workers.processors:
            if processor not in searches:
                searches[processor] = begin(processor, workers.of(processor))
                waiting.add(processor)
        with stopped_by(stop) if stop is not None else nullcontext():
            for processor in [p for p in searches if p in waiting]:
                if next(searches[processor], "ended") == "ended":
                    waiting.remove(processor)
            if not waiting:
                return
            for hear, outcome in workers.finished():
                hear(outcome)
