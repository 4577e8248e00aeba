"""Trials on the workers of a Dask cluster, told apart by their processors.

Every trial is given to one worker, so that it is known where it is. When that worker is lost the trial goes to another one of
the same processor, and after three such losses it is recorded as lost. Workers that come later are used when they come.
"""

from __future__ import annotations

import sys
import threading
import time
import uuid
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from tewb.base import ArgumentError, TewbError, check_stopped, here
from tewb.tuning.processor import Processor
from tewb.tuning.remote import Arrays, about_worker, do_trial, end_search, receive
from tewb.tuning.task import Outcome, Parameter
from tewb.tuning.workers import Limits

LOOK = 0.5  # seconds between looks at which workers there are
SOON, SAY = 2.0, 10.0  # seconds until the first word about what is waited for, and between words
TRIES = 3  # workers that a trial may lose
ANSWER = 10.0  # seconds in which a result that is there arrives
SLACK = 30.0  # seconds beside its limits that a trial may be away: to start a process, to travel


@dataclass(slots=True)
class _Job:
    """A task, who hears of it, where it is and until when its outcome is waited for there, and the workers that it lost."""

    key: Any
    task: Any
    processor: Processor
    future: Any = None
    worker: str = ""
    until: float = 0.0
    lost: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Worker:
    """A worker: what it is, how many tasks it takes at once, and the arrays of the search that it has."""

    processor: Processor
    slots: int
    arrays: Any = None
    jobs: list[_Job] = field(default_factory=list)


class Cluster:
    """The workers of `client`, used as `Workers` are, in a `with` block. `limit` is for how many seconds there may be no
    worker. Raises TewbError where dask.distributed is not installed, ArgumentError for what is no client of a cluster."""

    def __init__(self, client: Any, limits: Limits, limit: float = 60.0, calls_python: bool = False) -> None:
        if calls_python:
            raise ArgumentError(
                "the program calls functions of Python, which no worker of a cluster has",
                hint="leave client out: it is tried in this process then",
                span=here(),
            )
        self._client, self._limits, self._limit = _checked(client), limits, limit
        self._name = uuid.uuid4().hex[:12]
        self._arrays: dict[str, Any] = {}
        self._asked: dict[str, Any] = {}
        self._unfit: dict[str, str] = {}
        self._workers: dict[str, _Worker] = {}
        self._silent: set[str] = set()
        self._pools: dict[Processor, Pool] = {}
        self._something_ended = threading.Event()
        self._looked = self._said = 0.0
        self._lost_some = False

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing behind on the workers; one that does not answer is not waited for, and does it when it answers."""
        there = list(self._workers.values())
        futures = [j.future for w in there for j in w.jobs] + [
            w.arrays for w in there if w.arrays is not None
        ]
        ending = self._end_on(list(self._workers), futures)
        self._end_on(list(self._silent), [])
        ending.join(ANSWER)

    def _end_on(self, workers: list[str], futures: list[Any]) -> threading.Thread:
        """Begin to end the search on workers."""

        def end() -> None:
            with suppress(Exception):  # the connection is closed meanwhile
                self._client.cancel(futures)
                self._client.run(end_search, self._name, workers=workers, on_error="ignore")

        ending = threading.Thread(target=end if workers else lambda: None, daemon=True)
        ending.start()
        return ending

    def start(self) -> None:
        """Wait for workers, with a word about it on stderr. Raises TewbError when there are none for too long."""
        began = time.monotonic()
        self._said = began - SAY + SOON
        while True:
            self._look()
            waits = time.monotonic() - began
            if self._workers and (not self._asked or waits > self._limit):
                return
            if waits > self._limit:
                raise TewbError(
                    f"{self._where} has {self._why_none()} after {self._limit:g} s", hint=HINT, span=here()
                )
            self._say(began, f"waiting for workers of {self._where}", self._limit)
            check_stopped(began)
            time.sleep(min(LOOK, self._limit))

    @property
    def _where(self) -> str:
        return f"the cluster {getattr(self._client.scheduler, 'address', '')}".rstrip()

    def _why_none(self) -> str:
        if self._unfit:
            return f"no worker that can do trials ({next(iter(self._unfit.values()))})"
        return "no worker that is free" if self._asked else "no worker"

    def _say(self, began: float, what: str, limit: float) -> None:
        now = time.monotonic()
        if now - self._said > SAY:
            self._said = now
            print(f"tewb: {what}: {now - began:.0f} s of {limit:g}", file=sys.stderr, flush=True)

    # ---- as Workers are used

    def keep(self, parameters: tuple[Parameter, ...]) -> tuple[Parameter, ...]:
        """Parameters as tasks for workers have them: their arrays go to each worker once."""
        files = [p.file for p in parameters if p.file]
        self._arrays = {Path(f).name: np.load(f, allow_pickle=False) for f in files}
        return tuple([replace(p, file=Path(p.file).name) if p.file else p for p in parameters])

    threads = None  # that of each worker

    def ask(self, processor: Processor, f: Any, *args: Any) -> Any:
        """What a function says on a worker of a kind. Raises TewbError where none answers."""
        reason = "it has none now"
        for address in [a for a, w in self._workers.items() if w.processor == processor]:
            asked = self._submit(f, address, *args)
            try:
                return asked.result(timeout=self._limit)
            except Exception as e:
                reason = _words(e)
        raise TewbError(
            f"no worker with processor {processor} of {self._where} answers: {reason}", hint=HINT, span=here()
        )

    @property
    def processors(self) -> list[Processor]:
        """The kinds of workers that there were."""
        return list(self._pools)

    def of(self, processor: Processor) -> Pool:
        """The workers of one kind."""
        return self._pools[processor]

    def finished(self) -> Iterator[tuple[Any, Outcome]]:
        """Wait until something is done, and yield it; nothing when workers came or went meanwhile. Raises Stopped."""
        began = time.monotonic()
        before = self._kinds()
        while True:
            if time.monotonic() - self._looked > LOOK:
                self._look()
            self._lose_silent()
            ended = [*self._given_up(), *self._done()]
            if self._lost_some:  # so that nothing is sent to a worker that is gone
                self._look()
            for pool in self._pools.values():
                pool.place()
            if ended or self._kinds() != before:
                yield from ended
                return
            check_stopped(began)
            self._something_ended.wait(LOOK)
            self._something_ended.clear()

    def _kinds(self) -> list[Any]:
        return [(p, pool.is_gone, pool.is_full) for p, pool in self._pools.items()]

    # ---- which workers there are

    def _look(self) -> None:
        """See which workers came and which are gone."""
        self._looked, self._lost_some = time.monotonic(), False
        try:
            there: Mapping[str, int] = self._client.nthreads()
        except Exception:  # the scheduler does not answer: there are no workers then
            there = {}
        for address in [a for a in self._workers if a not in there]:
            self._lose(address)
        for known in (self._asked, self._unfit):
            for address in [a for a in known if a not in there]:
                del known[address]
        for address, threads in there.items():
            if address not in self._workers and address not in self._unfit and threads > 0:
                self._meet(address, threads)
        for pool in self._pools.values():
            pool.note(any(w.processor == pool.processor for w in self._workers.values()))

    def _meet(self, address: str, threads: int) -> None:
        """Ask a worker what it is, and take it when it has said so."""
        if address not in self._asked:
            self._asked[address] = self._submit(about_worker, address)
        asked = self._asked[address]
        if not asked.done():
            return
        del self._asked[address]
        if asked.status == "error":
            self._unfit[address] = _words(asked.exception())
        elif asked.status == "finished":
            processor = asked.result(timeout=ANSWER)
            self._workers[address] = _Worker(processor, threads)
            self._silent.discard(address)
            self._pools.setdefault(processor, Pool(self, processor, self._limit))

    def _lose_silent(self) -> None:
        """Workers that keep a task for longer than it can take, as one that is frozen does, are lost: they are met again when they
        answer."""
        now = time.monotonic()
        for address in [a for a, w in self._workers.items() if any(_is_overdue(j, now) for j in w.jobs)]:
            self._silent.add(address)
            self._lose(address)

    def _time_for(self, address: str) -> float:
        """For how many seconds a task may be away. On a machine one trial runs at a time: each may wait for all others there."""
        machine = _machine(address)
        there = sum(w.slots for a, w in self._workers.items() if _machine(a) == machine)
        return self._limits.build + self._limits.run * there + SLACK

    def _lose(self, address: str) -> None:
        """A worker is gone: its tasks go elsewhere."""
        for job in list(self._workers[address].jobs):
            self._take_back(job)
        del self._workers[address]

    def _take_back(self, job: _Job) -> None:
        self._workers[job.worker].jobs.remove(job)
        job.lost.append(job.worker)
        job.future.release()
        job.future = None
        self._pools[job.processor].queue.appendleft(job)

    # ---- tasks

    def _submit(self, f: Any, address: str, *args: Any) -> Any:
        future = self._client.submit(f, *args, workers=[address], pure=False, retries=0)
        future.add_done_callback(lambda _: self._something_ended.set())
        return future

    def begin(self, job: _Job, address: str) -> bool:
        """Give a task to a worker, after the arrays if it has not got them yet; False when it cannot be reached."""
        w = self._workers[address]
        if w.arrays is None:
            try:
                (sent,) = self._client.scatter(
                    [Arrays(self._arrays)], workers=[address], hash=False, timeout=ANSWER
                )
            except Exception:  # it is gone, or does not answer
                self._silent.add(address)
                self._lose(address)
                return False
            w.arrays = self._submit(receive, address, self._name, sent)
        job.worker, job.until = address, time.monotonic() + self._time_for(address)
        job.future = self._submit(do_trial, address, self._name, w.arrays, job.task, self._limits)
        w.jobs.append(job)
        return True

    def free_worker(self, processor: Processor) -> str | None:
        """The worker of a kind that has the least to do, if one can take a task."""
        free = [(len(w.jobs) / w.slots, a) for a, w in self._workers.items() if w.processor == processor and len(w.jobs) < w.slots]  # fmt: skip
        return min(free)[1] if free else None

    def slots(self, processor: Processor) -> int:
        """How many tasks the workers of a kind take at once."""
        return sum(w.slots for w in self._workers.values() if w.processor == processor)

    def is_busy(self, processor: Processor) -> bool:
        """Whether a kind has something to do."""
        return any(w.jobs for w in self._workers.values() if w.processor == processor)

    def _done(self) -> Iterator[tuple[Any, Outcome]]:
        for address, w in list(self._workers.items()):
            for job in [j for j in w.jobs if j.future.done()]:
                outcome = self._outcome(job)
                if outcome is None:
                    continue
                if address in self._workers and job in w.jobs:
                    w.jobs.remove(job)
                yield job.key, outcome

    def _outcome(self, job: _Job) -> Outcome | None:
        """What came of a task; None when its worker was lost, and it is tried again."""
        try:
            if job.future.status == "finished":
                outcome: Outcome = job.future.result(timeout=ANSWER)
                return outcome
            if job.future.status == "error" and not _is_loss(job.future.exception()):
                return Outcome(
                    "failed",
                    message=f"its worker {job.worker} could not do it: {_words(job.future.exception())}",
                )
        except Exception:  # the result went with its worker
            pass
        self._take_back(job)
        self._workers[job.worker].arrays = None
        self._lost_some = True
        return None

    def _given_up(self) -> Iterator[tuple[Any, Outcome]]:
        """What nobody can do any more."""
        for pool in self._pools.values():
            for job in [j for j in pool.queue if len(j.lost) >= TRIES or pool.is_gone]:
                pool.queue.remove(job)
                workers = ", ".join(job.lost)
                why = f"its worker was lost {len(job.lost)} times: {workers}" if len(job.lost) >= TRIES else (
                    f"lost: there was no worker with processor {job.processor} for {self._limit:g} s"
                )  # fmt: skip
                yield job.key, Outcome("failed", message=why)


class Pool:
    """The workers of one kind."""

    def __init__(self, cluster: Cluster, processor: Processor, limit: float) -> None:
        self._cluster, self.processor, self._limit = cluster, processor, limit
        self.queue: deque[_Job] = deque()
        self._seen = time.monotonic()
        self.is_gone = False

    def note(self, is_there: bool) -> None:
        """Hear whether there are workers of this kind now."""
        now = time.monotonic()
        if is_there:
            self._seen, self.is_gone = now, False
        elif now - self._seen > self._limit:
            self.is_gone = True

    @property
    def count(self) -> int:
        """How many tasks are done at once."""
        return max(self._cluster.slots(self.processor), 1)

    @property
    def is_full(self) -> bool:
        """Whether no worker can take a task now."""
        return bool(self.queue) or self._cluster.free_worker(self.processor) is None

    @property
    def is_idle(self) -> bool:
        """Whether nothing is at work."""
        return not self.queue and not self._cluster.is_busy(self.processor)

    def submit(self, key: Any, task: Any) -> None:
        """Have a task done; `finished` will give its outcome with `key`."""
        self.queue.append(_Job(key, task, self.processor))
        self.place()

    def place(self) -> None:
        """Give workers what waits for them."""
        while self.queue and len(self.queue[0].lost) < TRIES:
            address = self._cluster.free_worker(self.processor)
            if address is None or not self._cluster.begin(self.queue[0], address):
                return
            self.queue.popleft()


HINT = "start some, `dask worker tcp://...` or cluster.scale(2), and see whether tewb is installed there"


def _checked(client: Any) -> Any:
    try:
        import distributed
    except ImportError as e:
        raise TewbError(
            f"searching on a cluster needs dask.distributed, which is not installed here ({e})",
            hint="pip install 'tewb[dask]'",
            span=here(),
        ) from None
    if not isinstance(client, distributed.Client) or client.asynchronous:
        what = "an asynchronous one" if isinstance(client, distributed.Client) else type(client).__name__
        raise ArgumentError(
            f"client: {what} is no client of a Dask cluster",
            hint='client=distributed.Client("tcp://...:8786")',
            span=here(),
        )
    if client.status != "running":
        raise ArgumentError(f"client: the connection to the cluster is {client.status}", hint="client=Client(...)", span=here())  # fmt: skip
    return client


def _machine(address: str) -> str:
    """The machine of a worker: of "tcp://lab3:4711" lab3."""
    return urlsplit(address).hostname or address


def _is_overdue(job: _Job, now: float) -> bool:
    return now > job.until and not job.future.done()


def _is_loss(error: BaseException | None) -> bool:
    """Whether an error of Dask says that a worker is gone, and not what the task did."""
    return type(error).__name__ in (
        "KilledWorker",
        "CommClosedError",
        "FutureCancelledError",
        "CancelledError",
        "NoValidWorkerError",
    )


def _words(error: BaseException | None) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
