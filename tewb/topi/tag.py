"""What an operation is, as a word on it, for schedules that look for patterns.

An elementwise operation is also a broadcast, and a broadcast is also injective: each element of the output comes from
one element of each input, so it may be computed where it is used.
"""

from __future__ import annotations

ELEMWISE = "elemwise"
BROADCAST = "broadcast"
INJECTIVE = "injective"
COMM_REDUCE = "comm_reduce"
COMM_REDUCE_IDX = "comm_reduce_idx"


def is_broadcast(tag: str) -> bool:
    """Whether an operation with this tag is elementwise or a broadcast."""
    return tag.startswith((ELEMWISE, BROADCAST))


def is_injective(tag: str) -> bool:
    """Whether an operation with this tag takes each element from one element of each input."""
    return tag.startswith((ELEMWISE, BROADCAST, INJECTIVE))
