"""What cannot be turned into loops is refused with the stage, its loops, a hint and the line."""

from __future__ import annotations

import pytest

import tewb
from tewb import te
from tewb.base import LowerError


def test_what_cannot_be_lowered_tells_stage_loops_hint_and_line() -> None:
    n, m = te.var("n"), te.var("m")
    A = te.placeholder((n, m), name="A")
    P = te.compute((n, m), lambda i, j: A[i, j] + 1, name="P")
    C = te.compute((n, m), lambda i, j: P[i, j] * 2, name="C")
    s = te.create_schedule(C.op)
    s[P].compute_at(s[C], C.op.axis[0])
    s[P].unroll(P.op.axis[1])  # which is known to be whole only when the program is lowered
    line = s.journal[-1].span
    with pytest.raises(LowerError) as e:
        tewb.lower(s, [A, C])
    assert e.value.message.startswith("stage P: unroll: loop j has an extent that is not constant, m")
    assert e.value.loops == "at C.i: i(n), j(m, unroll)"
    assert e.value.hint == "split it by a constant and unroll the inner loop" and e.value.span == line
