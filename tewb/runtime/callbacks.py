"""Calls from kernels back into Python: packed functions, and memory that Python may keep.

Each call of a kernel is an Invocation, known to the machine code by a number in its context. Callbacks get
fresh numpy views without a copy. A view's base is the caller's array, or a numpy array made for the
intermediate, so that a view which escapes never points to freed memory.
"""

from __future__ import annotations

import ctypes
import itertools
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tewb.runtime import abi
from tewb.runtime.checked import Guarded, call_checked
from tewb.runtime.jit import register_symbol

_invocations: dict[int, Invocation] = {}
_numbers = itertools.count(1)
_DTYPES = tuple(np.dtype(name) for name in abi.DTYPES)


class Invocation:
    """One call of a kernel: its packed functions, the arrays that views may look at, the first exception."""

    def __init__(
        self, functions: Sequence[Callable[..., Any]], calls: Sequence[abi.PackedCall], arrays: Sequence[Any]
    ) -> None:
        self.functions, self.calls = functions, calls
        self.owners = [(low, high, _bytes_of(a, low, high)) for a in arrays for low, high in [_extent(a)]]
        self.error: BaseException | None = None
        self.lock = threading.Lock()
        self.number = next(_numbers)
        _invocations[self.number] = self

    def close(self) -> None:
        """End the call: the machine code is done with this number."""
        _invocations.pop(self.number, None)

    def fail(self, error: BaseException, call: abi.PackedCall) -> None:
        """Keep the first exception; the others come from work that is being stopped."""
        with self.lock:
            if self.error is None:
                extern = f" for extern {call.extern}" if call.extern else ""
                error.add_note(f"raised in packed function {call.name}, called by a tewb kernel{extern}")
                self.error = error

    def view(
        self, dtype: np.dtype[Any], address: int, shape: tuple[int, ...], strides: tuple[int, ...]
    ) -> Any:
        """A numpy view of the caller's array or intermediate that holds `address`."""
        for low, high, raw in self.owners:
            if low <= address < high:
                size = dtype.itemsize
                return np.ndarray(shape, dtype, raw, address - low, tuple([s * size for s in strides]))
        return np.empty(shape, dtype)  # a box without elements

    def call(self, number: int, record: Any, count: int) -> int:
        """Run packed function `number` on the packed arguments; 1 after an exception."""
        call = self.calls[number]
        try:
            arguments = self._arguments(record, count)
            if any(isinstance(a, Guarded) for a in arguments):
                call_checked(self.functions[number], call, arguments)
            else:
                self.functions[number](*arguments)
        except BaseException as e:  # also KeyboardInterrupt: it belongs to the caller of the kernel
            self.fail(e, call)
            return 1
        return 0

    def _arguments(self, record: Any, count: int) -> list[Any]:
        made: list[Any] = []
        at = 0
        for _ in range(count):
            kind, code, rank, value = record[at], record[at + 1], record[at + 2], record[at + 3]
            if kind in (abi.ARRAY, abi.READ, abi.WRITTEN):
                shape = tuple(record[at + 4 : at + 4 + rank])
                strides = tuple(record[at + 4 + rank : at + 4 + 2 * rank])
                view = self.view(_DTYPES[code], value, shape, strides)
                if kind != abi.ARRAY:
                    at += 2 * rank
                    place = record[at + 4 : at + 4 + 2 * rank]
                    view = Guarded(view, kind == abi.WRITTEN, tuple(place[:rank]), tuple(place[rank:]))
                made.append(view)
            elif kind == abi.FLOAT:
                made.append(float(np.int64(value).view(np.float64)))
            else:
                made.append(bool(value) if abi.DTYPES[code] == "bool" else int(value))
            at += 4 + 2 * rank
        return made


def _extent(a: Any) -> tuple[int, int]:
    """The addresses from the first byte of an array to one past its last."""
    low, high = np.lib.array_utils.byte_bounds(a)
    return int(low), int(high)


def _bytes_of(owner: Any, low: int, high: int) -> Any:
    """The memory of `owner` as bytes that keep it alive."""
    return np.asarray(_Memory(owner, low, high - low))


class _Memory:
    """Shows an address range as an array of bytes, and holds on to the array it belongs to."""

    def __init__(self, owner: Any, address: int, size: int) -> None:
        self.owner = owner
        place = (address, not owner.flags.writeable)
        self.__array_interface__ = {"shape": (size,), "typestr": "|u1", "data": place, "version": 3}


# ---------------------------------------------------------------- entry points for machine code


def _call_packed(handle: int, number: int, record: Any, count: int) -> int:
    invocation = _invocations.get(handle)
    return 1 if invocation is None else invocation.call(number, record, count)


def _alloc_shared(handle: int, size: int) -> int:
    """Memory of an intermediate that callbacks see, as a numpy array that lives as long as its views."""
    invocation = _invocations.get(handle)
    if invocation is None:
        return 0
    try:
        raw = np.empty(size + 64, np.uint8)
    except MemoryError:
        return 0
    skip = -raw.ctypes.data % 64
    buffer = raw[skip : skip + max(size, 1)]
    with invocation.lock:
        invocation.owners.append((*_extent(buffer), buffer))
    return int(buffer.ctypes.data)


def _free_shared(handle: int, address: int) -> None:
    invocation = _invocations.get(handle)
    if invocation is not None:
        with invocation.lock:
            invocation.owners = [o for o in invocation.owners if o[0] != address]


_CALL = ctypes.CFUNCTYPE(
    ctypes.c_int32, ctypes.c_int64, ctypes.c_int32, ctypes.POINTER(ctypes.c_int64), ctypes.c_int32
)(_call_packed)
_ALLOC = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)(_alloc_shared)
_FREE = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64)(_free_shared)


def register() -> None:
    """Make the services known to generated code."""
    for name, function in (
        ("tewb_rt_call_packed", _CALL),
        ("tewb_rt_alloc_shared", _ALLOC),
        ("tewb_rt_free_shared", _FREE),
    ):
        register_symbol(name, ctypes.cast(function, ctypes.c_void_p).value or 0)
    runtime = ctypes.pythonapi
    for name, source in (("tewb_rt_malloc", "PyMem_RawMalloc"), ("tewb_rt_raw_free", "PyMem_RawFree")):
        register_symbol(name, ctypes.cast(getattr(runtime, source), ctypes.c_void_p).value or 0)
