"""Searches side by side: each kind of workers has its own, also one that comes later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tewb.base import ArgumentError, Stopped
from tewb.tuning.processor import Processor
from tewb.tuning.searches import Pool, run_searches, workers_of_search
from tewb.tuning.workers import HereAlone, Limits, Workers

HERE = Processor.here()
OTHER = replace(HERE, cpu="other")


class Two(HereAlone):
    """Workers of a second kind come after the first outcome."""

    later = False

    @property
    def processors(self) -> list[Processor]:
        return [HERE, OTHER] if self.later else [HERE]

    def submit(self, key: Any, task: Any) -> None:
        self._done.append((key, task))

    def finished(self) -> Iterator[Any]:
        self.later = True
        return super().finished()


def test_each_kind_has_a_search_also_one_that_comes_later() -> None:
    heard: dict[str, list[int]] = {}

    def begin(processor: Processor, pool: Pool) -> Iterator[None]:
        mine = heard.setdefault(str(processor), [])
        for i in range(3):
            pool.submit(mine.append, i)  # type: ignore[arg-type]
            yield
            assert mine[-1] == i

    run_searches(Two(), begin)
    assert heard == {HERE.cpu: [0, 1, 2], "other": [0, 1, 2]}


def test_a_stop_ends_all() -> None:
    from tewb.base import check_stopped

    def begin(processor: Processor, pool: Pool) -> Iterator[None]:
        while True:
            check_stopped(0.0)
            yield

    with pytest.raises(Stopped):
        run_searches(HereAlone(), begin, lambda: True)


def test_where_trials_are_done() -> None:
    assert isinstance(workers_of_search(None, 0, Limits(), 1.0, False), HereAlone)
    assert isinstance(workers_of_search(None, 2, Limits(), 1.0, True), HereAlone)
    with workers_of_search(None, 2, Limits(), 1.0, False) as workers:
        assert isinstance(workers, Workers | HereAlone)
    with pytest.raises(ArgumentError, match="calls functions of Python"):
        workers_of_search(object(), 2, Limits(), 1.0, True)
