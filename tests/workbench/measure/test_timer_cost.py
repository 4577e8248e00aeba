"""What timers cost is measured once, and is of a size that clocks have."""

from __future__ import annotations

from tewb.workbench.measure.timer_cost import timer_cost


def test_a_tick_is_a_part_of_a_microsecond_and_an_entry_takes_some() -> None:
    cost = timer_cost()
    assert 0 < cost.tick < 1e-6 and 0 <= cost.inside <= cost.entry and cost.entry > 0
    assert timer_cost() is cost
