"""`topi.nn.utils`: padding of convolutions in full."""

from __future__ import annotations

from typing import Any

from tewb.topi.checks import known
from tewb.topi.nn.windows import padding_of


def _padding(padding: Any, kernel: Any, rank: int) -> tuple[Any, ...]:
    front, behind = padding_of("padding", padding, tuple(kernel), (1,) * rank)
    return tuple(n if known(n) is None else known(n) for n in (*front, *behind))


def get_pad_tuple1d(padding: Any, kernel: Any) -> tuple[Any, ...]:
    """The padding (left, right) that a number, two numbers, "VALID" or "SAME" mean."""
    return _padding(padding, kernel if hasattr(kernel, "__iter__") else (kernel,), 1)


def get_pad_tuple(padding: Any, kernel: Any) -> tuple[Any, ...]:
    """The padding (top, left, bottom, right) that a number, two or four numbers, "VALID" or "SAME" mean."""
    return _padding(padding, kernel, 2)


def get_pad_tuple3d(padding: Any, kernel: Any) -> tuple[Any, ...]:
    """The padding (front, top, left, back, bottom, right) that a number, three or six numbers, "VALID" or "SAME" mean."""
    return _padding(padding, kernel, 3)


def get_pad_tuple_generic(padding: Any, kernel: Any) -> tuple[Any, ...]:
    """The padding in front of and then behind each dimension of the kernel."""
    return _padding(padding, kernel, len(kernel))
