"""`convert`, and what packed functions take and return."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tewb import nd, te
from tewb.base import DTypeError
from tewb.ir import FloatImm, IntImm
from tewb.runtime import Array, Map, PackedFunc, String, convert


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(3, "int32"), (True, "bool"), (1 << 40, "int64"), (np.int8(3), "int8"), (np.uint64(1 << 63), "uint64")],
)
def test_integers_become_constants(value: Any, dtype: str) -> None:
    c = convert(value)
    assert isinstance(c, IntImm)
    assert (c.value, c.dtype) == (value, dtype)


@pytest.mark.parametrize(("value", "dtype"), [(2.5, "float32"), (np.float64(0.1), "float64")])
def test_floats_become_constants(value: Any, dtype: str) -> None:
    c = convert(value)
    assert isinstance(c, FloatImm)
    assert (c.value, c.dtype) == (value, dtype)


def test_containers_become_containers_of_constants() -> None:
    a = convert([1, 2, 3])
    assert type(a) is Array
    assert (len(a), a[-1].value, [x.value for x in a[-3:-1]]) == (3, 3, [1, 2])
    n = te.var("n")
    m = convert({n: 2, "b": [3.5, "x"]})
    assert type(m) is Map
    assert (m[n].value, m["b"][0].value, m["b"][1]) == (2, 3.5, "x")
    assert {type(k) for k in m if k is not n} == {String}
    assert convert(()) == ()
    assert "a" in convert(["a", "b"])


def test_text_is_a_string() -> None:
    assert type(convert("abc")) is String
    assert convert("abc") == "abc"


def test_objects_of_ours_stay_as_they_are() -> None:
    A = te.placeholder((3,), name="A")
    x = nd.array([1, 2])
    for o in (
        A,
        A.op,
        A.shape[0],
        A[0] + 1,
        te.var("n"),
        te.reduce_axis((0, 3)),
        x,
        nd.cpu(0),
        None,
        convert([1]),
    ):
        assert convert(o) is o
    assert type(convert(np.zeros(3))) is nd.NDArray
    inside = convert([x, A])
    assert inside[0].same_as(x)
    assert inside[1] is A


@pytest.mark.parametrize("value", [object(), {1, 2}, 1j, slice(3)])
def test_what_has_no_counterpart_is_refused(value: Any) -> None:
    for convert_it in (convert, lambda x: convert([x]), convert(lambda x: x)):
        with pytest.raises(DTypeError, match="has no counterpart in classic TE"):
            convert_it(value)


# ---------------------------------------------------------------- packed functions


def test_functions_become_packed_functions() -> None:
    def f(*args: Any) -> Any:
        return args

    packed = convert(f)
    assert isinstance(packed, PackedFunc)
    assert convert(packed) is packed
    assert packed == PackedFunc(f) == PackedFunc(packed)
    assert len({packed, PackedFunc(f)}) == 1
    assert repr(packed) == "PackedFunc(f)"
    assert packed(10, 10.0, "hello", 10) == (10, 10.0, "hello", 10)
    assert packed.__name__ == "f"


@pytest.mark.parametrize("value", [3, -2.5, "text", None, True, 1 << 62, bytearray(b"ab"), nd.cpu(0)])
def test_values_pass_and_come_back(value: Any) -> None:
    received = []

    def f(x: Any) -> Any:
        received.append(x)
        return x

    result = convert(f)(value)
    assert result == value
    assert received == [value]
    assert type(result) is type(value)


def test_arrays_functions_and_containers_pass() -> None:
    a = np.arange(3.0)
    kinds = convert(lambda *args: [type(x).__name__ for x in args])
    assert kinds(a, a.tolist(), {"a": 1}, len, np.float32(1), np.bool_(True)) == [
        "NDArray", "Array", "Map", "PackedFunc", "float", "bool",
    ]  # fmt: skip
    assert np.shares_memory(convert(lambda x: x[1:])(a), a)


def test_a_function_returns_a_function() -> None:
    def add(y: Any) -> Any:
        return lambda x: convert(x + y)

    assert convert(add)(10)(11).value == 21
    table = convert({"add": lambda a, b: a + b})
    assert table["add"](1, 2) == 3


def test_an_exception_passes_as_it_is() -> None:
    error = KeyError("k")

    def f() -> None:
        raise error

    with pytest.raises(KeyError) as e:
        convert(f)()
    assert e.value is error
