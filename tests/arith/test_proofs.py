"""Proofs of comparisons."""

from __future__ import annotations

import numpy as np
import pytest

import tewb
from tests.pages import between_pages
from tewb import te
from tewb.arith import Analyzer
from tewb.base import BoundError, DType
from tewb.ir import Var, const, ops

n, i = Var("n", DType("int32")), Var("i", DType("int32"))


def analyzer(least: int) -> Analyzer:
    facts = Analyzer()
    facts.bind_extent(i, const(0), n)
    facts.bind(n, least, None)
    return facts


def test_a_remainder_is_less_than_its_divisor_if_that_is_positive() -> None:
    rest = (i + 3) % n
    for least, proved in ((0, False), (1, True)):
        facts = analyzer(least)
        assert facts.can_prove(rest >= 0) is proved
        assert facts.can_prove(rest < n) is proved
        assert facts.can_prove(rest * 2 < n * 2 - 1) is proved
        assert not facts.can_prove(rest < n - 1)
        assert not facts.can_prove(rest > 0)
        assert not facts.can_prove(ops.less(n, rest + 2))


def test_reads_around_an_array_need_no_check() -> None:
    size = te.var("n")
    A = te.placeholder((size,), "int32", name="A")
    B = te.compute((size,), lambda i: A[(i + 1) % size] - A[(i - 1) % size], name="B")
    text = str(tewb.lower(te.create_schedule(B.op), [A, B]))
    assert "assert" not in text
    for count in (0, 1, 2, 9):
        a = np.arange(count, dtype="int32") ** 2
        made = tewb.build(te.create_schedule(B.op), [A, B])(between_pages(a))
        np.testing.assert_array_equal(made, np.roll(a, -1) - np.roll(a, 1))


@pytest.mark.parametrize("inline", [False, True])
def test_what_others_read_of_an_empty_stage_is_checked(inline: bool) -> None:
    """The body of S runs inside of its loop, where n is at least 1; as a formula in D it runs for any n."""
    size = te.var("n")
    A = te.placeholder((size,), "int32", name="A")
    S = te.compute((size,), lambda i: A[(i + 1) % size], name="S")
    D = te.compute((3,), lambda i: S[i], name="D")
    s = te.create_schedule(D.op)
    if inline:
        s[S].compute_inline()
    kernel = tewb.build(s, [A, D])
    np.testing.assert_array_equal(kernel(between_pages(np.arange(3, dtype="int32"))), [1, 2, 0])
    with pytest.raises(BoundError, match="reads outside of"):
        kernel(np.zeros(0, "int32"))


def test_an_upper_bound_by_the_symbolic_end_of_a_loop() -> None:
    a, o = Analyzer(), Var("o", DType("int32"))
    a.bind(n, 0, None)
    a.bind_extent(o, 0, (n + 7) // 8)
    assert a.upper_bound(o * 8 - n) == -1 and a.const_bounds(o * 8 - n)[1] is None
    a.bind_extent(i, 0, n - o)
    assert a.upper_bound(o + i - n) == -1
    assert a.upper_bound(o * 4 - n) == -1  # 4*o is at most (n + 7)/2 - 4
    assert a.upper_bound((n + 9) // 3 - n) == 3
    assert a.upper_bound(o) is None and a.upper_bound(n - o) is None
