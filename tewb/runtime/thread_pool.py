"""The thread pool: parallel loops are drained by their callers and by workers of this process.

The protocol is machine code (`thread_pool_code.py`); here are its threads. Workers are Python daemon threads that go
into the machine code and stay there: they look for work for a moment, then sleep until a parallel loop
wakes them, so that an idle pool uses no processor. They are started by the first call that needs them.
"""

from __future__ import annotations

import _thread
import ctypes
import os
import threading

from tewb.base import free_after_fork, tells_thread_count, wanted_threads
from tewb.runtime.cpython import register_python
from tewb.runtime.jit import Compiled, register_symbol
from tewb.runtime.thread_pool_code import (
    COUNT,
    HELPERS,
    INSIDE,
    LOCK,
    MISSING,
    MOST_WORKERS,
    OPEN,
    PLACE_ROWS,
    PLACES,
    ROW,
    ROWS,
    SETTING,
    STATE,
    WORKERS,
    pool_text,
)

_Rows = ctypes.c_int64 * (ROW * ROWS)


class Pool:
    """The workers of this process. `size` counts the calling thread too."""

    def __init__(self) -> None:
        register_python(("PyThread_acquire_lock", "PyThread_release_lock"))
        self._code = Compiled(pool_text(), level=1)
        # Workers run in this code for as long as the process lives, past the end of Python.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._code))
        register_symbol("tewb_rt_parallel", self._code.address("tewb_rt_parallel"))
        self._worker = ctypes.CFUNCTYPE(None, ctypes.c_int64)(self._code.address("tewb_worker"))
        rows = int(ctypes.CFUNCTYPE(ctypes.c_size_t)(self._code.address("tewb_pool"))())
        self._rows = _Rows.from_address(rows)
        register_symbol("tewb_rt_missing", rows + 8 * (SETTING * ROW + MISSING))
        self._lock = threading.Lock()
        self._started = 0
        self._set_callers()
        self.size = min(wanted_threads(), MOST_WORKERS + 1)
        self._publish()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._after_fork)

    def start(self) -> None:
        """Start the workers that are missing. Every call of a kernel with parallel loops begins so."""
        if not self._rows[SETTING * ROW + MISSING]:
            return
        with self._lock:
            try:
                while self._started < self.size - 1:
                    self._start_one()
            except RuntimeError:  # no more threads are to be had: those that are there do the work
                self.size = self._started + 1
            self._publish()

    def _start_one(self) -> None:
        number = self._started
        self._set_lock(WORKERS + number)
        self._started += 1  # before it runs: after an interrupt no other may take its row
        try:
            # threading.Thread begins with a handshake in Python, which an interrupt may leave half done.
            _thread.start_new_thread(self._worker, (number,))
        except RuntimeError:
            self._started -= 1
            raise

    def _set_callers(self) -> None:
        """Nobody is inside of a loop, and callers have locks to sleep on."""
        for row in range(PLACES + INSIDE, WORKERS, PLACE_ROWS):
            self._rows[row * ROW + COUNT] = self._rows[row * ROW + STATE] = 0
            self._set_lock(row)

    def _set_lock(self, row: int) -> None:
        """A lock to sleep on, which is held, so that the first to sleep does sleep."""
        allocate, acquire = ctypes.pythonapi.PyThread_allocate_lock, ctypes.pythonapi.PyThread_acquire_lock
        allocate.restype, acquire.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_int]
        lock = allocate()
        acquire(lock, 1)
        self._rows[row * ROW + LOCK] = lock

    def _publish(self) -> None:
        """Tell machine code how many workers to use, and whether Python has some to start."""
        self._rows[SETTING * ROW + HELPERS] = min(self._started, self.size - 1)
        self._rows[SETTING * ROW + MISSING] = int(self._started < self.size - 1)

    def _after_fork(self) -> None:
        """Threads do not survive a fork: the child starts with none, and nobody is inside of a loop.

        A callback of a parallel loop may have forked, and go on here: its place stays claimed, and the counter of its
        iterations what it is. (So do those of other threads, which nobody gives back: loops are not shared any more
        where all are lost.)
        """
        self._lock = threading.Lock()
        self._started = 0
        self._rows[OPEN * ROW] = 0
        ctypes.memset(ctypes.byref(self._rows, 8 * ROW * WORKERS), 0, 8 * ROW * MOST_WORKERS)
        self._set_callers()
        self._publish()

    def resize(self, size: int) -> None:
        """Use `size` threads for the parallel loops that begin from now on. Workers beyond them sleep."""
        if not 1 <= size <= MOST_WORKERS + 1:
            raise ValueError(f"{size} threads cannot run a kernel: 1 to {MOST_WORKERS + 1} can")
        with self._lock:
            self.size = size
            self._publish()


_pool: Pool | None = None
_making = free_after_fork(threading.Lock())


def pool() -> Pool:
    """The pool of this process, made on first use."""
    global _pool
    if _pool is None:
        with _making:
            if _pool is None:
                _pool = Pool()
    return _pool


def set_num_threads(n: int) -> None:
    """Run parallel loops on `n` threads (the calling one included)."""
    pool().resize(n)


def get_num_threads() -> int:
    """How many threads run parallel loops."""
    return pool().size


tells_thread_count(get_num_threads)
