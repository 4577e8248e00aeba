"""A process that runs programs. A program may kill it, or take longer than it may: then it is started anew."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
import traceback
from typing import Any

from tests.fuzz.programs import Program

CPU_SECONDS = 10  # for one program, from its definition to its last call
WALL_SECONDS = 120  # on a machine that others use too
PREPARE_SECONDS = 60


def serve(pipe: Any, cache: str, cpu_seconds: float) -> None:
    """Run the programs that come through a pipe. More than the time of the processor that a program may take
    ends this process (which no loop in machine code can keep from happening)."""
    os.environ["TEWB_CACHE_DIR"] = cache
    import warnings

    warnings.simplefilter("ignore")
    from tests.fuzz.run import Outcome, run
    from tewb.lowering import order_loops, rows_together

    rows_together.ROWS = 2
    order_loops.FEWEST = 0  # small programs too have nests in several orders
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pipe.send(("ready", None))
    while True:
        program = pipe.recv()
        if program is None:
            return
        signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
        start = time.process_time()
        try:
            outcome = run(program, lambda stage, data: pipe.send((stage, data)))
        except Exception as e:
            outcome = Outcome(
                f"the fuzzer failed: {type(e).__name__}", traceback.format_exc(limit=-4), program
            )
        signal.setitimer(signal.ITIMER_PROF, 0)
        pipe.send(("done", (outcome, time.process_time() - start)))


class Worker:
    """One such process at a time."""

    def __init__(self, cache: str, cpu_seconds: float = CPU_SECONDS) -> None:
        self._context = multiprocessing.get_context("spawn")
        self._cache, self._cpu_seconds = cache, cpu_seconds
        self._process: Any = None
        self.ran = 0
        self.seconds = 0.0  # of the processor, for the last program

    def run(self, p: Program) -> Any:
        """The outcome of a program; what it died of is one."""
        from tests.fuzz.run import Outcome

        self._start()
        self.ran += 1
        stage, call, known, arrays = "define", 0, p, None
        deadline = time.monotonic() + WALL_SECONDS
        self._pipe.send(p)
        while True:
            if not self._pipe.poll(max(deadline - time.monotonic(), 0)):
                self.stop()
                if known.is_heavy:
                    return Outcome("refused", "it takes long, and its size explains it", known, call)
                return Outcome(f"{stage}: no end", f"more than {WALL_SECONDS} s", known, call, arrays)
            try:
                stage_now, data = self._pipe.recv()
            except (EOFError, ConnectionResetError):
                self._process.join()
                code = -(self._process.exitcode or 0)
                self.stop()
                if code == signal.SIGPROF and known.is_heavy:
                    return Outcome("refused", "it takes long, and its size explains it", known, call)
                if code == signal.SIGPROF:
                    return Outcome(
                        f"{stage}: slow",
                        f"more than {self._cpu_seconds} s of the processor",
                        known,
                        call,
                        arrays,
                    )
                return Outcome(f"{stage}: the process died", f"signal {code}", known, call, arrays)
            match stage_now:
                case "done":
                    outcome, self.seconds = data
                    return outcome
                case "steps":
                    from dataclasses import replace

                    known = replace(p, steps=tuple(data))
                    continue
                case "build":
                    known = data
                case "call":
                    call = data
                case "arrays":
                    arrays = data
                    continue
            stage = stage_now

    def _start(self) -> None:
        if self._process is not None and self._process.is_alive():
            return
        self._pipe, other = self._context.Pipe()
        self._process = self._context.Process(
            target=serve, args=(other, self._cache, self._cpu_seconds), daemon=True
        )
        self._process.start()
        other.close()
        if not self._pipe.poll(5 * PREPARE_SECONDS):  # the machine may be busy
            raise RuntimeError("the worker does not start")
        self._pipe.recv()

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._pipe.close()
            self._process = None
