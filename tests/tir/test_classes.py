"""Classes of IR by their classic names, with their classic arguments and fields."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tewb
from tewb import ir, te, tir
from tewb.base import DTypeError, TewbError

x, y = tir.Var("x", "int32"), tir.SizeVar("y", "int32", span=None)
assert int(tir.const(3, "int32", span=None)) == 3 and te.var("z", span=None).name == "z"


@pytest.mark.parametrize(
    ("node", "cls", "text"),
    [
        (tir.Add(x, 1), tir.Add, "x + 1"), (tir.Sub(x, y), tir.Sub, "x - y"), (tir.Mul(2, x), tir.Mul, "2 * x"),
        (tir.FloorDiv(x, 2), tir.FloorDiv, "x // 2"), (tir.FloorMod(x, 2), tir.FloorMod, "x % 2"),
        (tir.Div(x, y), tir.Div, "T.truncdiv(x, y)"), (tir.Mod(x, y), tir.Mod, "T.truncmod(x, y)"),
        (tir.Min(x, y), tir.Min, "T.min(x, y)"), (tir.Max(x, 3), tir.Max, "T.max(x, 3)"),
        (tir.EQ(x, 0), tir.EQ, "x == 0"), (tir.LT(x, y), tir.LT, "x < y"), (tir.Not(tir.GE(x, y)), tir.Not, "not x >= y"),
        (tir.And(tir.GT(x, 0), tir.LE(x, y)), tir.And, "x > 0 and x <= y"), (tir.Or(x != 0, tir.NE(y, 0)), tir.Or, "x != 0 or y != 0"),
        (tir.IntImm("int8", 3), tir.IntImm, "T.int8(3)"), (tir.FloatImm("float64", 2), tir.FloatImm, "T.float64(2.0)"),
        (tir.StringImm("s"), tir.StringImm, "'s'"), (tir.Cast("float32", x), tir.Cast, 'T.Cast("float32", x)'),
        (tir.Select(x > 0, x, y), tir.Select, "T.Select(x > 0, x, y)"), (tir.Let(x, 3, x + 1), tir.Let, "T.Let(x + 1, where={x: 3})"),
        (tir.Call("float32", "tir.exp", [te.const(1.0)]), tir.Call, "T.exp(T.float32(1.0))"),
        (tir.Ramp(x, 1, 4), tir.Ramp, "T.Ramp(x, 1, 4)"), (tir.Broadcast(x, 4), tir.Broadcast, "T.Broadcast(x, 4)"),
        (tir.Evaluate(0), tir.Evaluate, "T.evaluate(0)"),
    ],
)  # fmt: skip
def test_expressions(node: Any, cls: Any, text: str) -> None:
    assert isinstance(node, cls) and isinstance(node, (tir.PrimExpr, tir.Stmt))
    assert str(node).replace('"s"', "'s'") == text
    assert not isinstance(3, cls) and node.same_as(node) and not node.same_as(x)


def test_what_te_makes_is_an_instance_too() -> None:
    assert isinstance(x + 1, tir.Add) and isinstance(te.exp(te.const(1.0)), tir.Call)
    assert (
        isinstance(te.var("n"), tir.Var)
        and isinstance(te.const(1), tir.IntImm)
        and issubclass(ir.Add, tir.Add)
    )
    match x * 3:
        case tir.Mul(tir.Var(name), tir.IntImm(value)):
            assert (name, value) == ("x", 3)
        case _:
            pytest.fail("no Mul")


def function() -> Any:
    """Doubles b, where it is less than 3."""
    i, b = tir.Var("i", "int32"), tir.decl_buffer((4,), "float32", name="b")
    load = tir.BufferLoad(b, [i])
    twice = tir.BufferStore(b, load * 2.0, [i])
    one = tir.SeqStmt([tir.IfThenElse(load < 3.0, twice, None), tir.Evaluate(1)])
    body = tir.AttrStmt(i, "pragma_x", 1, tir.LetStmt(tir.Var("t", "int32"), 5, one))
    loop = tir.For(i, 0, 4, tir.ForKind.SERIAL, tir.AssertStmt(i < 4, tir.StringImm("in range"), body))
    return tir.PrimFunc([b.data], loop, None, {b.data: b}, {"global_symbol": "twice"})


def test_a_function_of_statements_builds() -> None:
    f = function()
    assert f.name == "twice" and f.outputs == (0,) and isinstance(f, tir.PrimFunc)
    b = np.arange(4, dtype="float32")
    tewb.build(f)(b)
    np.testing.assert_array_equal(b, [0, 2, 4, 3])


def test_fields_have_their_classic_names_too() -> None:
    nodes = list(ir.walk(function().body))
    loop, check, attr, choice, several = (next(n for n in nodes if isinstance(n, c)) for c in (
        tir.For, tir.AssertStmt, tir.AttrStmt, tir.IfThenElse, tir.SeqStmt))  # fmt: skip
    assert loop.loop_var is loop.var and loop.loop_var.name_hint == "i" and int(loop.extent) == 4
    assert check.condition is check.cond and attr.attr_key == "pragma_x"
    assert (
        choice.condition is choice.cond
        and isinstance(choice.then_case, tir.BufferStore)
        and choice.else_case is None
    )
    assert several.seq == several.stmts and tir.stmt_list(several) == list(several.seq)
    s = tir.Select(x > 0, x, y)
    assert (s.condition, s.true_value, s.false_value) == (s.cond, x, y) or s.true_value is x
    buffer = tir.decl_buffer((2, 3), "int8", name="w")
    memory = tir.Allocate(buffer.data, "int8", [2, 3], True, tir.Evaluate(0))
    assert (
        memory.buffer_var is buffer.data
        and memory.dtype == "int8"
        and [int(n) for n in memory.extents] == [2, 3]
    )
    k = te.reduce_axis((0, 3), "k")
    A = te.placeholder((3,), name="A")
    r = te.sum(A[k], axis=k)
    assert r.axis == r.axes and r.value_index == 0 and len(r.combiner.identity_element) == 1


def test_ranges() -> None:
    r = ir.Range.from_min_extent(2, x)
    assert int(r.min) == 2 and r.extent is x
    for r, first, extent in (
        (ir.Range(5), 0, 5),
        (ir.Range(2, 8), 2, 6),
        (ir.Range(te.const(2), te.const(8)), 2, 8),
    ):
        assert (int(r.min), int(r.extent)) == (first, extent)
    assert str(ir.Range(1, x).extent) == "x - 1" and str(ir.Range(x).extent) == "x"
    axis = te.reduce_axis(ir.Range(0, 4), "k")
    assert axis.dom is not None and int(axis.dom.extent) == 4


def test_reductions_made_by_hand() -> None:
    lhs, rhs = te.var("a", "float32"), te.var("b", "float32")
    add = tir.CommReducer([lhs], [rhs], [lhs + rhs], [te.const(0.0)])
    A, k = te.placeholder((3, 4), name="A"), te.reduce_axis((0, 4), "k")
    B = te.compute((3,), lambda i: tir.Reduce(add, [A[i, k]], [k], True, 0, None), name="B")
    np.testing.assert_array_equal(
        tewb.build(te.create_schedule(B.op), [A, B])(np.ones((3, 4), "float32")), [4, 4, 4]
    )


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(DTypeError, match="For takes a variable and a kind of loop"):
        tir.For("i", 0, 4, 7, tir.Evaluate(0))
    with pytest.raises(TewbError, match="3 is no statement"):
        tir.SeqStmt([3])
    with pytest.raises(DTypeError):
        tir.IntImm("int8", 300)
    assert tir.Buffer.READ | tir.Buffer.WRITE == 3 and isinstance(tir.decl_buffer((2,)), tir.Buffer)
    assert tir.Buffer(te.var("p", "handle"), "float32", (4,), name="q").name == "q"


def test_identity_has_a_word() -> None:
    A = te.placeholder((4,), name="A")
    B = te.compute((4,), lambda i: A[i], name="B")
    for a, b in ((A, B), (A.op, B.op), (x, y), (B.op.axis[0], te.reduce_axis((0, 4)))):
        assert a.same_as(a) and not a.same_as(b)


def test_memory_by_its_pointer_as_until_v09() -> None:
    n, i = te.size_var("n"), tir.Var("i", "int32")
    A = tir.decl_buffer((n,), "int64", name="A")
    step = tir.Store(A.data, tir.Load("int64", A.data, i) + 1, i + 1)
    assert step.buffer_var is A.data and step.value.a.index is i and isinstance(step, tir.BufferStore)
    loop = tir.For(i, 0, n - 1, 0, 0, step)
    f = tewb.build(tir.PrimFunc([A], loop).with_attr("global_symbol", "ramp"))
    a = np.zeros(5, "int64")
    f(a)
    np.testing.assert_array_equal(a, range(5))


def test_vectors_are_stored_and_gathered_at_shuffled_indices() -> None:
    A, B = (tir.decl_buffer((8,), "int32", name=name) for name in "AB")
    lanes = tir.Ramp(0, 1, 8)
    turned = tir.Shuffle([lanes], [*range(7, -1, -1)])
    f = tewb.build(tir.PrimFunc([A, B], tir.BufferStore(B, tir.BufferLoad(A, [turned]), [lanes])))
    b = np.zeros(8, "int32")
    f(np.arange(8, dtype="int32"), b)
    np.testing.assert_array_equal(b, range(7, -1, -1))


def test_pointers_of_the_builder_are_parameters_and_arguments() -> None:
    ib = tir.ir_builder.create()
    p = ib.pointer("float32", name="p")
    p[1] = p[0] + 1.0
    ib.emit(tir.call_intrin("int32", "tir.prefetch", tir.address_of(p[0]), 0, 3, 1))
    a = np.zeros(2, "float32")
    tewb.build(tir.PrimFunc([p], ib.get()))(a)
    assert a[1] == 1 and tir.call_extern("int32", "f", p).args[-1].same_as(p.asobject())


def test_kinds_of_loops_by_the_numbers_of_v07() -> None:
    i = tir.Var("i", "int32")
    loop = tir.For(i, 0, 8, tir.For.Vectorized, 0, tir.Evaluate(i))
    assert loop.kind is tir.ForKind.VECTORIZED and loop.for_type == tir.For.Vectorized
    assert (
        tir.For(i, 0, 8, tir.For.Serial, 0, loop).for_type == 0
        and tir.For.Parallel == 1
        and tir.For.Unrolled == 3
    )
