"""Native functions that kernels call: a C symbol, a ctypes function, a numba cfunc, a Cython capsule.

Each function is registered under a symbol. A call is checked, where it is written, against the C types that are
known, so that a wrong call raises an exception instead of crashing the process.
"""

from __future__ import annotations

import ctypes
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tewb.base.dtypes import DType
from tewb.base.errors import ExternError
from tewb.base.names import unique_name
from tewb.base.once import free_after_fork
from tewb.base.span import here


@dataclass(frozen=True, slots=True)
class CType:
    """A C type: a value of `dtype`, or a pointer to such values (None: to anything)."""

    pointer: bool
    dtype: DType | None

    def __str__(self) -> str:
        return f"{self.dtype or 'void'}{' *' if self.pointer else ''}"


@dataclass(frozen=True, slots=True)
class Native:
    """A function by its symbol. `parameters` is None when its types are not known; `owner` keeps it alive;
    `set_threads(n)`, when it has threads of its own, sets their number and returns the previous one."""

    symbol: str
    address: int
    parameters: tuple[CType, ...] | None
    result: DType | None
    owner: object
    set_threads: Callable[[int], int] | None = None


_FUNCTION: type[Any] = ctypes.CFUNCTYPE(None).__mro__[1]  # the base class of every ctypes function
_natives: dict[str, Native] = {}
_lock = free_after_fork(threading.Lock())


def native(symbol: str) -> Native | None:
    """The function that was registered as `symbol`."""
    return _natives.get(symbol)


def register_native(
    function: Any, name: str | None = None, set_threads: Callable[[int], int] | None = None
) -> Native:
    """Make a ctypes function, a numba cfunc or a Cython capsule known to kernels.

    Raises ExternError for anything else. The symbol is `name`, with a number when it is taken.
    """
    default_name, address, parameters, result = _look(function)
    with _lock:
        symbol = unique_name(name or default_name, lambda s: _is_another(s, address), ".")
        registered = Native(symbol, address, parameters, result, function, set_threads)
        _natives[symbol] = registered
    return registered


def _is_another(symbol: str, address: int) -> bool:
    """Whether a function at another address is known by this symbol."""
    known = native(symbol)
    return known is not None and known.address != address


def _look(f: Any) -> tuple[str, int, tuple[CType, ...] | None, DType | None]:
    """Name, address and C types of a native function."""
    if type(f).__name__ == "PyCapsule":
        return _capsule(f)
    if isinstance(getattr(f, "address", None), int) and hasattr(f, "ctypes"):  # numba's @cfunc
        name = getattr(f, "__name__", "cfunc")
        return (name, f.address, *_signature(f.ctypes))
    if isinstance(f, _FUNCTION):
        address = ctypes.cast(f, ctypes.c_void_p).value
        if not address:
            raise ExternError(
                "call_extern: this ctypes function points nowhere",
                hint="load it from a library: ctypes.CDLL(path).name",
                span=here(),
            )
        return (getattr(f, "__name__", "native"), address, *_signature(f))
    raise ExternError(
        f"call_extern takes the name of a C function, a ctypes function, a cfunc or a capsule, not {f!r}",
        hint='call_extern("float32", "expf", x)',
        span=here(),
    )


def _signature(f: Any) -> tuple[tuple[CType, ...] | None, DType | None]:
    kinds = getattr(f, "argtypes", None) or getattr(type(f), "_argtypes_", None)
    result = getattr(f, "restype", None)
    result_type = _ctype(result) if result is not None else CType(False, DType("void"))
    if kinds is None:
        return None, None
    return tuple(_ctype(k) for k in kinds), None if result_type.pointer else result_type.dtype


def _ctype(kind: Any) -> CType:
    if kind is ctypes.c_void_p:
        return CType(True, None)
    if kind is ctypes.c_char_p:
        return CType(True, DType("int8"))
    if hasattr(kind, "contents"):
        return CType(True, _scalar(kind._type_))
    return CType(False, _scalar(kind))


def _scalar(kind: Any) -> DType:
    code = getattr(kind, "_type_", None)
    size = 8 * ctypes.sizeof(kind) if isinstance(code, str) else 0
    if code in ("f", "d"):
        return DType(f"float{size}")
    if code == "?":
        return DType("bool")
    if isinstance(code, str) and code in "bhilqcnBHILQN":
        return DType(f"{'uint' if code.isupper() else 'int'}{size}")
    raise ExternError(
        f"call_extern: no dtype for the C type {kind!r}",
        hint="numbers of C and pointers to them are known, such as ctypes.c_float",
        span=here(),
    )


# ---------------------------------------------------------------- capsules, whose name is the C signature

_C = {
    "int": "int32",
    "char": "int8",
    "float": "float32",
    "double": "float64",
    "void": "void",
    "long": "int64",
}


def _capsule(capsule: Any) -> tuple[str, int, tuple[CType, ...], DType | None]:
    get_name = ctypes.pythonapi.PyCapsule_GetName
    get_name.restype, get_name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
    get_pointer.restype, get_pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    signature = get_name(capsule)
    declaration = re.fullmatch(r"(.*?)\((.*)\)", (signature or b"").decode())
    if declaration is None:
        raise ExternError(f"call_extern: this capsule is not a function: {signature!r}", span=here())
    parameter_texts = [p.strip() for p in declaration[2].split(",")]
    parameters = tuple(_c_type(p) for p in parameter_texts if p not in ("", "void"))
    return "capsule", int(get_pointer(capsule, signature)), parameters, _c_type(declaration[1].strip()).dtype


def _c_type(text: str) -> CType:
    pointer = text.endswith("*")
    base = text.removesuffix("*").strip()
    # Cython writes its typedefs by their mangled names: ..._blas_s is float, ..._blas_d double.
    kind = {"s": "float", "d": "double"}.get(base[-1]) if "cython_" in base and base[-2:-1] == "_" else base
    dtype = _C.get(kind or "")
    if dtype is None and not pointer:
        raise ExternError(f"call_extern: no dtype for the C type {text!r} of the capsule", span=here())
    return CType(pointer, None if dtype in (None, "void") and pointer else DType(dtype or "void"))
