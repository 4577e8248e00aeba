"""Expressions that are graphs, and programs that nest deep: every walk visits a shared node once, and none is too short.

A graph of depth 40 that doubles at each step stands for 2**40 terms, so a walk of it as a tree would never end.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import tewb
from tewb import te
from tewb.arith import Analyzer, Keys
from tewb.arith.intset import eval_set, interval
from tewb.base import BoundError, LowerError
from tewb.ir import (
    IntImm,
    Var,
    conjuncts,
    const,
    everywhere,
    first_difference,
    free_vars,
    ops,
    parse,
    rewriter,
    script,
    shared_subexpressions,
    structural_equal,
    substitute,
    visit,
    walk,
)
from tewb.testing import evaluate
from tewb.workbench.measure.counts import operations
from tewb.workbench.trace.access_trace import trace

DEEP = 40
N = 24


def doubled(step: Callable[[Any, Any, Any], Any], depth: int = DEEP) -> tuple[list[Any], Any]:
    """C[i] = step(step(... A[i], i, B[i])), with A and B the inputs."""
    A, B = te.placeholder((N,), name="A"), te.placeholder((N,), name="B")

    def body(i: Any) -> Any:
        e, b = A[i], B[i]
        for _ in range(depth):
            e = step(e, i, b)
        return e

    C = te.compute((N,), body, name="C")
    return [A, B, C], C


STEPS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "select": lambda e, i, b: te.select(e > b, e, b * 0.5),
    "a choice of itself": lambda e, i, b: te.if_then_else(e > b, e, b * 0.5),
    "both sides of a choice": lambda e, i, b: te.if_then_else(b > 0.5, e * 0.9, e + 0.1),
    "squares": lambda e, i, b: e * e,
    "min and max": lambda e, i, b: te.max(te.min(e, b), e - 1.0),
    "newton": lambda e, i, b: e - (e * e - b) / (e * 2.0 + 1.0),
    "conditions": lambda e, i, b: te.select(te.any(te.all(e > b, e > 0.1), te.all(e > b, b > 0.2)), e, b),
    "softplus": lambda e, i, b: te.if_then_else(e > 20.0, e, te.log(1.0 + te.exp(e))),
}


def check(args: list[Any], schedule: Any = None) -> None:
    """The kernel computes what the definition says, and the text is short and read back."""
    *inputs, C = args
    s = schedule or te.create_schedule(C.op)
    m = tewb.lower(s, args)
    text = script(m)
    assert len(text) < 60_000
    assert first_difference(parse(text), m) is None
    assert script(parse(text)) == text
    rng = np.random.default_rng(1)
    arrays = [rng.random(N, dtype="float32") for _ in inputs]
    c = np.zeros(N, str(C.dtype))
    tewb.build(s, args)(*arrays, c)
    (wanted,) = evaluate([C], dict(zip(inputs, arrays, strict=True)))
    np.testing.assert_allclose(c, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.one_in(2)
@pytest.mark.parametrize("name", STEPS)
def test_a_doubling_graph_is_lowered_printed_built_and_run(name: str) -> None:
    check(doubled(STEPS[name])[0])


@pytest.mark.parametrize("name", ["select", "a choice of itself", "both sides of a choice", "newton"])
def test_a_doubling_graph_is_vectorized(name: str) -> None:
    args, C = doubled(STEPS[name])
    s = te.create_schedule(C.op)
    s[C].vectorize(s[C].split(C.op.axis[0], 8)[1])
    check(args, s)


def test_fibonacci_of_expressions() -> None:
    A, B = te.placeholder((N,), name="A"), te.placeholder((N,), name="B")

    def body(i: Any) -> Any:
        a, b = A[i], B[i]
        for _ in range(60):
            a, b = b, (a + b) * 0.5
        return b

    check([A, B, te.compute((N,), body, name="C")])


def test_integers_squared_again_and_again_wrap() -> None:
    A = te.placeholder((N,), name="A", dtype="int32")

    def body(i: Any) -> Any:
        e = A[i]
        for _ in range(DEEP):
            e = e * e
        return e

    C = te.compute((N,), body, name="C")
    s = te.create_schedule(C.op)
    a = np.arange(N, dtype="int32")
    c = np.zeros(N, "int32")
    tewb.build(s, [A, C])(a, c)
    wanted = a.copy()
    for _ in range(DEEP):
        wanted = wanted * wanted
    np.testing.assert_array_equal(c, wanted)


def test_a_guarded_access_that_is_shared_stays_guarded() -> None:
    A, B = te.placeholder((N,), name="A"), te.placeholder((N,), name="B")

    def body(i: Any) -> Any:
        e = te.if_then_else(i > 0, A[i - 1], 0.25)
        for _ in range(DEEP):
            e = te.if_then_else(e > B[i], e, e * 0.5)
        return e

    check([A, B, te.compute((N,), body, name="C")])


def guarded_by_one_for_all(A: Any, B: Any, i: Any, n: Any) -> Any:
    e = A[i - 1]
    for k in range(DEEP):
        e = te.if_then_else(B[i] > k / DEEP, e + 1.0, e * 0.5)
    return te.if_then_else(B[i] > 0.1, te.if_then_else(i > 0, e, 0.0), 1.0)


def guarded_at_the_leaf(A: Any, B: Any, i: Any, n: Any) -> Any:
    e = te.if_then_else(te.all(i > 0, i < n), A[i - 1], 0.25)
    for k in range(DEEP):
        e = te.if_then_else(B[i] > k / DEEP, e + 1.0, e * 0.5)
    return e


def guarded_in_part(A: Any, B: Any, i: Any, n: Any) -> Any:
    e = te.if_then_else(i + 1 < n, A[i + 1], 0.5) + A[i - 1]
    for k in range(DEEP):
        e = te.if_then_else(te.any(B[i] > k / DEEP, B[i] < 0.1), e + 1.0, e * 0.5)
    return te.if_then_else(i > 0, e, 0.0)


def guarded_each_time_by_another(A: Any, B: Any, i: Any, n: Any) -> Any:
    e, total = te.if_then_else(B[i] > 0.5, A[i - 1], A[i - 1] * 2.0), 0.0
    for k in range(12):
        total = total + te.if_then_else(i > k, e, 0.5)
    return total


GUARDED = [guarded_by_one_for_all, guarded_at_the_leaf, guarded_in_part, guarded_each_time_by_another]


@pytest.mark.slow
@pytest.mark.parametrize("symbolic", [False, True])
@pytest.mark.parametrize("body", GUARDED, ids=lambda f: f.__name__)
def test_many_chains_of_conditions_lead_to_an_access(body: Any, symbolic: bool) -> None:
    n = te.var("n") if symbolic else N
    A, B = te.placeholder((n,), name="A"), te.placeholder((n,), name="B")
    C = te.compute((n,), lambda i: body(A, B, i, n), name="C")
    assert not C.op.unproved  # no access is left to a check at run time
    rng = np.random.default_rng(1)
    a, b, c = rng.random(N, dtype="float32"), rng.random(N, dtype="float32"), np.zeros(N, "float32")
    tewb.build(te.create_schedule(C.op), [A, B, C])(a, b, c)
    wanted = [numpy_of(body, a, b, i) for i in range(N)]
    np.testing.assert_allclose(c, wanted, rtol=1e-5)


def numpy_of(body: Any, a: Any, b: Any, i: int) -> float:
    """What `body` is at i, by numpy."""
    x = float(a[i - 1])
    if body is guarded_each_time_by_another:
        e = x if b[i] > 0.5 else x * 2
        return sum(e if i > k else 0.5 for k in range(12))
    if body is guarded_at_the_leaf:
        x = x if i > 0 else 0.25
    elif body is guarded_in_part:
        x += float(a[i + 1]) if i + 1 < N else 0.5
    for k in range(DEEP):
        high = b[i] > k / DEEP or (body is guarded_in_part and b[i] < 0.1)
        x = x + 1.0 if high else x * 0.5
    if body is guarded_by_one_for_all and b[i] <= 0.1:
        return 1.0
    return x if i > 0 or body is guarded_at_the_leaf else 0.0


def test_an_access_that_needs_other_conditions_in_each_of_many_chains_is_refused_with_a_hint() -> None:
    A = te.placeholder((N,), name="A")

    def body(i: Any) -> Any:
        e = A[i - 1]
        for k in range(DEEP):
            e = te.if_then_else(i > k, e + 1.0, e * 2.0)
        return e

    with pytest.raises(BoundError, match="different chains of conditions"):
        te.compute((N,), body, name="C")


def test_a_side_of_a_choice_is_not_computed_where_only_the_other_wants_it() -> None:
    """What both sides use is computed before; what only one uses must stay behind the condition."""
    A, J = te.placeholder((N,), name="A"), te.placeholder((N,), name="J", dtype="int32")

    def body(i: Any) -> Any:
        inside = te.all(J[i] >= 0, J[i] < N)
        x = te.if_then_else(inside, A[J[i]], -1.0)
        return te.if_then_else(inside, x + A[J[i]], x * 3.0)

    C = te.compute((N,), body, name="C")
    a = np.arange(N, dtype="float32")
    index = np.where(np.arange(N) % 3 == 0, 1 << 30, np.arange(N)).astype("int32")
    c = np.zeros(N, "float32")
    tewb.build(te.create_schedule(C.op), [A, J, C])(a, index, c)
    np.testing.assert_array_equal(c, np.where(np.arange(N) % 3 == 0, -3, 2 * a))


def leaky(n: int, place: str) -> tuple[list[Any], Any]:
    """A chain of n leaky ReLUs, each of which reads its input three times."""
    A = te.placeholder((N,), name="A")
    stages = [A]
    for k in range(n):
        x = stages[-1]
        stages.append(
            te.compute(
                (N,), lambda i, x=x: te.if_then_else(x[i] > 0.5, x[i], x[i] * 0.9 + 0.01), name=f"S{k}"
            )
        )
    s = te.create_schedule(stages[-1].op)
    last = stages[-1]
    for x in reversed(stages[1:-1]):
        if place == "inline":
            s[x].compute_inline()
        elif place == "last":
            s[x].compute_at(s[last], last.op.axis[0])
    return [A, last], s


@pytest.mark.parametrize(
    "place, n",
    [("root", 60), *[pytest.param(place, 150, marks=pytest.mark.slow) for place in ("inline", "last")]],
)
def test_a_long_chain_of_stages(place: str, n: int) -> None:
    args, s = leaky(n, place)
    check(args, s)


@pytest.mark.slow
@pytest.mark.parametrize("factor", [None, 4])
def test_a_thousand_stages_each_computed_in_a_loop_of_the_next(factor: int | None) -> None:
    A = te.placeholder((N,), name="A", dtype="int32")
    stages = [A]
    for k in range(1000):
        stages.append(te.compute((N,), lambda i, x=stages[-1]: x[i] + 1, name=f"S{k}"))
    s = te.create_schedule(stages[-1].op)
    for inner, outer in pairwise(stages[1:]):
        axis = s[outer].op.axis[0]
        s[inner].compute_at(s[outer], axis if factor is None else s[outer].split(axis, factor)[1])
    a, c = np.arange(N, dtype="int32"), np.zeros(N, "int32")
    tewb.build(s, [A, stages[-1]])(a, c)
    np.testing.assert_array_equal(c, a + 1000)


def test_a_chain_of_stages_that_read_two_before_them_is_inlined() -> None:
    A = te.placeholder((N,), name="A")
    before, x = A, A
    stages = []
    for k in range(DEEP):
        before, x = (
            x,
            te.compute((N,), lambda i, x=x, y=before: (x[i] + y[i]) * 0.5, name=f"S{k}"),
        )
        stages.append(x)
    s = te.create_schedule(x.op)
    for t in stages[:-1]:
        s[t].compute_inline()
    check([A, x], s)


@pytest.mark.slow
def test_stencils_whose_inlining_would_never_end_are_refused() -> None:
    """Clamped indices of clamped indices: two new elements for each, with every stage."""
    A = te.placeholder((N,), name="A")
    stages = [A]
    for k in range(40):
        stages.append(
            te.compute(
                (N,), lambda i, x=stages[-1]: x[te.max(i - 1, 0)] + x[te.min(i + 1, N - 1)], name=f"S{k}"
            )
        )
    s = te.create_schedule(stages[-1].op)
    for x in stages[1:-1]:
        s[x].compute_inline()
    with pytest.raises(LowerError, match="expression of S39 becomes more than 75,000 nodes .*inlined") as e:
        tewb.lower(s, [A, stages[-1]])
    assert "compute_root" in str(e.value)
    for k in range(6, 39, 6):
        s[stages[k]].compute_root()
    check([A, stages[-1]], s)


def test_a_stencil_inlined_ten_times_has_each_element_once() -> None:
    A = te.placeholder((N + 20,), name="A")
    x, stages = A, []
    for k in range(10):
        size = N + 20 - 2 * (k + 1)
        x = te.compute((size,), lambda i, x=x: (x[i] + x[i + 1] + x[i + 2]) * 0.3, name=f"S{k}")
        stages.append(x)
    s = te.create_schedule(x.op)
    for t in stages[:-1]:
        s[t].compute_inline()
    a, c = np.random.default_rng(0).random(N + 20, dtype="float32"), np.zeros(N, "float32")
    tewb.build(s, [A, x])(a, c)
    np.testing.assert_allclose(c, evaluate([x], {A: a})[0], rtol=1e-5)


# ---------------------------------------------------------------- deep


LONG: dict[str, Callable[[Any, Any, Any], Any]] = {
    "a sum to the left": lambda e, i, b: e + b,
    "a sum to the right": lambda e, i, b: b + e,
    "choices inside of each other": lambda e, i, b: te.if_then_else(b > 0.3, b * 0.5, e),
    "selects inside of each other": lambda e, i, b: te.select(b > 0.3, e, b * 0.5),
}


@pytest.mark.slow
@pytest.mark.one_in(2)
@pytest.mark.parametrize("name", LONG)
def test_an_expression_of_600_levels(name: str) -> None:
    limit = sys.getrecursionlimit()
    check(doubled(LONG[name], 600)[0])
    assert sys.getrecursionlimit() == limit


@pytest.mark.one_in(2)
@pytest.mark.parametrize("together", [te.any, te.all])
def test_600_conditions(together: Any) -> None:
    A, B = te.placeholder((N,), name="A"), te.placeholder((N,), name="B")

    def body(i: Any) -> Any:
        return te.if_then_else(together(*[A[i] > k / 600 for k in range(600)]), A[i], B[i])

    check([A, B, te.compute((N,), body, name="C")])


def test_a_session_of_a_long_expression() -> None:
    args, C = doubled(LONG["a sum to the left"], 600)
    session = tewb.Session(te.create_schedule(C.op), args)
    session.schedule[C].split(C.op.axis[0], 8)
    assert "T.expr(" in session.ir
    assert operations([C.op], {}) == 600 * N
    names: dict[str, Any] = {}
    exec(session.code, names)
    again = tewb.lower(names["s"], [names[t] for t in ("A", "B", "C")])
    assert structural_equal(again, tewb.lower(session.schedule, args))


def test_a_traced_program_reads_a_shared_element_once() -> None:
    args, C = doubled(STEPS["newton"])
    session = tewb.Session(te.create_schedule(C.op), args)
    assert len(trace(session, "A")) == N


# ---------------------------------------------------------------- walks by themselves


def graph(depth: int = DEEP) -> tuple[Any, Var]:
    x = Var("x", const(0).dtype)
    e: Any = ops.floordiv(x, 3)
    for _ in range(depth):
        e = ops.minimum(ops.add(e, 1), ops.mul(e, 2))
    return e, x


def test_walks_see_each_node_once() -> None:
    e, x = graph()
    assert sum(1 for _ in walk(e)) < 6 * DEEP
    found: list[Any] = []
    visit(e, found.append)
    assert found[-1] is e and len(found) < 6 * DEEP
    assert free_vars(e) == [x] or free_vars(e)[0] is x
    assert everywhere(lambda n: n is not x)(e) is False
    assert len(shared_subexpressions(e)) == DEEP


def test_rewriting_keeps_what_is_shared() -> None:
    e, x = graph()
    y = Var("y", x.dtype)
    made = substitute(e, {x: y})
    assert made.a.a is made.b.a
    again = rewriter({Var: lambda v: x if v is y else v})(made)
    assert structural_equal(again, e) and not structural_equal(made, e)


def test_arithmetic_on_a_graph() -> None:
    e, x = graph(12)
    analyzer = Analyzer()
    analyzer.bind(x, 0, 2)
    assert analyzer.const_bounds(e) == (0, 0)
    keys = Keys()
    assert keys(e) == keys(substitute(e, {Var("z", x.dtype): x}))
    assert keys(graph(3)[0]) != keys(graph(4)[0])
    assert eval_set(e, {x: interval(const(0), const(3))}) is not None


def test_terms_of_a_conjunction_are_listed_once() -> None:
    a, b = Var("a", const(True).dtype), Var("b", const(True).dtype)
    e: Any = ops.logical_and(a, b)
    for _ in range(DEEP):
        e = ops.logical_and(e, e)
    assert [t.name for t in conjuncts(e)] == ["a", "b"]


def test_a_long_expression_is_cut_where_a_person_reads_it() -> None:
    _, C = doubled(LONG["a sum to the right"], 3000)
    assert len(repr(C.op.body[0])) < 5000
    assert "..." in repr(C.op.body[0])


def test_names_of_parts_are_read_as_what_they_stand_for() -> None:
    text = """@T.prim_func
def main(A: T.Buffer((4,), "float32"), B: T.Buffer((4,), "float32")):
    T.func_attr({"outputs": ["B"]})
    for i in range(4):
        expr_1 = T.expr(A[i] + T.float32(1.0))
        B[i] = expr_1 * expr_1"""
    f = parse(text)
    store = f.body.body  # type: ignore[union-attr]
    assert store.value.a is store.value.b
    assert "T.expr" not in script(f)  # short as it is


def test_constants_are_no_shared_parts() -> None:
    one = IntImm(1, const(1).dtype)
    assert not shared_subexpressions(ops.add(ops.add(Var("x", one.dtype), one), one))
