"""The innermost loops of an assembly."""

from __future__ import annotations

import pytest

from tewb.workbench.speed.inner_loops import (
    constant_trips,
    inner_loops,
    instructions_of,
    steps_of_registers,
    straight_code,
)

TWO_LOOPS = """
main:
	.loc	1 4 1
	xorl	%esi, %esi
.LBB0_1:
	.loc	1 5 1
	testl	%r8d, %r8d
	jne	.LBB0_9
	xorl	%ebx, %ebx
.LBB0_2:
	.loc	1 6 1
	vaddss	(%rax,%rbx,4), %xmm0, %xmm0
	vmovups	%zmm1, 64(%rsp)                 # a comment
	.loc	1 5 1
	addq	$8, %rbx
	cmpq	$256, %rbx
	jne	.LBB0_2
	incq	%rsi
	cmpq	$64, %rsi
	jne	.LBB0_1
.LBB0_8:
	xorl	%eax, %eax
	retq
.LBB0_9:
	callq	tewb.fail@PLT
	jmp	.LBB0_8
tewb.alloc:
.LBB1_1:
	decq	%rax
	jne	.LBB1_1
	retq
"""


def test_the_inner_one_of_two_loops_with_its_lines() -> None:
    (loop,) = inner_loops(TWO_LOOPS)  # neither the way back from the end, nor a loop of the runtime
    assert (loop.function, loop.label, len(loop.rows)) == ("main", ".LBB0_2", 5)
    assert [r.line for r in loop.rows] == [6, 6, 5, 5, 5]
    body = instructions_of(loop.rows)
    assert constant_trips(body, loop.before) == 32


def test_a_block_in_the_loop_that_stands_elsewhere_belongs_to_it() -> None:
    text = "f:\n.LBB0_1:\n\tdecq\t%rax\n\tje\t.LBB0_3\n\tincq\t%rbx\n.LBB0_2:\n\tcmpq\t$9, %rbx\n\tjne\t.LBB0_1\n\tretq\n.LBB0_3:\n\tincq\t%rcx\n\tjmp\t.LBB0_2\n"
    (loop,) = inner_loops(text)
    assert [r.text.split()[-1] for r in loop.rows] == [
        "%rax",
        ".LBB0_3",
        "%rbx",
        "%rcx",
        ".LBB0_2",
        "%rbx",
        ".LBB0_1",
    ]


@pytest.mark.parametrize(
    ("first", "body", "trips"),
    [
        ("xorl %esi, %esi", "addq $64, %rsi; cmpq $4096, %rsi; jne .L", 64),
        ("movq $-1024, %rbx", "addq $4, %rbx; jne .L", 256),
        ("movl $10, %ecx", "decq %rcx; jne .L", 10),
        ("xorl %edx, %edx", "subq $-128, %rdx; cmpq $16384, %rdx; jne .L", 128),
        ("movl $5, %ecx", "addq $3, %rcx; cmpq $20, %rcx; jl .L", 5),
        ("movq %rax, %rcx", "addq $3, %rcx; cmpq $20, %rcx; jne .L", None),
        ("xorl %esi, %esi", "addq $8, %rsi; cmpq %rdi, %rsi; jne .L", None),
        ("xorl %esi, %esi", "addq %rax, %rsi; cmpq $80, %rsi; jne .L", None),
    ],
)
def test_trips(first: str, body: str, trips: int | None) -> None:
    rows = [x.strip() for x in body.split(";")]
    (loop,) = inner_loops(
        "\n".join(
            [
                "f:",
                "\t" + first,
                ".L1:".replace(".L1", ".LBB0_1"),
                *("\t" + r.replace(".L", ".LBB0_1") for r in rows),
                "\tretq",
            ]
        )
    )
    assert constant_trips(instructions_of(loop.rows), loop.before) == trips


def test_code_without_a_loop_is_taken_as_a_whole() -> None:
    once = straight_code(
        "main:\n\t.loc\t1 4 1\n\tvaddss\t(%rax), %xmm0, %xmm0\n\tretq\ntewb.alloc:\n\tretq\n"
    )
    assert once is not None and [r.text for r in once.rows] == ["vaddss\t(%rax), %xmm0, %xmm0", "retq"]
    assert straight_code(TWO_LOOPS) is None
    assert straight_code("main:\n\tretq\nmain.parallel:\n\tretq\n") is None  # nobody knows how often


def test_steps_of_registers_are_those_that_only_constants_are_added_to() -> None:
    (loop,) = inner_loops(
        "f:\n.LBB0_1:\n\taddq\t$8, %rax\n\taddq\t$-2, %rax\n\tmovq\t%rax, %rbx\n\taddq\t$4, %rbx\n\tdecq\t%rcx\n\tjne\t.LBB0_1\n"
    )
    assert steps_of_registers(instructions_of(loop.rows)) == {"rax": 6, "rcx": -1}


def test_a_loop_that_is_entered_in_its_middle_and_closed_without_a_jump() -> None:
    text = "f:\n\tjmp\t.LBB0_1\n.LBB0_2:\n\tincq\t%rcx\n.LBB0_1:\n\tdecq\t%rax\n\tjne\t.LBB0_2\n\tretq\n"
    (loop,) = inner_loops(text)
    assert (loop.label, [r.text.split()[-1] for r in loop.rows]) == (".LBB0_1", ["%rax", ".LBB0_2", "%rcx"])


def test_loops_of_aarch64_are_found() -> None:
    text = "f:\n.LBB0_1:                                // in Loop\n\tldr\tq0, [x0], #16\n\tsubs\tx8, x8, #1\n\tb.ne\t.LBB0_1\n\tret\n"
    (loop,) = inner_loops(text)
    assert len(loop.rows) == 3
