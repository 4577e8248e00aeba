"""Ranges of reduce axes that depend on other axes, or on elements."""

from __future__ import annotations

from typing import Any

from tewb import te
from tewb.arith import Analyzer
from tewb.ir import IterVar, Var, const, ops, script
from tewb.tensor.domains import Domain, dependent_domains, depends_on, inner_last

c = te.placeholder((9,), "int32", name="c")
i = te.compute((8,), lambda i: c[i], name="I").op.axis[0]
n = te.var("n")


def reduce(begin: Any, end: Any, name: str = "k") -> IterVar:
    return te.reduce_axis((begin, end), name=name)


def texts(d: Domain) -> tuple[str, str]:
    return script(d.range.min), script(d.range.extent)


def test_only_what_varies_is_a_dependent_domain() -> None:
    constant, symbolic = reduce(0, 4), reduce(0, n)
    triangle, row = reduce(0, i + 1), reduce(c[i], c[i + 1])
    axes = (constant, symbolic, triangle, row)
    assert list(dependent_domains([i], axes)) == [triangle, row]
    assert dependent_domains([i], (constant, symbolic)) == {}


def test_an_extent_is_never_negative_and_of_ends_in_order_a_difference() -> None:
    (triangle,) = dependent_domains([i], [reduce(0, i + 1)]).values()
    assert triangle.in_order and texts(triangle) == ("0", "i + 1")
    (fallen,) = dependent_domains([i], [reduce(3, i)]).values()
    assert not fallen.in_order and texts(fallen) == ("3", "T.max(i - 3, 0)")
    (single,) = dependent_domains([i], [reduce(i, i + 1)]).values()
    assert single.in_order and texts(single)[1] == "1"


def test_elements_are_counted_in_int64() -> None:
    (row,) = dependent_domains([i], [reduce(c[i], c[i + 1])]).values()
    assert row.reads_elements and not row.in_order
    begin, extent = texts(row)
    assert begin == 'T.Cast("int64", c[i])'
    assert extent == 'T.max(T.Cast("int64", c[i + 1]), T.Cast("int64", c[i])) - T.Cast("int64", c[i])'
    (from_0,) = dependent_domains([i], [reduce(0, c[i])]).values()
    assert texts(from_0) == ("0", "T.max(c[i], 0)")


def test_an_axis_comes_after_those_that_its_range_uses() -> None:
    outer = reduce(0, 8, "outer")
    inner = reduce(0, outer + 1, "inner")
    domains = dependent_domains([i], (inner, outer))
    assert inner_last((inner, outer), domains) == (outer, inner)
    assert depends_on(inner, domains, (i, outer, inner)) == [outer]
    assert depends_on(outer, domains, (i, outer, inner)) == []


def test_ends_are_in_order_by_what_the_axes_outside_tell() -> None:
    outer = reduce(2, 8, "outer")
    inner = reduce(2, outer + 0, "inner")
    assert dependent_domains([i], (outer, inner))[inner].in_order


def test_mapped_ends_keep_what_is_known() -> None:
    v = Var("v", n.dtype)
    d = Domain(const(0), n, True).map(lambda e: v if e is n else e)
    assert d.in_order and d.exprs[1] is v
    assert script(Analyzer().simplify(ops.add(d.range.min, d.range.extent))) == "v"
