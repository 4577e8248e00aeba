"""Every rule of simplification is tried on random integers: what it replaces is what it was, and comes out settled."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.arith.test_values import differ, unless_index
from tests.arith.wraparound import ARITHMETIC, COMPARISONS, DTYPES, LANES, Case, value
from tewb.arith import RULES, Analyzer, Change, explain_simplify
from tewb.base import BOOL, INT32, DType
from tewb.ir import (
    EQ,
    NE,
    Add,
    And,
    Broadcast,
    Call,
    Cast,
    Div,
    Expr,
    FloorDiv,
    FloorMod,
    Max,
    Min,
    Mod,
    Mul,
    Not,
    Or,
    Ramp,
    Select,
    Sub,
    Var,
    const,
    script,
    structural_equal,
)

PROGRAMS = 300  # expressions for each rule
AT_LEAST = 40  # times that it must apply to them: a rule that nothing tries is not tested
INDEX_TYPES = DTYPES[:2]


# ---------------------------------------------------------------- expressions that a rule may apply to


class Shape:
    """Random expressions of one dtype."""

    def __init__(self, case: Case, dtype: DType) -> None:
        self.case, self.rng, self.d = case, case.rng, dtype

    def any(self) -> Expr:
        """Something small: a variable, an element of an array, a sum, a quotient ..."""
        return self.case.integer(self.d, self.rng.choice((0, 0, 1)))

    def within(self, lo: int, hi: int) -> Expr:
        """A variable with a range in lo .. hi, its ends more often than not."""
        low, high = sorted(self.rng.choice((lo, hi, self.rng.randint(lo, hi))) for _ in "ab")
        v = Var(f"within_{len(self.case.ranges)}", self.d)
        self.case.ranges[v] = (low, high)
        numbers = [
            self.rng.choice((low, high, self.rng.randint(low, high))) for _ in range(self.case.samples)
        ]
        self.case.values[v] = self.case.column(numbers, self.d)
        return v

    def index(self) -> Expr:
        """An integer that is small enough for arithmetic with a few others, or any."""
        return self.within(-500, 1000) if self.rng.random() < 0.8 else self.any()

    def number(self, *numbers: int) -> Expr:
        return const(self.rng.choice(numbers), self.d)

    def factor(self) -> int:
        return self.rng.choice((1, 2, 3, 4, 6, 8, 12, 32))

    def times(self, e: Expr, by: int) -> Expr:
        return Mul(e, const(by, self.d), self.d)

    def plus(self, a: Expr, b: Expr) -> Expr:
        return Add(a, b, self.d)

    def sum(self) -> Expr:
        """x*a + y*b + k"""
        if self.rng.random() < 0.3:
            return self.at_the_end()
        sum_ = self.plus(self.times(self.index(), self.factor()), self.times(self.index(), self.factor()))
        return self.plus(sum_, self.number(0, 1, 5, -7, 64))

    def at_the_end(self) -> Expr:
        """x*g + y*h - k, which is less than the largest integer where x*g + y*h may be more; or all of it negative."""
        g, most = self.factor(), self.d.max_value()
        y = self.times(self.within(0, 9), self.factor())
        if self.rng.random() < 0.5:
            return self.plus(
                self.plus(self.times(self.within(most // g - 12, most // g), g), y), self.number(-295, -999)
            )
        return self.plus(
            self.plus(self.times(self.within(-(most // g), 12 - most // g), g), y), self.number(0, 5, 30)
        )

    def divided(self, kind: type) -> Expr:
        """A sum by a number, some of whose coefficients have factors in common with it."""
        return kind(self.sum(), self.number(1, 2, 3, 4, 6, 12, 32, 2**20), self.d)

    def symbolic(self, kind: type) -> Expr:
        """x*n + y by n, which may be 0 or less in some, and y be less than n in some; or y at the end of what there is."""
        n = self.within(*self.rng.choice(((-4, 50), (0, 50), (1, 50), (20, 50))))
        x, y = self.index(), self.within(*self.rng.choice(((-9, 60), (0, 19), (0, 40))))
        if self.rng.random() < 0.2:
            most = self.d.max_value()
            x, y = self.within(-500, -100), self.plus(self.within(most - 9, most), self.number(5))
            n = self.within(1, 50)
        return kind(self.plus(Mul(x, n, self.d), y), n, self.d)

    def condition(self) -> Expr:
        return self.case.condition(1)

    def truth(self) -> Expr:
        return const(self.rng.random() < 0.5, BOOL)

    def vector(self) -> Expr:
        return self.case.vector(self.d, 0)

    def same(self, e: Expr) -> Expr:
        return Broadcast(e, LANES, e.dtype.with_lanes(LANES))

    def ramp(self, *strides: int) -> Expr:
        return Ramp(self.index(), self.number(*strides), LANES, self.d.with_lanes(LANES))

    def of_vectors(self, kinds: Any, a: Expr, b: Expr) -> Expr:
        kind = self.rng.choice(kinds)
        return kind(a, b, BOOL.with_lanes(LANES) if kind in COMPARISONS else a.dtype)

    def pair(self, kinds: Any, a: Expr, b: Expr) -> Expr:
        return self.of_vectors(kinds, *((a, b) if self.rng.random() < 0.5 else (b, a)))


def truncated(s: Shape) -> Expr:
    return s.rng.choice((Div, Mod))(
        s.within(s.rng.randint(-3, 5), 90), s.within(s.rng.randint(-5, 5), 9), s.d
    )


def quotient_and_remainder(s: Shape) -> Expr:
    """(x // c)*c*k + (x % c)*k, and c may be 0."""
    x, k = s.index(), s.factor()
    c = s.number(-3, 2, 5, 8) if s.rng.random() < 0.5 else s.within(s.rng.randint(-1, 1), 30)
    quotient = s.times(Mul(FloorDiv(x, c, s.d), c, s.d), k)
    return s.plus(quotient, s.plus(s.times(FloorMod(x, c, s.d), k), s.any()))


def common_factor_of_a_quotient(s: Shape) -> Expr:
    """A sum by a number; or x*32 + y*2 - 3 by 8, where y*2 + 5 may pass the end."""
    if s.rng.random() < 0.7:
        return s.divided(FloorDiv)
    most = s.d.max_value() // 2
    pair = s.plus(s.times(s.within(-9, -5), 32), s.times(s.within(most - 12, most), 2))
    return FloorDiv(s.plus(pair, s.number(-3)), s.number(8, 16), s.d)


def nested(outer: type, inner: type) -> Callable[[Shape], Expr]:
    def shape(s: Shape) -> Expr:
        most = s.d.max_value()
        if s.rng.random() < 0.3:  # x + k may pass the end, and x does not
            within = s.plus(s.within(most - 9, most), s.number(7))
            divided = s.plus(inner(within, s.number(12), s.d), s.number(-7))
            return outer(divided, s.number(3, 4, 6), s.d)
        within = inner(s.any() if s.rng.random() < 0.4 else s.index(), s.number(2, 4, 12, -4), s.d)
        return outer(s.times(within, s.rng.choice((1, 1, 3, 4))), s.number(2, 4, 8, 12, 2**30), s.d)

    return shape


def compared(s: Shape) -> Expr:
    """A sum with another, or with a number that it may reach."""
    kind = s.rng.choice(COMPARISONS)
    if s.rng.random() < 0.5:
        sum_ = s.plus(
            s.times(s.within(-5, 20), s.rng.choice((4, 6))), s.times(s.within(-5, 20), s.rng.choice((2, 6)))
        )
        return kind(s.plus(sum_, s.number(0, 5, -8)), const(s.rng.randint(-60, 120), s.d), BOOL)
    if s.rng.random() < 0.3:
        half = s.d.max_value() // 2
        sum_ = s.plus(s.within(half - 60, half + 60), s.within(half - 60, half + 60))
        return kind(s.plus(sum_, s.number(-500)), s.number(2 * half - 500, 2 * half - 480), BOOL)
    return kind(s.sum(), s.sum(), BOOL)


def assumed(s: Shape) -> Expr:
    """A choice by what is assumed: see `assumption`."""
    cond = s.rng.choice(COMPARISONS)(s.any(), s.any(), BOOL)
    return Select(cond, s.any(), s.any(), s.d)


def choice(s: Shape) -> Expr:
    args = s.truth(), s.any(), s.any()
    return Select(*args, s.d) if s.rng.random() < 0.5 else Call("if_then_else", args, s.d)


def choice_of_equals(s: Shape) -> Expr:
    x = s.any()
    args = s.condition(), x, x
    return Select(*args, s.d) if s.rng.random() < 0.5 else Call("if_then_else", args, s.d)


def choice_of_vectors(s: Shape) -> Expr:
    args = s.same(s.truth()), s.vector(), s.vector()
    d = s.d.with_lanes(LANES)
    return Select(*args, d) if s.rng.random() < 0.5 else Call("if_then_else", args, d)


def extreme_of_one_term(s: Shape) -> Expr:
    x = s.any()
    return s.rng.choice((Min, Max))(x, x, s.d)


def with_truth(kind: Any) -> Callable[[Shape], Expr]:
    def shape(s: Shape) -> Expr:
        a, b = s.condition(), s.truth()
        return kind(a, b, BOOL) if s.rng.random() < 0.5 else kind(b, a, BOOL)

    return shape


def constants(kinds: Any) -> Callable[[Shape], Expr]:
    def shape(s: Shape) -> Expr:
        kind = s.rng.choice(kinds)
        a, b = (const(s.case.number(s.d), s.d) for _ in "ab")
        return kind(a, b, BOOL if kind in COMPARISONS else s.d)

    return shape


def with_number(kind: Any, *numbers: int) -> Callable[[Shape], Expr]:
    def shape(s: Shape) -> Expr:
        a, b = s.any(), s.number(*numbers)
        return kind(a, b, s.d) if s.rng.random() < 0.7 else kind(b, a, s.d)

    return shape


SHAPES: dict[str, Callable[[Shape], Expr]] = {
    "and_with_a_constant": with_truth(And),
    "assumed_comparison": assumed,
    "canonical_sum": lambda s: s.plus(s.any(), s.times(s.sum(), s.factor())),
    "cast_of_a_number": lambda s: Cast(const(s.case.number(s.d), s.d), s.rng.choice(DTYPES)),
    "cast_of_equal_lanes": lambda s: Cast(s.same(s.any()), s.rng.choice(DTYPES).with_lanes(LANES)),
    "cast_to_its_own_dtype": lambda s: Cast(s.any(), s.d),
    "choice_of_equals": choice_of_equals,
    "common_factor_of_a_quotient": common_factor_of_a_quotient,
    "common_factor_of_a_remainder": lambda s: FloorMod(s.times(s.index(), 12), s.number(8, 16, 36), s.d),
    "comparison_by_bounds": compared,
    "comparison_of_all_lanes": lambda s: s.pair(COMPARISONS, s.ramp(-9, 1, 4), s.same(s.index())),
    "comparison_with_a_number": compared,
    "decided_choice": choice,
    "decided_choice_of_all_lanes": choice_of_vectors,
    "division_by_zero": lambda s: s.rng.choice((FloorDiv, FloorMod, Div, Mod))(s.any(), s.number(0), s.d),
    "double_negation": lambda s: Not(Not(s.condition(), BOOL), BOOL),
    "equation_without_solution": lambda s: s.rng.choice((EQ, NE))(
        s.plus(s.times(s.index(), s.rng.choice((2, 6))), s.times(s.index(), 4)), s.number(1, 3, 5, -7), BOOL
    ),
    "extreme_of_one_term": extreme_of_one_term,
    "likely_of_a_constant": lambda s: Call("likely", (s.truth(),), BOOL),
    "likely_of_equal_lanes": lambda s: Call("likely", (s.same(s.condition()),), BOOL.with_lanes(LANES)),
    "likely_of_likely": lambda s: Call("likely", (Call("likely", (s.condition(),), BOOL),), BOOL),
    "not_of_a_constant": lambda s: Not(s.truth(), BOOL),
    "operation_on_equal_lanes": lambda s: s.of_vectors(
        (*ARITHMETIC, *COMPARISONS), s.same(s.any()), s.same(s.any())
    ),
    "operation_on_numbers": constants((FloorDiv, FloorMod, Div, Mod, Min, Max, *COMPARISONS)),
    "or_with_a_constant": with_truth(Or),
    "order_of_min_and_max": lambda s: s.rng.choice((Min, Max))(s.sum(), s.sum(), s.d),
    "product_of_a_ramp": lambda s: s.pair((Mul,), s.ramp(1, -2), s.same(s.index())),
    "product_with_one": with_number(Mul, 1),
    "product_with_zero": with_number(Mul, 0),
    "quotient_and_remainder": quotient_and_remainder,
    "quotient_by_a_symbol": lambda s: s.symbolic(FloorDiv),
    "quotient_by_one": lambda s: s.rng.choice((FloorDiv, Div))(s.any(), s.number(1), s.d),
    "quotient_of_a_bounded_rest": lambda s: s.divided(FloorDiv),
    "quotient_of_a_quotient": nested(FloorDiv, FloorDiv),
    "quotient_of_all_lanes": lambda s: FloorDiv(
        Ramp(s.times(s.index(), 16), s.number(1, 2, -1), LANES, s.d.with_lanes(LANES)),
        s.same(s.number(8, 16)),
        s.d.with_lanes(LANES),
    ),
    "quotient_of_even_steps": lambda s: s.of_vectors((FloorDiv,), s.ramp(8, -16, 0), s.same(s.number(2, 8))),
    "quotient_of_multiples": lambda s: s.divided(FloorDiv),
    "quotient_of_multiples_of_a_symbol": lambda s: s.symbolic(FloorDiv),
    "remainder_by_a_symbol": lambda s: s.symbolic(FloorMod),
    "remainder_by_one": lambda s: FloorMod(s.any(), s.number(1), s.d),
    "remainder_of_a_bounded_rest": lambda s: s.divided(FloorMod),
    "remainder_of_a_remainder": nested(FloorMod, FloorMod),
    "remainder_of_even_steps": lambda s: s.of_vectors((FloorMod,), s.ramp(8, -16, 0), s.same(s.number(2, 8))),
    "remainder_of_multiples": lambda s: s.divided(FloorMod),
    "remainder_of_multiples_of_a_symbol": lambda s: s.symbolic(FloorMod),
    "remainder_of_one_quotient": lambda s: FloorMod(
        Ramp(s.times(s.index(), 16), s.number(1, 2, -1), LANES, s.d.with_lanes(LANES)),
        s.same(s.number(8, 16)),
        s.d.with_lanes(LANES),
    ),
    "sum_of_numbers": constants((Add, Sub, Mul)),
    "sum_of_ramps": lambda s: s.pair(
        (Add, Sub), s.ramp(1, -2), s.rng.choice((s.ramp(3), s.same(s.index())))
    ),
    "sum_with_zero": lambda s: s.rng.choice((with_number(Add, 0), lambda s: Sub(s.any(), s.number(0), s.d)))(s),
    "truncation_of_no_negative": truncated,
}  # fmt: skip


# Those whose nodes of an index type are canonical sums: they are for values of other dtypes.
OF_SMALL_INTEGERS = {"product_with_one", "product_with_zero", "sum_of_numbers", "sum_with_zero"}
OF_ANY_DTYPE = {
    "assumed_comparison", "cast_of_a_number", "cast_of_equal_lanes", "cast_to_its_own_dtype", "choice_of_equals", "decided_choice",
    "division_by_zero", "extreme_of_one_term", "operation_on_equal_lanes", "operation_on_numbers", "quotient_by_one", "remainder_by_one",
}  # fmt: skip


# ---------------------------------------------------------------- the property


class Trial:
    """One random expression of a rule's shape, looked at as a value or as an index."""

    def __init__(self, name: str, seed: int) -> None:
        rng = random.Random(f"{name} {seed}")
        self.case = Case(rng)
        dtypes = DTYPES[2:] if name in OF_SMALL_INTEGERS else DTYPES if name in OF_ANY_DTYPE else INDEX_TYPES
        self.e = SHAPES[name](Shape(self.case, rng.choice(dtypes)))
        self.is_value = seed % 2 == 0 and "likely" not in name  # guards are about indices
        self.assumption: Expr | None = self.e.cond if name == "assumed_comparison" else None  # type: ignore[attr-defined]
        self.seed = seed

    def with_facts(self, ask: Callable[[Analyzer], Any]) -> Any:
        a = self.case.analyzer()
        if self.assumption is None:
            return ask(a)
        with a.assume(self.assumption, wraps=True):
            return ask(a)

    def changes(self) -> list[Change]:
        return self.with_facts(lambda a: explain_simplify(self.e, a, self.is_value))  # type: ignore[no-any-return]

    def simple(self, e: Expr) -> Expr:
        return self.with_facts(lambda a: a.simplify_value(e) if self.is_value else a.simplify(e))  # type: ignore[no-any-return]

    def wrong(self, before: Expr, after: Expr) -> str | None:
        """Where the two are not the same."""
        unless: Any = False if self.is_value else unless_index(self.e, after, self.case)
        if not self.is_value:
            unless = unless | unless_index(before, after, self.case)
        if self.assumption is not None:
            unless = unless | ~value(self.assumption, self.case.values)
        return differ(before, after, self.case, unless)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_keeps_the_value(name: str) -> None:
    applied = 0
    for seed in range(PROGRAMS):
        trial = Trial(name, seed)
        for rule, before, after in trial.changes():
            wrong = trial.wrong(before, after)
            assert wrong is None, f"seed {seed}: {rule.name}: {wrong}"
            applied += rule.name == name
    assert applied >= AT_LEAST, f"{name} applied {applied} times"


@pytest.mark.parametrize("name", RULES)
def test_what_a_rule_gives_is_settled(name: str) -> None:
    for seed in range(PROGRAMS // 3):
        trial = Trial(name, seed)
        once = trial.simple(trial.e)
        again = trial.simple(once)
        assert structural_equal(once, again), (
            f"seed {seed}: {script(trial.e)} -> {script(once)} -> {script(again)}"
        )


def test_what_changes_is_explained() -> None:
    for name in RULES:
        for seed in range(20):
            trial = Trial(name, seed)
            is_changed = not structural_equal(trial.simple(trial.e), trial.e)
            assert bool(trial.changes()) == is_changed, f"{name} {seed}: {script(trial.e)}"


def test_an_explanation_goes_from_the_inside_out() -> None:
    x, y, a = Var("x", INT32), Var("y", INT32), Analyzer()
    a.bind(y, 0, 3)
    said = [
        (rule.name, script(before), script(after))
        for rule, before, after in explain_simplify((x * 4 + y) // 4 // 8 + 3 - 2, a)
    ]
    assert said == [
        ("quotient_of_a_bounded_rest", "(x * 4 + y) // 4", "x"),
        ("canonical_sum", "x // 8 + 3 - 2", "x // 8 + 1"),
    ]
    assert RULES["quotient_of_a_quotient"].formula == (
        "(x // a) // b -> x // (a*b) when a, b > 0 and a*b is in the range of the dtype"
    )


def test_what_a_condition_asks_is_no_part_of_an_explanation() -> None:
    """Whether m may be 0 in a loop of m*4 iterations is asked with another expression."""
    m, v, a = Var("m", INT32), Var("v", INT32), Analyzer()
    a.bind_extent(v, 0, m * 4)
    with a.inside_loop((m * 4 + 6 - 6) // 2):
        changes = explain_simplify(v // m * m + v % m, a)
    assert [(c.rule.name, c.after) for c in changes] == [("quotient_and_remainder", v)]


def test_floats_keep_what_is_added_and_multiplied() -> None:
    """-0.0 + 0.0 is 0.0, and infinity times 0 is NaN."""
    x, a = Var("x", DType("float32")), Analyzer()
    for e in (Add(x, const(0.0), x.dtype), Sub(x, const(0.0), x.dtype), Mul(x, const(0.0), x.dtype)):
        assert a.simplify_value(e) is e
    assert a.simplify_value(Mul(x, const(1.0), x.dtype)) is x
    assert structural_equal(a.simplify_value(Add(const(1.5), const(2.0), x.dtype)), const(3.5))


def main() -> None:
    """Look at many more: python -m tests.arith.test_rules FIRST COUNT."""
    import sys

    first, count = map(int, sys.argv[1:])
    for name in RULES:
        applied = 0
        for seed in range(first, first + count):
            trial = Trial(name, seed)
            for rule, before, after in trial.changes():
                wrong = trial.wrong(before, after)
                applied += rule.name == name
                if wrong is not None:
                    print(f"{name} {seed}: {rule.name}: {wrong}", flush=True)
            once = trial.simple(trial.e)
            again = trial.simple(once)
            if not structural_equal(once, again):
                print(
                    f"{name} {seed} not settled: {script(trial.e)} -> {script(once)} -> {script(again)}",
                    flush=True,
                )
        print(f"{name}: {applied} of {count}", flush=True)


if __name__ == "__main__":
    main()
