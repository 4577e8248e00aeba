"""Random whole programs give what their definition says, or are refused in words that help.

The budget is a number of programs of fixed seeds: a failing one prints itself as a script. `python -m tests.fuzz`
runs as many as you like.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fuzz.__main__ import report
from tests.fuzz.generate import program
from tests.fuzz.minimise import minimise
from tests.fuzz.worker import Worker

BATCHES, EACH = 8, 12


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    made = Worker(str(tmp_path_factory.mktemp("cache")))
    yield made
    made.stop()


@pytest.mark.one_in(4)
@pytest.mark.parametrize("batch", range(BATCHES))
def test_random_programs_give_what_they_should(batch: int, worker: Worker) -> None:
    for n in range(EACH):
        seed = f"suite{batch}.{n}"
        outcome = worker.run(program(seed))
        if outcome.is_finding:
            smallest = minimise(outcome, worker.run, seconds=20)
            pytest.fail(report(seed, smallest), pytrace=False)
