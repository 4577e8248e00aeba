"""The loops of a function are the axes of its operation, in order of appearance."""

from __future__ import annotations

from tests.tensor.hybrid.translate import parsed, translated, translation
from tewb.base import FLOAT32, INT32
from tewb.ir import AxisKind, Buffer, BufferStore, For, ForKind, Var, const, const_int
from tewb.tensor.hybrid.axes import add_axis, note_order


def test_axes_stand_in_order_of_appearance_and_have_their_range() -> None:
    t, i, j = translation(), Var("i", INT32), Var("j", INT32)
    assert [add_axis(t, i, const(8)), add_axis(t, j, const(4))] == [0, 1]
    assert [(iv.var, const_int(iv.dom.extent), iv.kind) for iv in t.result.axis if iv.dom] == [
        (i, 8, AxisKind.DATA),
        (j, 4, AxisKind.DATA),
    ]
    assert t.analyzer.const_bounds(i) == (0, 7)


def test_a_loop_whose_iterations_run_in_order_says_why_and_where() -> None:
    op = translated("""
        b = output_tensor((8,), 'float32')
        b[0] = a[0]
        for i in range(1, 8):
            b[i] = b[i - 1] + a[i]
        for j in range(8):
            b[j] = b[j] * 2.0
        return b
    """)
    i, j = op.axis
    assert (i.kind, j.kind) == (AxisKind.ORDERED, AxisKind.DATA)
    assert op.dependence == {i: "iterations of i may touch the same elements of b (line 4)"}


def test_independent_iterations_are_left_as_they_are() -> None:
    t, i = translation(), Var("i", INT32)
    add_axis(t, i, const(8))
    before = list(t.result.axis)
    b = Buffer("b", FLOAT32, (const(8),))
    loop = For(i, const(0), const(8), ForKind.SERIAL, BufferStore(b, const(1.0), (i,)))
    assert note_order(t, parsed("0"), loop, 0) is None and t.result.axis == before
