"""The table of processors: every kind of work has its figures."""

from __future__ import annotations

import pytest

from tewb.workbench.speed.instructions import parse_instruction
from tewb.workbench.speed.processors import (
    GOLDEN_COVE,
    ICE_LAKE,
    SKYLAKE,
    ZEN3,
    ZEN4,
    Processor,
    processor_of,
)
from tewb.workbench.speed.sentences import KIND_NAMES


@pytest.mark.parametrize("p", [SKYLAKE, ICE_LAKE, GOLDEN_COVE, ZEN3, ZEN4])
def test_every_kind_has_figures_and_a_name(p: Processor) -> None:
    assert set(p.kinds) - {"fp_div_64", "fp_sqrt_64"} <= set(KIND_NAMES)
    known = set(KIND_NAMES) - {"load", "store", "move", "zero", "nop", "prefetch", "return"}
    assert known <= set(p.kinds)
    for kind, f in p.kinds.items():
        assert f.ports.split() and f.latency >= 1 and f.cycles > 0, kind


def test_processors_are_known_by_llvms_names() -> None:
    assert processor_of("sapphirerapids") == (GOLDEN_COVE, True) == processor_of("emeraldrapids")
    assert processor_of("znver4") == (ZEN4, True)
    assert processor_of("skylake-avx512") == (SKYLAKE, True)
    assert processor_of("z80") == (SKYLAKE, False)


def test_double_numbers_and_wide_vectors_divide_longer() -> None:
    def cycles(line: str) -> float:
        return SKYLAKE.figures(parse_instruction(line)).cycles

    narrow, wide, double = (
        cycles(f"vdiv{x}, {y}, {y}")
        for x, y in (("ps %ymm1", "%ymm2"), ("ps %zmm1", "%zmm2"), ("pd %ymm1", "%ymm2"))
    )
    assert cycles("vdivss %xmm1, %xmm2, %xmm3") < narrow < double < wide + 1


def test_an_addition_after_an_addition_is_there_sooner_on_golden_cove() -> None:
    add = parse_instruction("vaddps %ymm1, %ymm2, %ymm3")
    assert (GOLDEN_COVE.latency_after(add, "fp_add"), GOLDEN_COVE.latency_after(add, "fma")) == (2, 3)
    assert SKYLAKE.latency_after(add, "fp_add") == 4
