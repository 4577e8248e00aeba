"""`nd`: arrays under their classic names."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import nd, te
from tewb.base import ArgumentError, DTypeError, ShapeError


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        ([1.0, 2.0], "float32"), ([[1, 2.5], [3, 4]], "float32"), (0.5, "float32"), ([1, 2], "int64"), (3, "int64"),
        ([True], "bool"), (np.zeros(2), "float64"), ([np.float64(1)], "float64"), ([np.zeros(2), np.ones(2)], "float64"),
        (np.float32(1), "float32"), (np.arange(3, dtype="uint8"), "uint8"), (np.zeros(2, "float16"), "float16"),
        (np.arange(3, dtype=">i4"), "int32"), (np.arange(3, dtype="longlong"), "int64"), (range(3), "int64"),
    ],
)  # fmt: skip
def test_array_has_the_dtype_of_its_values(data: Any, dtype: str) -> None:
    a = nd.array(data)
    assert a.dtype == dtype
    assert a.dtype is np.dtype(dtype)  # the object that native entries know
    np.testing.assert_array_equal(a, data)


def test_array_is_a_compact_copy_at_the_start_of_a_line() -> None:
    source = np.arange(12, dtype="float32").reshape(3, 4)
    for x in (source, source.T, source[::-1, ::2], nd.array(source)):
        a = nd.array(x, nd.cpu(0))
        assert a.flags.c_contiguous
        assert a.flags.writeable
        assert a.ctypes.data % 64 == 0
        assert not np.shares_memory(a, source)
        np.testing.assert_array_equal(a, x)


@pytest.mark.parametrize(
    ("word", "dtype"),
    [
        ("float", "float32"), ("int", "int32"), ("uint", "uint32"), ("float64", "float64"), ("bool", "bool"),
        ("int8", "int8"), ("float16", "float16"), (np.float32, "float32"), (np.dtype("int16"), "int16"),
    ],
)  # fmt: skip
def test_dtype_words(word: Any, dtype: str) -> None:
    assert nd.empty((2,), word).dtype == dtype
    assert nd.array([1, 0], dtype=word).dtype == dtype


def test_empty_takes_shapes_of_tensors() -> None:
    A = te.placeholder((3, 4), name="A", dtype="int32")
    assert nd.empty(A.shape, A.dtype).shape == (3, 4)
    assert nd.empty(5).shape == (5,)
    assert nd.empty([2, np.int64(3)], "float32", nd.cpu(0)).shape == (2, 3)
    assert nd.empty((8 / 2, 2), ctx=nd.cpu(0)).shape == (4, 2)
    assert nd.empty((0, 3)).size == 0
    assert nd.empty(()).shape == ()


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((-1,), "-1 is no size of an array"), ((1.5,), "1.5 is no size"), ("ab", "'ab' is no size"), (None, "None is no size"),
        (((2, 3),), r"\(2, 3\) is no size"), ((te.var("n"),), "n.* is no size"), ((True,), "True is no size"),
    ],
)  # fmt: skip
def test_empty_refuses_sizes(shape: Any, said: str) -> None:
    with pytest.raises(ShapeError, match=said):
        nd.empty(shape)


def test_empty_says_that_memory_is_short() -> None:
    with pytest.raises(
        ArgumentError, match=r"there is no memory for an array of \(1125899906842624, 64\) float32"
    ):
        nd.empty((1 << 50, 64))


@pytest.mark.parametrize("word", ["flaot32", "complex64", "float32x4", "handle", "", None, 7, object])
def test_empty_refuses_dtypes(word: Any) -> None:
    with pytest.raises(DTypeError):
        nd.empty((2,), word)


@pytest.mark.parametrize(
    ("data", "error", "said"),
    [
        ([[1], [2, 3]], ShapeError, r"the rows of \[\[1\], \[2, 3\]\] have several lengths"),
        ("x", DTypeError, "'x' cannot become an array"), (None, DTypeError, "None cannot become an array"),
        (["a", "b"], DTypeError, r"\['a', 'b'\] cannot become an array"), ({"a": 1}, DTypeError, "cannot become an array"),
        (np.zeros(2, "complex64"), DTypeError, "an array of complex64 cannot become"),
        (np.array([None]), DTypeError, "cannot become"), ([1e300], DTypeError, "1e[+]300 does not fit float32"),
        (np.zeros(1, "M8[s]"), DTypeError, "cannot become"), (object(), DTypeError, "cannot become"),
        (np.ma.masked_array([1.0, 2.0], [True, False]), ArgumentError, "a masked array that hides 1 elements"),
    ],
)  # fmt: skip
def test_array_refuses(data: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        nd.array(data)


def test_array_says_the_line_and_keeps_infinity() -> None:
    with pytest.raises(ShapeError, match=r"test_nd.py, line \d+"):
        nd.array([[1], [2, 3]])
    assert np.isinf(nd.array([float("inf"), 1.0])[0])
    assert nd.array([1e300], dtype="float64")[0] == 1e300
    with pytest.raises(DTypeError, match="cannot become an array of uint8"):
        nd.array([300], dtype="uint8")


def test_from_dlpack_shares_memory() -> None:
    source = np.arange(6, dtype="float32").reshape(2, 3)
    for x in (source, nd.array(source), source.T, source.__dlpack__(), nd.array(source).to_dlpack()):
        a = nd.from_dlpack(x)
        assert type(a) is nd.NDArray
        assert a.sum() == 15
    shared = nd.from_dlpack(source)
    shared[0, 0] = 10
    assert source[0, 0] == 10
    written = nd.from_dlpack(source.__dlpack__())
    written[0, 0] = 11
    assert source[0, 0] == 11
    kept = nd.from_dlpack(nd.array(source).to_dlpack())
    gc.collect()
    assert kept.sum() == 26


def test_numpyasarray_shares_memory() -> None:
    source = np.zeros(3)
    nd.numpyasarray(source)[1] = 4
    assert source[1] == 4


@pytest.mark.parametrize("x", [None, [1, 2], 3.0, "x"])
def test_from_dlpack_refuses_what_cannot_be_shared(x: Any) -> None:
    with pytest.raises(ArgumentError, match="cannot be shared by DLPack"):
        nd.from_dlpack(x)


def test_the_classic_way_of_arrays() -> None:
    tvm = tewb
    dev = tvm.cpu(0)
    a = tvm.nd.array(np.arange(4).astype("float32"), dev)
    b = tvm.nd.empty((4,), dtype="float32", device=dev)
    b.copyfrom(a)
    assert b.device == dev
    np.testing.assert_allclose(b.numpy(), a.asnumpy())
