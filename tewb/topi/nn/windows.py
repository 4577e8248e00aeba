"""What convolutions and pools say of their windows: strides, dilations, and padding in its many spellings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tewb import te
from tewb.base import ShapeError, TewbError, here
from tewb.topi.checks import known, sizes


def padding_of(what: str, padding: Any, kernel: Sequence[Any], dilation: Sequence[Any]) -> tuple[Any, Any]:
    """The padding in front of and behind each spatial dimension.

    It is a number, a number for each dimension, all that go in front and then all behind, or a word: "VALID" is none, and
    "SAME" is as much as keeps the size where the stride is 1.
    """
    count = len(kernel)
    if isinstance(padding, str):
        if padding not in ("VALID", "SAME"):
            raise TewbError(
                f"{what}: padding cannot be {padding!r}",
                hint='padding is "VALID", "SAME" or numbers',
                span=here(),
            )
        if padding == "VALID":
            return (0,) * count, (0,) * count
        total = [(k - 1) * d for k, d in zip(kernel, dilation, strict=True)]
        front = [half(t + 1) for t in total]
        return tuple(front), tuple(t - f for t, f in zip(total, front, strict=True))
    if hasattr(padding, "__iter__") and len(tuple(padding)) == 2 * count:
        numbers = tuple(padding)
        return numbers[:count], numbers[count:]
    both = sizes(f"{what}: padding", padding, count)
    return both, both


def half(n: Any) -> Any:
    """n // 2 of a number or of an expression."""
    return n // 2 if isinstance(n, int) else te.indexdiv(n, te.const(2))


def positive(what: str, name: str, value: Any, count: int) -> tuple[Any, ...]:
    """`count` numbers above 0, from one or several. Raises ShapeError."""
    several = sizes(f"{what}: {name}", value, count)
    for n in several:
        number = known(n)
        if number is not None and number < 1:
            raise ShapeError(f"{what}: {name} {n!r} is not above 0", hint=f"{name}=1", span=here())
    return several


def window_count(what: str, size: Any, kernel: Any, stride: Any, dilation: Any, padding: Any) -> Any:
    """How many windows fit along a dimension with so much padding in all. Raises ShapeError when none does."""
    reach = (kernel - 1) * dilation + 1
    room = known(size + padding - reach)
    if room is not None and room < 0:
        raise ShapeError(
            f"{what}: a window of {reach!r} does not fit {size!r} elements with {padding!r} of padding",
            hint="a smaller kernel or dilation, or more padding",
            span=here(),
        )
    count = te.indexdiv(te.const(0) + size + padding - reach, te.const(0) + stride) + 1
    return known(count) if known(count) is not None else count
