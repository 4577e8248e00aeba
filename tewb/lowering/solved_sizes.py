"""Sizes of arguments that tell a variable: of `32*d` elements, a dimension tells d."""

from __future__ import annotations

from dataclasses import dataclass

from tewb.arith import detect_linear
from tewb.ir import Expr, Var, const_int, free_vars


@dataclass(frozen=True, slots=True)
class SolvedSize:
    """A size is `factor * variable + offset`, and `factor` is positive."""

    variable: Var
    factor: int
    offset: int


def solved_size(size: Expr) -> SolvedSize | None:
    """What a size tells of the one variable in it, by itself or times a number; None for any other size."""
    if isinstance(size, Var):
        return SolvedSize(size, 1, 0)
    variables = free_vars(size)
    if len(variables) != 1 or not size.dtype.is_int:
        return None
    linear = detect_linear(size, variables)
    if linear is None:
        return None
    factors, rest = linear
    factor, offset = const_int(factors.get(variables[0])), const_int(rest)  # type: ignore[arg-type]
    if factor is None or offset is None or factor < 1:
        return None
    return SolvedSize(variables[0], factor, offset)


def told_by(size: Expr, value: int) -> dict[Var, int]:
    """The variable that a size tells, and what it is where the size is `value`; nothing for any other size. Where it does not
    come out even, the size of that variable is another one."""
    solved = solved_size(size)
    return {} if solved is None else {solved.variable: (value - solved.offset) // solved.factor}
