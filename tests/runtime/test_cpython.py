"""Layouts of CPython and numpy: machine code uses them only where they are as expected."""

from __future__ import annotations

import ctypes
import sys
import sysconfig
from typing import Any

import numpy as np
import pytest

from tewb.base import memory_dtype
from tewb.runtime import abi, cpython, heap_types
from tewb.runtime.jit import address_of

pytestmark = pytest.mark.skipif(
    not heap_types.is_known_python(), reason="machine code leaves this Python alone"
)


def test_functions_of_python_become_symbols() -> None:
    assert cpython.register_python(("PyBool_FromLong",))
    address = ctypes.cast(ctypes.pythonapi.PyBool_FromLong, ctypes.c_void_p).value
    assert address_of("tewb_py_PyBool_FromLong") == address


def test_a_function_that_python_lacks() -> None:
    assert not cpython.register_python(("PyBool_FromLong", "PyNo_SuchFunction"))


def test_other_pythons_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sysconfig, "get_config_var", lambda name: 1)  # free-threaded
        assert not heap_types.is_known_python()
    monkeypatch.setattr(sys.implementation, "name", "pypy")
    assert not heap_types.is_known_python()


def test_the_reference_count_is_where_it_is_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cpython.are_references_known()
    monkeypatch.setattr(cpython, "REFERENCES", cpython.TYPE)
    assert not cpython.are_references_known()


def test_arrays_and_dtypes_become_symbols() -> None:
    assert cpython.register_arrays()
    assert address_of("tewb_np_ndarray") == id(np.ndarray)
    for name in abi.DTYPES:
        assert address_of(f"tewb_np_{name}") == id(np.zeros(1, memory_dtype(name)).dtype)


def test_the_table_of_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cpython.numpy_table()[cpython.ARRAY_TYPE] == id(np.ndarray)
    monkeypatch.setattr(cpython, "ARRAY_TYPE", 3)
    assert cpython.numpy_table() is None


@pytest.mark.parametrize(
    "array",
    [
        np.zeros(()),
        np.zeros((0, 3)),
        np.arange(24).reshape(2, 3, 4)[::-1, ::2],
        np.broadcast_to(np.float32(1), (3, 4)),
        np.asfortranarray(np.zeros((3, 4), "int8")),
    ],
)
def test_arrays_are_laid_out_as_expected(array: Any) -> None:
    assert cpython._is_laid_out(array)


@pytest.mark.parametrize("field", ["TYPE", "DATA", "RANK", "DIMS", "STRIDES", "BASE", "DESCR", "FLAGS"])
def test_another_layout_is_noticed(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    other = cpython.DATA if field == "RANK" else cpython.RANK if field == "FLAGS" else None
    if field in ("DIMS", "STRIDES"):  # each must stay an address
        other = cpython.STRIDES if field == "DIMS" else cpython.DIMS
    monkeypatch.setattr(cpython, field, cpython.FLAGS if other is None else other)
    assert not cpython._layout_is_known()
