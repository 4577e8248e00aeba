"""The list of passes: one with nothing to do changes nothing, and none leaves what it promises to take away."""

from __future__ import annotations

import tewb
from tests.programs import matmul, schedule_for
from tewb.ir import For, ForKind, walk
from tewb.lowering import LOWER


def test_a_pass_with_nothing_to_do_returns_what_it_was_given() -> None:
    (A, B), (C,) = matmul(4, 5, 6)
    f = tewb.lower(schedule_for([C]), [A, B, C])["main"]
    for p in LOWER:
        assert p.run(f) is f, p.name
        assert p.doc


def test_no_vector_or_unrolled_loop_is_left() -> None:
    inputs, outputs = matmul(10, 12, 8)
    s = schedule_for(outputs)
    s["C"].vectorize("j")
    s["C"].unroll("i")
    kinds = {n.kind for n in walk(tewb.lower(s, inputs + outputs)["main"].body) if isinstance(n, For)}
    assert kinds == {ForKind.SERIAL}
