"""Calls from kernels back into Python: packed functions, and memory that Python may keep.

Each call of a kernel is an Invocation, known to the machine code by the address of its table. Callbacks get
fresh views, NDArrays, without a copy. A view's base is the caller's array, or a numpy array made for the
intermediate, so that a view which escapes never points to freed memory.

Kernels use the machine code of `native_calls.py`; the functions here, called through ctypes, stand in where that
cannot be trusted. (They are slower, 10 us a callback, and ctypes drops an exception that is raised at their very
entry; the kernel then sees that it got no answer.)
"""

from __future__ import annotations

import ctypes
import threading
from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np

from tewb.base import ExternError, brief, memory_dtype, once
from tewb.runtime import abi, native_calls
from tewb.runtime.checked_call import Guarded, call_checked
from tewb.runtime.cpython import WRITEABLE
from tewb.runtime.jit import register_symbol
from tewb.runtime.ndarray import NDArray

_invocations: dict[int, Invocation] = {}
_DTYPES = tuple(memory_dtype(name) for name in abi.DTYPES)


_SPARE = array("q", bytes(8 * 8 * native_calls.OWNER_SLOTS))  # room for owners that come while a kernel runs


class Invocation:
    """One call of a kernel: its packed functions, the arrays that views may look at, the first exception.

    `handle` is the address of its table, by which machine code knows it.
    """

    def __init__(
        self,
        functions: Sequence[Any],
        calls: Sequence[abi.PackedCall],
        arrays: Sequence[Any],
        addresses: Sequence[int],
    ) -> None:
        functions = [_answering(f, c) if c.returns else f for f, c in zip(functions, calls, strict=True)]
        self.functions, self.calls = functions, calls
        self.owners = [(*_extent(a, p), a) for a, p in zip(arrays, addresses, strict=True)]
        self.error: BaseException | None = None
        self.lock = threading.Lock()
        # The table, the functions, and rows for the owners.
        memory = array("q", [0, 0, len(arrays), id(self), 0, *map(id, functions)])
        first = len(memory)
        for owner in self.owners:
            memory.extend(_row(owner))
        self.handle: int = memory.buffer_info()[0]
        memory[native_calls.FUNCTIONS] = self.handle + 8 * native_calls.TABLE_SLOTS
        memory[native_calls.OWNERS] = self.handle + 8 * first
        self._memory = memory
        self._rows, self._first = [memory], first  # where the rows are, and where they begin there
        _invocations[self.handle] = self

    def _grow(self) -> None:
        """More rows. Machine code holds the GIL while it looks at them, as this does. Outgrown rows stay, because
        they may be in use."""
        rows_in_use = self._rows[-1][self._first :]
        rows = rows_in_use + _SPARE * (1 + len(rows_in_use) // len(_SPARE))
        self._rows.append(rows)
        self._first = 0
        self._memory[native_calls.OWNERS] = rows.buffer_info()[0]

    def add(self, buffer: Any) -> None:
        """Memory of an intermediate, which lives as long as this call and every view of it."""
        with self.lock:
            owner = (*_extent(buffer, buffer.ctypes.data), buffer)
            count, size = len(self.owners), native_calls.OWNER_SLOTS
            if len(self._rows[-1]) < self._first + (count + 1) * size:
                self._grow()
            rows, at = self._rows[-1], self._first + count * size
            rows[at : at + size] = array("q", _row(owner))
            self.owners.append(owner)
            self._memory[native_calls.OWNER_COUNT] = count + 1

    def close(self) -> None:
        """End the call: the machine code is done with this handle."""
        _invocations.pop(self.handle, None)

    def fail(self, error: BaseException, call: abi.PackedCall) -> None:
        """Keep the first exception; the others come from work that is being stopped."""
        with self.lock:
            if self.error is None:
                extern = f" for extern {call.extern}" if call.extern else ""
                error.add_note(f"raised in packed function {call.name}, called by a tewb kernel{extern}")
                self.error = error

    def take_error(self) -> BaseException | None:
        """The first exception, which is forgotten here: its traceback holds frames that hold this."""
        if self._memory[native_calls.UNREPORTED]:
            unreported: Any = ctypes.py_object.from_address(self.handle + 8 * native_calls.UNREPORTED)
            self.error = self.error or unreported.value
            ctypes.pythonapi.Py_DecRef(unreported)
            self._memory[native_calls.UNREPORTED] = 0
        error, self.error = self.error, None
        return error

    def view(
        self, dtype: np.dtype[Any], address: int, shape: tuple[int, ...], strides: tuple[int, ...]
    ) -> Any:
        """A view of the caller's array or intermediate that holds `address`."""
        for low, high, owner in self.owners:
            if low <= address < high:
                size = dtype.itemsize
                raw = _bytes_of(owner, low, high)
                return NDArray(shape, dtype, raw, address - low, tuple([s * size for s in strides]))
        return NDArray(shape, dtype)  # a box without elements

    def call(self, number: int, record: Any, count: int) -> None:
        """Run packed function `number` on the packed arguments, and store in the record whether it succeeded."""
        call = self.calls[number]
        try:
            arguments = self._arguments(record, count)
            if any(isinstance(a, Guarded) for a in arguments):
                result = call_checked(self.functions[number], call, arguments)
            else:
                result = self.functions[number](*arguments)
            if record[0] == abi.INTEGER_WANTED:
                record[1] = result
            elif record[0] == abi.FLOAT_WANTED:
                record[1] = int(np.float64(result).view(np.int64))
        except BaseException as e:  # also KeyboardInterrupt: it belongs to the caller of the kernel
            try:
                self.fail(e, call)
            except BaseException:  # at the end of Python's stack it is kept without a note
                self.error = e if self.error is None else self.error
            record[0] = 1
        else:
            record[0] = 0

    def _arguments(self, record: Any, count: int) -> list[Any]:
        arguments: list[Any] = []
        at = 1
        for _ in range(count):
            kind, code, rank, value = record[at], record[at + 1], record[at + 2], record[at + 3]
            if kind in (abi.ARRAY, abi.READ, abi.WRITTEN):
                shape = tuple(record[at + 4 : at + 4 + rank])
                strides = tuple(record[at + 4 + rank : at + 4 + 2 * rank])
                view = self.view(_DTYPES[code], value, shape, strides)
                if kind != abi.ARRAY:
                    at += 2 * rank
                    box = record[at + 4 : at + 4 + 2 * rank]
                    view = Guarded(view, kind == abi.WRITTEN, tuple(box[:rank]), tuple(box[rank:]))
                arguments.append(view)
            elif kind == abi.TEXT:
                arguments.append(ctypes.string_at(value).decode())
            elif kind == abi.FLOAT:
                arguments.append(float(np.int64(value).view(np.float64)))
            else:
                arguments.append(bool(value) if abi.DTYPES[code] == "bool" else int(value))
            at += 4 + 2 * rank
        return arguments


def _answering(function: Any, call: abi.PackedCall) -> Any:
    """`function`, which must return a number of the dtype that the kernel uses."""
    wanted = np.dtype(call.returns)

    def answer(*arguments: Any) -> Any:
        value = function(*arguments)
        number = value.item() if isinstance(value, np.generic | np.ndarray) and value.ndim == 0 else value
        if isinstance(number, int | float) and wanted.kind == "f":
            return float(number)
        if isinstance(number, bool) or (isinstance(number, int) and wanted.kind == "b"):
            return int(bool(number))
        if not isinstance(number, int):
            raise ExternError(
                f"packed function {call.name} returned {brief(repr(value))}, and the kernel uses what it returns as {wanted}",
                hint=f"return a number that is {wanted}"
                + (
                    f', or call it with dtype="float32": call_packed("{call.name}", ..., dtype="float32")'
                    if isinstance(number, float)
                    else ""
                ),
            )
        info = np.iinfo(wanted)
        if not info.min <= number <= info.max:
            raise ExternError(
                f"packed function {call.name} returned {brief(str(number))}, which does not fit {wanted}",
                hint=f'call_packed("{call.name}", ..., dtype="int64")',
            )
        return number - (1 << 64) if number >> 63 > 0 else number  # as an int64 of the same bits

    return answer


def _row(owner: tuple[int, int, Any]) -> list[int]:
    """An owner as machine code knows it."""
    low, high, base = owner
    return [low, high, id(base), WRITEABLE if base.flags.writeable else 0, 1]


def _extent(a: Any, address: int) -> tuple[int, int]:
    """The addresses from the first byte of an array, whose first element is at `address`, to one past its last."""
    if a.flags.c_contiguous:
        return address, address + a.nbytes
    low, high = np.lib.array_utils.byte_bounds(a)
    return int(low), int(high)


def _bytes_of(owner: Any, low: int, high: int) -> Any:
    """The memory of `owner` as bytes that keep it alive."""
    return np.asarray(_Memory(owner, low, high - low))


class _Memory:
    """Shows an address range as an array of bytes, and holds on to the array it belongs to."""

    def __init__(self, owner: Any, address: int, size: int) -> None:
        self.owner = owner
        data = (address, not owner.flags.writeable)
        self.__array_interface__ = {"shape": (size,), "typestr": "|u1", "data": data, "version": 3}


# ---------------------------------------------------------------- entry points for machine code


def _failed(invocation: Invocation, error: BaseException, number: int) -> None:
    invocation.fail(error, invocation.calls[number])


def _call_packed(handle: int, number: int, record: Any, count: int) -> None:
    _invocations[handle].call(number, record, count)


def _alloc_shared(handle: int, size: int, answer: Any) -> None:
    """Memory of an intermediate that callbacks see, as a numpy array that lives as long as its views."""
    invocation = _invocations[handle]
    try:
        buffer = np.empty(max(size, 1), np.uint8)
        invocation.add(buffer)
    except MemoryError:
        answer[0] = 0
    else:
        answer[0] = int(buffer.ctypes.data)


def _free_shared(handle: int, address: int) -> None:
    invocation = _invocations.get(handle)
    if invocation is not None:
        with invocation.lock:
            invocation.owners = [o for o in invocation.owners if o[0] != address]


_Words = ctypes.POINTER(ctypes.c_int64)
_CallPacked = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int32, _Words, ctypes.c_int32)
_CALL = _CallPacked(_call_packed)
_ALLOC = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, _Words)(_alloc_shared)
_FREE = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64)(_free_shared)


def _address(function: Any) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0


_is_native = False


def are_native() -> bool:
    """Whether callbacks are in machine code."""
    return _is_native


def register() -> None:
    """Register what generated code calls: the callbacks in Python, and memory."""
    global _is_native
    _is_native = False
    for name, function in (
        ("tewb_rt_call_packed", _CALL),
        ("tewb_rt_call_checked", _CALL),
        ("tewb_rt_alloc_shared", _ALLOC),
        ("tewb_rt_free_shared", _FREE),
    ):
        register_symbol(name, _address(function))
    runtime = ctypes.pythonapi
    for name, source in (("tewb_rt_malloc", "PyMem_RawMalloc"), ("tewb_rt_raw_free", "PyMem_RawFree")):
        register_symbol(name, _address(getattr(runtime, source)))


@once
def register_native() -> bool:
    """Use callbacks in machine code for kernels that are built from now on, if they pass their test."""
    global _is_native
    addresses = native_calls.native_calls(_failed, _address(_ALLOC))
    if addresses is None or not _works(addresses[0]):
        return False
    for name, address in zip(
        ("tewb_rt_call_packed", "tewb_rt_alloc_shared", "tewb_rt_free_shared"), addresses, strict=True
    ):
        register_symbol(name, address)
    _is_native = True
    return True


def _works(address: int) -> bool:
    """One call with a strided view, a number and a truth value, and one that raises."""
    array = np.arange(24, dtype=np.float64).reshape(4, 6)
    received: list[Any] = []

    def look(*arguments: Any) -> None:
        received.extend(arguments)
        if len(received) > 4:
            raise ValueError("tried")

    invocation = Invocation([look], [abi.PackedCall("look")], [array], [array.ctypes.data])
    float64 = abi.DTYPES.index("float64")
    record = [abi.UNANSWERED, abi.ARRAY, float64, 2, array.ctypes.data + 8, 2, 3, 12, 2]
    record += [abi.INTEGER, abi.DTYPES.index("int32"), 0, -5, abi.INTEGER, abi.DTYPES.index("bool"), 0, 1]
    record += [abi.FLOAT, float64, 0, int(np.float64(2.5).view(np.int64))]
    slots = (ctypes.c_int64 * len(record))(*record)
    answers = []
    for _ in range(2):
        _CallPacked(address)(invocation.handle, 0, slots, 4)
        answers.append(slots[0])
    invocation.close()
    if answers != [0, 1] or not isinstance(invocation.error, ValueError) or len(received) != 8:
        return False
    view, *others = received[:4]
    same = np.array_equal(view, array[::2, 1:7:2]) and view.strides == (96, 16) and view.flags.writeable
    return bool(same and type(view) is NDArray and others == [-5, True, 2.5])
