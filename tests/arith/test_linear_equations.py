"""Systems of linear equations: classic ones, and random ones against all numbers of a box."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest

from tewb import te
from tewb.arith import Analyzer, solve_linear_equations
from tewb.arith.linear_equations import IntConstraints
from tewb.base import ExpressionError
from tewb.ir import Range, const_int, structural_equal, substitute

x, y, z = te.var("x"), te.var("y"), te.var("z")


def value(e: Any, at: dict[Any, int]) -> int:
    n = const_int(Analyzer().simplify(substitute(e, {v: te.const(k) for v, k in at.items()})))
    assert n is not None
    return n


def test_one_solution_takes_no_variable() -> None:
    s = solve_linear_equations([x + y == 20, x - y == 10], [x, y])
    assert s.dst.variables == [] and s.dst.relations == [] and s.dst_to_src == {}
    assert (const_int(s.src_to_dst[x]), const_int(s.src_to_dst[y])) == (15, 5)


def test_what_is_free_is_a_new_variable() -> None:
    s = solve_linear_equations([x + y + z == 15, x + y == 10], [x, y, z])
    (n,) = s.dst.variables
    assert n.name == "n0" and const_int(s.src_to_dst[z]) == 5
    total = Analyzer().simplify(s.src_to_dst[x] + s.src_to_dst[y])
    assert const_int(total) == 10
    assert structural_equal(Analyzer().simplify(substitute(s.dst_to_src[n], s.src_to_dst)), n)


def test_ranges_become_those_of_the_new_variables() -> None:
    ranges = {x: Range.from_min_extent(-5, 10), y: Range.from_min_extent(0, 10)}
    s = solve_linear_equations([x + y == 0], [x, y], ranges)
    (n,) = s.dst.variables
    assert (const_int(s.dst.ranges[n].min), const_int(s.dst.ranges[n].extent)) == (-5, 6)
    assert s.dst.relations == []
    assert str(s).startswith("IntConstraintsTransform(") and "IntConstraints([n0]" in str(s)


def test_no_solution_is_said_by_the_relation() -> None:
    for equations in ([x + y == 0, x - y == 0, x == 5], [x * 2 == 5], [x - x + 1 == y - y]):
        s = solve_linear_equations(equations, [x, y])
        assert [const_int(r) for r in s.dst.relations] == [0] and s.src_to_dst == {} == s.dst_to_src


def test_other_variables_are_parameters() -> None:
    s = solve_linear_equations([x * 2 == z], [x])
    assert str(s.src_to_dst[x]) == "z // 2" and [str(r) for r in s.dst.relations] == ["z % 2 == 0"]
    s = solve_linear_equations([x + y == z], [x])
    assert str(s.src_to_dst[x]) == "z - y"


def test_what_is_not_linear_stays_a_relation() -> None:
    s = solve_linear_equations([x * y == 4, x + y == 4], [x, y])
    assert [str(r) for r in s.dst.relations] == ["x * y == 4"] and len(s.dst.variables) == 1


def test_all_variables_are_unknown_if_none_is_named() -> None:
    s = solve_linear_equations(IntConstraints([], {}, [x + y == 3, y == 1]))
    assert (const_int(s.src_to_dst[x]), const_int(s.src_to_dst[y])) == (2, 1)
    assert solve_linear_equations(x == 3).src_to_dst.keys() == {x}
    k = te.reduce_axis((0, 4), name="k")
    assert const_int(solve_linear_equations([k + 1 == 3], [k]).src_to_dst[k.var]) == 2


@pytest.mark.parametrize("wrong", [x + y, [x < y], [te.var("f", "float32") == 1.0]])
def test_what_is_no_equation_is_refused(wrong: Any) -> None:
    with pytest.raises(ExpressionError, match="is no equation of integers"):
        solve_linear_equations(wrong, [x])


def test_random_systems_have_their_solutions_once() -> None:
    r = random.Random(4)
    box = range(-4, 5)
    unknown = [x, y, z]
    for _ in range(25):
        rows = [
            ([r.choice([-3, -2, -1, 0, 0, 1, 2, 4]) for _ in unknown], r.randint(-4, 4))
            for _ in range(r.randint(1, 3))
        ]
        equations = [
            sum((v * c for v, c in zip(unknown, row, strict=True)), te.const(0)) == b for row, b in rows
        ]
        ranges = {v: Range.from_min_extent(box.start, len(box)) for v in unknown}
        s = solve_linear_equations(equations, unknown, ranges)
        expected = {
            p for p in itertools.product(box, repeat=3)
            if all(sum(c * k for c, k in zip(row, p, strict=True)) == b for row, b in rows)
        }  # fmt: skip
        if [const_int(e) for e in s.dst.relations] == [0] and not s.src_to_dst:
            assert not expected
            continue
        for p in expected:  # there and back
            at = dict(zip(unknown, p, strict=True))
            new = {n: value(e, at) for n, e in s.dst_to_src.items()}
            assert tuple(value(s.src_to_dst[v], new) for v in unknown) == p
            for n, own in s.dst.ranges.items():
                lo, extent = const_int(own.min), const_int(own.extent)
                assert lo is not None and extent is not None and lo <= new[n] < lo + extent
            assert all(value(c, new) for c in s.dst.relations)
        if len(s.dst.variables) == 1 and s.dst.variables[0] in s.dst.ranges:
            (n,) = s.dst.variables
            lo, extent = const_int(s.dst.ranges[n].min), const_int(s.dst.ranges[n].extent)
            assert lo is not None and extent is not None
            found = [
                tuple(value(s.src_to_dst[v], {n: k}) for v in unknown)
                for k in range(lo, lo + extent)
                if all(value(c, {n: k}) for c in s.dst.relations)
            ]
            assert sorted(found) == sorted(expected)
