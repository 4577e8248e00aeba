"""Types by CPython's C interface, for what a `class` statement cannot say: slots of C, objects without a head for the
garbage collector."""

from __future__ import annotations

import ctypes
import sys
import sysconfig
from collections.abc import Sequence
from typing import Any, TypeVar

DEFAULT, BASETYPE = 0, 1 << 10  # flags; those that CPython adds itself are not named

_T = TypeVar("_T", bound=type)


class Slot(ctypes.Structure):
    """What a type has in one of its slots; slot 0 ends the list."""

    _fields_ = (("slot", ctypes.c_int), ("value", ctypes.c_void_p))


class _Spec(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("basicsize", ctypes.c_int),
        ("itemsize", ctypes.c_int),
        ("flags", ctypes.c_uint),
        ("slots", ctypes.POINTER(Slot)),
    )


_specs: list[Any] = []  # CPython 3.11 goes on using the names in them


def is_known_python() -> bool:
    """Whether this is a CPython with the lock, whose C interface machine code may use."""
    return sys.implementation.name == "cpython" and not sysconfig.get_config_var("Py_GIL_DISABLED")


def new_type(
    base: type, name: str, basicsize: int, flags: int, slots: Sequence[Slot] = (), keep: object = None
) -> Any:
    """A type derived from `base`, with objects of `basicsize` bytes (0: those of the base). `keep` is what its slots
    point to."""
    listed = (Slot * (len(slots) + 1))(*slots)
    spec = _Spec(name.encode(), basicsize, 0, flags, listed)
    _specs.append((listed, spec, keep))
    make = ctypes.pythonapi.PyType_FromSpecWithBases
    make.restype, make.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.py_object]
    return make(ctypes.addressof(spec), (base,))


def without_head(cls: _T) -> _T:
    """A class like `cls`, which adds methods to its base and no fields, whose objects are those of the base to the byte.

    (Objects of a `class` have a head for the garbage collector, also where the base's have none.) Where such a type
    cannot be made it is `cls` itself.
    """
    if not is_known_python():
        return cls
    light = new_type(cls.__bases__[0], f"{cls.__module__}.{cls.__qualname__}", 0, DEFAULT | BASETYPE)
    for name, value in vars(cls).items():
        if name != "__slots__":
            setattr(light, name, value)
    return light  # type: ignore[no-any-return]
