"""Native entries: calls of a kernel that go from CPython to machine code with no Python in between.

A kernel is an object of a type with a vectorcall slot. While the slot is empty, a call is `__call__` in
Python; `connect` fills it with code made for the kernel's parameters (see `native_entry_code.py`). Calls that the
code does not take, and everything where layouts are not as expected, go to `__call__` as before.

Kernels with work of unknown length are always called through Python: they need a second thread that leaves the
first one open to Ctrl-C. So do those with parallel loops as long as the pool has threads to start. Where packed
functions are called, the entry looks at the arguments, and the call itself begins in Python: it needs an Invocation.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from weakref import WeakValueDictionary, ref

from tewb.base import free_after_fork
from tewb.runtime.abi import KernelSignature
from tewb.runtime.cpython import register_arrays, register_python
from tewb.runtime.heap_types import Slot, is_known_python, new_type
from tewb.runtime.jit import Compiled, register_symbol
from tewb.runtime.native_entry_code import ADDRESS, ENTRY, FIELDS_SIZE, FUNCTIONS, SLOW, entry_text
from tewb.runtime.thread_pool import pool


class Direct:
    """The native entry of a kernel alone: runs the kernel and returns None, or does nothing and returns
    NotImplemented when the arguments are not as they must be. The kernel must be alive."""

    def __new__(cls, *args: Any) -> Any:
        return object.__new__(with_vectorcall(cls))

    def __init__(self, kernel: Any) -> None:
        self.signature: KernelSignature = kernel.signature
        self.kernel = ref(kernel)

    def __call__(self, *args: Any) -> Any:
        return NotImplemented


_codes: WeakValueDictionary[str, Compiled] = WeakValueDictionary()  # by their text
_lock = free_after_fork(threading.Lock())


def connect(kernel: Any, address: int, long: int, brief: int) -> Direct | None:
    """Let calls of `kernel`, whose machine code is at `address`, go through a native entry. Returns the entry alone;
    None where these parameters or this Python allow none."""
    offset = _python_type(kernel).__basicsize__
    if not _is_ready() or not _has_vectorcall(type(kernel)) or Direct.__basicsize__ != offset:
        return None
    text = entry_text(kernel.signature, offset, long, brief)
    if text is None:
        return None
    if kernel.signature.has_parallel:
        pool()  # its entry looks whether workers are missing
    with _lock:
        code = _codes.get(text)
        if code is None:
            code = _codes[text] = Compiled(text, level=1, plain=True)
    direct = Direct(kernel)
    for o in (direct, kernel):
        slow = _python_type(o).__call__
        # They live as long as the object: a call may still be in the entry that this one replaces.
        o.__dict__.setdefault("_entry_code", []).append((code, slow))
        _fill(o, offset, code.address("tewb_entry"), address, slow)
    return direct


def _fill(o: Any, start: int, entry: int, address: int, slow: Callable[..., Any]) -> None:
    """Set the fields of a callable object, the slot itself last."""
    for offset, value in ((ADDRESS, address), (SLOW, id(slow)), (ENTRY, entry)):
        ctypes.c_size_t.from_address(id(o) + start + offset).value = value


@lru_cache(maxsize=1)
def _is_ready() -> bool:
    """Whether this Python and numpy are as entries expect them. Registers their functions."""
    if not is_known_python() or not (3, 11) <= sys.version_info[:2] <= (3, 14) or not register_arrays():
        return False
    for name, builtin in (("none", None), ("int", int), ("float", float)):
        register_symbol(f"tewb_py_{name}", id(builtin))
    return register_python(FUNCTIONS)


def register_entry_functions(
    failed: Callable[[Any, int], None], memory_limit: Callable[[], int], packed: Callable[..., None]
) -> None:
    """Register the Python functions that entries call: one raises the error of a failed kernel, one says how much
    memory intermediates may take, one runs a kernel with packed functions. (All must live for ever.)"""
    register_symbol("tewb_rt_failed", id(failed))
    register_symbol("tewb_rt_packed", id(packed))
    register_symbol("tewb_rt_memory_limit", id(memory_limit))


# ---------------------------------------------------------------- types with a vectorcall slot


class _Member(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("type", ctypes.c_int),
        ("offset", ctypes.c_ssize_t),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


_TP_MEMBERS, _T_PYSSIZET, _READONLY = 72, 19, 1
_HAVE_VECTORCALL, _HEAP_TYPE = 1 << 11, 1 << 9

_types: dict[type, type] = {}


def with_vectorcall(cls: type) -> type:
    """A type like `cls`, whose objects have a vectorcall slot behind the fields that they have anyway; `cls`
    itself where such a type cannot be made.

    Python classes have no say in this, so the type comes from PyType_FromSpecWithBases. The slot is empty
    at first, and CPython then calls `__call__`.
    """
    if not _is_ready() or _has_vectorcall(cls):
        return cls
    if cls not in _types:
        made = _make_type(cls)
        good = _has_vectorcall(made) and made.__basicsize__ == cls.__basicsize__ + FIELDS_SIZE
        _types[cls] = made if good else cls
    return _types[cls]


def _make_type(cls: type) -> type:
    offset = cls.__basicsize__
    members = (_Member * 2)(_Member(b"__vectorcalloffset__", _T_PYSSIZET, offset + ENTRY, _READONLY, None))
    slot = Slot(_TP_MEMBERS, ctypes.addressof(members))
    name = f"{cls.__module__}.{cls.__qualname__}"
    made: type = new_type(cls, name, offset + FIELDS_SIZE, _HEAP_TYPE | _HAVE_VECTORCALL, [slot], members)
    made.__doc__ = cls.__doc__
    return made


def _python_type(o: Any) -> Any:
    """The Python class that the type of a callable object was made like."""
    return type(o).__base__


def _has_vectorcall(cls: type) -> bool:
    return bool(cls.__flags__ & _HAVE_VECTORCALL) and cls.__basicsize__ >= FIELDS_SIZE + object.__basicsize__
