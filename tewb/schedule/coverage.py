"""Whether the places of a stage that is computed in loops make all of its elements."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from tewb.arith import evaluate_integers
from tewb.ir import Expr, Range, const_int, ops
from tewb.schedule.bounds import Bounds, needed_in_all
from tewb.schedule.ranges_with_gaps import steps_in
from tewb.schedule.recompute import MOST_ITERATIONS, values_around
from tewb.schedule.stage import Stage
from tewb.tensor import ScanOp
from tewb.tensor.hybrid import HybridOp


def computes_all(stage: Stage, bounds: Bounds) -> bool:
    """Whether all places of a stage together make every element of it, as far as can be proved.

    Counted where sizes are constants. Of symbolic sizes it is the box around all that readers read.
    """
    if not stage.op.tiled:
        return True
    parts = _parts(stage, bounds)
    if not parts:
        return True
    counted = _counted(stage, bounds, parts)
    if counted is not None:
        return counted
    needed, shape = needed_in_all(stage, bounds), stage.op.output(0).shape
    return needed is not None and all(
        _is_all(needed[d], shape[d], bounds) and steps_in(needed[d]) is None for d, _ in parts
    )


def _parts(stage: Stage, bounds: Bounds) -> list[tuple[int, Range]]:
    """The dimensions of which a place computes a part, each with the range."""
    own, shape = bounds.stages[stage], stage.op.output(0).shape
    cut = stage.op.cut if isinstance(stage.op, HybridOp | ScanOp) else stage.op.axis
    ranges = [(d, own.ranges[iv]) for d, iv in enumerate(cut) if iv is not None and iv in own.ranges]
    return [(d, r) for d, r in ranges if not _is_all(r, shape[d], bounds)]


def _is_all(r: Range, size: Expr, bounds: Bounds) -> bool:
    """Whether a range is proved to be all of a dimension of `size`."""
    proved = bounds.analyzer.can_prove
    return proved(ops.less_equal(r.min, 0)) and proved(ops.greater_equal(ops.add(r.min, r.extent), size))


def _counted(stage: Stage, bounds: Bounds, parts: list[tuple[int, Range]]) -> bool | None:
    """Whether every element is in the box of some iteration of the loops around; None where that cannot be counted."""
    sizes = [const_int(stage.op.output(0).shape[d]) for d, _ in parts]
    grid = values_around(stage, bounds)
    if (
        grid is None
        or any(n is None for n in sizes)
        or np.prod([n or 0 for n in sizes]) > 16 * MOST_ITERATIONS
    ):
        return None
    values, runs = grid
    begins: list[Any] = []
    ends: list[Any] = []
    for (_, r), n in zip(parts, sizes, strict=True):
        low, extent = evaluate_integers(r.min, values), evaluate_integers(r.extent, values)
        if low is None or extent is None:
            return None
        begins.append(np.broadcast_to(np.clip(low, 0, n), runs.shape)[runs > 0])
        ends.append(np.broadcast_to(np.clip(low + extent, 0, n), runs.shape)[runs > 0])
    # Each box adds 1 at its begin and takes 1 at its end, in each dimension: the running sums say how often an element is
    # in one.
    changes = np.zeros([(n or 0) + 1 for n in sizes], np.int32)
    for corner in product((False, True), repeat=len(parts)):
        at = tuple(np.maximum(b, e) if far else b for b, e, far in zip(begins, ends, corner, strict=True))
        np.add.at(changes, at, (-1) ** sum(corner))
    for d in range(len(parts)):
        changes = np.cumsum(changes, axis=d)
    return bool(np.all(changes[tuple([slice(n) for n in sizes])] > 0))
