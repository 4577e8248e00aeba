"""The order of terms: reductions of several values in which it matters, and whether a step has kept it.

A sum of floats may be added in any order, within rounding. A reducer of several values may be one that takes the first of equals:

    select(a[1] >= b[1], a[0], b[0])        the place of the largest value; of equal ones that of `a`

Another order has another place then, which is no rounding. Whether the order matters is tried: combinations that are the
same either way round, as those of `topi.argmax` are, are combined in any order.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from tewb.arith import evaluate_integers
from tewb.base import ScheduleError
from tewb.ir import AxisKind, CommReducer, ForKind, Reduce
from tewb.schedule import Fuse, LoopList, Schedule, Split, Stage
from tewb.tensor import ComputeOp

TRIED = (0, 1, 2)  # values of each component, by which all pairs are combined
MOST = 3  # components that are tried


def stages_in_order(schedule: Schedule) -> dict[str, bool]:
    """The stages that reduce several values by a reducer for which the order of terms matters, and whether each has it as the
    program has."""
    found = ((s, _reducer(s)) for s in schedule.stages)
    return {s.name: has_order(s) for s, reducer in found if reducer is not None and not commutes(reducer)}


def check_order(before: Mapping[str, bool], schedule: Schedule) -> None:
    """Raise ScheduleError where a stage had the order of its terms, and has it no more. A new stage has it in one loop only: of
    several, those of partial results have another order."""
    for name, is_kept in stages_in_order(schedule).items():
        is_new = name not in before
        if (is_new or before[name]) and not (
            is_kept and (not is_new or len(schedule[name].op.reduce_axis) < 2)
        ):
            raise ScheduleError(
                f"{name} would combine its terms in another order, and its reducer may take another one then"
            )


def _reducer(stage: Stage) -> CommReducer | None:
    """What a stage of several values reduces by."""
    first = stage.op.body[0] if isinstance(stage.op, ComputeOp) else None
    return first.combiner if isinstance(first, Reduce) and len(first.combiner.lhs) > 1 else None


@lru_cache(maxsize=256)
def commutes(reducer: CommReducer) -> bool:
    """Whether a reducer has the same results either way round, as far as a few small numbers tell; False where it cannot be
    evaluated."""
    n = len(reducer.lhs)
    if n > MOST:
        return False
    columns = np.array(list(itertools.product(TRIED, repeat=2 * n)), np.int64).T
    one, other = columns[:n], columns[n:]
    return all(
        _is_same(
            evaluate_integers(e, _values(reducer, one, other)),
            evaluate_integers(e, _values(reducer, other, one)),
        )
        for e in reducer.result
    )


def _values(reducer: CommReducer, lhs: Any, rhs: Any) -> dict[Any, Any]:
    return dict(zip((*reducer.lhs, *reducer.rhs), (*lhs, *rhs), strict=True))


def _is_same(a: Any, b: Any) -> bool:
    return a is not None and b is not None and bool(np.all(a == b))


def has_order(stage: Stage) -> bool:
    """Whether a stage combines its terms one after the other, in the order of its axes."""
    if not isinstance(stage.op, ComputeOp):
        return True
    order = LoopList(stage.op.reduce_axis)
    for r in stage.relations:
        if isinstance(r, Split) and r.parent in order:
            at = order.index(r.parent)
            order[at : at + 1] = [r.outer, r.inner]
        elif isinstance(r, Fuse) and r.inner in order:
            at = order.index(r.inner)
            if at == 0 or order[at - 1] is not r.outer:
                return False
            order[at - 1 : at + 1] = [r.fused]
    leaves = [iv for iv in stage.leaf_iter_vars if iv.kind is AxisKind.REDUCE]
    is_serial = all(stage.loop_kind(iv) in (None, ForKind.SERIAL, ForKind.UNROLLED) for iv in leaves)
    return is_serial and order.same_as(leaves)
