"""The conditions under which an iteration makes an element of its own."""

from __future__ import annotations

from tewb import te
from tewb.arith import evaluate_integers
from tewb.ir import Range, const, ops
from tewb.schedule.bounds import infer_bounds
from tewb.schedule.stage_guards import past_edges, values_and_guards


def test_an_iteration_of_a_split_that_does_not_divide_is_guarded() -> None:
    A = te.placeholder((10,), name="A")
    C = te.compute((10,), lambda i: A[i], name="C")
    s = te.create_schedule(C.op)
    outer, inner = s[C].split("i", 4)
    bounds = infer_bounds(s)
    own = bounds.stages[s[C]]
    values, guards = values_and_guards(own.ranges, own.extents, s[C].relations, own.vars, bounds.analyzer)
    ((axis, guard),) = guards
    assert axis is C.op.axis[0]
    for o in range(3):
        for q in range(4):
            known = {own.vars[outer]: o, own.vars[inner]: q}
            assert evaluate_integers(values[axis], known) == o * 4 + q
            assert bool(evaluate_integers(guard, known)) == (o * 4 + q < 10)


def test_a_box_that_may_pass_the_edge_is_guarded_at_both_ends() -> None:
    C = te.compute((10,), lambda i: i, name="C")
    (i,) = C.op.axis
    v = te.var("v")
    guards = past_edges(i, Range(v - 1, const(3)), ops.sub(v, 1))
    assert [bool(evaluate_integers(g, {v: 0})) for g in guards] == [False, True]
    assert [bool(evaluate_integers(g, {v: 11})) for g in guards] == [True, False]
    assert past_edges(i, i.dom, v) == [] == past_edges(i, Range(const(0), const(10)), v)
