"""Proved, tested, unknown: what is known of the results."""

from __future__ import annotations

from tewb.workbench.demos import demo_session
from tewb.workbench.measure.verify import Verdict
from tewb.workbench.states.checked import checked_state


def test_what_a_run_found_stands_beside_what_is_proved() -> None:
    s = demo_session("matmul", n=16)
    assert (checked_state(s, None).proved, checked_state(s, None).test) == (True, "unknown")
    assert checked_state(s, None, running=True).test == "running"
    assert checked_state(s, Verdict(True, "same")).test == "same"
    bad = checked_state(s, Verdict(False, "C[0] is 3, not 4", step=2))
    assert (bad.test, bad.found, bad.step) == ("different", "C[0] is 3, not 4", 2)
    assert checked_state(s, Verdict(None, "not checked: x")).test == "unknown"
