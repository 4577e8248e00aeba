"""The difference of two integers, and its bounds."""

from __future__ import annotations

from tewb.arith import Analyzer
from tewb.arith.rules.differences import difference
from tewb.base import INT32, DType
from tewb.ir import LT, Buffer, Var, const, load, ops

x, y, n = (Var(name, INT32) for name in "xyn")


def test_equal_terms_cancel() -> None:
    a = Analyzer()
    d = difference(ops.less(n + x, n + 3), a)
    assert d is not None and (d.low, d.high) == (None, None) and len(d.terms.terms) == 1
    a.bind(x, 0, 5)
    d = difference(ops.less(n + x, n + 3), a)
    assert d is not None and (d.low, d.high, d.terms.const) == (-3, 2, -3)


def test_there_is_none_where_a_side_may_wrap_or_is_no_index() -> None:
    a, data = Analyzer(), load(Buffer("A", INT32, (const(9),)), (x,))
    assert difference(ops.less(data + 1, x), a) is None and difference(ops.less(x, data + 1), a) is None
    assert difference(ops.less(data, x), a) is not None
    with a.values():
        assert difference(ops.less(x + 1, y), a) is None and difference(ops.less(x, y), a) is not None
    u, f = Var("u", DType("uint32")), Var("f", DType("float32"))
    assert difference(LT(u, u, DType("bool")), a) is None and difference(ops.less(f, f), a) is None


def test_assumed_sums_bound_it() -> None:
    a = Analyzer()
    with a.assume(x + 2 <= y):
        d = difference(ops.less(x, y), a)
        assert d is not None and d.high == -2
        d = difference(ops.less(y, x), a)
        assert d is not None and d.low == 2


def test_extremes_have_a_difference_too() -> None:
    e = ops.minimum(x, x + y)
    d = difference(e, Analyzer())
    assert d is not None and d.e is e
