"""The program of a block reads parts, counted from their beginning."""

from __future__ import annotations

from typing import Any

from tewb import te
from tewb.blocks.block_program import block_program, program_key
from tewb.blocks.parts import BlockParts, Blocks, parts_of_blocks


def found(t: Any, arrays: list[Any], starts: tuple[int, ...], extent: int) -> BlockParts:
    iv = t.op.axis[0]
    (one,) = parts_of_blocks(t.op, frozenset(arrays), Blocks({iv: starts}, {iv: extent}))
    return one


def test_a_stencil_inside_has_no_edges_and_no_start() -> None:
    A = te.placeholder((100,), name="A")
    B = te.compute(
        (100,), lambda i: te.if_then_else(te.all(i >= 1, i < 99), A[i - 1] + A[i + 1], A[i]), name="B"
    )
    program = block_program(found(B, [A], (20, 30), 10), [A], [])
    assert str(program.outputs[0].op.body[0]) == "A[i] + A[i + 2]"
    assert program.variables == ()
    assert [str(t.shape) for t in (*program.inputs, *program.outputs)] == ["(12,)", "(10,)"]


def test_a_start_that_is_a_number_is_a_parameter() -> None:
    A, alpha = te.placeholder((100,), name="A"), te.var("alpha", "float32")
    B = te.compute((100,), lambda i: A[i] * alpha + i, name="B")
    program = block_program(found(B, [A], (20, 30), 10), [A], [alpha])
    assert [v.name for v in program.variables] == ["i_start", "alpha"]


def test_ranges_of_sums_that_depend_on_an_axis_go_along() -> None:
    A = te.placeholder((100,), name="A")

    def row(i: Any) -> Any:
        k = te.reduce_axis((0, i + 1), name="k")
        return te.sum(A[k], axis=k)

    B = te.compute((100,), row, name="B")
    program = block_program(found(B, [A], (20,), 10), [A], [])
    (k,) = program.outputs[0].op.reduce_axis
    assert str(k.dom.extent) == "i + 20 + 1"


def test_programs_with_other_bodies_have_other_keys() -> None:
    A, C = te.placeholder((100,), name="A"), te.placeholder((100,), name="A")
    B = te.compute((100,), lambda i: te.if_then_else(i < 20, A[i], C[i]), name="B")
    keys = {
        program_key(found(B, [A, C], (start,), extent))
        for start, extent in ((0, 10), (10, 10), (20, 10), (30, 10), (15, 10), (40, 9))
    }
    assert len(keys) == 4  # from A, from C, from both, and one of another size
