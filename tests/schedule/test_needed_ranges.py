"""The range that is computed for what is read: constant where that is proved, and inside of the tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tewb
from tests.schedule.kept import kept_extents
from tewb import te
from tewb.ir import script
from tewb.schedule.bounds import infer_bounds

CLAMPED: dict[str, Callable[[Any, Any, Any], Any]] = {
    "low inside": lambda B, i, n: (
        B[te.max(te.min(i - 1, n - 1), 0)] + B[i] + B[te.max(te.min(i + 1, n - 1), 0)]
    ),
    "high inside": lambda B, i, n: (
        B[te.min(te.max(i - 1, 0), n - 1)] + B[te.min(te.max(i + 1, 0), n - 1)] + B[i]
    ),
    "one side": lambda B, i, n: B[te.max(i - 2, 0)] + B[i],
    "the other side": lambda B, i, n: B[te.min(i + 2, n - 1)] + B[i],
    "guarded": lambda B, i, n: te.if_then_else(te.all(i >= 1, i < n - 1), B[i - 1] + B[i + 1], 0),
    "selected": lambda B, i, n: te.select(te.all(i >= 1, i < n - 1), B[i - 1] + B[i + 1], 0),
    "chosen by the index": lambda B, i, n: (
        B[te.select(i < 1, i, i - 1)] + B[te.if_then_else(i < n - 1, i + 1, i)]
    ),
}
KEPT = {"low inside": 10, "high inside": 10, "guarded": 10, "selected": 10, "chosen by the index": 10}


@pytest.mark.parametrize("name", CLAMPED)
def test_a_tile_of_a_clamped_stencil_is_constant_where_sizes_are_symbolic(name: str) -> None:
    n = te.var("n")
    A = te.placeholder((n,), "int32", name="A")
    B = te.compute((n,), lambda i: A[i] * 2 + 1, name="B")
    C = te.compute((n,), lambda i: CLAMPED[name](B, i, n), name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], s[C].split("i", factor=8)[0])
    (kept,) = kept_extents(s, B)
    assert isinstance(kept, int) and kept <= KEPT.get(name, 10) + 1, kept
    kernel = tewb.build(s, [A, C])
    for size in (1, 2, 7, 8, 9, 23):
        a, c = np.arange(size, dtype="int32") * 3, np.zeros(size, "int32")
        kernel(a, c)
        plain, expected = te.create_schedule(C.op), np.zeros(size, "int32")
        tewb.build(plain, [A, C])(a, expected)
        np.testing.assert_array_equal(c, expected)


def test_no_more_than_the_declared_tensor_of_symbolic_size() -> None:
    n = te.var("n")
    A = te.placeholder((n,), "int32", name="A")
    B = te.compute((n,), lambda i: A[i] * 2, name="B")
    C = te.compute((4, n), lambda r, i: te.if_then_else(i + r < n - 3, B[i + r] + B[i + r + 3], 0), name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], "r")
    assert kept_extents(s, B) == ["n"]


def test_what_no_constant_bounds_is_cut_at_the_ends_of_the_tensor() -> None:
    """The branches of a mirror lie far apart for tiles that do not meet it."""
    n = te.var("n")
    A = te.placeholder((n,), "int32", name="A")
    B = te.compute((n,), lambda i: A[i] * 2, name="B")
    C = te.compute((n,), lambda i: B[te.if_then_else(i < 1, 1 - i, i - 1)] + B[i], name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], s[C].split("i", factor=8)[0])
    assert kept_extents(s, B) == ["T.min(i.outer * 8 + 7, n - 1) + 1"]
    kernel = tewb.build(s, [A, C])
    for size in (2, 8, 9, 30):
        a, c = np.arange(size, dtype="int32"), np.zeros(size, "int32")
        kernel(a, c)
        np.testing.assert_array_equal(c, 2 * (np.abs(np.arange(size) - 1) + np.arange(size)))


def test_twice_as_many_elements_read_a_tile_of_half_the_size() -> None:
    n = te.var("n")
    B = te.compute((n,), lambda i: i * 2, name="B")
    C = te.compute((n,), lambda i: B[i // 2] + B[te.min((i + 1) // 2, n - 1)], name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], s[C].split("i", factor=8)[0])
    assert kept_extents(s, B) == [5]


def test_ends_that_cannot_matter_are_left_out_of_where_a_tile_begins() -> None:
    n = te.var("n")
    A = te.placeholder((n,), name="A")
    B = te.compute((n,), lambda i: A[i] * 2.0, name="B")
    C = te.compute((n,), lambda i: B[te.max(te.min(i - 1, n - 1), 0)] + B[i], name="C")
    s = te.create_schedule(C.op)
    s[B].compute_at(s[C], s[C].split("i", factor=8)[0])
    (r,) = infer_bounds(s).stages[s[B]].regions[0]
    assert script(r.min) == "T.max(i.outer * 8 - 1, 0)"
