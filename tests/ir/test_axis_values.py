"""Values for axes: they keep their dtype where a value is computed, and may be wider where it is an index."""

from __future__ import annotations

from tewb import te
from tewb.arith import Analyzer
from tewb.base import DType
from tewb.ir import AxisValues, Expr, ProducerLoad, Var, at_axes, const, ops, script

i, j = Var("i", DType("int32")), Var("j", DType("int32"))
f = Var("f", DType("int64"))
A = te.placeholder((64,), name="A")


def reads(values: AxisValues, e: Expr) -> tuple[str, str]:
    """`e` as a value and as an index."""
    return script(values(e)), script(values.index(e))


def test_values_of_the_same_dtype_are_simply_put_in() -> None:
    values = at_axes({i: j * 2})
    assert not values.are_wide and reads(values, i + 1) == ("j * 2 + 1", "j * 2 + 1")
    e = j + 1
    assert values(e) is e


def test_a_wide_value_is_narrow_again_where_a_value_is_computed() -> None:
    values = at_axes({i: f // 4})
    value, index = reads(values, i * 2 + 1)
    assert value == 'T.Cast("int32", f // T.int64(4)) * 2 + 1'
    assert index == "f // T.int64(4) * T.int64(2) + T.int64(1)"
    assert values(i * 2).dtype == "int32" and values.index(i * 2).dtype == "int64"


def test_indices_of_elements_are_indices() -> None:
    values = at_axes({i: f})
    assert script(values(A[i + 1] + ops.cast(i, "float32"))) == (
        'A[f + T.int64(1)] + T.Cast("float32", T.Cast("int32", f))'
    )


def test_each_element_is_what_load_makes_of_its_new_indices() -> None:
    seen: list[str] = []

    def load(n: ProducerLoad, indices: tuple[Expr, ...]) -> Expr:
        seen.append(script(indices[0]))
        return const(1.0)

    values = AxisValues({i: j}, load)
    assert script(values(A[i] * A[i + 1])) == "T.float32(1.0) * T.float32(1.0)"
    assert seen == ["j", "j + 1"]


def test_choices_and_conditions_in_indices_are_wide_too() -> None:
    values = at_axes({i: f})
    e = ops.select(ops.less(i, 3), i, i * 2)
    assert script(values.index(e)) == "T.Select(f < T.int64(3), f, f * T.int64(2))"
    assert script(values.index(ops.cast(i, "int64") + 1)) == "f + T.int64(1)"
    assert script(values.index(ops.cast(ops.cast(i, "float32"), "int32"))).startswith("T.Cast")


def test_comparisons_are_of_indices_where_nothing_is_cut_off() -> None:
    a = Analyzer()

    def load(n: ProducerLoad, indices: tuple[Expr, ...]) -> Expr:
        return ProducerLoad(n.producer, indices, n.dtype)

    values = AxisValues({i: f}, load, a.const_bounds)
    assert script(values(ops.less(i * 2, 9))) == "f * T.int64(2) < T.int64(9)"
    a.bind(f, 0, 2**31)
    far = AxisValues({i: f}, load, a.const_bounds)
    assert script(far(ops.less(i * 2, 9))) == 'T.Cast("int32", f) * 2 < 9'
    a.bind(f, 0, 1000)
    near = AxisValues({i: f}, load, a.const_bounds)
    assert script(near(ops.less(i * 2, 9))) == "f * T.int64(2) < T.int64(9)"


def test_a_shared_index_is_rewritten_once() -> None:
    e: Expr = i
    for _ in range(64):
        e = ops.add(e, e)
    assert at_axes({i: f}).index(e).dtype == "int64"
