"""Port pressure: the busiest set of ports is found, and work is spread as evenly as it can be."""

from __future__ import annotations

import itertools
import random

import pytest

from tewb.workbench.speed.instructions import parse_instruction
from tewb.workbench.speed.port_pressure import front_cycles, port_pressure
from tewb.workbench.speed.processors import GOLDEN_COVE, ICE_LAKE, SKYLAKE, ZEN4, Processor

KINDS = (
    "vfmadd231ps %ymm1, %ymm2, %ymm3", "vfmadd231ps %zmm1, %zmm2, %zmm3", "vmovups (%rax), %ymm1", "vpaddd %ymm1, %ymm2, %ymm3",
    "vmovups %ymm1, (%rax)", "vpermps %ymm1, %ymm2, %ymm3", "addq %rax, %rbx", "imulq %rax, %rbx", "vdivps %ymm1, %ymm2, %ymm3",
    "vmovups %zmm1, (%rax)", "vgatherdps (%rax,%ymm2,4), %ymm3 {%k1}",
)  # fmt: skip


@pytest.mark.parametrize(
    ("line", "p", "cycles", "busiest"),
    [
        ("vfmadd231ps %ymm1, %ymm2, %ymm3", SKYLAKE, 4, ("p0", "p1")),
        ("vfmadd231ps %zmm1, %zmm2, %zmm3", SKYLAKE, 4, ("p0", "p5")),
        ("vmovups (%rax), %ymm1", SKYLAKE, 4, ("p2", "p3")),
        ("vmovups (%rax), %ymm1", GOLDEN_COVE, 2.67, ("p2", "p3", "p11")),
        ("vmovups %ymm1, (%rax)", SKYLAKE, 8, ("p4",)),
        ("vmovups %zmm1, (%rax)", ICE_LAKE, 8, ("p4", "p9")),
        ("vpermps %ymm1, %ymm2, %ymm3", SKYLAKE, 8, ("p5",)),
        ("vfmadd231ps %zmm1, %zmm2, %zmm3", ZEN4, 8, ("f0", "f1")),
    ],
)
def test_eight_of_a_kind(line: str, p: Processor, cycles: float, busiest: tuple[str, ...]) -> None:
    found = port_pressure([parse_instruction(line)] * 8, p)
    assert (found.cycles, found.busiest) == (cycles, busiest)
    assert found.kinds == (
        ("load",) if "(%rax), " in line else ("store",) if "(" in line else (parse_instruction(line).kind,)
    )


@pytest.mark.parametrize("p", [SKYLAKE, GOLDEN_COVE, ZEN4])
def test_the_bound_is_that_of_the_busiest_of_all_sets_of_ports(p: Processor) -> None:
    chance = random.Random(7)
    for _ in range(12):
        body = [parse_instruction(chance.choice(KINDS)) for _ in range(chance.randint(1, 20))]
        work = [w for i in body for w in p.work(i)]
        ports = sorted({x for w in work for x in w.ports})
        wanted = max(
            sum(w.cycles for w in work if set(w.ports) <= set(some)) / len(some)
            for n in range(1, len(ports) + 1)
            for some in itertools.combinations(ports, n)
        )
        found = port_pressure(body, p)
        assert found.cycles == round(wanted, 2)
        assert sum(found.ports.values()) == pytest.approx(sum(w.cycles for w in work), abs=0.1)
        assert max(found.ports.values()) == pytest.approx(wanted, rel=0.06, abs=0.05)


def test_a_comparison_and_its_jump_are_one() -> None:
    body = [parse_instruction(x) for x in ("addq $8, %rbx", "cmpq $256, %rbx", "jne .LBB0_1")]
    assert front_cycles(body, SKYLAKE) == 2 / 4
    assert sum(port_pressure(body, SKYLAKE).ports.values()) == pytest.approx(2)


def test_copies_and_zeroes_take_no_port() -> None:
    body = [parse_instruction(x) for x in ("vmovaps %ymm1, %ymm2", "vxorps %xmm0, %xmm0, %xmm0")]
    assert port_pressure(body, SKYLAKE).cycles == 0 and front_cycles(body, SKYLAKE) == 0.5
