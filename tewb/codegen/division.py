"""Integer division that never traps, rounded down or toward zero: quotients and remainders."""

from __future__ import annotations

from tewb.base import DType
from tewb.codegen.function import Function
from tewb.codegen.types import int_constant, splat_constant, value_type


def shifted(f: Function, x: str, d: DType, divisor: int, remainder: bool) -> str:
    """x by a power of two, rounding down: a shift or a mask."""
    t = value_type(d)
    if remainder:
        return f.ins(f"and {t} {x}, {_constant(divisor - 1, d)}")
    op = "lshr" if d.kind == "uint" else "ashr"
    return f.ins(f"{op} {t} {x}, {_constant(divisor.bit_length() - 1, d)}")


def divided(f: Function, x: str, y: str, d: DType, floor: bool, remainder: bool) -> str:
    """x / y where y is neither 0 nor -1."""
    t = value_type(d)
    letter = "u" if d.kind == "uint" else "s"
    if letter == "u" or not floor:
        return f.ins(f"{letter}{'rem' if remainder else 'div'} {t} {x}, {y}")
    r = f.ins(f"srem {t} {x}, {y}")
    zero = _constant(0, d)
    # The remainder has the sign of x; where that is not the sign of y, floor is one lower.
    nonzero = f.ins(f"icmp ne {t} {r}, {zero}")
    signs = f.ins(f"xor {t} {r}, {y}")
    differ = f.ins(f"icmp slt {t} {signs}, {zero}")
    b1 = value_type(DType("bool").with_lanes(d.lanes))
    lower = f.ins(f"and {b1} {nonzero}, {differ}")
    if remainder:
        moved = f.ins(f"add {t} {r}, {y}")
        return f.ins(f"select {b1} {lower}, {t} {moved}, {t} {r}")
    q = f.ins(f"sdiv {t} {x}, {y}")
    moved = f.ins(f"sub {t} {q}, {_constant(1, d)}")
    return f.ins(f"select {b1} {lower}, {t} {moved}, {t} {q}")


def divided_safely(f: Function, x: str, y: str, d: DType, floor: bool, remainder: bool) -> str:
    """x / y for any y: x / 0 is 0, as in numpy, and the smallest number / -1 wraps."""
    t = value_type(d)
    if d.bits == 1:  # by -1, which is the 1 of an i1, or by 0
        return _constant(0, d) if remainder else f.ins(f"and {t} {x}, {y}")
    b1 = value_type(DType("bool").with_lanes(d.lanes))
    zero, one = _constant(0, d), _constant(1, d)
    is_zero = f.ins(f"icmp eq {t} {y}, {zero}")
    safe = f.ins(f"select {b1} {is_zero}, {t} {one}, {t} {y}")
    if d.kind == "uint":
        result = divided(f, x, safe, d, floor, remainder)
    else:
        minus = f.ins(f"icmp eq {t} {y}, {_constant(-1, d)}")
        safe = f.ins(f"select {b1} {minus}, {t} {one}, {t} {safe}")
        result = divided(f, x, safe, d, floor, remainder)
        negated = zero if remainder else f.ins(f"sub {t} {zero}, {x}")
        result = f.ins(f"select {b1} {minus}, {t} {negated}, {t} {result}")
    return f.ins(f"select {b1} {is_zero}, {t} {zero}, {t} {result}")


def _constant(value: int, d: DType) -> str:
    literal = int_constant(value, d.element)
    return literal if d.lanes == 1 else splat_constant(literal, d)
