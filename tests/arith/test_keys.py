"""Keys: the same for expressions of one shape, and for no others."""

from __future__ import annotations

import itertools

from tewb.arith import Keys
from tewb.base import DType
from tewb.ir import Buffer, Call, Expr, FloatImm, Var, const, load, ops

x, y = (Var(name, DType("int32")) for name in "xy")
A, B = (Buffer("A", DType("int32"), (const(9),)) for _ in "ab")


def shapes() -> list[Expr]:
    return [
        x, y, x + y, y + x, x - y, x + 1, x + 2, ops.add(ops.cast(x, "int64"), const(1, "int64")), x * y, x // y, x % y,
        const(1), const(1, "int64"), const(1, "uint8"), const(True), const(0.5), const(0.5, "float64"), const(0.0),
        const(-0.0), ops.less(x, y), ops.greater(x, y), ops.minimum(x, y), load(A, (x,)), load(B, (x,)), load(A, (y,)),
        ops.cast(x, "int64"), ops.cast(x, "float32"), Call("f", (x,), x.dtype), Call("g", (x,), x.dtype),
        ops.select(ops.less(x, y), x, y), ops.if_then_else(ops.less(x, y), x, y), ops.ramp(x, 1, 4), ops.ramp(x, 2, 4),
        ops.broadcast(x, 4), ops.broadcast(x, 8), ops.logical_not(ops.less(x, y)),
    ]  # fmt: skip


def test_only_equal_shapes_have_equal_keys() -> None:
    keys = Keys()
    first, again = shapes(), shapes()
    for (a, e), (b, f) in itertools.product(enumerate(first), enumerate(again)):
        assert (keys(e) == keys(f)) == (a == b), (e, f)


def test_a_variable_is_itself_and_not_another_of_its_name() -> None:
    keys = Keys()
    assert keys(x) == id(x) and keys(Var("x", x.dtype)) != keys(x)
    assert keys(Var("x", x.dtype) + 1) != keys(x + 1)


def test_floats_are_told_apart_by_their_bits_and_nan_is_one() -> None:
    keys, d = Keys(), DType("float32")
    assert keys(FloatImm(float("nan"), d)) == keys(FloatImm(float("nan"), d))
    assert keys(FloatImm(0.0, d)) != keys(FloatImm(-0.0, d))


def test_numbers_of_shapes_may_outlive_the_nodes_and_are_given_once() -> None:
    first = Keys()
    key = first(x + y)
    assert Keys(first.numbers)(x + y) == key  # shared: the same shape has the same key later
    assert Keys()(x * y) != key  # fresh: a number is not used twice
    assert key < 0


def test_nodes_stay_alive_so_that_ids_are_not_given_again() -> None:
    keys = Keys()
    for n in range(50):
        assert keys(Call("f", (x, const(n)), x.dtype)) == keys(Call("f", (x, const(n)), x.dtype))
    assert len(set(keys.numbers.values())) == len(keys.numbers)


def test_a_deeply_shared_expression_is_numbered_quickly() -> None:
    e: Expr = x
    for _ in range(200):
        e = ops.mul(e, e)
    keys = Keys()
    assert keys(e) == keys(ops.mul(e.a, e.b))  # type: ignore[attr-defined]
    assert len(keys.numbers) <= 201
