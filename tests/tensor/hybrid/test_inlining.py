"""Hybrid functions that others call: their loops take the place of the call."""

# ruff: noqa: F821
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tests.tensor.hybrid.ways import define, ints, three_ways
from tests.tensor.test_hybrid import tensor
from tewb import te
from tewb.base import HybridError

script = te.hybrid.script


@script
def scaled(a, by=2, plus=0):
    s = output_tensor(a.shape, "int32")
    for i in range(a.shape[0]):
        s[i] = a[i] * by + plus
    return s


@script
def both_halves(a, k):
    lo = output_tensor(a.shape, "int32")
    hi = output_tensor(a.shape, "int32")
    k = k + 1
    for i in range(a.shape[0]):
        lo[i] = a[i] % k
        hi[i] = a[i] // k
    return lo, hi


def test_nested_functions_with_keywords_and_defaults() -> None:
    @script
    def f(a):
        t = scaled(a)
        t = scaled(t, plus=5)
        u = scaled(a=t, by=a[0] + 1)
        lo, hi = both_halves(u, k=3)
        b = output_tensor(dtype="int32", shape=a.shape)
        for i in range(a.shape[0]):
            v = scaled(t, by=i)
            b[i] = lo[i] * 100 + hi[i] + v[i]
        return b

    three_ways(f, ints(7))


def test_keywords_from_outside() -> None:
    a = ints(5)
    A = tensor(5, dtype="int32")
    B = scaled(plus=1, a=A)
    out = np.zeros(5, "int32")
    tewb.build(te.create_schedule(B.op), [A, B])(a, out)
    np.testing.assert_array_equal(out, scaled(a, plus=1))
    np.testing.assert_array_equal(out, scaled.check(plus=1, a=a))


def caller(line: str, **outer: Any) -> str:
    """The loops of a function that calls `scaled` or `both_halves` in one line."""
    f = define(f"def f(a):\n    {line}\n    return t\n", f"<inlining {line}>", known=True)["f"]
    f.__globals__.update(scaled=scaled, both_halves=both_halves, **outer)
    return str(te.hybrid.script(f)(tensor(4, dtype="int32")).op.body)


def test_outputs_of_the_inner_function_are_memory_of_the_outer_one() -> None:
    f = te.hybrid.script(define(
        "def f(a):\n    t = scaled(a, 3)\n    b = output_tensor((4,), 'int32')\n    b[:] = t[:]\n    return b\n", "<inlined>", known=True
    )["f"])  # fmt: skip
    f.function.__globals__["scaled"] = scaled
    lines = str(f(tensor(4, dtype="int32")).op.body).splitlines()
    assert lines[:3] == ['s = T.allocate((4,), "int32")', "for i in range(4):", "    s[i] = A[i] * 3"]


@pytest.mark.parametrize(
    ("line", "said", "hint"),
    [
        ("t, u = scaled(a)", "scaled returns 1 tensors", "write 1 names"),
        ("t = both_halves(a, 2)", "both_halves returns 2 tensors", "write 2 names"),
        ("t = scaled(a[:])", "a slice cannot be an argument", "pass the tensor"),
        ("t = scaled(*a)", r"\* and \*\* are not part of the hybrid language", "write the arguments out"),
        ("t = scaled(a, times=2)", "it has no parameter times", "scaled(a, by, plus)"),
        ("t = scaled()", "a is missing", "scaled(a, by, plus)"),
        ("a[0] = scaled(a)", "the result of a hybrid function gets a name", "t = scaled(...)"),
        ("t = scaled(a)[0]", "the result of scaled gets a name first", "t = scaled(...)"),
    ],
)
def test_calls_that_do_not_fit(line: str, said: str, hint: str) -> None:
    with pytest.raises(HybridError, match=said) as e:
        caller(line)
    assert hint in (e.value.hint or "")
