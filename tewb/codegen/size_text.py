"""Sizes as Python text, which the runtime evaluates at each call."""

from __future__ import annotations

from collections.abc import Mapping

from tewb.ir import Add, Call, Cast, Expr, FloorDiv, FloorMod, IntImm, Max, Min, Mul, Sub, Var

_SIGNS: dict[type, str] = {Add: "+", Sub: "-", Mul: "*", FloorDiv: "//", FloorMod: "%"}
_BINDS = {"+": 0, "-": 0, "*": 1, "//": 1, "%": 1}


def size_text(e: Expr, names: Mapping[Var, str]) -> str | None:
    """Integer arithmetic as Python text over `names`, ignoring the widths of its numbers, which do not overflow;
    None for anything else."""
    text = _text(e, names)
    return None if text is None else text[0]


def _text(e: Expr, names: Mapping[Var, str]) -> tuple[str, int] | None:
    """The text, and how strongly the last operation in it binds."""
    match e:
        case IntImm(value):
            return (str(value), 2) if value >= 0 else (f"({value})", 2)
        case Var():
            return None if e not in names else (names[e], 2)
        case Cast(value) if e.dtype.is_int and value.dtype.is_int:
            return _text(value, names)
        case Call("likely", (value,)):
            return _text(value, names)
        case Add(a, b) | Sub(a, b) | Mul(a, b) | FloorDiv(a, b) | FloorMod(a, b):
            x, y, sign = _text(a, names), _text(b, names), _SIGNS[type(e)]
            if x is None or y is None:
                return None
            left = x[0] if x[1] >= _BINDS[sign] else f"({x[0]})"
            right = y[0] if y[1] > _BINDS[sign] else f"({y[0]})"
            return f"{left} {sign} {right}", _BINDS[sign]
        case Min(a, b) | Max(a, b):
            x, y = _text(a, names), _text(b, names)
            name = "min" if isinstance(e, Min) else "max"
            return None if x is None or y is None else (f"{name}({x[0]}, {y[0]})", 2)
    return None
