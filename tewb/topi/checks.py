"""What the operators ask of their arguments before they compute, and the errors that say so."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

from tewb.arith import Analyzer
from tewb.base import DTypeError, ShapeError, TewbError, here
from tewb.ir import Expr, const_int, convert, ops
from tewb.tensor import Tensor


def tensor_of(what: str, x: Any, rank: int | Sequence[int] | None = None) -> Tensor:
    """`x`, a tensor of one of the given ranks. Raises TewbError for anything else."""
    if not isinstance(x, Tensor):
        raise TewbError(
            f"{what} takes a tensor, not {x!r}",
            hint='A = te.placeholder((n, m), name="A") is one',
            span=here(),
        )
    ranks = (rank,) if isinstance(rank, int) else rank
    if ranks is not None and x.ndim not in ranks:
        wanted = " or ".join(map(str, ranks))
        raise ShapeError(
            f"{what}: {x.name} has {x.ndim} dimensions, not {wanted}",
            hint=f"its shape is {shape_text(x.shape)}; topi.reshape and topi.expand_dims change it",
            span=here(),
        )
    return x


def integers_of(what: str, x: Any) -> Tensor:
    """`x`, a tensor of integers, such as indices are."""
    t = tensor_of(what, x)
    if not t.dtype.is_int:
        raise DTypeError(
            f"{what}: {t.name} has dtype {t.dtype}, and indices are integers",
            hint=f'topi.cast({t.name}, "int32")',
            span=here(),
        )
    return t


def axis_of(what: str, axis: Any, rank: int) -> int:
    """`axis` counted from 0; negative ones count from the end. Raises ShapeError outside of the rank."""
    n = whole(what, "axis", axis)
    if not -rank <= n < rank:
        raise ShapeError(
            f"{what}: axis {n} of a tensor of {rank} dimensions",
            hint=f"axes are from {-rank} to {rank - 1}" if rank else "a tensor of no dimensions has no axis",
            span=here(),
        )
    return n % rank


def axes_of(what: str, axes: Any, rank: int) -> tuple[int, ...]:
    """The axes in order, from one, several or None, which means all. Raises ShapeError for one that is there twice."""
    if axes is None:
        return tuple(range(rank))
    several = axes if isinstance(axes, Iterable) else [axes]
    given = [axis_of(what, a, rank) for a in several]
    if len(set(given)) < len(given):
        raise ShapeError(
            f"{what}: an axis is given twice in {list(given)}", hint="each axis stands once", span=here()
        )
    return tuple(sorted(given))


def whole(what: str, name: str, value: Any) -> int:
    """`value`, which must be known while the graph is built, as a Python integer."""
    n = known(value)
    if n is None:
        raise ShapeError(
            f"{what}: {name} must be a constant integer, not {value!r}",
            hint="what is not a size is a Python number",
            span=here(),
        )
    return n


def known(value: Any) -> int | None:
    """The integer that `value` is (a number, or an expression that simplifies to one), or None."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, Expr):
        try:
            return value.__index__() if not isinstance(value, bool) else int(value)
        except AttributeError:
            return None
    if not value.dtype.is_int:
        return None
    n = const_int(value)
    return n if n is not None else const_int(Analyzer().simplify(value))


def sizes(what: str, value: Any, count: int) -> tuple[Any, ...]:
    """`count` numbers: one for all, or one each, as strides and kernel sizes are given."""
    if isinstance(value, Sequence) or hasattr(value, "__iter__"):
        several = tuple(value)
        if len(several) == 1:
            several *= count
        if len(several) != count:
            raise ShapeError(
                f"{what} takes {count} numbers, not {len(several)}",
                hint=f"one number is for all {count} dimensions" if count > 1 else None,
                span=here(),
            )
        return several
    return (value,) * count


def one_of(what: str, name: str, value: Any, words: Iterable[str]) -> str:
    """`value`, when it is one of the words. Raises TewbError that names the nearest."""
    choices = list(words)
    if value in choices:
        return str(value)
    close = difflib.get_close_matches(str(value), choices, 1)
    meant = f"did you mean {close[0]!r}? " if close else ""
    raise TewbError(
        f"{what}: {name} cannot be {value!r}",
        hint=f"{meant}{name} is one of {', '.join(map(repr, choices))}",
        span=here(),
    )


def same_size(a: Any, b: Any) -> bool:
    """Whether two sizes are proved to be equal."""
    if a is b:
        return True
    equal = ops.equal(convert(a), convert(b))
    return ops.is_const(equal, 1) or (not ops.is_const(equal) and bool(Analyzer().can_prove(equal)))


def may_differ(a: Any, b: Any) -> bool:
    """Whether two sizes are constants that are not equal. Sizes that are known later only are taken for equal."""
    x, y = known(a), known(b)
    return x is not None and y is not None and x != y


def check_same_size(what: str, a: Any, b: Any, meaning: str) -> None:
    """Raise ShapeError when two sizes are known to differ."""
    if may_differ(a, b):
        raise ShapeError(f"{what}: {meaning} are {a!r} and {b!r}", hint="they must be equal", span=here())


def shape_text(shape: Iterable[Any]) -> str:
    """A shape as Python writes it."""
    inside = [repr(e) for e in shape]
    return f"({', '.join(inside)}{',' if len(inside) == 1 else ''})"
