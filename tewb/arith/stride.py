"""How an access moves through memory, and how a tile of it can be transposed."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from tewb.arith.detect_linear import detect_linear
from tewb.ir import Expr, Var, const, const_int, ops, uses


def row_major(shape: Sequence[Expr]) -> tuple[Expr, ...]:
    """The strides, in elements, of a compact array in row-major order."""
    strides: list[Expr] = []
    step: Expr = const(1)
    for n in reversed(shape):
        strides.append(step)
        step = ops.mul(step, n)
    return tuple(reversed(strides))


def stride(strides: Sequence[Expr], indices: Sequence[Expr], v: Var) -> int | None:
    """How many elements an access moves from one value of `v` to the next; None when that varies, or is known
    only when the kernel runs."""
    total = 0
    for i, step in zip(indices, strides, strict=True):
        if not uses(i, [v]):
            continue
        linear = detect_linear(i, [v])
        coefficient = const_int(linear[0][v]) if linear is not None and v in linear[0] else None
        size = const_int(step)
        if coefficient is None or size is None:
            return None
        total += coefficient * size
    return total


REGISTER = 64  # bytes of the widest vectors


class Turn(Enum):
    """How a tile of an access is transposed in registers."""

    NETWORK = "network"  # vectors along the rows, through log2(n) stages of shuffles
    LINE = "line"  # all elements lie side by side: every row takes every so many of one line


def is_turned(along: int | None, across: int | None) -> bool:
    """Whether an access that moves by `along` from row to row of a tile, and by `across` from lane to lane, is
    to be transposed: its neighbours lie along the rows, and not along the lanes as well."""
    return along == 1 and across not in (0, 1)


def turn(rows: int, lanes: int, across: int | None, nbytes: int) -> Turn | None:
    """How a tile of `rows` x `lanes` elements of `nbytes` bytes is transposed that moves by `across` from lane to
    lane; None when its size has no way. Few rows of a line are better taken out of it than sent through a network."""
    if max(rows, lanes) * nbytes > REGISTER:
        return None
    powers = _is_power(rows) and _is_power(lanes)
    if across == rows and (rows <= 4 or (rows <= 8 and not powers)):
        return Turn.LINE
    return Turn.NETWORK if powers else None


def _is_power(n: int) -> bool:
    return n > 0 and n & (n - 1) == 0
