"""Stores that fill each other's gaps are one store of shuffled lanes, and change nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.codegen.interleave import interleaved
from tewb.driver import build_ir
from tewb.ir import BufferStore, Seq, parse, walk


def woven(n: int, count: int, dtype: str, lanes: int) -> tuple[Any, list[Any]]:
    """B[i*count + q] = A[q, i]"""
    A = te.placeholder((count, n), name="A", dtype=dtype)
    B = te.compute((n, count), lambda i, q: A[q, i] + te.const(1, dtype), name="B")
    s = te.create_schedule(B.op)
    io, ii = s[B].split("i", factor=lanes)
    s[B].reorder(io, "q", ii)
    s[B].unroll("q")
    s[B].vectorize(ii)
    return s, [A, B]


@pytest.mark.one_in(4)
@pytest.mark.parametrize("dtype", ["int8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("count", [2, 3, 4, 8])
@pytest.mark.parametrize(("n", "lanes"), [(32, 16), (30, 8), (5, 5), (7, 1), (17, 4)])
def test_lanes_come_to_their_places(n: int, lanes: int, count: int, dtype: str) -> None:
    s, args = woven(n, count, dtype, lanes)
    a = np.arange(n * count).reshape(count, n).astype(dtype)
    for debug in (False, True):
        b = np.zeros((n, count), dtype)
        tewb.build(s, args, debug=debug)(a, b)
        np.testing.assert_array_equal(b, a.T + np.array(1, dtype))


def test_the_stores_are_one() -> None:
    s, args = woven(64, 4, "int8", 64)
    text = tewb.build(s, args).get_source("ll0")
    assert text.count("store <256 x i8>") == 1 and "extractelement" not in text
    assert tewb.build(s, args, debug=True).get_source("ll0").count("store i8") == 256


_TEXT = """@I.ir_module
class Module:
    @T.prim_func
    def main(a: T.Buffer((16,), "int32"), b: T.Buffer((16,), "int32")):
        T.func_attr({{"outputs": ["b"]}})
        b[T.Ramp({0}, {1}, 4)] = {2}
        b[T.Ramp({3}, {4}, 4)] = {5}
"""


@pytest.mark.parametrize(
    ("first", "second", "count"),
    [
        (("0", "2", "a[0:4]"), ("1", "2", "a[4:8]"), 2),
        (("0", "2", "a[0:4]"), ("2", "2", "a[4:8]"), 0),  # not in the gaps
        (("1", "2", "a[0:4]"), ("0", "2", "a[4:8]"), 0),  # in another order
        (("0", "3", "a[0:4]"), ("1", "3", "a[4:8]"), 0),  # gaps remain
        (("0", "2", "a[0:4]"), ("1", "3", "a[4:8]"), 0),
        (("0", "2", "a[0:4]"), ("1", "2", "b[0:4]"), 0),  # what the first has stored
        (("0", "2", "b[1:5]"), ("1", "2", "a[4:8]"), 0),
    ],
)
def test_only_stores_that_make_a_vector_are_brought_together(first: Any, second: Any, count: int) -> None:
    module = parse(_TEXT.format(*first, *second))
    (body,) = [n for n in walk(module["main"].body) if isinstance(n, Seq)]
    assert len(interleaved(body.stmts)) == count
    a, b = np.arange(16, dtype="int32"), np.arange(100, 116, dtype="int32")
    want = b.copy()
    for s, (start, step, value) in zip(body.stmts, (first, second), strict=True):
        assert isinstance(s, BufferStore)
        low, high = (int(x) for x in value[2:-1].split(":"))
        source = (a if value[0] == "a" else want)[low:high].copy()
        want[int(start) : int(start) + 4 * int(step) : int(step)] = source
    build_ir(module)(a, b)
    np.testing.assert_array_equal(b, want)
