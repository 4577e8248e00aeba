"""Loops: over ranges of every word, over elements, over tuples that are written out."""

# ruff: noqa: F821
from __future__ import annotations

import numpy as np
import pytest

import tewb
from tests.tensor.hybrid.translate import loops
from tests.tensor.hybrid.ways import ints, three_ways
from tests.tensor.test_hybrid import floats, tensor
from tewb import te
from tewb.base import HybridError

script = te.hybrid.script


def test_steps_and_serial() -> None:
    @script
    def f(a):
        b = output_tensor((12,), "int32")
        b[:] = 0
        for i in serial(12):
            b[i] += a[i]
        for i in range(1, 12, 4):
            b[i] += 10
        for i in serial(11, -1, -3):
            b[i] += 100 + i
        for i in range(5, 2):
            b[i] = 7
        return b

    three_ways(f, ints(12))


def test_a_loop_over_ranges_tuples_and_lists_of_tensors() -> None:
    @script
    def f(tensors):
        b = output_tensor((8,), "int32")
        b[:] = 0
        for r in (range(0, 4), range(2, 8, 3)):
            for i in r:
                b[i] += 1
        for t in tensors:
            for i in range(8):
                b[i] += t[i]
        for k, t in enumerate(tensors):
            b[k] = b[k] * 10 + t[0]
        for (lo, hi), t in zip(((0, 2), (2, 6)), tensors):  # noqa: B905
            for i in range(lo, hi):
                b[i] -= t[i]
        for c in [3, 5]:
            b[c] += c
        for t in tensors[1:]:
            b[7] += t[7] * len(tensors)
        return b

    a, c = ints(8), ints(8) + 1
    A, C = tensor(8, dtype="int32"), te.placeholder((8,), name="C", dtype="int32")
    B = f([A, C])
    out = np.zeros(8, "int32")
    tewb.build(te.create_schedule(B.op), [A, C, B])(a, c, out)
    np.testing.assert_array_equal(out, f([a, c]))
    np.testing.assert_array_equal(out, f.check([a, c]))


def test_a_loop_over_the_elements_of_a_tensor() -> None:
    @script
    def f(a):
        b = output_tensor((2,), "float32")
        total = 0.0
        most = a[0]
        for x in a:
            total += x * 2.0
            most = max(most, x)
            x = x + 1.0
            total += x
        b[0] = total
        b[1] = most
        return b

    three_ways(f, floats(9))


def test_a_loop_bound_is_read_once() -> None:
    @script
    def f(a):
        b = output_tensor((8,), "int32")
        b[:] = 0
        x = a[0]
        for i in range(x, x + 3):
            x = 0
            b[i] = i + x
        for j in range(b[2] + 1, 8, 2):
            b[2] = 50
            b[j] += 1
        return b

    three_ways(f, np.array([2, 0], "int32"))


@pytest.mark.parametrize(
    ("over", "loop"),
    [
        ("range(8)", "for i in range(8):"),
        ("serial(2, 8)", "for i in range(6):"),
        ("range(1, 8, 3)", "for i in range(3):"),
        ("range(7, -1, -2)", "for i in range(4):"),
        ("range(0)", "for i in range(0):"),
        ("range(5, 3)", "for i in range(0):"),
        ("unroll(1)", "for i in T.unroll(1):"),
        ("vectorize(8)", "for i in T.vectorized(8):"),
        ("parallel(8)", "for i in T.parallel(8):"),
    ],
)
def test_every_range_counts_from_0(over: str, loop: str) -> None:
    text = loops(f"for i in {over}:\n    b[i] = 1.0")
    assert text.splitlines()[0] == loop


def test_known_ranges_and_tuples_are_written_out() -> None:
    assert loops("for i in const_range(0, 4, 2):\n    b[i] = i + 1").splitlines() == [
        "b[0] = T.float32(1.0)",
        "b[2] = T.float32(3.0)",
    ]
    assert loops("for i, (t, k) in enumerate(((a, 1), (a, 2))):\n    b[i] = t[k]").splitlines() == [
        "b[0] = A[1]",
        "b[1] = A[2]",
    ]


@pytest.mark.parametrize(
    ("lines", "said", "hint"),
    [
        (
            "for i in 3:\n    b[i] = 1.0",
            r"a loop runs over range\(...\), a tensor or a tuple, not a number",
            "ranges are",
        ),
        (
            "for i in range(8):\n    b[i] = 1.0\nelse:\n    b[0] = 2.0",
            "for ... else is not part",
            "after the loop",
        ),
        ("for i in range():\n    b[i] = 1.0", "range takes one to three numbers", "range(start, stop, step)"),
        (
            "for i in range(0, 8, 0):\n    b[i] = 1.0",
            "the step of a range must be a number other than 0",
            "known",
        ),
        (
            "for i in range(0, 8, int32(a[0])):\n    b[i] = 1.0",
            "the step of a range must be a number other than 0",
            "known",
        ),
        ("for i in const_range(0, 8, 0):\n    b[i] = 1.0", "the step of a range", "range(n)"),
        (
            "for i in const_range(int32(a[0])):\n    b[i] = 1.0",
            "const_range needs numbers that are known here",
            "use range",
        ),
        (
            "for i in const_range(5000):\n    b[0] = 1.0",
            "5000 iterations are too many to be written out",
            "use range",
        ),
        ("for i, j in range(8):\n    b[i] = 1.0", "a loop over a range has one variable", "for i in range"),
        (
            "for i in range(8):\n    for i in range(2):\n        b[i] = 1.0",
            "i is the variable of a loop around this one",
            "another name",
        ),
        (
            "for a in range(8):\n    b[a] = 1.0",
            "a is set already and cannot be a loop's variable",
            "another name",
        ),
        (
            "for i in vectorize(int32(a[0])):\n    b[0] = 1.0",
            "needs a number of iterations that is known here",
            "split the loop",
        ),
        (
            "for i in parallel(8):\n    b[0] += a[i]",
            "iterations of i may touch the same elements of b",
            "use range",
        ),
        ("for i, j in ((1, 2, 3),):\n    b[i] = 1.0", "the loop runs over tuples of 3", "write 3 names"),
        ("for i, j in (1, 2):\n    b[i] = 1.0", "this does not fit what the loop runs over", "enumerate"),
    ],
)
def test_loops_that_are_refused(lines: str, said: str, hint: str) -> None:
    with pytest.raises(HybridError, match=said) as e:
        loops(lines)
    assert hint in (e.value.hint or "")


def test_elements_of_more_dimensions_need_a_range() -> None:
    with pytest.raises(HybridError, match="A has 2 dimensions, and a loop runs over the elements of one"):
        loops("for x in a:\n    b[0] = x", te.placeholder((4, 4), name="A"))
