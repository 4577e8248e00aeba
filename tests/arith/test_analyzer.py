"""What the Analyzer knows, inside of which blocks, and which arithmetic does not wrap."""

from __future__ import annotations

import pytest

from tewb.arith import Analyzer
from tewb.base import INT32, INT64, DType
from tewb.ir import Buffer, Var, const, load, ops, structural_equal

i, n, x, y = (Var(name, INT32) for name in "inxy")
A = Buffer("A", INT32, (const(9),))


def test_ranges_are_replaced_by_later_ones() -> None:
    a = Analyzer()
    a.bind(x, 0, 9)
    assert a.const_bounds(x + 1) == (1, 10) and a.can_prove(x < 10)
    a.bind(x, None, 20)
    assert a.const_bounds(x + 1) == (None, 21) and not a.can_prove(x < 10)


@pytest.mark.parametrize(("start", "extent", "bounds"), [(0, 4, (0, 3)), (-2, 1, (-2, -2)), (5, 0, (5, 4))])
def test_a_loop_runs_from_its_start(start: int, extent: int, bounds: tuple[int, int]) -> None:
    a = Analyzer()
    a.bind_extent(x, start, extent)
    assert a.const_bounds(x) == bounds


def test_symbolic_ends_prove_what_numbers_do_not() -> None:
    a = Analyzer()
    a.bind_extent(x, 0, n)
    assert a.can_prove(x < n) and not a.can_prove(x < n - 1) and a.const_bounds(x) == (0, None)
    a.bind(x, 0, 3)
    assert not a.can_prove(x < n)


def test_an_assumption_ends_with_its_block() -> None:
    a = Analyzer()
    e = ops.maximum(x, 3)
    with a.assume(x >= 5):
        assert a.simplify(e) is x and a.const_bounds(x) == (5, None)
        with a.assume(x <= 7):
            assert a.const_bounds(x + 1) == (6, 8)
        assert a.const_bounds(x + 1) == (6, None)
    assert a.simplify(e) is e and a.const_bounds(x) == (None, None)


def test_a_divisor_that_is_never_reached_is_no_error() -> None:
    n, i = Var("n", INT32), Var("i", INT32)
    analyzer = Analyzer()
    analyzer.bind(n, 1, None)
    with analyzer.assume(ops.less_equal(n, 0)):
        analyzer.can_prove(ops.less(ops.floordiv(i, n), 0))  # it divided by zero, the upper bound of n


def test_a_variable_that_holds_data_is_data() -> None:
    a, v = Analyzer(), Var("v", INT32)
    a.bind_value(v, ops.load(Buffer("data", INT32, (const(8),)), i))
    assert structural_equal(a.simplify(v * 2 // 2), v * 2 // 2)


def test_values_wrap_and_indices_do_not() -> None:
    a, e = Analyzer(), x * 4
    assert a.is_exact(e) and a.is_exact(x)
    with a.values():
        assert not a.is_exact(e) and a.is_exact(x)
        with a.values(False):
            assert a.is_exact(e)
    assert not a.is_exact(load(A, (x,)) + 1) and a.is_exact(load(A, (x,)))
    a.bind(x, -9, 9)
    with a.values():
        assert a.is_exact(e)


@pytest.mark.parametrize(
    ("dtype", "bounds"),
    [("int8", (-128, 127)), ("uint8", (0, 255)), ("uint64", (0, 2**64 - 1)), ("int32", (None, None))],
)
def test_bounds_of_an_unknown_sum_are_those_of_its_dtype(
    dtype: str, bounds: tuple[int | None, int | None]
) -> None:
    v = Var("v", DType(dtype))
    assert Analyzer().const_bounds(ops.add(v, v)) == bounds


def test_bounds_of_vectors_are_those_of_their_lanes() -> None:
    a = Analyzer()
    a.bind(x, 0, 3)
    assert a.const_bounds(ops.ramp(x, 2, 4)) == (0, 9)
    assert a.const_bounds(ops.ramp(x, -1, 4)) == (-3, 3)
    assert a.const_bounds(ops.broadcast(x, 4)) == (0, 3)
    assert a.const_bounds(ops.ramp(x, 1, 4) + ops.ramp(y, 1, 4)) == (None, None)


def test_an_index_that_passes_int64_is_found() -> None:
    a, w = Analyzer(), Var("w", INT64)
    a.bind(w, 0, 2**40)
    found = a.overflow(w * 2**30 - w * 2**30 + w * 2**24)
    assert found is not None and found[1] > 2**63 - 1
    assert a.overflow(w * 2**22) is None
    assert a.overflow(x * 2**30) is None  # int32 is widened, not refused


def test_what_is_never_0() -> None:
    a = Analyzer()
    a.bind(n, 0, None)
    assert not a.is_never_zero(n) and a.is_never_zero(n + 1) and a.is_never_zero(const(-3))
    with a.inside_loop(n):
        assert a.is_never_zero(n)
    with a.inside_loop(n + 1):
        assert not a.is_never_zero(n)
    assert not a.is_never_zero(n)


def test_what_a_loop_told_is_forgotten_after_it() -> None:
    a = Analyzer()
    a.bind(n, 0, None)
    e = x // n * n + x % n
    with a.inside_loop(n * 4):
        assert a.simplify(e) is x
    assert structural_equal(a.simplify(e), e)


def test_rules_that_were_used_are_told() -> None:
    a = Analyzer()
    a.bind(x, 0, 3)
    assert a.rules_used == set()
    a.simplify(x // 4)
    assert a.rules_used == {"quotient_of_a_bounded_rest"}
