"""The operations of a program in an order of computation."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tewb.tensor.tensor import Operation


def producers_of(op: Operation) -> list[Operation]:
    """The operations whose tensors `op` reads."""
    return [t.op for t in op.inputs]


def producers_first(
    outputs: Iterable[Operation], reads: Callable[[Operation], Iterable[Operation]] = producers_of
) -> list[Operation]:
    """All operations that `outputs` need, themselves included, each after those that it `reads`.

    D reads B and C, which read A    ->    A, B, C, D
    """
    order: dict[Operation, None] = {}
    pending = [(op, False) for op in reversed(list(outputs))]
    while pending:
        op, is_ready = pending.pop()
        if is_ready:
            order[op] = None
        elif op not in order:
            pending.append((op, True))
            pending += [(producer, False) for producer in reversed(list(reads(op)))]
    return list(order)
