"""Random inputs that suit a program: what names elements or tells ranges of loops lies inside of the tensors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tewb.ir import Expr, ProducerLoad, Var, walk
from tewb.tensor import ComputeOp, Operation, PlaceholderOp, Tensor
from tewb.testing import random_array
from tewb.workbench.measure.counts import Sizes, operations_below, shape_of


def suitable_inputs(
    outputs: Sequence[Operation], given: Sequence[Tensor], sizes: Sizes, rng: np.random.Generator
) -> dict[Tensor, Any]:
    """A random array for each tensor in `given`. Where elements tell ranges of reduce axes, begins and ends go up and
    stay inside of what these ranges index, and indices are elements of what they index."""
    arrays = {t: random_array(shape_of(t, sizes), t.dtype, rng) for t in given}
    most: dict[Tensor, int] = {}
    rows: set[Tensor] = set()
    for op in operations_below(outputs):
        if isinstance(op, ComputeOp):
            for t, largest, is_row in _limits(op, sizes):
                most[t] = min(most.get(t, largest), largest)
                rows |= {t} if is_row else set()
    for t, largest in most.items():
        if t in arrays and t.dtype.is_int:
            values = rng.integers(0, max(largest, 0) + 1, arrays[t].shape)
            arrays[t] = (np.sort(values, axis=None).reshape(values.shape) if t in rows else values).astype(
                t.dtype
            )
    return arrays


def _limits(op: ComputeOp, sizes: Sizes) -> Iterator[tuple[Tensor, int, bool]]:
    """Inputs that `op` indexes with or whose elements are ends of ranges, with the largest value that is right, and
    whether it is such an end."""
    indexed = [
        (index, size)
        for e in op.exprs()
        for n in walk(e)
        if isinstance(n, ProducerLoad)
        for index, size in zip(n.indices, shape_of(n.producer, sizes), strict=True)
    ]
    for index, size in indexed:
        for t in _inputs(index):
            yield t, size - 1, False
    for iv, domain in op.domains.items():
        largest = min((size for index, size in indexed if _is_about(index, iv.var)), default=8)
        for t in (t for e in domain.exprs for t in _inputs(e)):
            yield t, largest, True


def _is_about(index: Expr, v: Var) -> bool:
    """Whether an index moves with `v` itself, not with an element that `v` names."""
    if isinstance(index, ProducerLoad):
        return False
    return index is v or any(isinstance(c, Expr) and _is_about(c, v) for c in index.children())


def _inputs(e: Expr) -> list[Tensor]:
    """The inputs of the program that tell the value of an expression, also through other stages, and not only the
    place of an element."""
    if not isinstance(e, ProducerLoad):
        return [t for c in e.children() if isinstance(c, Expr) for t in _inputs(c)]
    op = e.producer.op
    if isinstance(op, PlaceholderOp):
        return [e.producer]
    return (
        [t for b in op.body for t in _inputs(b)] if isinstance(op, ComputeOp) and not op.reduce_axis else []
    )
