"""Contestants in processes of their own, which are asked for samples in turn.

Each is limited to the same number of threads, and to as many processors. One that is not asked is stopped by a signal,
so that no threads of its own spin beside the one that is timed. A busy moment of the machine hits all contestants
of a row, because their samples alternate; ratios are of one run. On one thread the clock is the processor's time
(`peers.clock`).
"""

from __future__ import annotations

import json
import os
import select
import signal
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.workload import Workload

ROOT = Path(__file__).resolve().parents[2]
LEAST = 0.02  # seconds of a sample
LIMITS = (
    "TEWB_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS",
    "HL_NUM_THREADS", "TVM_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMEXPR_MAX_THREADS",
)  # fmt: skip


def environment(threads: int) -> dict[str, str]:
    """What limits the known libraries to so many threads."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, **dict.fromkeys(LIMITS, str(threads)), "PYTHONPATH": path}


class Failed(Exception):
    """A contestant cannot go on, for the reason given."""


class Worker:
    """A process of a contestant, stopped unless it is asked something."""

    def __init__(self, name: str, python: str, threads: int, limit: float) -> None:
        self.limit = limit
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (it lives as long as the process)
        self.process = subprocess.Popen(
            [python, "-m", "tests.bench.worker", name],
            cwd=ROOT, env=environment(threads), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
        )  # fmt: skip
        # Also a library that asks for no variable of ours gets no more processors than threads.
        if hasattr(os, "sched_setaffinity"):
            processors = sorted(os.sched_getaffinity(0))[-threads:]
            os.sched_setaffinity(self.process.pid, processors)
        try:
            self.version: str = self._answer()["version"]
        except BaseException:  # an interrupt, too: nobody else knows of this process yet
            self.close()
            raise

    def ask(self, do: str, **more: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        self._signal("SIGCONT")
        try:
            print(json.dumps({"do": do, **more}), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            raise Failed(self._end()) from None
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        """The next line; the process is stopped when it came."""
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], self.limit)[0]:
            self.close()
            raise Failed(f"no answer in {self.limit:g} s")
        line = self.process.stdout.readline()
        if not line:
            raise Failed(self._end())
        self._signal("SIGSTOP")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise Failed(answer["error"])
        return answer

    def _signal(self, name: str) -> None:
        if self.process.poll() is None and hasattr(signal, name):
            self.process.send_signal(getattr(signal, name))

    def _end(self) -> str:
        """How the process ended."""
        code = self.process.wait(10)
        self.errors.seek(0)
        last = self.errors.read().strip().splitlines()[-1:]
        self.close()
        how = signal.Signals(-code).name if code < 0 else f"exit {code}"
        return " ".join([f"the process ended ({how})", *last])[:160]

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def close(self) -> None:
        if self.alive:
            self.process.kill()
        if not self.errors.closed:
            self.process.communicate()
            self.errors.close()


@dataclass
class Result:
    """The samples of a row, in seconds for a call, for each contestant; and why others have none."""

    row: str
    threads: int
    goal: float | None
    operations: float | None
    seconds: dict[str, list[float]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    def median(self, name: str) -> float | None:
        return statistics.median(self.seconds[name]) if name in self.seconds else None

    def spread(self, name: str) -> float:
        """Half of what lies between the quartiles, as a part of the median."""
        few = sorted(self.seconds[name])
        if len(few) < 2:
            return 0.0
        quarter, _, three = statistics.quantiles(few, n=4)
        return (three - quarter) / 2 / statistics.median(few)

    def ratio(self, name: str) -> float | None:
        """numpy's time in that of the contestant: above 1 the contestant is faster."""
        numpy, own = self.median("numpy"), self.median(name)
        return None if numpy is None or own is None else numpy / own

    def best_peer(self) -> str | None:
        peers = [n for n in self.seconds if n not in ("numpy", "tewb")]
        return min(peers, key=lambda n: statistics.median(self.seconds[n]), default=None)

    def as_json(self) -> dict[str, Any]:
        ratios = {n: self.ratio(n) for n in self.seconds}
        return {**asdict(self), "ratios": ratios, "spread": {n: self.spread(n) for n in self.seconds}}


@dataclass
class Contest:
    """Contestants, each with the Python that has it, and how they are timed.

    `limit` is the longest time, in seconds, that an answer may take: compilation is part of the first.
    """

    contestants: dict[str, str]
    repeat: int = 15
    limit: float = 240.0
    say: Callable[[str], None] = print
    versions: dict[str, str] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)

    def run(self, rows: Iterable[tuple[str, Workload]], threads: int) -> Iterator[Result]:
        """The results of rows, each given with the module that states it, on so many threads."""
        workers: dict[str, Worker] = {}
        try:
            for module, row in rows:
                yield self._race(module, row, threads, workers)
        finally:
            for worker in workers.values():
                worker.close()

    def _race(self, module: str, row: Workload, threads: int, workers: dict[str, Worker]) -> Result:
        """One row. A contestant that fails leaves it; its process, if it ended, is started anew for the next."""
        result = Result(row.name, threads, row.goal, row.operations)

        def lost(name: str, reason: str) -> None:
            result.absent[name] = reason
            result.seconds.pop(name, None)
            self.say(f"  {name}: {row.name}: {reason}")

        for name, python in self.contestants.items():
            if name in self.missing:
                result.absent[name] = "not here"
                continue
            if name not in workers or not workers[name].alive:
                try:
                    workers[name] = Worker(name, python, threads, self.limit)
                except Failed as e:
                    self.missing.add(name)
                    result.absent[name] = f"not here: {e}"
                    self.say(f"  {name} is not here: {e}")
                    continue
                self.versions[name] = workers[name].version
            try:
                answer = workers[name].ask("prepare", module=module, row=row.name, least=LEAST)
            except Failed as e:
                lost(name, str(e))
                continue
            if "absent" in answer:
                result.absent[name] = answer["absent"]
            else:
                result.seconds[name] = []
        for _ in range(self.repeat):
            for name in list(result.seconds):
                try:
                    result.seconds[name].append(workers[name].ask("sample")["seconds"])
                except Failed as e:
                    lost(name, str(e))
        for name in result.seconds:
            with suppress(Failed):  # its samples count, and a process that ended is started anew
                workers[name].ask("drop")
        return result
