"""Nests: the stores that do the work of stages, with the loops around them and the strides along each."""

from __future__ import annotations

from typing import Any

from tewb.schedule import Step
from tewb.workbench.demos import demo_session
from tewb.workbench.judge.nests import Nest, axis_of, is_unit, nests, stride, strides_along


def nest(session: Any) -> Nest:
    (found,) = nests(session.schedule, session.passes[0][1].body, ())
    return found


def test_the_start_of_a_sum_is_no_nest() -> None:
    found = nest(demo_session("matmul", n=16))
    assert found.stage == "C" and [axis_of(n) for n in found.loops] == ["i", "j", "k"]
    assert found.inner is found.loops[-1] and found.around == found.loops


def test_loads_are_without_the_sum_so_far() -> None:
    assert [n.buffer.name for n in nest(demo_session("matmul", n=16)).loads()] == ["A", "B"]


def test_strides_by_access() -> None:
    found = nest(demo_session("matmul", n=16))
    along_j, along_k = (strides_along(found, n.var) for n in found.loops[1:])
    assert along_j == {"C[i, j]": 1, "A[i, k]": 0, "B[k, j]": 1} and is_unit(along_j.values())
    assert along_k == {"C[i, j]": 0, "A[i, k]": 1, "B[k, j]": 16} and not is_unit(along_k.values())


def test_clamps_at_edges_do_not_count() -> None:
    session = demo_session("blur", n=32)
    session.apply(Step("compute_inline", "X"))
    found = nest(session)
    assert {stride(n.buffer, n.indices, found.inner.var) for n in found.loads()} == {1}


def test_an_extern_has_no_nests() -> None:
    session = demo_session("extern")
    assert [n.stage for n in nests(session.schedule, session.passes[0][1].body, ())] == ["C"]
