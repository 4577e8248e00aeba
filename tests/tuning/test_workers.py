"""Workers: outcomes come back with their keys, and a trial that crashes, hangs or dies costs only itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tewb
from tests.tuning.programs import twice
from tewb.base import Stopped, stopped_by
from tewb.tuning.knobs import Config, at
from tewb.tuning.task import Parameter, Task, keep_array
from tewb.tuning.workers import HereAlone, Limits, Workers


def task(folder: Path, how: str) -> Task:
    s, args = twice(Config(at({"how": how})))
    a = np.arange(64, dtype="float32")
    given = Parameter("input", "A", *keep_array(folder, "a", a), "float32")
    made = Parameter("output", "B", *keep_array(folder, "b", a * 2), "float32", 1e-6, 1e-6)
    return Task(tewb.lower(s, args), (given, made), repeat=2, seconds=1e-4)


def outcomes(pool: Workers | HereAlone, tasks: dict[str, Task]) -> dict[str, str]:
    waiting, done = dict(tasks), {}
    while waiting or not pool.is_idle:
        while waiting and not pool.is_full:
            pool.submit(*waiting.popitem())
        for key, outcome in pool.finished():
            done[key] = f"{outcome.how} {outcome.message}".strip()
    return done


@pytest.mark.slow
def test_each_trial_costs_only_itself(tmp_path: Path) -> None:
    tasks = {how: task(tmp_path, how) for how in ("right", "wrong", "abort", "pause", "large", "again")}
    with Workers(2, Limits(build=30, run=6, memory=2 << 30)) as pool:
        done = outcomes(pool, tasks)
    assert done["right"] == done["again"] == "timed"
    assert done["wrong"].startswith("wrong B differs: first at (1,)")
    assert done["abort"] == "failed its process ended with signal SIGABRT"
    assert done["pause"] == "failed checking took more than 6 s"
    assert done["large"].startswith("failed") and "memory" in done["large"].lower()


@pytest.mark.slow
def test_one_process_does_one_after_the_other(tmp_path: Path) -> None:
    with Workers(1, Limits()) as pool:
        pool.submit("first", task(tmp_path, "right"))
        assert pool.is_full and not pool.is_idle
        assert [(k, o.how) for k, o in pool.finished()] == [("first", "timed")]
        process = pool._free[0]._process
        pool.submit("second", task(tmp_path, "right"))
        assert [(k, o.how) for k, o in pool.finished()] == [("second", "timed")]
        process.kill()
        process.wait()
        pool.submit("third", task(tmp_path, "right"))  # another one is started
        assert [(k, o.how) for k, o in pool.finished()] == [("third", "timed")]
        started = pool._free[0]._process
    assert started.poll() is not None


def test_a_stop_ends_the_wait(tmp_path: Path) -> None:
    with Workers(1, Limits()) as pool, pytest.raises(Stopped), stopped_by(lambda: True):
        pool.submit("x", task(tmp_path, "pause"))
        list(pool.finished())


def test_here_alone(tmp_path: Path) -> None:
    with HereAlone() as pool:
        done = outcomes(pool, {how: task(tmp_path, how) for how in ("right", "wrong")})
    assert done["right"] == "timed" and done["wrong"].startswith("wrong")
