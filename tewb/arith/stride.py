"""How an access moves through memory, and how a tile of it can be transposed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import Enum

from tewb.arith.detect_linear import detect_linear
from tewb.base import DType, FromParts, any_depth
from tewb.ir import Add, Cast, Expr, IntImm, Mul, Sub, Var, const, const_int, free_vars, ops, uses


def row_major(shape: Sequence[Expr]) -> tuple[Expr, ...]:
    """The strides, in elements, of a compact array in row-major order. Products of symbolic sizes are int64."""
    strides: list[Expr] = []
    step: Expr = const(1)
    for n in reversed(shape):
        strides.append(step)
        step = ops.size_product(step, n)
    return tuple(reversed(strides))


def stride(strides: Sequence[Expr], indices: Sequence[Expr], v: Var) -> int | None:
    """How many elements an access moves from one value of `v` to the next; None when that varies or is known only
    at run time."""
    total = 0
    for i, step in zip(indices, strides, strict=True):
        growth = slope(i, v)
        if growth == 0:
            continue
        size = const_int(step)
        if growth is None or size is None:
            return None
        total += growth * size
    return total


@any_depth
def strides_of(
    strides: Sequence[Expr], indices: Sequence[Expr], variables: Iterable[Var]
) -> tuple[int | None, ...]:
    """`stride` for each of several variables: indices that are sums are looked at once."""
    found: dict[Var, int | None] = {}
    for i, step in zip(indices, strides, strict=True):
        size = const_int(step)
        for v, growth in _slopes(i).items():
            growth = slope(i, v) if growth is None else growth  # what varies in the parts may not in the sum
            if growth != 0:
                before = found.get(v, 0)
                is_known = growth is not None and size is not None and before is not None
                found[v] = before + growth * size if is_known else None  # type: ignore[operator]
    return tuple([found.get(v, 0) for v in variables])


def _slopes(e: Expr) -> dict[Var, int | None]:
    """How much an index grows along each variable, from how its parts do; None where that says nothing."""
    return FromParts[Expr, dict[Var, int | None]](_slopes_from)[e]


def _slopes_from(x: Expr, part: Callable[[Expr], dict[Var, int | None]]) -> dict[Var, int | None]:
    match x:
        case IntImm():
            return {}
        case Var():
            return {x: 1}
        case Add(a, b):
            return _joined(part(a), part(b), 1)
        case Sub(a, b):
            return _joined(part(a), part(b), -1)
        case Mul(a, IntImm(c)) | Mul(IntImm(c), a):
            return {v: None if n is None else n * c for v, n in part(a).items()}
    return dict.fromkeys(free_vars(x), None)


def _joined(a: dict[Var, int | None], b: dict[Var, int | None], sign: int) -> dict[Var, int | None]:
    both = dict(a)
    for v, x in b.items():
        before = both.get(v, 0)
        both[v] = None if x is None or before is None else before + sign * x
    return both


def slope(e: Expr, v: Var) -> int | None:
    """How much an index grows from one value of `v` to the next; None when that varies or is known only at run time.

    Index arithmetic does not overflow, which codegen declares to LLVM too (`nsw`), so an index has the same value in a
    wider type. In a narrower one it might wrap.
    """
    return FromParts[Expr, int | None](lambda x, part: _slope(x, v, part))[e]


def _slope(e: Expr, v: Var, part: Callable[[Expr], int | None]) -> int | None:
    """`slope` of an index, from those of its parts."""
    if not uses(e, [v]):
        return 0
    linear = detect_linear(e, [v])
    if linear is not None:
        return const_int(linear[0].get(v, const(0)))
    match e:
        case Cast(value, dtype) if is_wider(dtype, value.dtype):
            return part(value)
        case Add(a, b) | Sub(a, b):
            x, y = part(a), part(b)
            return None if x is None or y is None else x + y if isinstance(e, Add) else x - y
        case Mul(a, IntImm(c)) | Mul(IntImm(c), a):
            x = part(a)
            return None if x is None else x * c
    return None


def is_wider(d: DType, than: DType) -> bool:
    """Whether an index of dtype `than` has the same value in `d`."""
    return d.kind == than.kind == "int" and d.bits >= than.bits >= 32


REGISTER = 64  # bytes of the widest vectors


class Turn(Enum):
    """How a tile of an access is transposed in registers."""

    NETWORK = "network"  # vectors along the rows, through log2(n) stages of shuffles
    LINE = "line"  # all elements lie side by side: each row takes every n-th element of the line


def is_turned(along: int | None, across: int | None) -> bool:
    """Whether an access that moves by `along` from row to row of a tile, and by `across` from lane to lane, is
    to be transposed: its neighbours lie along the rows, and not along the lanes as well."""
    return along == 1 and across not in (0, 1)


def turn(rows: int, lanes: int, across: int | None, nbytes: int) -> Turn | None:
    """How to transpose a tile of `rows` x `lanes` elements of `nbytes` bytes that moves by `across` from lane to lane;
    None for a size without a method. A few rows are cheaper to pick out of a line than to send through a network."""
    if max(rows, lanes) * nbytes > REGISTER:
        return None
    powers = _is_power(rows) and _is_power(lanes)
    if across == rows and (rows <= 4 or (rows <= 8 and not powers)):
        return Turn.LINE
    return Turn.NETWORK if powers else None


def _is_power(n: int) -> bool:
    return n > 0 and n & (n - 1) == 0
