"""Sizes and indices of 32 and 64 bits, mixed, and constants at the ends of their dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.base import DTypeError
from tewb.ir import const_int, convert, parse, structural_equal
from tewb.tensor import Tensor

INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]


@pytest.mark.parametrize("place", ["inline", "compute_at", "root"])
@pytest.mark.parametrize("dtype", ["int64", "int32", "int16", "uint8"])
def test_int32_stage_read_at_an_index_of_another_dtype(place: str, dtype: str) -> None:
    A = te.placeholder((100,), "int32", name="A")
    I = te.placeholder((20,), dtype, name="I")  # noqa: E741
    B = te.compute((100,), lambda i: A[i] * 2 + i, name="B")
    C = te.compute((20,), lambda i: B[I[i]] + B[te.max(te.min(I[i].astype("int64") + i, 99), 0)], name="C")
    s = te.create_schedule(C.op)
    if place == "inline":
        s[B].compute_inline()
    elif place == "compute_at":
        s[B].compute_at(s[C], C.op.axis[0])
    a, i = np.arange(100, dtype="int32") * 3, np.arange(20)[::-1].astype(dtype)
    b = a * 2 + np.arange(100)
    wanted = b[i] + b[np.minimum(i.astype("int64") + np.arange(20), 99)]
    np.testing.assert_array_equal(tewb.build(s, [A, I, C])(a, i), wanted)


@pytest.mark.parametrize(
    "n, m", [("int32", "int64"), ("int64", "int32"), ("int64", "int64"), ("int32", "int32")]
)
def test_fused_loops_of_sizes_of_different_dtypes(n: str, m: str) -> None:
    rows, columns = te.var("n", n), te.var("m", m)
    A = te.placeholder((rows, columns), name="A")
    B = te.compute((rows, columns), lambda i, j: A[i, j] + 1, name="B")
    s = te.create_schedule(B.op)
    inner = s[B].split(s[B].fuse(*B.op.axis), factor=8)[1]
    s[B].vectorize(inner)
    kernel = tewb.build(s, [A, B])
    assert "<8 x float>" in kernel.get_source("ll")
    for shape in ((5, 7), (1, 1), (13, 16)):
        a = np.random.default_rng(0).standard_normal(shape).astype("float32")
        np.testing.assert_array_equal(kernel(a), a + np.float32(1))


def smallest(A: Tensor, n: int) -> Any:
    k = te.reduce_axis((0, n), "k")
    reducer = te.comm_reducer(
        lambda x, y: (te.select(x[1] <= y[1], x[0], y[0]), te.select(x[1] <= y[1], x[1], y[1])),
        lambda t0, t1: (te.const(-1, t0), te.max_value(t1)),
    )
    return te.compute((1,), lambda i: reducer((k, A[k]), axis=k), name="R")


@pytest.mark.parametrize("dtype", [*INTEGERS, "float32", "float64"])
def test_tuple_reducer_that_begins_with_the_largest_value(dtype: str) -> None:
    A = te.placeholder((9,), dtype, name="A")
    at, least = smallest(A, 9)
    kernel = tewb.build(te.create_schedule(at.op), [A, at, least])
    a = np.array([7, 9, 3, 4, 3, 8, 9, 5, 6], dtype)
    found = kernel(a)
    assert (found[0][0], found[1][0]) == (2, 3)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_largest_and_smallest_values_as_text_and_in_code(dtype: str) -> None:
    info = np.iinfo(dtype)
    A = te.placeholder((4,), dtype, name="A")
    low, high = te.min_value(dtype), te.max_value(dtype)
    assert (const_int(low), const_int(high)) == (info.min, info.max)
    B = te.compute(
        (4,), lambda i: te.select(A[i] < high, te.max(A[i] // high, low), high - A[i] % high), name="B"
    )
    s = te.create_schedule(B.op)
    module = tewb.lower(s, [A, B])
    assert structural_equal(parse(str(module))["main"].body, module["main"].body)
    a = np.array([info.min, 0, info.max - 1, info.max], dtype)
    wanted = np.where(
        a < info.max, np.maximum(a // dtype_of(info.max, dtype), info.min), dtype_of(info.max, dtype)
    )
    np.testing.assert_array_equal(tewb.build(s, [A, B])(a), wanted)


def dtype_of(value: int, dtype: str) -> Any:
    return np.array(value, dtype)


def test_numbers_beyond_int64_are_uint64_and_beyond_that_refused() -> None:
    assert (
        convert(2**63 - 1).dtype == "int64" and convert(2**63).dtype == convert(2**64 - 1).dtype == "uint64"
    )
    with pytest.raises(DTypeError, match="does not fit uint64"):
        convert(2**64)


@pytest.mark.parametrize("place", ["input", "root", "inline", "compute_at"])
def test_index_that_passes_int32_on_its_way_is_computed_in_int64(place: str) -> None:
    n, m = 700, 1400
    A = te.placeholder((m,), "int32", name="A")
    B = A if place == "input" else te.compute((m,), lambda i: A[i] + 1, name="B")
    C = te.compute((n,), lambda i: B[i * 10_000_000 // 5_000_001], name="C")
    s = te.create_schedule(C.op)
    inner = s[C].split(C.op.axis[0], factor=8)[1]
    s[C].vectorize(inner)
    if place == "inline":
        s[B].compute_inline()
    elif place == "compute_at":
        s[B].compute_at(s[C], s[C].leaf_iter_vars[0])
    a = np.arange(m, dtype="int32") * 7
    wanted = a[np.arange(n) * 10_000_000 // 5_000_001] + (place != "input")
    np.testing.assert_array_equal(tewb.build(s, [A, C])(a), wanted)


def test_index_beyond_int32_reads_its_element() -> None:
    n = te.var("n", "int64")
    A = te.placeholder((n,), "uint8", name="A")
    k = te.reduce_axis((2**30 - 16, 2**30), "k")
    C = te.compute((1,), lambda x: te.sum(A[k * 4].astype("int32"), axis=k), name="C")
    B = te.decl_buffer(A.shape, "uint8", name="A", strides=[te.var("q", "int64")])
    kernel = tewb.build(te.create_schedule(C.op), [A, C], binds={A: B}, debug=True)
    assert kernel(np.broadcast_to(np.uint8(1), (2**32,)))[0] == 16


def test_indices_that_fit_stay_as_they_are_written() -> None:
    A = te.placeholder((2000,), "int32", name="A")
    C = te.compute((1000,), lambda i: A[i * 2 + 1], name="C")
    assert "int64" not in str(tewb.lower(te.create_schedule(C.op), [A, C]))


@pytest.mark.one_in(3)
@pytest.mark.parametrize("dtype", [*INTEGERS])
@pytest.mark.parametrize("split", [{"factor": 16}, {"nparts": 16}, {"factor": 200}])
def test_splits_of_sizes_of_narrow_dtypes(dtype: str, split: dict[str, int]) -> None:
    n = te.var("n", dtype)
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] + 1, name="B")
    s = te.create_schedule(B.op)
    s[B].split(B.op.axis[0], **split)
    kernel = tewb.build(s, [A, B])
    for size in (0, 5, 120, 127):
        np.testing.assert_array_equal(kernel(np.zeros(size, "float32")), np.ones(size))
