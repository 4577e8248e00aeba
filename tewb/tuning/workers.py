"""Workers: processes that do trials side by side, watched by the one that asked, which ends those that take too long."""

from __future__ import annotations

import os
import pickle
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any, Self

from tewb.base import ArgumentError, check_given, check_stopped
from tewb.runtime import get_num_threads
from tewb.tuning.processor import Processor
from tewb.tuning.task import Outcome, Parameter, Work, perform
from tewb.tuning.worker import HEAD

CHUNK = 1 << 20
PATIENCE = 0.2  # seconds between looks at the time


@dataclass(frozen=True, slots=True)
class Limits:
    """What a trial may take: seconds of building, seconds of running (its check and its samples, not the wait for its
    turn), and bytes of memory (0: what the machine has)."""

    build: float = 60.0
    run: float = 20.0
    memory: int = 0


class OfThisMachine:
    """What is alike of all that work on this machine: there is one kind of processor, and files are read where they are."""

    is_gone = False

    @property
    def processors(self) -> list[Processor]:
        """The only kind is that of this machine."""
        return [Processor.here()]

    @property
    def threads(self) -> int | None:
        """As many as this process has."""
        return get_num_threads()

    def ask(self, processor: Processor, f: Callable[..., Any], *args: Any) -> Any:
        """This machine is what is asked."""
        return f(*args)

    def of(self, processor: Processor) -> Self:
        """Those of a processor."""
        return self

    def keep(self, parameters: tuple[Parameter, ...]) -> tuple[Parameter, ...]:
        """They read the files themselves."""
        return parameters


class Workers(OfThisMachine):
    """`count` processes that do tasks. `submit` gives one its task, `finished` yields what is done.

    Processes are started when they are needed, and a trial that dies, hangs or is over its limits takes its process
    with it. Use it in a `with` block: no process stays behind.
    """

    def __init__(self, count: int, limits: Limits) -> None:
        self.count, self.limits = count, limits
        self._busy: list[_Worker] = []
        self._free: list[_Worker] = []
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all processes."""
        for w in [*self._busy, *self._free]:
            w.end()
        self._busy, self._free = [], []
        self._selector.close()

    def kill(self) -> None:
        """End what is at work; whoever waits for it is told. For another thread than that which waits."""
        for w in list(self._busy):
            w.kill()

    @property
    def is_full(self) -> bool:
        """Whether as many tasks are at work as there are processes."""
        return len(self._busy) >= self.count

    @property
    def is_idle(self) -> bool:
        """Whether nothing is at work."""
        return not self._busy

    def start(self) -> None:
        """Start all processes now, so that they are there when they are needed."""
        self._free += [self._started() for _ in range(self.count - len(self._free) - len(self._busy))]

    def submit(self, key: Any, task: Work) -> None:
        """Have a task done; `finished` will give its outcome with `key`."""
        while self._free and not self._free[-1].is_running:
            self._drop(self._free.pop())
        w = self._free.pop() if self._free else self._started()
        w.begin(key, task)
        self._busy.append(w)

    def _started(self) -> _Worker:
        w = _Worker(self.limits)
        self._selector.register(w.answers, selectors.EVENT_READ, w)
        return w

    def _drop(self, w: _Worker) -> None:
        self._selector.unregister(w.answers)
        w.end()

    def finished(self) -> Iterator[tuple[Any, Outcome]]:
        """Wait until something is done, and yield it: at least one outcome where there is work. Raises Stopped."""
        began = time.monotonic()
        while self._busy:
            for ready, _ in self._selector.select(PATIENCE):
                ready.data.read()
            check_stopped(began)
            done = [w for w in self._busy if w.look() is not None]
            for w in done:
                self._busy.remove(w)
                outcome = w.outcome
                assert outcome is not None
                if w.is_alive:
                    self._free.append(w)
                else:
                    self._drop(w)
                yield w.key, outcome
            if done:
                return


class _Worker:
    """A process, what it does now, and since when."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        command = "import sys; from tewb.tuning.worker import main; main(*sys.argv[1:])"
        self._process = subprocess.Popen(
            [sys.executable, "-c", command, str(limits.memory), str(os.getpid())],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
            start_new_session=True,  # a Ctrl-C of the terminal is for us
        )
        assert self._process.stdout is not None
        self.answers = self._process.stdout
        self.key: Any = None
        self.outcome: Outcome | None = None
        self.is_alive = True
        self._heard = bytearray()
        self._phase, self._since = "building", 0.0

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process.poll() is None

    def begin(self, key: Any, task: Work) -> None:
        self.key, self.outcome = key, None
        self._phase, self._since = "building", time.monotonic()
        assert self._process.stdin is not None
        try:
            request = memoryview(pickle.dumps(task))
            while request:
                request = request[self._process.stdin.write(request) or 0 :]
        except BrokenPipeError:
            self.is_alive = False

    def read(self) -> None:
        """Hear what it says."""
        chunk = os.read(self.answers.fileno(), CHUNK)
        self._heard += chunk
        if not chunk:
            self.is_alive = False
        while (said := _next_message(self._heard)) is not None:
            if isinstance(said, Outcome):
                self.outcome = said
            else:
                # Checking and timing share one limit; the wait for the turn does not count.
                spent = time.monotonic() - self._since if self._phase == "checking" else 0.0
                self._phase, self._since = str(said), time.monotonic() - (spent if said == "timing" else 0.0)

    def look(self) -> Outcome | None:
        """The outcome, when there is one: also of a trial that took its process with it, or too long."""
        if self.outcome is None and not self.is_alive:
            self.outcome = Outcome("failed", message=self._last_words())
        if self.outcome is None and self._is_over_time():
            limit = self._limits.build if self._phase == "building" else self._limits.run
            self.is_alive = False
            self.outcome = Outcome("failed", message=f"{self._phase} took more than {limit:g} s")
        return self.outcome

    def _is_over_time(self) -> bool:
        if self._phase == "waiting":
            return False
        limit = self._limits.build if self._phase == "building" else self._limits.run
        return time.monotonic() - self._since > limit

    def _last_words(self) -> str:
        code = self._process.wait(5)
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return f"its process ended with {how}" + (f": {lines[-1]}" if lines else "")

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for end in (self._process.stdin, self._process.stdout, self._errors):
            if end is not None:
                end.close()


def _next_message(heard: bytearray) -> Any:
    """The first whole message of what was heard, which is taken off; None when there is none."""
    end = HEAD + int.from_bytes(heard[:HEAD])
    if len(heard) < max(end, HEAD + 1):
        return None
    message = pickle.loads(heard[HEAD:end])
    del heard[:end]
    return message


class HereAlone(OfThisMachine):
    """As Workers, with this process: for programs that call functions which no other process has. No limits hold."""

    count, is_full, is_idle = 1, False, True

    def __init__(self) -> None:
        self._done: list[tuple[Any, Outcome]] = []

    def __enter__(self) -> HereAlone:
        return self

    def __exit__(self, *_: object) -> None:
        self._done = []

    def start(self) -> None:
        """It is there."""

    def submit(self, key: Any, task: Work) -> None:
        self._done.append((key, perform(task)))
        self.is_full, self.is_idle = True, False

    def finished(self) -> Iterator[tuple[Any, Outcome]]:
        done, self._done = self._done, []
        self.is_full, self.is_idle = False, True
        yield from done


def local_workers(count: int | None, limits: Limits, calls_python: bool) -> Workers | HereAlone:
    """Where trials are done on this machine: in `count` processes, as many as there are processors if None."""
    if calls_python or count == 0 or os.name != "posix":
        return HereAlone()
    return Workers(count if count is not None else max(os.cpu_count() or 1, 1), limits)


def checked_limits(build: Any, run: Any, memory: Any) -> Limits:
    """The limits of trials as a user gives them. Raises ArgumentError for what is no time, and no number of bytes."""
    for name, value in (("build_limit", build), ("run_limit", run)):
        is_time = type(value) in (int, float) and value > 0
        check_given(is_time, name, value, "a time in seconds", f"{name}=20", ArgumentError)
    is_count = type(memory) in (int, float) and 0 <= memory < float("inf") and int(memory) == memory
    check_given(
        is_count,
        "memory_limit",
        memory,
        "a number of bytes",
        "memory_limit=2 << 30, or 0 for none",
        ArgumentError,
    )
    return Limits(build, run, int(memory))


def check_functions(**functions: Any) -> None:
    """Raise ArgumentError for what is given as a function, and is none."""
    for name, f in functions.items():
        is_right = f is None or callable(f)
        check_given(is_right, name, f, "a function", f"{name}=None for none", ArgumentError)


def check_workers(count: Any, cluster_limit: Any) -> None:
    """Raise ArgumentError for what is no number of workers, or no time to wait for those of a cluster."""
    is_right = count is None or (type(count) is int and count >= 0)
    check_given(is_right, "workers", count, "a number from 0", "workers=1", ArgumentError)
    is_time = type(cluster_limit) in (int, float) and cluster_limit >= 0
    check_given(
        is_time, "cluster_limit", cluster_limit, "a time in seconds", "cluster_limit=60", ArgumentError
    )
