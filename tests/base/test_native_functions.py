"""Native functions: their symbols, their C types, and what is none."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest

from tewb.base import CType, DType, ExternError, native, register_native

POINTER, DOUBLE = ctypes.POINTER(ctypes.c_double), ctypes.c_double


def c_function(result: Any, *arguments: Any) -> Any:
    """A C function that returns its first argument, or nothing."""
    return ctypes.CFUNCTYPE(result, *arguments)(lambda *given: given[0] if result else None)


def capsule(signature: bytes) -> Any:
    """A capsule as Cython makes them: its name is the C signature, which must stay in memory."""
    new = ctypes.pythonapi.PyCapsule_New
    new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    return new(4096, signature, None)


def test_a_function_is_found_by_its_symbol() -> None:
    f = c_function(DOUBLE, DOUBLE)
    registered = register_native(f, "half_of_it", set_threads=abs)
    assert native("half_of_it") is registered and registered.owner is f and registered.set_threads is abs
    assert registered.address == ctypes.cast(f, ctypes.c_void_p).value
    assert native("never_registered") is None


def test_a_taken_symbol_gets_a_number_and_the_same_function_keeps_it() -> None:
    f, g = c_function(DOUBLE, DOUBLE), c_function(DOUBLE, DOUBLE)
    assert [register_native(h, "taken").symbol for h in (f, g, f)] == ["taken", "taken.1", "taken"]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (ctypes.c_float, "float32"),
        (ctypes.c_double, "float64"),
        (ctypes.c_bool, "bool"),
        (ctypes.c_int8, "int8"),
        (ctypes.c_uint8, "uint8"),
        (ctypes.c_uint16, "uint16"),
        (ctypes.c_int, "int32"),
        (ctypes.c_uint64, "uint64"),
        (ctypes.c_ssize_t, "int64"),
        (POINTER, "float64 *"),
        (ctypes.c_void_p, "void *"),
        (ctypes.c_char_p, "int8 *"),
    ],
)
def test_c_types_of_ctypes(kind: Any, text: str) -> None:
    (parameter,) = register_native(c_function(None, kind)).parameters or ()
    assert str(parameter) == text


def test_results_of_c() -> None:
    assert register_native(c_function(ctypes.c_int16, DOUBLE)).result == "int16"
    assert register_native(c_function(None, DOUBLE)).result == "void"
    untyped = ctypes.CDLL(None).abs
    assert register_native(untyped).parameters is None and register_native(untyped).symbol.startswith("abs")


def test_capsules_are_read_by_their_signatures() -> None:
    text = b"void (char *, int *, __pyx_t_cython_blas_s *, __pyx_t_cython_blas_d, double)"
    registered = register_native(capsule(text))
    assert registered.address == 4096 and registered.result == "void"
    assert registered.parameters == (
        CType(True, DType("int8")),
        CType(True, DType("int32")),
        CType(True, DType("float32")),
        CType(False, DType("float64")),
        CType(False, DType("float64")),
    )
    plain = b"int (void)"
    assert register_native(capsule(plain)).parameters == ()


PLAIN, UNKNOWN = b"numpy.array", b"double (wchar_t)"


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (
            lambda: print,
            "call_extern takes the name of a C function, a ctypes function, a cfunc or a capsule",
        ),
        (lambda: ctypes.CFUNCTYPE(None)(), "this ctypes function points nowhere"),
        (
            lambda: c_function(None, ctypes.c_longdouble),
            "no dtype for the C type <class 'ctypes.c_longdouble'>",
        ),
        (lambda: c_function(None, ctypes.py_object), "no dtype for the C type <class 'ctypes.py_object'>"),
        (lambda: capsule(PLAIN), "this capsule is not a function: b'numpy.array'"),
        (lambda: capsule(UNKNOWN), "no dtype for the C type 'wchar_t' of the capsule"),
    ],
)
def test_what_kernels_cannot_call(function: Any, said: str) -> None:
    with pytest.raises(ExternError) as e:
        register_native(function())
    assert said in e.value.message and e.value.span is not None and e.value.span.file == __file__
