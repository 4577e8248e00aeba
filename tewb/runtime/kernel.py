"""Kernels: machine code that is called with numpy arrays."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, Self

from tewb.base import (
    ArgumentError,
    BoundError,
    ExternError,
    TewbError,
    free_after_fork,
    here,
    may_be_stopped,
    option,
)
from tewb.runtime import abi, callbacks
from tewb.runtime.abi import KernelSignature
from tewb.runtime.arguments import prepare
from tewb.runtime.background_call import call_in_background
from tewb.runtime.classic_module import Module
from tewb.runtime.devices import present
from tewb.runtime.interrupt_watch import watched
from tewb.runtime.left_out import as_ndarrays, complete, last_outputs
from tewb.runtime.native_entry import Direct, connect, register_entry_functions, with_vectorcall
from tewb.runtime.packed_functions import registered_function
from tewb.runtime.prepared import Prepared
from tewb.runtime.simple_calls import simple_plan, simple_slots
from tewb.runtime.target import Target
from tewb.runtime.thread_pool import pool
from tewb.runtime.timing import Timing, time_call

_ENTRY = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p)
_HELD_ENTRY = ctypes.PYFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p)

# A kernel with more work than this (operations) runs in the background, so that the main thread stays
# interruptible. Waking the other thread takes about 60 us: a kernel that turns out to be faster than expected
# does without it.
_LONG = 30_000_000
_MOMENT = 0.04  # seconds for which nobody would want to interrupt a call
_MARGIN = 4  # how much more work is trusted to go at the same pace
# One with less (about 10 us) keeps Python's lock: releasing it and taking it again costs more than it gains.
_BRIEF = 20_000

callbacks.register()


class Kernel(Module):
    """A compiled function. `kernel(a, b, c)` runs it on arrays in place; `c = kernel(a, b)` makes the outputs,
    when they come last and all are left out. `code` shows what it was made from.

    From its second call on, a kernel is called in machine code (`native_entry.py`), where its parameters allow it.
    Raises ArgumentError for arrays that it cannot take, and what a packed function raises. A running kernel
    can be interrupted (Ctrl-C): it stops at the next loop that checks for it.
    """

    def __new__(cls, *args: Any, **keywords: Any) -> Self:
        kernel: Self = object.__new__(with_vectorcall(cls))
        return kernel

    source: Any = None  # the program and schedule that it was built from, where that is known

    def __init__(
        self,
        address: int,
        signature: KernelSignature,
        code: Any = None,
        set_threads: Sequence[Callable[[int], int]] = (),
    ) -> None:
        self.signature, self.code = signature, code
        # Libraries with threads of their own get one inside of our parallel loops.
        self._set_threads = set_threads if signature.has_parallel else ()
        self._address = address
        self._entry = _ENTRY(address)
        self._calls = 0
        self._long = _LONG
        self._may_connect = not self._set_threads and (not signature.packed or callbacks.are_native())
        self._may_miss = last_outputs(signature)
        self._direct: Direct | None = None
        # A serial kernel that does little but call Python keeps the lock: a callback takes 0.14 us, not 0.17.
        keeps_lock = (
            isinstance(signature.work, int) and signature.work < _BRIEF and not signature.has_parallel
        )
        self._short_entry = _HELD_ENTRY(address) if keeps_lock and signature.packed else self._entry
        self.name = signature.name
        # A kernel on arrays of constant shape: its calls take a short way.
        self._plan = simple_plan(signature) if isinstance(signature.work, int) else None
        self._buffers = tuple(n for n, p in enumerate(signature.params) if p.kind == "buffer")
        self._Slots = ctypes.c_int64 * max(len(signature.params) + len(signature.symbols), 1)
        self._Context = ctypes.c_int64 * abi.CONTEXT_SLOTS
        # Work that depends on symbols is worked out at each call.
        self._work = compile(signature.work, "<work>", "eval") if isinstance(signature.work, str) else None

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        new_outputs: list[Any] = []
        values: Sequence[Any] = args
        if keywords or len(args) != len(self.signature.params):
            values, new_outputs = complete(self.signature, self._may_miss, args, keywords)
        if self.signature.has_parallel:
            pool().start()
        if self._calls == 1 and self._may_connect:  # a kernel that is called once needs no entry
            self._direct = connect(self, self._address, self._long, _BRIEF)
        self._calls += 1
        if self._direct is None or not self._call_direct(self._direct, values):
            self._call_in_python(values)
        return new_outputs[0] if len(new_outputs) == 1 else tuple(new_outputs) or None

    def _call_direct(self, direct: Direct, values: Sequence[Any]) -> bool:
        """Whether machine code has taken this call, now that all arrays are ndarrays."""
        try:
            values = as_ndarrays(self.signature.params, values)
        except ArgumentError:
            return False  # Python names the first argument that is wrong, and this may be another
        return direct(*values) is not NotImplemented

    def _call_in_python(self, values: Sequence[Any]) -> None:
        slots = simple_slots(self._plan, values) if self._plan is not None else None
        if slots is None:
            self.run(prepare(self.signature, values, {}))
        else:
            self._enter(self._Slots(*slots), values, self._operations({}))

    def run(self, ready: Prepared) -> None:
        """Run on arguments that `prepare` made."""
        symbols = {name: bound.value for name, bound in ready.symbols.items()}
        self._enter(self._Slots(*ready.slots), ready.arrays, self._operations(symbols))
        for target, copy in ready.write_back:
            target[...] = copy

    def run_checked(self, address: int, values: Sequence[Any]) -> None:
        """Run on slots at `address`, which machine code filled from arguments `values` that it has checked."""
        slots = self._Slots.from_address(address)
        work = self.signature.work
        if not isinstance(work, int):
            symbols = slots[len(self.signature.params) :]
            work = self._operations(dict(zip(self.signature.symbols, symbols, strict=False)))
        self._enter(slots, [values[n] for n in self._buffers], work)

    def _enter(self, slots: Any, arrays: Sequence[Any], work: int | None) -> None:
        """Run on slots, which hold the addresses of `arrays`. `work` is how many operations it takes, if that is known."""
        signature = self.signature
        if signature.has_parallel:
            pool().start()
        context = self._Context()
        if signature.intermediates:
            context[abi.MEMORY_LEFT] = memory_limit()
        invocation = None
        if signature.packed:
            functions = [registered_function(call.name) for call in signature.packed]
            addresses = [slots[n] for n in self._buffers]
            invocation = callbacks.Invocation(functions, signature.packed, arrays, addresses)
            context[abi.HANDLE] = invocation.handle
        try:
            if self._set_threads:
                with one_thread(self._set_threads):
                    code = self._call(context, slots, work, arrays)
            else:
                code = self._call(context, slots, work, arrays)
        finally:
            if invocation is not None:
                invocation.close()
        if code:
            _raise(signature, context, invocation)

    def _operations(self, symbols: Mapping[str, int]) -> int | None:
        """The work of a call with these symbols; None when it is unknown."""
        work: Any = self.signature.work
        if self._work is not None:
            try:
                work = eval(self._work, {"__builtins__": {}, "min": min, "max": max}, dict(symbols))
            except ZeroDivisionError:  # a loop ends at a quotient or a remainder by a size, which is 0 now
                return None
        return work  # type: ignore[no-any-return]

    def _call(self, context: Any, slots: Any, work: int | None, arrays: Sequence[Any]) -> int:
        addresses = ctypes.addressof(context), ctypes.addressof(slots)
        is_short = work is not None and work < self._long
        if is_short or not _may_end_early():
            return int(self._short_entry(*addresses))
        cancel = partial(context.__setitem__, abi.CANCEL, 1)
        if self.signature.packed:  # Python functions run where they were called from
            with watched(cancel):
                return int(self._entry(*addresses))

        def call(keep: Any = (context, slots, arrays)) -> int:
            return int(self._entry(*addresses))

        # Meanwhile the main thread can take an interrupt and stop the kernel; any other thread asks whether
        # it should.
        start = time.perf_counter()
        code = call_in_background(call, cancel)
        if work is not None and not code and time.perf_counter() - start < _MOMENT / _MARGIN:
            self._trust(work)
        return code

    def _trust(self, work: int) -> None:
        """From now on calls of this much work, and of somewhat more, count as short."""
        limit = _LONG
        while limit <= work:
            limit *= _MARGIN  # few values: entries of equal kernels are compiled once
        self._long = limit
        if self._may_connect:
            self._direct = connect(self, self._address, limit, _BRIEF)

    # ---- timing and looks

    def time(self, *args: Any, number: int = 0, repeat: int = 7) -> Timing:
        """Seconds for one call: `repeat` samples of `number` calls each (0: enough for 20 ms)."""
        ready = prepare(self.signature, args, {})
        return time_call(lambda: self.run(ready), number, repeat)

    def time_evaluator(
        self,
        func_name: str | None = None,
        dev: Any = None,
        number: int = 10,
        repeat: int = 1,
        min_repeat_ms: int = 0,
        limit_zero_time_iterations: int = 100,
        cooldown_interval_ms: int = 0,
        repeats_to_cooldown: int = 1,
        cache_flush_bytes: int = 0,
        f_preproc: str = "",
        ctx: Any = None,
    ) -> Callable[..., Timing]:
        """The classic way to time: a function of the arguments that returns a Timing, of `repeat` samples of `number`
        calls each, or of as many as take `min_repeat_ms`. Before every `repeats_to_cooldown`th sample the processor
        rests for `cooldown_interval_ms`, and `cache_flush_bytes` of other memory are written before each one.

        `func_name` is a kernel of this module, this one unless it is given; the other arguments are taken for the sake
        of old programs (`ctx` is what `dev` was called until v0.7). Raises ArgumentError for numbers that are no counts, and for a device that is not there.
        """
        present(ctx if dev is None else dev)
        kernel = self if func_name is None else self.get_function(func_name)
        counts = {"number": number, "repeat": repeat}
        for what, n in counts.items():
            if not isinstance(n, int) or n < 1:
                raise ArgumentError(f"time_evaluator: {what}={n!r} is no number of calls", span=here())
        flushed = bytearray(cache_flush_bytes)

        def before(sample: int) -> None:
            if cooldown_interval_ms and sample % repeats_to_cooldown == 0:
                time.sleep(cooldown_interval_ms / 1000)
            if flushed:
                ctypes.memset((ctypes.c_char * len(flushed)).from_buffer(flushed), sample % 256, len(flushed))

        def evaluate(*args: Any) -> Timing:
            ready = prepare(kernel.signature, args, {})
            return time_call(lambda: kernel.run(ready), number, repeat, min_repeat_ms / 1000, before)

        return evaluate

    # ---- arrays larger than memory

    def map_blocks(self, *arrays: Any, chunks: Any = None, split_every: int = 8) -> Any:
        """The output as a dask array, computed block by block; a tuple of arrays where there are several. `arrays` are the
        inputs, as dask arrays of any chunks or as numpy arrays, and numbers for variables:

            y = kernel.map_blocks(x)
            y.to_zarr("y.zarr")

        What a block reads of its neighbours is what the program reads, a reduction over several chunks is combined by its
        reducer. The output has the chunks of the inputs, or `chunks`. Needs `pip install tewb[dask]`. Raises ArgumentError
        for wrong arrays, BlockError for a program that cannot be cut.
        """
        return _map_blocks[0](self, *arrays, chunks=chunks, split_every=split_every)

    def __dask_tokenize__(self) -> Any:
        """What dask knows a kernel by: its code and its name."""
        return "tewb.Kernel", self.name, getattr(self.code, "identity", id(self))

    def get_source(self, fmt: str = "ll", target: Target | str | None = None) -> str:
        """The code of this kernel: "ll" (optimised LLVM IR), "ll0" (as tewb made it) or "asm".

        With a `target`, the code that it would have there:

            kernel.get_source("asm", target="llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-v1")
        """
        if fmt not in _FORMATS:
            raise ArgumentError(f"get_source knows ll, ll0 and asm, not {fmt}", hint='get_source("asm")')
        return str(getattr(self.code if target is None else self.code.for_target(target), _FORMATS[fmt]))

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{p.name}: {p.dtype}[{', '.join(s.text for s in p.shape)}]" for p in self.signature.params
        )
        return f"Kernel({self.name}: {shown})"


_FORMATS = {"ll": "optimized_ir", "": "optimized_ir", "ll0": "llvm_ir", "asm": "assembly", "s": "assembly"}


_map_blocks: list[Callable[..., Any]] = []


def register_map_blocks(f: Callable[..., Any]) -> None:
    """Register how kernels are mapped over blocks, which needs programs."""
    _map_blocks[:] = [f]


def _may_end_early() -> bool:
    """Whether a call may be ended early: interrupts come to the main thread, and other work may be stopped."""
    return threading.current_thread() is threading.main_thread() or may_be_stopped()


def _raise(signature: KernelSignature, context: Any, invocation: callbacks.Invocation | None) -> NoReturn:
    """Raise the error that the context describes."""
    error = invocation.take_error() if invocation is not None else None
    if error is not None:
        try:
            raise error
        finally:
            del error
    kind, a, b = context[abi.ERROR], context[abi.DETAIL_A], context[abi.DETAIL_B]
    number = context[abi.MESSAGE]
    message = signature.messages[number] if 0 <= number < len(signature.messages) else ""
    match kind:
        case abi.ASSERTION if message.startswith(abi.ABOUT_ARGUMENTS):
            raise ArgumentError(f"kernel {signature.name}: {message}")
        case abi.ASSERTION:
            raise BoundError(message or "an assertion of the kernel failed")
        case abi.BOUNDS:
            raise BoundError(
                f"{message}: index {a} is outside of 0..{b - 1}",
                hint="guard the access: te.if_then_else(te.all(i >= 0, i < n), A[i], 0)",
            )
        case abi.NO_MEMORY:
            raise ArgumentError(
                f"kernel {signature.name}: {message} needs {a / 2**20:.0f} MiB, and {b / 2**20:.0f} MiB are left",
                hint="compute it at an inner loop, or raise the option tewb.memory_limit",
            )
        case abi.CALLBACK:
            raise ExternError(
                f"kernel {signature.name}: {message} got no answer from Python, which had no stack left or was"
                " interrupted (the reason went to stderr)",
                hint="call the kernel from fewer calls inside of each other, or see sys.setrecursionlimit",
            )
        case abi.CANCELLED:
            raise KeyboardInterrupt
        case abi.OK if context[abi.CANCEL]:  # stopped between two chunks of a parallel loop
            raise KeyboardInterrupt
    raise TewbError(f"kernel {signature.name} failed")


def _failed(called: Any, context: int) -> None:
    """Raise the error of a kernel that machine code called; `context` is an address."""
    _raise(called.signature, (ctypes.c_int64 * abi.CONTEXT_SLOTS).from_address(context), None)


def _call_packed(called: Any, slots: int, *values: Any) -> None:
    """Run a kernel with packed functions, whose arguments machine code has checked; `slots` is an address."""
    kernel: Any = called.kernel() if isinstance(called, Direct) else called
    kernel.run_checked(slots, values)


# For each library, how many calls want one thread, and the number before.
_pinned: dict[Callable[[int], int], tuple[int, int]] = {}
_pin_lock = free_after_fork(threading.Lock())


@contextmanager
def one_thread(setters: Sequence[Callable[[int], int]]) -> Iterator[None]:
    """Hold libraries at one thread while any kernel asks for it."""
    for f in setters:
        with _pin_lock:
            count, before = _pinned.get(f, (0, 0))
            _pinned[f] = (count + 1, before if count else f(1))
    try:
        yield
    finally:
        for f in setters:
            with _pin_lock:
                count, before = _pinned[f]
                _pinned[f] = (count - 1, before)
                if count == 1:
                    f(before)


_FRESH = 0.1  # seconds for which the free memory of the machine counts as known: asking takes 20 us
_free: tuple[float, int | None] = (0.0, None)  # until when, and how many bytes


def memory_limit() -> int:
    """Bytes that the intermediates of one call may take: the option, or less when the machine has less."""
    global _free
    limit = int(option("tewb.memory_limit"))
    until, free = _free
    now = time.monotonic()
    if now >= until:
        free = _free_memory()
        _free = now + _FRESH, free
    return limit if free is None or limit < free else free


def _free_memory() -> int | None:
    """Bytes of memory that a program could still get on this machine; None if it does not say. (On Linux this
    includes what its caches would give back.)"""
    try:
        text = Path("/proc/meminfo").read_bytes()
        return int(text.split(b"MemAvailable:", 1)[1].split(None, 1)[0]) << 10
    except (OSError, IndexError, ValueError):
        pass
    try:
        return int(os.sysconf("SC_AVPHYS_PAGES")) * int(os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return None


register_entry_functions(_failed, memory_limit, _call_packed)
