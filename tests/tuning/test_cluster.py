"""Trials on a Dask cluster: nothing is lost with a worker, and kinds of processors are told apart."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from distributed import Client as DaskClient

import tewb
from tests.blocks.test_on_a_cluster import cluster
from tests.programs import matmul, schedule_for
from tests.tuning.programs import product, twice
from tewb import te
from tewb.base import ArgumentError, Stopped, TewbError, stopped_by
from tewb.tuning import Config, Trial, tune
from tewb.tuning import cluster as module
from tewb.tuning.cluster import Cluster
from tewb.tuning.processor import Processor
from tewb.tuning.task import Outcome
from tewb.tuning.workers import Limits

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="trials have processes of their own on POSIX")
HERE = Processor.here()


# ---------------------------------------------------------------- clusters of Dask


@pytest.fixture(scope="module")
def threads() -> Iterator[Any]:
    """Two workers that are threads of this process."""
    with cluster(2, processes=False) as client:
        yield client


@pytest.fixture(scope="module")
def processes() -> Iterator[Any]:
    """Two workers that are processes; one that is killed is followed by another."""
    with cluster(2, processes=True, memory_limit=0) as client:
        yield client


def kill_one(client: Any) -> None:
    os.kill(next(iter(client.run(os.getpid, on_error="ignore").values())), signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.timeout(280)
def test_a_worker_that_is_killed_costs_no_trial(processes: Any, tmp_path: Path) -> None:
    told: list[Trial] = []

    def kill(trial: Trial, result: Any) -> None:
        told.append(trial)
        if len(told) == 2:
            kill_one(processes)

    options: Any = {"trials": 7, "repeat": 2, "reference": np.matmul, "database": tmp_path / "trials.db"}
    result = tune(product, client=processes, progress=kill, **options)
    assert sorted(t.number for t in result.trials) == list(range(7)) and len(told) == 7
    assert {t.state for t in result.trials} <= {"timed", "slow", "same", "refused"}
    assert not result.was_stopped and result.best.state == "timed"
    assert result.by_processor[HERE.cpu].trials == result.trials
    again = tune(product, workers=1, **options)  # the key is that of searches on this machine
    assert [t.number for t in again.trials] == list(range(7))


@pytest.mark.slow
@pytest.mark.timeout(280)
def test_a_killed_worker_costs_no_schedule(processes: Any) -> None:
    told: list[Any] = []
    inputs, outputs = matmul(16, 16, 16)

    def kill(trial: Any) -> None:
        told.append(trial)
        if len(told) == 1:
            kill_one(processes)

    result = tewb.autoschedule(
        (schedule_for(outputs), [*inputs, *outputs]),
        250,
        client=processes,
        progress=kill,
        threads=1,
        stop=lambda: len(told) >= 4,
    )
    assert tuple(told) == result.trials and not any(t.message for t in told)
    assert result.by_processor[HERE.cpu].best == result.best and result.best.processor == HERE.cpu


@pytest.mark.slow
def test_a_trial_that_crashes_or_hangs_leaves_its_worker_there(threads: Any) -> None:
    result = tune(twice, client=threads, run_limit=2, memory_limit=2 << 30, repeat=2)
    by_name = {t.point["how"]: t for t in result.trials}
    assert len(by_name) == 7 and result.point == {"how": "right"}
    assert "SIGABRT" in by_name["abort"].message and "took more than 2 s" in by_name["pause"].message
    assert by_name["wrong"].state == "wrong" and by_name["large"].state == "failed"
    assert len(threads.nthreads()) == 2


@pytest.mark.slow
@pytest.mark.timeout(280)
def test_a_worker_that_is_frozen_does_not_stop_the_search(
    processes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SLACK", 5.0)
    frozen: list[int] = []

    def freeze(trial: Trial, result: Any) -> None:
        if not frozen:
            frozen.append(next(iter(processes.run(os.getpid, on_error="ignore").values())))
            os.kill(frozen[0], signal.SIGSTOP)

    try:
        result = tune(
            product,
            trials=5,
            repeat=2,
            reference=np.matmul,
            client=processes,
            progress=freeze,
            build_limit=5,
            run_limit=2,
        )
    finally:
        os.kill(frozen[0], signal.SIGCONT)
    assert len(result.trials) == 5 and not [t for t in result.trials if t.state == "failed"]
    assert not result.was_stopped


@pytest.mark.slow
def test_a_search_leaves_nothing_on_the_disks_of_workers(threads: Any) -> None:
    folders = threads.run(lambda dask_worker: dask_worker.local_directory)
    before = {f: sorted(os.listdir(f)) for f in folders.values()}
    tune(small, client=threads, repeat=2)
    tewb.autoschedule(plain(), 0.5, client=threads, threads=1)
    assert {f: sorted(os.listdir(f)) for f in folders.values()} == before


@pytest.mark.slow
def test_each_kind_of_processor_keeps_its_best(
    threads: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of the workers says that it is another processor; then both do."""
    monkeypatch.setattr(Processor, "here", staticmethod(lambda: called(lambda name: str(name) == "1")))

    result = tune(small, client=threads, repeat=2, database=tmp_path / "x.db")
    assert set(result.by_processor) == {HERE.cpu, "other"} and result.processor == HERE.cpu
    for name, own in result.by_processor.items():
        assert own.processor == name and len(own.trials) == len(result.trials) and own.best.seconds
    assert result.best == result.by_processor[HERE.cpu].best and "other: " in str(result)
    names = sqlite3.connect(tmp_path / "x.db").execute("select study_name from studies").fetchall()
    assert len(set(names)) == 2
    monkeypatch.setattr(Processor, "here", staticmethod(lambda: called(lambda name: True)))
    far = tune(small, client=threads, repeat=2)
    assert far.trials == () and list(far.by_processor) == ["other"]
    with pytest.raises(
        TewbError, match=f"no worker had the processor of this machine .{HERE.cpu}., but other"
    ):
        _ = far.best
    a, b = (np.ones((4, 4), "float32") for _ in "ab")
    np.testing.assert_allclose(far.by_processor["other"].build()(a, b), a @ b)
    found = tewb.autoschedule(plain(), 0.5, client=threads, threads=1)
    assert set(found.by_processor) == {HERE.cpu, "other"}
    assert found.trials == () and found.best.seconds is None and found.looked_at > 3


def small(cfg: Config) -> Any:
    """Two points."""
    s, args = plain()
    s[args[-1]].split("i", 3 if cfg.flag("three") else 2)
    return s, args


def called(is_other: Callable[[Any], bool]) -> Processor:
    """What this machine is, or the worker that asks says it is."""
    from distributed import get_worker

    try:
        name = get_worker().name
    except ValueError:  # no worker asks
        return HERE
    return replace(HERE, cpu="other") if is_other(name) else HERE


@pytest.mark.slow
def test_when_all_workers_go_what_they_had_is_recorded_as_lost() -> None:
    with cluster(1, processes=False) as client:

        def leave(trial: Trial, result: Any) -> None:
            if trial.number == 1:
                client.cluster.scale(0)

        result = tune(product, trials=6, repeat=2, client=client, cluster_limit=0.3, progress=leave)
    states = [t.state for t in result.trials]
    assert result.was_stopped and states[0] == "timed" and len(states) < 6
    assert all("lost" in t.message for t in result.trials if t.state == "failed")


def test_a_cluster_without_workers_is_waited_for_and_said_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SOON", 0.0)
    with cluster(0, processes=False) as client:
        for search in (tune, tewb.autoschedule):
            with pytest.raises(TewbError, match="the cluster .* has no worker after 0.6 s"):
                search(product if search is tune else plain(), client=client, cluster_limit=0.6)  # type: ignore[arg-type]
            assert "waiting for workers of the cluster inproc" in capsys.readouterr().err


def plain() -> Any:
    inputs, outputs = matmul(4, 4, 4)
    return schedule_for(outputs), [*inputs, *outputs]


# ---------------------------------------------------------------- misuse


@pytest.mark.parametrize(
    "search", [lambda c: tune(product, client=c), lambda c: tewb.autoschedule(plain(), client=c)]
)
def test_what_is_no_client(search: Any) -> None:
    with pytest.raises(ArgumentError, match="client: int is no client of a Dask cluster"):
        search(3)


def test_distributed_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(TewbError, match="dask.distributed, which is not installed here.*\n.*pip install"):
        tune(product, client=object())


def test_a_client_that_was_closed(threads: Any) -> None:
    with DaskClient(threads.scheduler.address, set_as_default=False) as client:
        pass
    with pytest.raises(ArgumentError, match="the connection to the cluster is closed"):
        tune(product, client=client)


def test_a_program_that_calls_python(threads: Any) -> None:
    A = te.placeholder((4,), name="A")
    B = te.extern(
        (4,), [A], lambda i, o: tewb.tir.call_packed("tests.f", i[0], o[0]), dtype="float32", name="B"
    )
    with pytest.raises(ArgumentError, match="calls functions of Python, which no worker"):
        tewb.autoschedule((te.create_schedule(B.op), [A, B]), client=threads)


def test_no_time() -> None:
    with pytest.raises(ArgumentError, match="cluster_limit"):
        tune(product, cluster_limit=-1)


# ---------------------------------------------------------------- a cluster that does what the test says


class Future:
    """A future that the test ends."""

    def __init__(self, f: Any, args: tuple[Any, ...], worker: str) -> None:
        self.f, self.args, self.worker = f, args, worker
        self.status, self.value = "pending", None

    def end(self, value: Any, status: str = "finished") -> None:
        self.value, self.status = value, status

    def done(self) -> bool:
        return self.status != "pending"

    def result(self, timeout: float = 0) -> Any:
        return self.value

    exception = result

    def add_done_callback(self, f: Any) -> None:
        pass

    def release(self) -> None:
        self.status = "released"


class Client:
    """As much of a client as Cluster asks for."""

    scheduler = None

    def __init__(self, **workers: int) -> None:
        self.workers, self.trials = workers, list[Future]()
        self.is_silent, self.asked = set[str](), list[Future]()

    def nthreads(self) -> dict[str, int]:
        return dict(self.workers)

    def submit(self, f: Any, *args: Any, workers: list[str], **_: Any) -> Future:
        future = Future(f, args, workers[0])
        if f is module.about_worker and workers[0] in self.is_silent:
            self.asked.append(future)
        elif f is module.about_worker:
            future.end(replace(HERE, cpu="other") if workers[0].startswith("other") else HERE)
        elif f is module.do_trial:
            self.trials.append(future)
        return future

    def scatter(self, data: Any, **_: Any) -> list[Any]:
        return list(data)

    def cancel(self, futures: Any) -> None:
        pass

    def run(self, *_: Any, **__: Any) -> None:
        pass


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setattr(module, "_checked", lambda client: client)
    monkeypatch.setattr(module, "LOOK", 0.0)

    def begin(**workers: int) -> tuple[Client, Cluster]:
        client = Client(**workers)
        made = Cluster(client, Limits(), 0.2)
        made.start()
        return client, made

    return begin


DONE = Outcome("timed", (1.0,))


def test_as_many_tasks_as_a_worker_has_threads(begun: Any) -> None:
    client, made = begun(a=1, b=2, other=4)
    assert [str(p) for p in made.processors] == [HERE.cpu, "other"]
    pool = made.of(HERE)
    for key in "xyz":
        assert not pool.is_full
        pool.submit(key, "task")
    assert pool.is_full and pool.count == 3 and not made.of(replace(HERE, cpu="other")).is_full
    assert sorted(t.worker for t in client.trials) == ["a", "b", "b"]
    client.trials[1].end(DONE)
    assert list(made.finished()) == [("y", DONE)] and not pool.is_full and not pool.is_idle


def test_a_lost_trial_goes_elsewhere_and_after_three_losses_is_recorded(begun: Any) -> None:
    client, made = begun(a=1)

    def nthreads() -> dict[str, int]:
        """Each worker that has a trial is gone, and another one has come."""
        return {"abcd"[len(client.trials)]: 1}

    client.nthreads = nthreads  # type: ignore[method-assign]
    made.of(HERE).submit("x", "task")
    assert list(made.finished()) == [("x", Outcome("failed", message="its worker was lost 3 times: a, b, c"))]
    assert [t.status for t in client.trials] == ["released"] * 3


def test_a_worker_that_keeps_a_trial_for_too_long_is_lost_until_it_answers(begun: Any) -> None:
    """As one that is frozen, which the scheduler says is there."""
    client, made = begun(a=1)
    made.of(HERE).submit("x", "task")
    made._workers["a"].jobs[0].until = 0.0
    (frozen,) = client.trials
    client.is_silent.add("a")
    client.workers["b"] = 1
    threading.Timer(0.3, lambda: client.trials[1].end(DONE)).start()
    ended: list[Any] = []
    while not ended:
        ended = list(made.finished())
    assert ended == [("x", DONE)] and [t.worker for t in client.trials] == ["a", "b"]
    assert frozen.status == "released" and made.of(HERE).count == 1
    client.is_silent.clear()
    for future in client.asked:
        future.end(HERE)
    made._look()
    assert made.of(HERE).count == 2


def test_a_worker_that_takes_no_arrays_is_lost(begun: Any) -> None:
    client, made = begun(a=1, b=1)
    scatter = client.scatter

    def fails(data: Any, workers: list[str], **more: Any) -> list[Any]:
        if workers == ["a"]:
            client.is_silent.add("a")
            raise TimeoutError
        return list(scatter(data))

    client.scatter = fails
    made.of(HERE).submit("x", "task")
    threading.Timer(0.3, lambda: client.trials[0].end(DONE)).start()
    while not list(made.finished()):
        pass
    assert [t.worker for t in client.trials] == ["b"]


def test_a_trial_may_wait_for_the_others_of_its_machine(begun: Any) -> None:
    _, made = begun(**{"tcp://x:1": 2, "tcp://x:2": 3, "tcp://y:1": 4, "inproc://127.0.0.1/7/8": 1})
    assert [made._time_for(a) - module.SLACK for a in made._workers] == [160.0, 160.0, 140.0, 80.0]


def test_what_dask_says_of_a_lost_worker_and_of_a_task_that_it_cannot_do(begun: Any) -> None:
    client, made = begun(a=1, b=1)
    made.of(HERE).submit("x", "task")
    client.trials[0].end(type("KilledWorker", (Exception,), {})("gone"), "error")
    threading.Timer(0.2, lambda: client.trials[1].end(ModuleNotFoundError("no tewb"), "error")).start()
    ended: list[Any] = []
    while not ended:
        ended = list(made.finished())
    assert "could not do it: ModuleNotFoundError: no tewb" in ended[0][1].message


def test_no_worker_of_a_kind_for_too_long(begun: Any) -> None:
    client, made = begun(a=1, other=1)
    pool = made.of(HERE)
    pool.submit("x", "task")
    del client.workers["a"]
    ended: list[Any] = []
    while not ended:
        ended = list(made.finished())
    assert pool.is_gone and "there was no worker with processor" in ended[0][1].message
    client.workers["late"] = 1
    while pool.is_gone:
        list(made.finished())
    assert not pool.is_full


def test_workers_without_tewb_are_left_out(begun: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Client, "submit", lambda *a, **k: unfit())
    with pytest.raises(TewbError, match=r"no worker that can do trials \(ModuleNotFoundError: tewb\)"):
        begun(a=1)


def unfit() -> Future:
    future = Future(None, (), "a")
    future.end(ModuleNotFoundError("tewb"), "error")
    return future


def test_a_stop_ends_the_wait(begun: Any) -> None:
    _, made = begun(a=1)
    made.of(HERE).submit("x", "task")
    with pytest.raises(Stopped), stopped_by(lambda: True):
        list(made.finished())
