"""Demands: equal conditions are one object, and those that always hold are ALWAYS."""

from __future__ import annotations

from tewb.base import BOOL
from tewb.ir import Broadcast, Var, ops
from tewb.lowering.demands import ALWAYS, Demands

p, q, r = (Var(name, BOOL) for name in "pqr")


def test_demands_are_simple() -> None:
    p, q = (Var(name, BOOL) for name in "pq")
    demands = Demands()
    if_p, unless_p = demands.under(ALWAYS, p, True), demands.under(ALWAYS, p, False)
    assert demands.any_of([if_p, unless_p]) is ALWAYS
    assert demands.any_of([if_p, demands.under(demands.under(if_p, q, True), p, True)]) is if_p
    assert demands.under(ALWAYS, ops.logical_and(p, q), True) is demands.under(if_p, q, True)
    neither = demands.under(ALWAYS, ops.logical_not(ops.logical_or(p, q)), True)
    assert neither is demands.under(unless_p, q, False)
    assert demands.any_of([neither, demands.under(ALWAYS, ops.logical_or(p, q), True)]) is ALWAYS


def test_equal_demands_are_the_same_object_and_different_ones_are_not() -> None:
    demands = Demands()
    if_p = demands.under(ALWAYS, p, True)
    assert demands.under(ALWAYS, p, True) is if_p
    assert demands.under(if_p, q, True) is not demands.under(ALWAYS, q, True)
    both = [if_p, demands.under(ALWAYS, q, True)]
    assert demands.any_of(both) is demands.any_of(reversed(both)) is not if_p
    assert Demands().under(ALWAYS, p, True) is not if_p


def test_nothing_is_demanded_of_none_and_always_of_any() -> None:
    demands = Demands()
    if_p = demands.under(ALWAYS, p, True)
    assert demands.any_of([]) is not ALWAYS and not demands.any_of([]).terms
    assert demands.any_of([if_p, ALWAYS]) is ALWAYS
    assert demands.any_of([if_p]) is if_p


def test_negations_and_hints_are_seen_through() -> None:
    demands = Demands()
    if_p = demands.under(ALWAYS, p, True)
    assert demands.under(ALWAYS, ops.logical_not(p), False) is if_p
    assert demands.under(ALWAYS, ops.likely(p), True) is if_p
    assert demands.under(ALWAYS, Broadcast(p, 4, BOOL.with_lanes(4)), True) is if_p


def test_the_second_of_two_conditions_is_asked_only_where_the_first_leaves_it_open() -> None:
    demands = Demands()
    unless_p = demands.under(ALWAYS, p, False)
    either = demands.under(ALWAYS, ops.logical_or(p, q), True)
    assert either.terms == {(ALWAYS, p, True), (unless_p, q, True)}
    not_both = demands.under(ALWAYS, ops.logical_and(p, q), False)
    assert not_both.terms == {(ALWAYS, p, False), (demands.under(ALWAYS, p, True), q, False)}


def test_a_demand_has_the_lanes_of_its_conditions() -> None:
    demands = Demands()
    wide = Var("w", BOOL.with_lanes(8))
    under_r = demands.under(ALWAYS, r, True)
    assert (ALWAYS.lanes, under_r.lanes, demands.under(under_r, wide, True).lanes) == (1, 1, 8)
