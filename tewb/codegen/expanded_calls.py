"""Intrinsics that are written in other operations, for scalars and for vectors of any width."""

from __future__ import annotations

from collections.abc import Callable

from tewb.base import FLOAT64, INT32, INT64, DType
from tewb.ir import Call, Expr, const, ops


def _exp10(e: Call) -> Expr:
    (x,) = e.args
    ten = ops.broadcast(const(10.0, x.dtype.element), x.dtype.lanes)
    return Call("pow", (ten, x), e.dtype)


def _nextafter(e: Call) -> Expr:
    """Among floats of one sign, neighbours have neighbouring integers as their bits."""
    x, y = e.args
    bits = DType(f"int{e.dtype.bits}").with_lanes(e.dtype.lanes)
    zero = const(0.0, x.dtype.element)
    one, minus_one = const(1, bits.element), const(-1, bits.element)

    def as_float(word: Expr) -> Expr:
        return Call("reinterpret", (ops.cast(word, bits),), e.dtype)

    is_away = ops.logical_or(
        ops.logical_and(ops.less(x, y), ops.greater(x, zero)),
        ops.logical_and(ops.greater(x, y), ops.less(x, zero)),
    )
    moved = as_float(ops.add(Call("reinterpret", (x,), bits), ops.select(is_away, one, minus_one)))
    least = as_float(ops.select(ops.less(y, zero), const(bits.min_value() + 1, bits.element), one))
    neighbour = ops.select(ops.equal(x, zero), least, moved)
    is_nan = ops.logical_or(ops.not_equal(x, x), ops.not_equal(y, y))
    return ops.select(is_nan, ops.add(x, y), ops.select(ops.equal(x, y), y, neighbour))


def _ldexp(e: Call) -> Expr:
    """A product with a power of two, in float64, whose range holds all the results of narrower floats. Those of float64
    itself take up to three products, none of which is rounded before the last."""
    x, n = e.args
    is_double = e.dtype.bits == 64
    power = _within(n, 2200 if is_double else 400)
    product = ops.cast(x, FLOAT64.with_lanes(x.dtype.lanes))
    for _ in range(2 if is_double else 0):
        is_large, is_small = ops.greater(power, 1023), ops.less(power, -1022)
        factor = ops.select(is_small, const(2.0**-969, "float64"), const(1.0, "float64"))
        product = ops.mul(product, ops.select(is_large, const(2.0**1023, "float64"), factor))
        power = ops.sub(power, ops.select(is_large, 1023, ops.select(is_small, -969, 0)))
    exponent = ops.add(ops.cast(power, INT64.with_lanes(power.dtype.lanes)), const(1023, "int64"))
    scale = Call("reinterpret", (ops.shift_left(exponent, const(52, "int64")),), product.dtype)
    return ops.cast(ops.mul(product, scale), e.dtype)


def _within(n: Expr, limit: int) -> Expr:
    """An integer as int32, brought into the range from -limit to limit."""
    d = INT32.with_lanes(n.dtype.lanes)
    if n.dtype.bits < 32:
        n = ops.cast(n, d)
    n = ops.minimum(n, const(limit, n.dtype.element))
    return ops.cast(ops.maximum(n, const(-limit, n.dtype.element)) if n.dtype.kind == "int" else n, d)


EXPANSIONS: dict[str, Callable[[Call], Expr]] = {
    "exp10": _exp10,
    "nextafter": _nextafter,
    "ldexp": _ldexp,
    "assume": lambda e: ops.broadcast(const(True), e.dtype.lanes),
}
