"""Costs as they are sent: by the names of the tree and the numbers of the code."""

from __future__ import annotations

from tewb.workbench.demos import demo_session
from tewb.workbench.states.cost import cost_state
from tewb.workbench.states.loops import loops_state


def test_costs_have_the_keys_of_the_tree() -> None:
    s = demo_session("matmul", n=32)
    found = {c.key: c for c in cost_state(s).lines}
    c = loops_state(s).roots[2]
    assert found["C"].part == c.part and found["C/i"].part == c.inside[0].part
    assert found["C/k"].operations == 2 * 32**3


def test_a_problem_is_said() -> None:
    s = demo_session("matmul", n=16)
    s.args = s.args[:1]
    s.schedule.version += 1
    assert cost_state(s).lines == () and "not among the arguments" in (cost_state(s).problem or "")
