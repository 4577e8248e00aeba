"""A long stack for programs that nest deeper than Python's own: their work is done again on another thread."""

from __future__ import annotations

import _thread
import contextvars
import ctypes
import functools
import sys
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from tewb.base.errors import TewbError
from tewb.base.once import free_after_fork
from tewb.base.span import called_from

P = ParamSpec("P")
T = TypeVar("T")

# Bytes of stack; the smaller sizes are for systems with less address space. Stack is reserved, not taken: a
# program uses as much memory as it nests deep.
_STACKS = (1 << 29, 1 << 27, 1 << 25)
# Bytes of it for each call of Python. Up to 3.11 a call from Python to Python takes none and one through C about
# 500; 3.12 and 3.13 limit those through C by themselves, and 3.14 looks at the stack that is left.
_FRAME = 2048

_lock = free_after_fork(threading.Lock())
_running = 0  # threads with a long stack
_usual_limit = 0  # of recursion, when there is none


def any_depth(f: Callable[P, T]) -> Callable[P, T]:
    """`f`, for programs that nest as deep as they like: expressions of thousands of terms, chains of stages.

    Work that overflows Python's own stack is started again on a thread with a longer one, so `f` must leave nothing
    half done when it raises RecursionError. Ordinary programs pay nothing. While the caller waits, Ctrl-C returns at
    once. Raises TewbError if even the long stack is too short.
    """

    @functools.wraps(f)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return f(*args, **kwargs)
        except RecursionError:
            if called_from.frame is not None:  # the stack is long already
                raise
        return _with_long_stack(functools.partial(f, *args, **kwargs))

    return run


def _with_long_stack(work: Callable[[], T]) -> T:
    """`work()`, on a thread of its own, with the context of this one."""
    result: list[T] = []
    raised: list[BaseException] = []
    done = threading.Event()
    context, caller = contextvars.copy_context(), sys._getframe(2)

    def thread() -> None:
        called_from.frame = caller
        try:
            result.append(context.run(work))
        except BaseException as e:
            raised.append(e)
        finally:
            _limit_less()
            done.set()

    number = _start(thread)
    try:
        done.wait()
    except BaseException:  # Ctrl-C: the work is given up
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(number), ctypes.py_object(SystemExit))
        raise
    if not raised:
        return result[0]
    error = raised[0]
    if isinstance(error, RecursionError):
        raise TewbError(
            "the program nests too deep: more than 50000 expressions, loops or stages inside of each other",
            hint="add up long sums in halves, and compute parts as stages of their own",
        ) from None
    raise error


def _start(thread: Callable[[], None]) -> int:
    """Start a thread with the longest stack available, and return its identifier."""
    with _lock:
        before = threading.stack_size()
        try:
            for size in _STACKS:
                threading.stack_size(size)
                _limit_more(size // _FRAME)
                try:
                    return _thread.start_new_thread(thread, ())
                except RuntimeError:
                    _limit_less(locked=True)
        finally:
            threading.stack_size(before)
    raise TewbError("there is no memory for the stack that a program this deep takes")


# The recursion limit belongs to all threads. Meanwhile the other threads only wait, or run kernels.


def _limit_more(limit: int) -> None:
    global _running, _usual_limit
    if _running == 0:
        _usual_limit = sys.getrecursionlimit()
    _running += 1
    sys.setrecursionlimit(max(limit, sys.getrecursionlimit()))


def _limit_less(locked: bool = False) -> None:
    global _running
    if not locked:
        with _lock:
            return _limit_less(locked=True)
    _running -= 1
    if _running == 0:
        sys.setrecursionlimit(_usual_limit)
    return None
