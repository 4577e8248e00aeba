"""Instructions: what each reads, writes, loads, stores, and what kind of work it is."""

from __future__ import annotations

import pytest

from tewb.workbench.speed.instructions import FLAGS, Address, canonical, parse_instruction


@pytest.mark.parametrize(
    ("text", "kind", "reads", "writes"),
    [
        ("vaddps %ymm1, %ymm2, %ymm3", "fp_add", {"v1", "v2"}, {"v3"}),
        ("vfmadd231ps %zmm8, %zmm10, %zmm2", "fma", {"v8", "v10", "v2"}, {"v2"}),
        ("vfmadd231ss -6144(%r11), %xmm0, %xmm1", "fma", {"v0", "v1", "r11"}, {"v1"}),
        ("addps %xmm1, %xmm0", "fp_add", {"v0", "v1"}, {"v0"}),
        ("vxorps %xmm0, %xmm0, %xmm0", "zero", set(), {"v0"}),
        ("xorl %eax, %eax", "zero", set(), {"rax", FLAGS}),
        ("vpxor %ymm1, %ymm0, %ymm0", "vec_logic", {"v0", "v1"}, {"v0"}),
        ("vmovaps %zmm2, %zmm13", "move", {"v2"}, {"v13"}),
        ("vmovd %xmm0, %eax", "transfer", {"v0"}, {"rax"}),
        ("addq $8, %rbx", "int", {"rbx"}, {"rbx", FLAGS}),
        ("cmpq $256, %rbx", "int", {"rbx"}, {FLAGS}),
        ("leaq 8(%rax,%rcx,4), %rdx", "int", {"rax", "rcx"}, {"rdx"}),
        ("imulq $12, %rax, %rcx", "int_mul", {"rax"}, {"rcx", FLAGS}),
        ("imulq %rcx, %rax", "int_mul", {"rax", "rcx"}, {"rax", FLAGS}),
        ("idivl %ecx", "int_div", {"rcx", "rax", "rdx"}, {"rcx", "rax", "rdx"}),
        ("cmovll %edx, %r8d", "int", {"rdx", "r8", FLAGS}, {"r8"}),
        ("vmovups %ymm1, %ymm2 {%k1}", "move", {"v1", "v2", "k1"}, {"v2"}),
        ("vmovups %ymm1, %ymm2 {%k1} {z}", "move", {"v1", "k1"}, {"v2"}),
        ("vpdpbusd %zmm1, %zmm2, %zmm3", "vec_mul", {"v1", "v2", "v3"}, {"v3"}),
        ("vdivpd %ymm1, %ymm2, %ymm3", "fp_div", {"v1", "v2"}, {"v3"}),
        ("vpermps %zmm1, %zmm2, %zmm3", "shuffle_wide", {"v1", "v2"}, {"v3"}),
        ("vpmovsxbw (%rcx,%rsi), %xmm4", "shuffle", {"rcx", "rsi"}, {"v4"}),
        ("vcvtdq2ps %ymm1, %ymm2", "convert", {"v1"}, {"v2"}),
        ("vpmulld %ymm1, %ymm2, %ymm3", "vec_mul_slow", {"v1", "v2"}, {"v3"}),
        ("prefetcht0 64(%rax)", "prefetch", {"rax"}, set()),
    ],
)  # fmt: skip
def test_reads_writes_and_kind(text: str, kind: str, reads: set[str], writes: set[str]) -> None:
    i = parse_instruction(text)
    assert (i.kind, set(i.reads), set(i.writes)) == (kind, reads, writes)


@pytest.mark.parametrize(
    ("text", "bits", "lanes"),
    [
        ("vaddps %ymm1, %ymm2, %ymm3", 256, 8),
        ("vaddsd %xmm1, %xmm2, %xmm3", 64, 1),
        ("vmovss (%rax), %xmm1", 32, 1),
        ("vpmaxsd %ymm1, %ymm2, %ymm3", 256, 8),
        ("vpmaddwd %zmm1, %zmm2, %zmm3", 512, 16),
        ("vgatherqps (%rsi,%zmm3), %ymm4 {%k1}", 256, 8),
        ("vgatherdpd (%rsi,%ymm3,8), %zmm4 {%k1}", 512, 8),
        ("vaddph %ymm1, %ymm2, %ymm3", 256, 16),
    ],
)
def test_widths(text: str, bits: int, lanes: int) -> None:
    i = parse_instruction(text)
    assert (i.bits, i.lanes) == (bits, lanes)


@pytest.mark.parametrize(
    ("text", "load", "store"),
    [
        ("vmovups 64(%rax,%rsi,4), %zmm0", Address("rax", "rsi", 4, 64, 64), None),
        ("vmovss %xmm0, (%rcx,%rdx,4)", None, Address("rcx", "rdx", 4, 0, 4)),
        ("addl $1, (%rdi)", Address("rdi", None, 1, 0, 4), Address("rdi", None, 1, 0, 4)),
        ("vbroadcastss (%rdx), %zmm8", Address("rdx", None, 1, 0, 4), None),
        ("vaddps (%rax){1to16}, %zmm1, %zmm2", Address("rax", None, 1, 0, 4), None),
        ("vmovups .LCPI0_1(%rip), %ymm0", Address("..LCPI0_1", None, 1, 0, 32), None),
        ("cmpl $0, (%rdi)", Address("rdi", None, 1, 0, 4), None),
        ("leaq 32(%rax), %rcx", None, None),
        ("vpmovsxbw 8(%rcx), %ymm4", Address("rcx", None, 1, 8, 16), None),
        ("movl $7, 8(%rsp)", None, Address("rsp", None, 1, 8, 4)),
    ],
)
def test_memory(text: str, load: Address | None, store: Address | None) -> None:
    i = parse_instruction(text)
    assert (i.load, i.store) == (load, store)


def test_a_register_has_one_name() -> None:
    parts = (
        ["%al", "%ah", "%ax", "%eax", "%rax"],
        ["%r8b", "%r8w", "%r8d", "%r8"],
        ["%xmm3", "%ymm3", "%zmm3"],
    )
    assert [{canonical(x) for x in names} for names in parts] == [{"rax"}, {"r8"}, {"v3"}]
    assert (canonical("%sil"), canonical("%esp"), canonical("%k1")) == ("rsi", "rsp", "k1")


def test_what_is_not_known_is_other() -> None:
    assert parse_instruction("vfrobnicate %ymm1, %ymm2").kind == "other"
    assert parse_instruction("cpuid").kind == "other"
