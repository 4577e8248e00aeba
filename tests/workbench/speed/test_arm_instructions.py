"""Instructions of AArch64 are told apart."""

from __future__ import annotations

import pytest

from tewb.workbench.speed.arm_instructions import parse_arm


@pytest.mark.parametrize(
    ("text", "kind", "bits", "lanes"),
    [
        ("fmla\tv0.4s, v1.4s, v2.s[0]", "fma", 128, 4),
        ("fmadd\ts0, s1, s2, s0", "fma", 32, 1),
        ("fadd\tv0.2d, v0.2d, v1.2d", "fp_add", 128, 2),
        ("ldr\tq0, [x8, #16]", "load", 128, 1),
        ("ldp\tq0, q1, [x8]", "load", 128, 1),
        ("str\ts0, [x9], #4", "store", 32, 1),
        ("add\tv0.4s, v0.4s, v1.4s", "vec_int", 128, 4),
        ("add\tx8, x8, #8", "int", 64, 1),
        ("b.ne\t.LBB0_1", "branch", 64, 1),
        ("bl\tsinf", "call", 64, 1),
        ("hint\t#25", "other", 64, 1),
    ],
)
def test_kinds(text: str, kind: str, bits: int, lanes: int) -> None:
    i = parse_arm(text)
    assert (i.kind, i.bits, i.lanes) == (kind, bits, lanes)


def test_loads_and_stores_have_their_bytes() -> None:
    pair, stored = parse_arm("ldp\tq0, q1, [x8]"), parse_arm("str\td0, [sp, #8]")
    assert pair.load is not None and pair.load.size == 32 and pair.store is None
    assert stored.store is not None and stored.store.size == 8 and stored.store.is_stack
