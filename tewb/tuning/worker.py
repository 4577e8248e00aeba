"""A process that does trials: tasks come in through stdin and what becomes of them goes out through stdout, pickled.

It tells of each task what begins ("building", ...) and at last the outcome. It ends when its stdin does. Whatever a
kernel does to it (a crash, a hang, all memory taken) costs one trial: who asked ends it and starts another.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import sys
from typing import BinaryIO

from tewb.tuning.task import perform

PR_SET_PDEATHSIG = 1  # of Linux's <sys/prctl.h>
HEAD = 8  # bytes before each message that say how long it is


def main(memory: str = "0", parent: str = "0") -> None:
    """Do tasks until there are no more. `memory` bytes is what this process may take; 0 is without a limit. It ends with
    process `parent`; 0 is with none."""
    if parent != "0":
        _end_with(int(parent))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what kernels print does not get between answers
    _limit_memory(int(memory))
    requests = sys.stdin.buffer
    while True:
        try:
            task = pickle.load(requests)
        except EOFError:
            return
        outcome = perform(task, lambda phase: _send(answers, phase))
        _send(answers, outcome)


def _end_with(parent: int) -> None:
    """Have Linux end this process when the one that asked is gone, also in the middle of a kernel that never returns."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def _send(answers: BinaryIO, what: object) -> None:
    message = pickle.dumps(what)
    answers.write(len(message).to_bytes(HEAD) + message)
    answers.flush()


def _limit_memory(limit: int) -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    if limit:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


if __name__ == "__main__":
    main(*sys.argv[1:])
