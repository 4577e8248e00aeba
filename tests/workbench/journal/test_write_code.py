"""The program of a session as Python."""

from __future__ import annotations

import tewb
from tests.programs import matmul, schedule_for


def test_a_program_without_source_has_code_of_its_schedule() -> None:
    inputs, outputs = matmul(8, 8, 8)
    s = tewb.Session(schedule_for(outputs), inputs + outputs)
    s.load("C:split(i,4)")
    assert s.schedule_code == "i, j = s[C].op.axis\ni_outer, i_inner = s[C].split(i, factor=4)\n"
