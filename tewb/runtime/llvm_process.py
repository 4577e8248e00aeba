"""Long work of LLVM in a process of its own, which an interrupt, a stop or a time limit can end.

Within this process nothing can: LLVM cannot be stopped, and llvmlite has one lock for everything it does, so that an
abandoned thread would hold up every later build.
"""

from __future__ import annotations

import os
import pickle
import select
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from tewb.base import PATIENCE, CodegenError, check_stopped
from tewb.runtime.llvm_work import Done, Work

_SCRIPT = Path(__file__).with_name("llvm_work.py")

LONG = 256 << 10  # bytes of text: LLVM takes about a second for a megabyte, and a process 0.1 s to start
LANE = 2 << 10  # bytes that a lane inserted into a vector by itself counts as: such vectors take longest


class OutOfTime(Exception):
    """Work that took longer than its limit."""


def takes_long(text: str) -> bool:
    """Whether LLVM's work on a text may take so long that somebody might want to end it."""
    return len(text) + LANE * text.count(" insertelement ") > LONG


def can_start() -> bool:
    """Whether there is a Python to start, and a way to wait for its answer."""
    name = os.path.basename(sys.executable or "").lower()
    return os.name == "posix" and name.startswith(("python", "pypy")) and _SCRIPT.exists()


def do_in_another_process(work: Work, is_native: bool, limit: float) -> Done | None:
    """The result of `work`, done by another process; None where none can be started. Raises RuntimeError when LLVM
    rejects the text, CodegenError when it crashes on it, OutOfTime after `limit` seconds, and Stopped."""
    answer, said, code = _answer(work, is_native, limit)
    if answer:
        outcome = pickle.loads(answer)
        if isinstance(outcome, str):
            raise RuntimeError(outcome)
        return Done(*outcome)
    if code < 0:
        raise CodegenError(f"LLVM gave up on the code that tewb made (signal {-code}): {said}")
    if _is_of_llvm(said):
        raise CodegenError(f"LLVM gave up on the code that tewb made: {said}")
    return None


def remarks(work: Work, limit: float) -> str:
    """What LLVM writes to stderr while another process does some work; nothing where none can be started."""
    return _answer(work, False, limit)[1]


def _answer(work: Work, is_native: bool, limit: float) -> tuple[bytes, str, int]:
    """The answer of another process, what it wrote to stderr, and its exit code; nothing and 0 where none can be started."""
    try:
        worker = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_SCRIPT)],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C of the terminal is for us
        )
    except OSError:
        return b"", "", 0
    try:
        answer, said = _ask(worker, pickle.dumps((sys.path, is_native, tuple(work))), limit)
    finally:
        worker.kill()
        worker.wait()
        for pipe in (worker.stdin, worker.stdout, worker.stderr):
            if pipe is not None:
                pipe.close()
    return answer, said, worker.returncode


def _is_of_llvm(said: str) -> bool:
    """Whether what a process wrote before it ended is an error of LLVM, which also ends it with an exit code."""
    return "error:" in said or said.startswith("LLVM ERROR")


def _ask(worker: subprocess.Popen[bytes], request: bytes, limit: float) -> tuple[bytes, str]:
    """The answer of a worker to a request, and what it wrote to stderr."""
    assert worker.stdin and worker.stdout and worker.stderr
    began = time.monotonic()
    answer, said = worker.stdout.fileno(), worker.stderr.fileno()
    heard = {answer: bytearray(), said: bytearray()}
    with suppress(BrokenPipeError):
        view = memoryview(request)
        while view:
            view = view[os.write(worker.stdin.fileno(), view) :]
    open_ends = [answer, said]
    while open_ends:
        for end in select.select(open_ends, [], [], PATIENCE)[0]:
            chunk = os.read(end, 1 << 20)
            heard[end] += chunk
            if not chunk:
                open_ends.remove(end)
        check_stopped(began)
        if time.monotonic() - began > limit:
            raise OutOfTime
    worker.wait(limit)  # it has closed both, and is about to end
    return bytes(heard[answer]), heard[said].decode(errors="replace").strip()
