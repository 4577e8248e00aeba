"""Simplification keeps values, is settled after one go, and proves no falsehood."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tewb.arith import Analyzer
from tewb.base import INT32, DType
from tewb.ir import (
    EQ,
    GE,
    GT,
    LE,
    LT,
    NE,
    Add,
    And,
    Buffer,
    Call,
    Expr,
    FloorDiv,
    FloorMod,
    IntImm,
    Max,
    Min,
    Mul,
    Not,
    Or,
    Ramp,
    Select,
    Sub,
    Var,
    const,
    ops,
    script,
    structural_equal,
    substitute,
)

i, j, k, n = (Var(name, INT32) for name in "ijkn")
RANGES = {i: (0, 3), j: (-5, 31), k: (0, 127), n: (1, 40)}


def value(e: Expr, env: dict[Var, int]) -> int:
    """A second opinion on what an expression is."""
    match e:
        case Var():
            return env[e]
        case IntImm(v):
            return v
        case Not(a):
            return int(not value(a, env))
        case Select(c, a, b) | Call("if_then_else", (c, a, b)):
            return value(a, env) if value(c, env) else value(b, env)
        case Call("likely", (a,)):
            return value(a, env)
    a, b = value(e.a, env), value(e.b, env)
    return {
        Add: lambda: a + b, Sub: lambda: a - b, Mul: lambda: a * b, FloorDiv: lambda: a // b, FloorMod: lambda: a % b,
        Min: lambda: min(a, b), Max: lambda: max(a, b), EQ: lambda: int(a == b), NE: lambda: int(a != b),
        LT: lambda: int(a < b), LE: lambda: int(a <= b), GT: lambda: int(a > b), GE: lambda: int(a >= b),
        And: lambda: a and b, Or: lambda: a or b,
    }[type(e)]()  # fmt: skip


def analyzer() -> Analyzer:
    made = Analyzer()
    for v, (lo, hi) in RANGES.items():
        made.bind(v, lo, hi)
    return made


leaves = st.sampled_from([i, j, k, n]) | st.integers(-20, 40).map(const)


def grow(children: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    pair = st.tuples(children, children)
    return (
        pair.map(lambda p: ops.add(*p))
        | pair.map(lambda p: ops.sub(*p))
        | st.tuples(children, st.integers(-4, 32)).map(lambda p: ops.mul(*p))
        | st.tuples(children, st.sampled_from([1, 2, 3, 4, 8, 12, 16, 32])).map(lambda p: ops.floordiv(*p))
        | st.tuples(children, st.sampled_from([1, 2, 3, 4, 8, 12, 16, 32])).map(lambda p: ops.floormod(*p))
        | st.tuples(children, st.just(n)).map(lambda p: ops.floordiv(*p))
        | st.tuples(children, st.just(n)).map(lambda p: ops.floormod(*p))
        | st.tuples(children, st.just(n)).map(lambda p: ops.mul(*p))
        | pair.map(lambda p: ops.minimum(*p))
        | pair.map(lambda p: ops.maximum(*p))
        | st.tuples(children, children, children).map(lambda p: ops.if_then_else(p[0] < p[1], p[1], p[2]))
    )


expressions = st.recursive(leaves, grow, max_leaves=8)
conditions = st.tuples(st.sampled_from([LT, LE, GT, GE, EQ, NE]), expressions, expressions).map(
    lambda p: p[0](p[1], p[2])
)
points = st.fixed_dictionaries({v: st.integers(lo, hi) for v, (lo, hi) in RANGES.items()})


@settings(max_examples=examples(600), deadline=None)
@given(expressions, st.lists(points, min_size=6, max_size=6))
def test_simplify_keeps_the_value(e: Expr, envs: list[dict[Var, int]]) -> None:
    s = analyzer().simplify(e)
    for env in envs:
        assert value(s, env) == value(e, env), f"{script(e)} became {script(s)} at {env}"


@settings(max_examples=examples(300), deadline=None)
@given(conditions, st.lists(points, min_size=6, max_size=6))
def test_simplify_keeps_the_truth(e: Expr, envs: list[dict[Var, int]]) -> None:
    s = analyzer().simplify(e)
    for env in envs:
        assert value(s, env) == value(e, env), f"{script(e)} became {script(s)} at {env}"


@settings(max_examples=examples(300), deadline=None)
@given(expressions)
def test_simplify_is_settled_after_one_go(e: Expr) -> None:
    a = analyzer()
    once = a.simplify(e)
    again = analyzer().simplify(once)
    assert structural_equal(once, again), f"{script(e)} -> {script(once)} -> {script(again)}"


@settings(max_examples=examples(400), deadline=None)
@given(conditions, st.lists(points, min_size=8, max_size=8))
def test_nothing_false_is_proved(cond: Expr, envs: list[dict[Var, int]]) -> None:
    if analyzer().can_prove(cond):
        assert all(value(cond, env) for env in envs), script(cond)


@settings(max_examples=examples(300), deadline=None)
@given(expressions, st.lists(points, min_size=6, max_size=6))
def test_bounds_hold(e: Expr, envs: list[dict[Var, int]]) -> None:
    lo, hi = analyzer().const_bounds(e)
    for env in envs:
        assert (-math.inf if lo is None else lo) <= value(e, env) <= (math.inf if hi is None else hi), script(
            e
        )


@settings(max_examples=examples(200), deadline=None)
@given(conditions, expressions, st.lists(points, min_size=8, max_size=8))
def test_an_assumption_helps_only_where_it_holds(cond: Expr, e: Expr, envs: list[dict[Var, int]]) -> None:
    a = analyzer()
    with a.assume(cond):
        s = a.simplify(e)
    for env in envs:
        if value(cond, env):
            assert value(s, env) == value(e, env), f"under {script(cond)}: {script(e)} became {script(s)}"


@pytest.mark.one_in(3)
@pytest.mark.parametrize("extra", [[], [(1, "m")], [(-3, "m")], [(1, "x")], [(1, "y")], [(2, "n")]])
@pytest.mark.parametrize("sign", [1, -1])
def test_of_thousands_of_facts_those_close_to_a_sum_are_found(
    sign: int, extra: list[tuple[int, str]]
) -> None:
    a = Analyzer()
    x, y, m, n = (Var(name, INT32) for name in "xymn")
    shifted = [FloorMod(ops.add(x, k), n, INT32) for k in range(300)]
    with ExitStack() as stack:
        for e in shifted:
            stack.enter_context(a.assume(ops.less(e, n)))
        for k in range(300):
            stack.enter_context(a.assume(ops.less_equal(ops.add(ops.mul(x, k + 1), ops.mul(y, k + 2)), m)))
        for e in (
            shifted[7],
            ops.sub(shifted[7], n),
            ops.sub(ops.add(ops.mul(x, 9), ops.mul(y, 10)), m),
            x,
            const(3),
        ):
            s = a.linear.of(ops.mul(e, sign))
            for factor, name in extra:
                s.add(a.linear.of(ops.mul({"x": x, "y": y, "m": m, "n": n}[name], factor)))
            found = a.known_sums.close_to(s)
            assert len(found) < 10
            for fact in a.known_sums.by_terms.values():
                rest = s.copy().add(fact, -1).terms
                is_close = all(len(t.atoms) == 1 and isinstance(t.atoms[0], Var) for t in rest.values())
                if len(rest) <= 1 and is_close:
                    assert any(fact is other for other in found)


io, ii, f, m, q = (Var(name, INT32) for name in ("io", "ii", "f", "m", "q"))


def facts() -> Analyzer:
    a = Analyzer()
    a.bind_extent(io, 0, 4)
    a.bind_extent(ii, 0, 32)
    a.bind_extent(f, 0, 96)
    a.bind(m, 0, None)
    a.bind(q, 1, None)
    return a


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((io * 32 + ii) // 32, io),
        ((io * 32 + ii) % 32, ii),
        (io * 32 + ii - io * 32, ii),
        (f // 8 * 8 + f % 8, f),
        (f // q * q + f % q, f),
        (f // m * m + f % m, f // m * m + f % m),  # m may be 0
        ((f // 4) // 8, f // 32),
        ((io * 12 + 4) // 16, (io * 3 + 1) // 4),
        ((f * 4 + 2) % 8, (f * 2 + 1) % 4 * 2),
        (m - 1 + 1, m),
        (ops.minimum(io + 1, io + 3), io + 1),
        (ops.maximum(ii, 0), ii),
        (io * 32 + ii < 128, const(True)),
        (ops.likely(ii < 32), const(True)),
        (ii + 768 < 777, ii < 9),
        (ops.if_then_else(ii < 40, io, f), io),
        ((io * q + ii) // q, io + ii // q),
        ((io * m + ii) // m, (io * m + ii) // m),  # m may be 0
        ((m + 5) // m, (m + 5) // m),
        ((q + 5) // q, 5 // q + 1),
        (m // m, m // m),
        (q // q, const(1)),
        (m % m, 0 % m),
        ((m * io) % m, 0 % m),
    ],
    ids=lambda e: script(e),
)
def test_algebra(before: Expr, after: Expr) -> None:
    got = facts().simplify(before)
    assert structural_equal(got, after), f"{script(before)} became {script(got)}, not {script(after)}"


def test_what_is_simple_comes_back_as_the_same_object() -> None:
    e = io * 32 + ii
    assert facts().simplify(e) is e


@pytest.mark.parametrize(
    "cond",
    [
        ops.maximum(ii - 1, 0) <= ii + 1,
        ops.minimum(ii + 1, m) <= m,
        io * 32 + ii <= 127,
        ops.not_equal(ii + 1, 0),
    ],
    ids=lambda e: script(e),
)
def test_can_prove(cond: Expr) -> None:
    assert facts().can_prove(cond)


def test_symbolic_extents_are_used_in_proofs() -> None:
    a = facts()
    v, w = Var("v", INT32), Var("w", INT32)
    a.bind_extent(v, 0, m)
    a.bind_extent(w, 0, m // 32)
    assert a.can_prove(v < m)
    assert a.can_prove(w * 32 + ii < m)
    assert not a.can_prove(v + 1 < m)


def test_ramps_add_and_divide() -> None:
    a = facts()
    ramp = ops.ramp(io * 32, 1, 32)
    assert isinstance(a.simplify(ops.add(ramp, ops.broadcast(5, 32))), Ramp)
    shared = a.simplify(ops.floordiv(ramp, ops.broadcast(32, 32)))
    assert structural_equal(shared, ops.broadcast(io, 32))


def test_wrapping_dtypes_are_left_alone() -> None:
    x = Var("x", DType("uint8"))
    e = ops.floordiv(ops.mul(x, const(2, "uint8")), const(2, "uint8"))
    assert structural_equal(Analyzer().simplify(e), e)


def test_rules_are_named() -> None:
    a = facts()
    a.simplify((io * 32 + ii) // 32)
    assert "quotient_of_a_bounded_rest" in a.rules_used


def test_inside_of_a_loop_its_extent_is_not_0() -> None:
    a, v = facts(), Var("v", INT32)
    a.bind_extent(v, 0, m * io)
    for extent in (m * io, m, (m * io + 31) // 32, ops.minimum(m, 32)):
        e = v // m * m + v % m
        with a.inside_loop(extent):
            assert a.simplify(e) is v
        assert structural_equal(a.simplify(e), e)
    e = v // m * m + v % m
    with a.inside_loop(m + 1):  # has one also when m is 0
        assert structural_equal(a.simplify(e), e)


x, y = Var("x", INT32), Var("y", INT32)
LARGEST, SMALLEST = 2**31 - 1, -(2**31)


@pytest.mark.parametrize(
    "e",
    [
        x + 1 > x,
        x - 1 < x,
        x * x < 0,
        x * 2 // 2,
        (x + 5) // 5,
        x * 65536 // 8,
        (x * 8 + 3) // 8,
        x * 24 % 24,
        ops.minimum(x, x + 1),
        ops.maximum(x, x - 1),
        x * 2 < y * 2,
        x - y < 0,
        ops.equal(x * 3, y * 3),
        x // y * y + x % y,
        ops.truncdiv(x, 2) * 2 + ops.truncmod(x, 2),
    ],
    ids=lambda e: script(e),
)
def test_values_that_may_wrap_are_kept(e: Expr) -> None:
    s = Analyzer().simplify_value(e)
    assert structural_equal(s, e), f"{script(e)} became {script(s)}"


def within(lo: int, hi: int) -> Analyzer:
    a = Analyzer()
    a.bind(x, lo, hi)
    a.bind(y, lo, hi)
    return a


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (x + 1 > x, const(True)),
        (x * 2 // 2, x),
        ((x + 5) // 5, x // 5 + 1),
        (x * 65536 // 8, x * 8192),
        (ops.minimum(x, x + 1), x),
        (x * 2 < y * 2, x * 2 < y * 2),
        (x * 2 < 7, x < 4),
    ],
    ids=lambda e: script(e),
)
def test_values_that_fit_are_integers(before: Expr, after: Expr) -> None:
    s = within(-5, 32000).simplify_value(before)
    assert structural_equal(s, after), f"{script(before)} became {script(s)}"


def test_a_value_fits_up_to_the_end_of_its_dtype_and_no_further() -> None:
    assert structural_equal(within(0, LARGEST - 1).simplify_value(x + 1 > x), const(True))
    assert structural_equal(within(0, LARGEST).simplify_value(x + 1 > x), x + 1 > x)
    assert within(0, LARGEST).simplify(x + 1 > x).value == 1  # type: ignore[attr-defined]  (an index)
    assert structural_equal(within(SMALLEST, 0).simplify_value(x - 1 < 0), x - 1 < 0)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (x + 1 - 1, x),
        (x * 2 - x, x),
        (x * 65536 * 65536, const(0)),
        (x + LARGEST + LARGEST, x - 2),
        (x - SMALLEST, x + SMALLEST),
    ],
    ids=lambda e: script(e),
)
def test_sums_of_values_are_sums_modulo_their_range(before: Expr, after: Expr) -> None:
    assert structural_equal(Analyzer().simplify_value(before), after)


def test_elements_of_arrays_wrap_in_indices_too() -> None:
    data = Buffer("data", INT32, (const(8),))
    e = ops.load(data, i)
    for index in (e * 2 // 2, (e + 1) // 1 - 1 + (e * 4 + 1) // 4, ops.minimum(e, e + 1)):
        lo, hi = Analyzer().const_bounds(index)
        assert lo is None and hi is None
    assert not Analyzer().can_prove(e < e + 1)
    assert Analyzer().can_prove(ops.equal(e + 1, 1 + e))
    wide = ops.cast(ops.load(Buffer("bytes", DType("uint8"), (const(8),)), i), "int32")
    assert Analyzer().const_bounds(wide * 2**25 // 2**20) == (None, None)  # 200 * 2**25 is negative
    assert Analyzer().const_bounds(wide * 2**20 // 2**20) == (0, 255)


def test_constants_at_the_ends_of_a_dtype_are_in_order() -> None:
    five, least = const(5), const(SMALLEST)
    assert not Analyzer().can_prove(LT(five, least)) and Analyzer().can_prove(LT(least, five))
    assert not Analyzer().can_prove(x < least) and not Analyzer().can_prove(x - LARGEST < least)


def test_an_index_is_not_another_modulo_its_range() -> None:
    e = ops.maximum(x - SMALLEST, 3)  # x may be negative
    a = within(-9, 19)
    assert structural_equal(a.simplify(e), x - SMALLEST)


def test_quotients_of_quotients_stop_at_the_end_of_the_dtype() -> None:
    e = x // 65536 // 65536
    assert structural_equal(Analyzer().simplify(e), e)


@pytest.mark.parametrize("divide", [ops.floordiv, ops.floormod, ops.truncdiv, ops.truncmod])
def test_a_constant_0_that_became_a_divisor_divides_to_0(divide: Callable[..., Expr]) -> None:
    e = substitute(divide(x, y), {y: const(0)})
    assert structural_equal(Analyzer().simplify_value(e), const(0))
    lanes = substitute(divide(ops.broadcast(x, 4), ops.broadcast(y, 4)), {y: const(0)})
    assert structural_equal(Analyzer().simplify_value(lanes), ops.broadcast(0, 4))


@pytest.mark.parametrize(
    ("made", "value"),
    [
        (ops.neg(const(-128, "int8")), -128),
        (ops.neg(const(1, "uint8")), 255),
        (ops.absolute(const(-128, "int8")), -128),
        (ops.floordiv(const(SMALLEST), const(-1)), SMALLEST),
        (ops.floormod(const(SMALLEST), const(-1)), 0),
        (ops.truncdiv(const(SMALLEST), const(-1)), SMALLEST),
        (ops.cast(const(0.1, "float32"), "float64"), 0.10000000149011612),
        (ops.cast(const(16777217.0, "float32"), "int32"), 16777216),
        (ops.cast(const(2**60 + 2**36 + 1, "int64"), "float32"), 2.0**60 + 2.0**37),
        (ops.equal(const(0.1, "float32"), const(0.10000000149011612, "float32")), 1),
        (ops.less(const(math.nan, "float32"), const(1.0, "float32")), 0),
    ],
)
def test_constants_fold_as_data_computes(made: Expr, value: float) -> None:
    assert made.value == value  # type: ignore[attr-defined]
