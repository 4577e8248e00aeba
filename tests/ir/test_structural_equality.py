"""Structural equality: the same up to the names of what is bound, and where two programs differ."""

from __future__ import annotations

import pytest

import tewb
from tests.programs import matmul, schedule_for
from tewb import te
from tewb.base import DType, Map
from tewb.ir import (
    Allocate,
    AxisKind,
    Buffer,
    BufferStore,
    Expr,
    FloatImm,
    For,
    ForKind,
    IRModule,
    IterVar,
    Let,
    Origin,
    PrimFunc,
    Seq,
    Stmt,
    Var,
    const,
    first_difference,
    is_same_expression,
    load,
    ops,
    structural_equal,
    structural_hash,
)

i, j = Var("i", DType("int32")), Var("j", DType("int32"))
A = Buffer("A", DType("float32"), (const(8),))
ONE = const(1.0)


def loop(v: Var, extent: int = 8, kind: ForKind = ForKind.SERIAL, buffer: Buffer = A) -> Stmt:
    return For(v, const(0), const(extent), kind, BufferStore(buffer, ONE, (v,), Origin(v.name)))


def test_structural_equality_matches_what_is_bound() -> None:
    inputs, outputs = matmul(4, 5, 6)
    one = tewb.lower(schedule_for(outputs), inputs + outputs)
    inputs2, outputs2 = matmul(4, 5, 6)
    two = tewb.lower(schedule_for(outputs2), inputs2 + outputs2)
    assert structural_equal(one, two)
    s = schedule_for(outputs2)
    s["C"].reorder("j", "i")
    assert "body" in str(first_difference(one, tewb.lower(s, inputs2 + outputs2)))
    assert not structural_equal(i + j, j + i)


def test_names_of_loops_and_provenance_do_not_count() -> None:
    assert structural_equal(loop(i), loop(j)) and structural_equal(loop(i), loop(Var("x", i.dtype)))
    assert first_difference(loop(i), loop(Var("i", DType("int64")))) == "var"


@pytest.mark.parametrize(
    ("other", "where"),
    [
        (loop(i, 9), "extent.value"),
        (loop(i, kind=ForKind.PARALLEL), "kind"),
        (For(i, const(0), const(8), ForKind.SERIAL, BufferStore(A, const(2.0), (i,))), "body.value"),
        (For(i, const(0), const(8), ForKind.SERIAL, BufferStore(A, ONE, (const(0),))), "body.indices[0]"),
        (For(i, const(0), const(8), ForKind.SERIAL, BufferStore(A, ONE, (i,), None, 16)), "body.nontemporal"),
        (loop(i).body, "."),  # type: ignore[attr-defined]
    ],
)
def test_the_first_difference_is_told(other: Stmt, where: str) -> None:
    assert first_difference(loop(i), other) == where and not structural_equal(loop(i), other)


def test_free_variables_are_themselves_unless_they_are_matched_up() -> None:
    p, q = Var("p", i.dtype), Var("p", i.dtype)
    assert not structural_equal(p + 1, q + 1) and structural_equal(p + 1, q + 1, map_free_vars=True)
    assert not structural_equal(p + q, q + q, map_free_vars=True)
    assert not structural_equal(p - p, p - q, map_free_vars=True)
    assert not structural_equal(i, Var("i", DType("int64")), map_free_vars=True)


def test_groups_of_statements_do_not_count() -> None:
    a, b, c = (BufferStore(A, const(float(n)), (i,)) for n in range(3))
    assert structural_equal(Seq((a, Seq((b, c)))), Seq((Seq((a, b)), c))) and structural_equal(Seq((a,)), a)
    assert (
        first_difference(Seq((a, b)), Seq((a, c))) == "stmts[1].value"
        or first_difference(Seq((a, b)), Seq((a, c))) == "stmts[1].value.value"
    )
    assert first_difference(Seq((a, b)), Seq((a, b, c))) == "stmts"


def test_nan_equals_nan_and_a_dtype_is_part_of_a_number() -> None:
    d = DType("float32")
    assert structural_equal(FloatImm(float("nan"), d), FloatImm(float("nan"), d))
    assert not structural_equal(const(1.0), const(1.0, "float64")) and not structural_equal(
        const(1), const(1, "int64")
    )


def test_buffers_are_equal_when_they_lay_out_the_same_memory() -> None:
    def local(
        shape: int, scope: str = "global", strides: tuple[Expr, ...] = (), dtype: str = "float32"
    ) -> Stmt:
        b = Buffer("any", DType(dtype), (const(shape),), strides, scope=scope)
        return Allocate(b, loop(i, buffer=b))

    assert structural_equal(local(8), local(8))
    for other in (local(9), local(8, "local"), local(8, strides=(const(1),)), local(8, dtype="int32")):
        assert not structural_equal(local(8), other)


def test_functions_bind_their_parameters_and_sizes() -> None:
    def f(size: Var, outputs: tuple[int, ...] = (0,)) -> PrimFunc:
        b = Buffer("B", DType("float32"), (size,))
        return PrimFunc("f", (b,), For(i, const(0), size, ForKind.SERIAL, BufferStore(b, ONE, (i,))), outputs)

    n, m = Var("n", i.dtype), Var("m", i.dtype)
    assert structural_equal(f(n), f(m)) and not structural_equal(f(n), f(m, ()))
    assert structural_equal(IRModule({"f": f(n), "g": f(n)}), IRModule({"f": f(m), "g": f(n)}))
    assert first_difference(IRModule({"f": f(n)}), IRModule({"g": f(n)})) is not None


def test_a_shared_expression_is_compared_once() -> None:
    def power() -> Expr:
        e: Expr = i
        for _ in range(64):
            e = ops.mul(e, e)
        return e

    assert structural_equal(power(), power())
    t, u = Var("t", i.dtype), Var("u", i.dtype)
    assert structural_equal(Let(t, i, t * t, i.dtype), Let(u, i, u * u, i.dtype))


def test_what_lists_and_dicts_hold_is_compared() -> None:
    x, y = Var("x", DType("int32")), Var("y", DType("int32"))
    assert structural_equal([x, 1], (x, const(1))) and not structural_equal([x], [x, x])
    assert structural_equal({"a": x + 1}, {"a": x + 1}) and first_difference({"a": x}, {"a": y}) == "['a']"
    assert structural_equal({"a": x, "b": 1}, Map({"b": 1, "a": x}))
    assert first_difference({"a": x}, {"b": x}) == "['a']" and first_difference({"a": x}, {}) == "."
    assert structural_equal({x: 1}, {y: 1}, map_free_vars=True) and not structural_equal({x: 1}, {y: 1})
    assert (
        structural_equal(3, const(3))
        and not structural_equal(3, const(3.0))
        and structural_equal(True, const(True))
    )
    for a, b in (([x, 1], (y, const(1))), ({"a": x, "b": 1}, Map({"b": 1, "a": x})), (3, const(3))):
        assert structural_hash(a) == structural_hash(b)


def test_reductions_have_their_axes_for_themselves() -> None:
    A = te.placeholder((4, 8), name="A")

    def total(axis: IterVar, scale: float = 1.0) -> Expr:
        return te.sum(A[0, axis] * scale, axis=axis)  # type: ignore[no-any-return]

    k, m, n = [te.reduce_axis((0, extent), name="k") for extent in (8, 8, 4)]
    assert structural_equal(total(k), total(m)) and structural_hash(total(k)) == structural_hash(total(m))
    assert first_difference(total(k), total(m, 2.0)) is not None
    assert "dom" in str(first_difference(total(k), total(n)))
    assert structural_equal([total(k), total(k)], [total(k), total(m)])
    i, j = te.var("i"), te.var("j")
    two = te.sum(A[i, k] * A[j, k], axis=k)
    assert structural_equal(two, te.sum(A[i, m] * A[j, m], axis=m))
    assert not structural_equal(two, te.sum(A[j, m] * A[i, m], axis=m))
    assert not structural_equal(te.sum(A[0, k] + m, axis=k), te.sum(A[0, m] + m, axis=m))


def test_axes_are_compared_by_range_and_kind() -> None:
    k, m, n = [te.reduce_axis((0, extent), name=name) for extent, name in ((8, "k"), (8, "m"), (9, "k"))]
    assert structural_equal(k, m) and structural_hash(k) == structural_hash(m)
    assert first_difference(k, n) == "dom.extent.value"
    assert not structural_equal(k, IterVar(k.dom, k.var, AxisKind.DATA))
    assert structural_equal([k, k.var + 1], [m, m.var + 1]) and not structural_equal([k, k.var], [m, n.var])


def test_numbers_and_sequences_of_python_are_compared_with_nodes() -> None:
    n = te.var("n")
    assert structural_equal((const(2), n), [2, n]) and structural_equal(const(True), True)
    assert not structural_equal((const(2), n), [3, n]) and not structural_equal(const(2, "int64"), 2)
    assert structural_equal({"a": const(1)}, {"a": 1}) and not structural_equal({"a": n}, {"b": n})


def test_free_buffers_are_matched_up_and_are_not_the_same() -> None:
    """As in classic TE, whose buffers bind their memory wherever they stand."""
    B, short = Buffer("B", A.dtype, A.shape), Buffer("S", A.dtype, (const(4),))
    a, b = load(A, (i,)), load(B, (i,))
    assert structural_equal(a, b)
    assert structural_equal(a + b, b + a)
    assert not structural_equal(a + a, a + b)
    assert not structural_equal(a, load(short, (i,)))
    assert not is_same_expression(a, b)
    assert not is_same_expression(a + b, b + a)
    assert is_same_expression(a + b, load(A, (i,)) + load(B, (i,)))
    assert is_same_expression((a, i), (load(A, (i,)), i))
    assert not is_same_expression((a,), (a, i))
