"""The latency chain: what an iteration waits for."""

from __future__ import annotations

import pytest

from tewb.workbench.speed.instructions import parse_instruction
from tewb.workbench.speed.latency_chain import latency_chain, longest_chain
from tewb.workbench.speed.processors import GOLDEN_COVE, SKYLAKE, ZEN4, Processor

COUNTER = ["addq $8, %rbx", "cmpq $256, %rbx", "jne .LBB0_1"]


def chain(lines: list[str], p: Processor = SKYLAKE) -> tuple[float, tuple[int, ...], bool]:
    found = latency_chain([parse_instruction(x) for x in [*lines, *COUNTER]], p)
    return found.cycles, found.instructions, found.through_memory


@pytest.mark.parametrize(("p", "cycles"), [(SKYLAKE, 4.0), (GOLDEN_COVE, 2.0), (ZEN4, 3.0)])
def test_a_sum_in_one_register_waits_for_its_addition(p: Processor, cycles: float) -> None:
    assert chain(["vaddss (%rax,%rbx,4), %xmm0, %xmm0"], p) == (cycles, (0,), False)


def test_several_sums_wait_side_by_side_and_one_after_the_other_in_sequence() -> None:
    side = [f"vfmadd231ps (%rax,%rbx,4), %ymm9, %ymm{i}" for i in range(8)]
    assert chain(side)[0] == 4
    assert chain(["vfmadd231ps (%rax,%rbx,4), %ymm9, %ymm0"] * 8)[:2] == (32, tuple(range(8)))


def test_a_register_that_is_made_anew_ends_the_chain() -> None:
    assert (
        chain(["vxorps %xmm0, %xmm0, %xmm0", "vaddps (%rax,%rbx,4), %ymm0, %ymm0"])[0] == 1
    )  # the counter alone
    assert (
        chain(["vmovups (%rax,%rbx,4), %ymm0", "vmulps %ymm0, %ymm0, %ymm0", "vmovups %ymm0, (%rcx,%rbx,4)"])[
            0
        ]
        == 1
    )


def test_a_sum_in_memory_waits_for_its_store() -> None:
    sum_ = ["vmovss (%rcx), %xmm0", "vaddss (%rax,%rbx,4), %xmm0, %xmm0", "vmovss %xmm0, (%rcx)"]
    cycles, _, through_memory = chain(sum_)
    assert through_memory and cycles == 4 + SKYLAKE.forward_latency


def test_a_value_stored_by_the_iteration_before_is_found_through_the_steps_of_the_counter() -> None:
    scan = ["vmovss -8(%rcx,%rbx), %xmm0", "vaddss (%rax,%rbx), %xmm0, %xmm0", "vmovss %xmm0, (%rcx,%rbx)"]
    assert chain(scan)[0] == 4 + SKYLAKE.forward_latency and chain(scan)[2]
    apart = [scan[0].replace("-8", "-12"), *scan[1:]]  # between the numbers that are stored
    assert chain(apart)[0] == 1
    two_before = [scan[0].replace("-8", "-16"), *scan[1:]]
    assert chain(two_before)[0] == (4 + SKYLAKE.forward_latency) / 2


def test_an_address_that_is_loaded_waits_for_the_load() -> None:
    assert chain(["movq (%rax), %rax"])[0] == SKYLAKE.load_latency
    assert chain(["vmovss (%rax), %xmm0"])[0] == 1


def test_code_that_runs_once_waits_along_its_longest_chain() -> None:
    once = [
        "vmovups (%rax), %ymm0",
        "vmovups (%rcx), %ymm1",
        "vaddps %ymm0, %ymm1, %ymm1",
        "vaddps %ymm2, %ymm3, %ymm3",
    ]
    found = longest_chain([parse_instruction(x) for x in [*once, "vmulps %ymm1, %ymm1, %ymm1"]], SKYLAKE)
    assert found.cycles == SKYLAKE.vector_load_latency + 4 + 4
    assert set(found.instructions) in ({0, 2, 4}, {1, 2, 4}) and not found.through_memory
    assert longest_chain([], SKYLAKE).cycles == 0


def test_a_conditional_move_waits_for_its_flags() -> None:
    cycles, passed, _ = chain(["cmpq %rcx, %rdx", "cmovlq %rsi, %rdx"])
    assert cycles == 2 and passed == (0, 1)
