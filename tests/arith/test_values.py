"""Values wrap and indices do not; x // 0 is 0. Nothing that is simplified is something else afterwards."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import tewb
from tests.arith.wraparound import DTYPES, Case, is_comparison, overflows, smart, value
from tests.examples import examples
from tewb import te
from tewb.base import DType
from tewb.ir import BufferLoad, Expr, const, ops, script, walk

BUDGET = 120  # expressions of each kind and seed


def differ(before: Expr, after: Expr, case: Case, unless: Any = False) -> str | None:
    """Where two expressions are not the same, for the samples in which `unless` does not hold."""
    x, y, unless = np.broadcast_arrays(value(before, case.values), value(after, case.values), unless)
    apart = (x != y) & ~unless
    if not apart.any():
        return None
    row = int(np.argwhere(apart)[0][0])
    env = {v.name: a[min(row, len(a) - 1)].item() for v, a in case.values.items()}
    ranges = {v.name: r for v, r in case.ranges.items()}
    return f"{script(before)} became {script(after)}: {x[row]} and {y[row]} for {env} in {ranges}"


def a_case(seed: object) -> tuple[Case, DType]:
    case = Case(random.Random(repr(seed)))
    return case, case.rng.choice(DTYPES[:2] if case.rng.random() < 0.7 else DTYPES)


def unless_index(e: Expr, s: Expr, case: Case) -> Any:
    """The samples that say nothing of an index `e`, which became `s`: something in it wraps. What has no range, and
    what was beside data, may be anything else that is small enough for what is made of it."""
    free = any(None in ends for ends in case.ranges.values()) or any(
        isinstance(n, BufferLoad) for n in walk(e)
    )
    return overflows(e, case.values) | overflows(s, case.values) if free else overflows(e, case.values)


def as_value(seed: object) -> str | None:
    """A value of any dtype keeps its value, whatever wraps."""
    case, d = a_case(seed)
    e = case.integer(d, 3) if case.rng.random() < 0.7 else case.condition(2)
    a = case.analyzer()
    s = a.simplify_value(e)
    again = a.simplify_value(s)
    return differ(e, s, case) or differ(s, again, case)


def as_index(seed: object) -> str | None:
    """An index keeps its value where no sum and no product in it wraps but those of data."""
    case, d = a_case(seed)
    e = case.integer(d, 3)
    s = case.analyzer().simplify(e)
    return differ(e, s, case, unless_index(e, s, case))


def as_vector(seed: object) -> str | None:
    """Lanes keep their values, as values and as indices."""
    case, d = a_case(seed)
    e = case.vector(d, 2)
    s, index = case.analyzer().simplify_value(e), case.analyzer().simplify(e)
    return differ(e, s, case) or differ(e, index, case, unless_index(e, index, case))


def as_made(seed: object) -> str | None:
    """The smart constructors fold as data computes."""
    case, d = a_case(seed)
    e = case.integer(d, 3)
    return differ(e, smart(e), case)


def as_bounded(seed: object) -> str | None:
    """Bounds hold for values, whatever wraps, and for indices where nothing does."""
    case, d = a_case(seed)
    e, a = case.integer(d, 3), case.analyzer()
    x = value(e, case.values).astype(object)
    for wraps in (True, False):
        with a.values(wraps):
            lo, hi = a.const_bounds(e)
        passes = np.zeros(x.shape, bool)
        if lo is not None:
            passes |= x < lo
        if hi is not None:
            passes |= x > hi
        if not wraps:
            passes = passes & ~unless_index(e, a.simplify(e), case)
        if passes.any():
            return f"{script(e)} is {x[passes][0]}, not in {lo}..{hi}; {case.ranges}"
    return None


def as_proved(seed: object) -> str | None:
    """What is proved is true, for values whatever wraps and for indices where nothing does."""
    case, _ = a_case(seed)
    cond, a = case.condition(2), case.analyzer()
    for wraps in (True, False):
        with a.values(wraps):
            proved = a.can_prove(cond)
        unless = False if wraps else unless_index(cond, a.simplify(cond), case)
        if proved and differ(cond, const(True), case, unless):
            return f"{script(cond)} was proved, wraps={wraps}: {differ(cond, const(True), case, unless)}"
    return None


def as_assumed(seed: object) -> str | None:
    """What a condition between values implies is used only where it holds."""
    case, d = a_case(seed)
    cond, e, a = case.condition(2), case.integer(d, 2), case.analyzer()
    if case.rng.random() < 0.5 and is_comparison(cond):
        e = ops.select(cond, e, case.integer(d, 1))
    with a.assume(cond, wraps=True):
        s = a.simplify_value(e)
    other = case.analyzer()
    choice = ops.if_then_else(cond, e, case.integer(d, 1))
    unless = ~value(cond, case.values)
    return differ(e, s, case, unless) or differ(choice, other.simplify_value(choice), case)


KINDS = (as_value, as_index, as_vector, as_made, as_bounded, as_proved, as_assumed)


@pytest.mark.parametrize("kind", KINDS, ids=lambda f: f.__name__)
def test_random_expressions_stay_what_they_are(kind: Any) -> None:
    for n in range(examples(BUDGET)):
        wrong = kind((kind.__name__, n))
        assert wrong is None, f"seed {n}: {wrong}"


def main() -> None:
    """Look at many more: python -m tests.arith.test_values FIRST COUNT."""
    import sys

    first, count = map(int, sys.argv[1:])
    wrong = 0
    for n in range(first, first + count):
        for kind in KINDS:
            try:
                found = kind((kind.__name__, n))
            except Exception as e:
                found = f"{type(e).__name__}: {e}"
            if found is not None:
                wrong += 1
                print(f"{kind.__name__} {n}: {found}", flush=True)
    print(f"{count * len(KINDS)} expressions, {wrong} wrong")


if __name__ == "__main__":
    main()


@pytest.mark.parametrize(
    ("cond", "first"),
    [(lambda j, n: j == n, 4), (lambda j, n: j >= n, 4), (lambda j, n: te.all(j >= n - 1, j <= n), 3)],
)
def test_a_loop_variable_that_equals_its_end_does_not_lead_in_circles(cond: Any, first: int) -> None:
    """Under j == n, how far j goes depends on n - 1, and how far that goes on j."""
    n = te.var("n")
    B = te.compute((n, 6), lambda j, i: te.all(cond(j, n), (i * 8) % (j + 1) == 0), name="B")
    out = np.ones((4, 6), bool)
    tewb.build(te.create_schedule(B.op), [n, B])(4, out)
    j, i = np.mgrid[:4, :6]
    np.testing.assert_array_equal(out, (j >= first) & (i * 8 % (j + 1) == 0))
