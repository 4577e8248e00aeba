"""Products of fixed-point numbers (Q-numbers), written in 64-bit arithmetic."""

from __future__ import annotations

from typing import Any

from tewb.base import DTypeError
from tewb.ir import ops
from tewb.ir.expressions import Expr


def q_multiply_shift(x: Any, y: Any, q: Any, s: Any) -> Expr:
    """x * y * 2**(s - q) of int32 numbers, a half rounded up: the product of two numbers with `q` fractional bits,
    times 2**s.

        q_multiply_shift(3, 1 << 30, 31, 0)  =  2         q_multiply_shift(-3, 1 << 30, 31, 0)  =  -1
    """
    shift = _integer("s", s)
    zero = ops.const(0, shift.dtype)
    left, right = ops.maximum(shift, zero), ops.maximum(zero - shift, zero)
    return q_multiply_shift_per_axis(x, y, left, right, q, shift > zero, True)


def q_multiply_shift_per_axis(
    x: Any, y: Any, ls: Any, rs: Any, q: Any, is_lshift_required: Any, is_rshift_required: Any
) -> Expr:
    """x * 2**ls * y * 2**-(q + rs) of int32 numbers, a half rounded up.

    Without `is_lshift_required`, x is not shifted to the left. `is_rshift_required` changes nothing: `rs` is 0 where
    there is no shift to the right.
    """
    a, b, digits = _integer("x", x), _integer("y", y), _integer("q", q)
    for name, e in (("x", a), ("y", b)):
        if e.dtype.element != "int32":
            raise DTypeError(
                f"fixed-point products are of int32, and {name} is {e.dtype}",
                hint=f"{name}.astype('int32')",
            )
    number = ops.const_int(digits)
    if number is not None and not 0 < number < 63:
        raise DTypeError(
            f"q={number} fractional bits", hint="q is the number of fractional bits, from 1 to 62"
        )
    wide = ops.cast(a, "int64")
    shifted = ops.shift_left(wide, ops.cast(_integer("ls", ls), "int64"))
    needed = ops.convert(is_lshift_required)
    if not needed.dtype.is_bool:
        needed = ops.not_equal(needed, ops.const(0, needed.dtype))
    product = ops.select(needed, shifted, wide) * ops.cast(b, "int64")
    total = ops.cast(_integer("rs", rs), "int64") + ops.cast(digits, "int64")
    one = ops.const(1, "int64")
    return ops.cast(ops.shift_right(product + ops.shift_left(one, total - one), total), "int32")


def _integer(name: str, value: Any) -> Expr:
    e = ops.convert(value)
    if not e.dtype.is_int:
        raise DTypeError(f"{name} of a fixed-point product is an integer, not {e.dtype}")
    return e
