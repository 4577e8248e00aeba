"""The loops of a stage as the layout of a tensor: where an element is, and which one a place holds."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from tests.programs import matmul, schedule_for
from tewb.arith import Analyzer
from tewb.ir import Expr, Var, const, const_int, substitute
from tewb.schedule.loop_layout import loop_layout


def number(e: Expr, at: dict[Var, Expr]) -> int | None:
    return const_int(Analyzer().simplify(substitute(e, at)))


CHANGES: list[Callable[[Any], Any]] = [
    lambda st: None,
    lambda st: st.reorder("j", "i"),
    lambda st: st.split("i", 4),
    lambda st: (st.split("i", 4), st.split("i.inner", 3), st.split("j", nparts=3)),
    lambda st: st.fuse("i", "j"),
    lambda st: (
        st.fuse("i", "j"),
        st.split("i.j.fused", 8),
        st.reorder("i.j.fused.inner", "i.j.fused.outer"),
    ),
    lambda st: (st.tile("i", "j", 2, 4), st.fuse("i.inner", "j.inner")),
    lambda st: st.fuse(),
]


@pytest.mark.parametrize("change", CHANGES)
def test_every_element_has_a_place_and_is_found_there(change: Callable[[Any], Any]) -> None:
    s = schedule_for(matmul(7, 5, 3)[1])
    change(s["C"])
    layout = loop_layout(s["C"], ".c")
    size = [const_int(iv.dom.extent) or 0 for iv in layout.axis]
    places = {}
    for element in itertools.product(range(7), range(5)):
        at = {iv.var: const(i) for iv, i in zip(s["C"].op.axis, element, strict=True)}
        places[tuple(number(e, at) for e in layout.indices)] = element
    assert len(places) == 35
    for place in itertools.product(*map(range, size)):
        at = {iv.var: const(i, iv.dtype) for iv, i in zip(layout.axis, place, strict=True)}
        holds = all(number(g, at) == 1 for g in layout.guards)
        assert holds == (place in places)
        if holds:
            values = [layout.values[iv.var] for iv in s["C"].op.axis]
            assert tuple(number(e, at) for e in values) == places[place]
