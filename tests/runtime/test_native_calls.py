"""Callbacks in machine code, called without a kernel: arguments, exceptions, memory that is taken again."""

from __future__ import annotations

import ctypes
import gc
from array import array
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tewb.runtime import abi, cpython, heap_types, native_calls
from tewb.runtime.native_calls import BASE, FLAGS, FUNCTIONS, HIGH, IN_USE, LOW, OWNER_COUNT, OWNERS, SELF

pytestmark = pytest.mark.skipif(not heap_types.is_known_python(), reason="callbacks go through ctypes here")

_ALLOC = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)
_CALL = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int32, ctypes.c_void_p, ctypes.c_int32)
_FREE = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64)
FRESH = 4096  # the address that the service of the tests answers for new memory


@_ALLOC
def new_memory(handle: int, size: int, answer: int) -> None:
    ctypes.c_int64.from_address(answer).value = FRESH


class Table:
    """What machine code knows of a call: functions, and one owner of memory."""

    def __init__(
        self, *functions: Callable[..., Any], memory: Any = None, flags: int = cpython.WRITEABLE
    ) -> None:
        self.functions, self.memory, self.failures = functions, memory, []  # type: ignore[var-annotated]
        self.pointers = array("q", map(id, functions))
        self.owner = array("q", bytes(8 * native_calls.OWNER_SLOTS))
        self.words = array("q", bytes(8 * native_calls.TABLE_SLOTS))
        self.words[FUNCTIONS], self.words[OWNERS] = (
            self.pointers.buffer_info()[0],
            self.owner.buffer_info()[0],
        )
        self.words[SELF], self.words[OWNER_COUNT] = id(self), int(memory is not None)
        if memory is not None:
            self.owner[LOW] = memory.ctypes.data
            self.owner[HIGH] = memory.ctypes.data + memory.nbytes
            self.owner[BASE], self.owner[FLAGS], self.owner[IN_USE] = id(memory), flags, 1
        self.handle = self.words.buffer_info()[0]

    def fail(self, error: BaseException, number: int) -> None:
        self.failures.append((error, number))


@pytest.fixture(scope="module")
def addresses() -> Iterator[tuple[int, int, int]]:
    compile_again = native_calls._compiled.__wrapped__
    held: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native_calls, "_compiled", lambda a: held.append(compile_again(a)) or held[-1])
        alloc = ctypes.cast(new_memory, ctypes.c_void_p).value or 0
        found = native_calls.native_calls(Table.fail, alloc)
    assert found is not None
    yield found


def number(value: int, dtype: str = "int64") -> list[int]:
    return [abi.INTEGER, abi.DTYPES.index(dtype), 0, value]


def box(a: Any) -> list[int]:
    steps = [s // a.itemsize for s in a.strides]
    return [abi.ARRAY, abi.DTYPES.index(a.dtype.name), a.ndim, a.ctypes.data, *a.shape, *steps]


def call(addresses: Any, table: Table, which: int, *arguments: list[int]) -> int:
    """The answer to a call of function `which`."""
    record = array("q", [abi.UNANSWERED, *(word for a in arguments for word in a)])
    _CALL(addresses[0])(table.handle, which, record.buffer_info()[0], len(arguments))
    return record[0]


def test_numbers_are_pythons_own(addresses: Any) -> None:
    seen: list[Any] = []
    half = [abi.FLOAT, abi.DTYPES.index("float32"), 0, int(np.float64(0.5).view("int64"))]
    table = Table(print, lambda *given: seen.extend(given))
    assert call(addresses, table, 1, number(-(1 << 63)), number(1, "bool"), number(1, "int8"), half) == 0
    assert [(type(x), x) for x in seen] == [(int, -(1 << 63)), (bool, True), (int, 1), (float, 0.5)]


def test_views_share_the_memory_of_their_owner(addresses: Any) -> None:
    memory = np.arange(24, dtype="int16").reshape(4, 6)
    table = Table(lambda a, b: np.copyto(b, a * 10), memory=memory)
    rows = memory[::-2, 1:3]
    assert call(addresses, table, 0, box(memory[:2, :2]), box(rows)) == 0
    assert memory[3, 1:3].tolist() == [0, 10] and memory[1, 1:3].tolist() == [60, 70]


def test_views_that_may_not_be_written(addresses: Any) -> None:
    memory = np.zeros(4, "float64")
    table = Table(lambda a: a.fill(1), memory=memory, flags=0)
    assert call(addresses, table, 0, box(memory)) == 1
    ((error, which),) = table.failures
    assert isinstance(error, ValueError) and "read-only" in str(error) and which == 0 and not memory.any()


def test_a_view_keeps_its_memory_alive(addresses: Any) -> None:
    kept: list[Any] = []
    table = Table(kept.append, memory=np.arange(1000, dtype="uint8"))
    call(addresses, table, 0, box(table.memory[10:20]))
    assert kept[0].base is table.memory
    del table
    gc.collect()
    assert kept[0].tolist() == list(range(10, 20))


def test_a_box_without_elements_may_point_anywhere(addresses: Any) -> None:
    seen: list[Any] = []
    empty = [abi.ARRAY, abi.DTYPES.index("float32"), 2, 1 << 40, 0, 7, 7, 1]
    assert call(addresses, Table(seen.append), 0, empty) == 0
    assert seen[0].shape == (0, 7) and seen[0].dtype == "float32"


def test_an_exception_is_reported_with_the_number_of_its_function(addresses: Any) -> None:
    table = Table(print, print, lambda: 1 // 0)
    assert call(addresses, table, 2) == 1
    assert [(type(e), n) for e, n in table.failures] == [(ZeroDivisionError, 2)]
    assert table.failures[0][0].__traceback__ is not None


def test_memory_is_taken_again_when_nobody_looks_at_it(addresses: Any) -> None:
    table = Table(memory=np.zeros(64, "uint8"))
    address = table.owner[LOW]

    def taken(size: int) -> int:
        answer = array("q", [0])
        _ALLOC(addresses[1])(table.handle, size, answer.buffer_info()[0])
        return answer[0]

    assert taken(64) == FRESH  # in use
    _FREE(addresses[2])(table.handle, address + 63)
    assert taken(65) == taken(63) == FRESH
    view = table.memory[:1]
    assert taken(64) == FRESH
    del view
    assert taken(64) == address and table.owner[IN_USE] == 1
    _FREE(addresses[2])(table.handle, address + 64)  # memory of somebody else
    assert table.owner[IN_USE] == 1
