"""CPython and numpy from machine code: their C functions and objects as symbols, and the layout of an array.

Layouts and numbers are those of the public C interfaces (`PyObject`, `PyArrayObject`). They are compared
with what Python says before anything relies on them; where something differs, calls stay in Python.
"""

from __future__ import annotations

import ctypes
import importlib
import sys
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from tewb.base import memory_dtype
from tewb.runtime import abi
from tewb.runtime.jit import register_symbol
from tewb.runtime.ndarray import NDArray

# Bytes from the start of an object to the fields of an array. The type stands at the end of the head.
HEAD = object.__basicsize__
TYPE = HEAD - 8
DATA, RANK, DIMS, STRIDES, BASE, DESCR, FLAGS = (HEAD + 8 * i for i in range(7))

# Bits of an array's flags. The last marks arrays whose writing is about to be forbidden.
C_CONTIGUOUS, F_CONTIGUOUS, ALIGNED, WRITEABLE, WARN_ON_WRITE = 1, 2, 0x100, 0x400, 1 << 31

# The lower half of an object's reference count. Since 3.14 it is a field by itself, at the same offset, next
# to flags; the count of an immortal object is never 1. (Free-threaded builds have no such field.)
REFERENCES = 0 if sys.byteorder == "little" else 4

ARRAY_TYPE = 2  # its place in numpy's table of C functions


def register_python(names: Iterable[str]) -> bool:
    """Let machine code call functions of CPython, each as tewb_py_<name>; False if one is missing."""
    try:
        for name in names:
            function = getattr(ctypes.pythonapi, name)
            register_symbol(f"tewb_py_{name}", ctypes.cast(function, ctypes.c_void_p).value or 0)
    except AttributeError:
        return False
    return True


def are_references_known() -> bool:
    """Whether the reference count is where it is expected."""
    one: object = object()
    count = ctypes.c_uint32.from_address(id(one) + REFERENCES)
    before = count.value
    references = [one, one, one]
    return before == 1 and count.value == 1 + len(references)


def numpy_table() -> Any:
    """numpy's table of C functions; None if it is not the one that is expected."""
    try:
        core = importlib.import_module("numpy._core._multiarray_umath")
    except ImportError:
        return None
    capsule = getattr(core, "_ARRAY_API", None)
    if capsule is None:
        return None
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    table = ctypes.cast(get(capsule, None), ctypes.POINTER(ctypes.c_size_t))
    return table if table[ARRAY_TYPE] == id(np.ndarray) else None


@lru_cache(maxsize=1)
def register_arrays() -> bool:
    """Make numpy's array type and descriptors symbols, if arrays are laid out as expected."""
    if numpy_table() is None or not _layout_is_known():
        return False
    register_symbol("tewb_np_ndarray", id(np.ndarray))
    register_symbol("tewb_np_NDArray", id(NDArray))
    for name in abi.DTYPES:
        register_symbol(f"tewb_np_{name}", id(memory_dtype(name)))  # numpy has one object for each, for ever
    return True


def _layout_is_known() -> bool:
    """Whether four arrays look in memory as Python describes them."""
    plain = np.arange(24, dtype=np.float32).reshape(4, 6)
    frozen = plain.T[::-1]
    frozen.flags.writeable = False
    odd = np.zeros(33, np.uint8)[1:].view(np.float64)
    return all(_is_laid_out(a) for a in (plain, frozen, odd, plain.view(NDArray)))


_GARBAGE_COLLECTED, _MANAGED = 1 << 14, 0b11100  # bits of a type: what its objects have beside their fields


def is_like_array(cls: type) -> bool:
    """Whether objects of `cls`, a Python class derived from numpy's array, are arrays to the byte, so that an array
    becomes one when its type is replaced."""
    return (
        cls.__basicsize__ == np.ndarray.__basicsize__
        and cls.__itemsize__ == np.ndarray.__itemsize__
        and cls.__dictoffset__ == np.ndarray.__dictoffset__
        and cls.__weakrefoffset__ == np.ndarray.__weakrefoffset__
        and not (cls.__flags__ | np.ndarray.__flags__) & (_GARBAGE_COLLECTED | _MANAGED)
    )


def _is_laid_out(a: Any) -> bool:
    def word(offset: int, kind: Any = ctypes.c_size_t) -> int:
        return int(kind.from_address(id(a) + offset).value)

    def words(offset: int) -> tuple[int, ...]:
        return tuple((ctypes.c_ssize_t * a.ndim).from_address(word(offset)))

    flags, f = word(FLAGS, ctypes.c_uint32), a.flags
    bits = (
        (C_CONTIGUOUS, f.c_contiguous),
        (F_CONTIGUOUS, f.f_contiguous),
        (ALIGNED, f.aligned),
        (WRITEABLE, f.writeable),
        (WARN_ON_WRITE, False),
    )
    return (
        word(TYPE) == id(type(a))
        and word(DATA) == a.__array_interface__["data"][0]
        and word(RANK, ctypes.c_int32) == a.ndim
        and words(DIMS) == a.shape
        and words(STRIDES) == a.strides
        and word(BASE) == (0 if a.base is None else id(a.base))
        and word(DESCR) == id(a.dtype)
        and all(bool(flags & bit) == said for bit, said in bits)
    )
