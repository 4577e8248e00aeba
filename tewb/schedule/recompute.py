"""How often a stage computes its elements where it stands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from itertools import chain, combinations
from typing import Any

import numpy as np

from tewb.arith import evaluate_integers
from tewb.arith.steps import span, values_of
from tewb.base import digits
from tewb.ir import Expr, IterVar, Range, Var, const_int
from tewb.schedule.bounds import Bounds, computed_box, infer_bounds
from tewb.schedule.declare import Refusal
from tewb.schedule.places import enclosing
from tewb.schedule.ranges_with_gaps import steps_in
from tewb.schedule.relation import ROUND_UP, SHIFT, Fuse, Split, divides, index_up, needed_guards
from tewb.schedule.rounded_tails import rounded_axes
from tewb.schedule.shared_loops import runs_in_order
from tewb.schedule.shifted_tails import shifted_loops
from tewb.schedule.sliding import Window, window_of
from tewb.schedule.stage import Stage
from tewb.schedule.stage_guards import values_and_guards
from tewb.tensor import ComputeOp, ExternOp

MOST_ITERATIONS = 1 << 20
ANYWHERE = 1 << 62


def recompute_factor(stage: Stage, bounds: Bounds | None = None) -> float | None:
    """Elements of `stage` that are computed, for each element that it has: 1 when none is computed twice and no part goes past
    the end, less when some are never needed. None when sizes are symbolic or there are too many iterations to count."""
    known = infer_bounds(stage.schedule) if bounds is None else bounds
    shape = [const_int(n) for n in stage.op.output(0).shape]
    grid = values_around(stage, known)
    if grid is None or any(n is None for n in shape):
        return None
    values, runs = grid
    inside = _computed(stage, known, values, [n or 0 for n in shape])
    if inside is None:
        return None
    count = runs * inside
    whole = math.prod(n or 0 for n in shape)
    computed = int(np.sum(count)) * (1 if stage.op.tiled else whole)
    return computed / whole * _moved_inwards(stage, known) if whole else 1.0


def _moved_inwards(stage: Stage, bounds: Bounds) -> float:
    """How many elements a place makes for each that it is to make: more than 1 where last parts are moved inwards."""
    own = bounds.stages[stage]
    if not shifted_loops(stage, own.extents):
        return 1.0
    sizes = {iv: const_int(n) for iv, n in own.extents.items()}
    if not all(sizes.values()):
        return 1.0
    counts: dict[IterVar, float] = {iv: n or 0 for iv, n in sizes.items()}
    for r in reversed(stage.relations):
        match r:
            case Split(parent, outer, inner) if r.tail in (SHIFT, ROUND_UP) or divides(r, own.extents):
                counts[parent] = counts[outer] * counts[inner]
            case Fuse(outer, inner, fused):
                counts[outer] = counts[fused] / counts[inner]
    rounded = rounded_axes(stage.relations)
    return math.prod(counts[iv] / (sizes[iv] or 1) for iv in stage.op.axis if iv not in rounded)


def _computed(stage: Stage, bounds: Bounds, values: dict[Var, Any], shape: Sequence[int]) -> Any:
    """How many elements a stage computes, for each value of the loops around: those of its part, without what earlier
    iterations have left. None where that is not known."""
    if not stage.op.tiled:
        return 1
    box, window = computed_box(stage, bounds), window_of(stage, bounds)
    rounded = rounded_axes(stage.relations)
    past = {d for d, iv in enumerate(stage.op.axis) if iv in rounded}
    total: Any = 0
    slides = () if window is None else window.slides
    for left in chain.from_iterable(combinations(slides, n) for n in range(len(slides) + 1)):
        ends: list[dict[int, Any]] = []
        count: Any = (-1) ** len(left)
        for s in left:
            found = {d: evaluate_integers(e, values) for d, e in s.ends}
            if any(e is None for e in found.values()):
                return None
            ends.append(found)
            count = count * (values[s.var] > 0)
        for d, (r, n) in enumerate(zip(box, shape, strict=True)):
            first, end = _kept(window, d, bounds.stages[stage].regions[0][d], values, n)
            if d in past:
                first, end = -ANYWHERE, ANYWHERE
            inside = _inside(r, values, first, reduce(np.minimum, [e[d] for e in ends if d in e], end))
            if inside is None:
                return None
            count = count * inside
        total = total + count
    return total


def _kept(window: Window | None, d: int, region: Range, values: dict[Var, Any], size: int) -> tuple[Any, Any]:
    """Where what is computed of a dimension of `size` begins and ends: nothing is computed that has no place in memory."""
    if window is None or window.places[d] is not None:
        return 0, size
    low, extent = evaluate_integers(region.min, values), evaluate_integers(region.extent, values)
    if low is None or extent is None:
        return 0, size
    return np.maximum(low, 0), np.minimum(low + extent, size)


def _inside(r: Range, values: dict[Var, Any], first: Any, size: Any) -> Any:
    """How many integers of a range are less than `size` and no less than `first`, for each value of the loops around. None
    where they are not known, or too many to count."""
    low, extent = evaluate_integers(r.min, values), evaluate_integers(r.extent, values)
    if low is None or extent is None:
        return None
    steps = steps_in(r)
    if steps is None:
        return np.maximum(np.minimum(low + extent, size) - np.maximum(low, first), 0)
    if span(steps) is None or int(np.max(extent)) * np.size(low) > MOST_ITERATIONS:
        return None
    return sum((low + more >= first) & (low + more < size) for more in values_of(steps))


def repeated(stage: Stage, bounds: Bounds | None = None) -> Refusal | None:
    """Why a stateful extern may not stand where it does: it may be computed in pieces, one after the other, and not twice."""
    if not (isinstance(stage.op, ExternOp) and stage.op.effect == "stateful"):
        return None
    for s, iv in enclosing(stage):
        if not runs_in_order(s, iv):
            return Refusal(
                f"extern {stage.name} is stateful, and iterations of {s.axis_name(iv)} of {s.name} do not come one after the "
                "other, which changes what its calls see",
                "compute it further out, or declare effect='idempotent'",
            )
    times = recompute_factor(stage, bounds)
    if times == 1:
        return None
    often = "an unknown number of times" if times is None else f"{digits(times)} times on average"
    return Refusal(
        f"extern {stage.name} is stateful, and would make each element {often} there",
        "compute it further out, or declare effect='idempotent'",
    )


def values_around(stage: Stage, bounds: Bounds) -> tuple[dict[Var, Any], Any] | None:
    """A value of every loop around `stage` for each iteration, and in which of them it is reached."""
    around = enclosing(stage)
    sizes = [const_int(bounds.stages[s].extents[iv]) for s, iv in around]
    if any(n is None for n in sizes) or math.prod(n or 0 for n in sizes) > MOST_ITERATIONS:
        return None
    values: dict[Var, Any] = {}
    for d, ((s, iv), n) in enumerate(zip(around, sizes, strict=True)):
        steps = [1] * len(around)
        steps[d] = n or 0
        values[bounds.stages[s].vars[iv]] = np.arange(n or 0).reshape(steps)
    runs: Any = np.ones([n or 0 for n in sizes], np.int64)
    for s in dict.fromkeys(s for s, _ in around):
        for g in _guards(s, bounds):
            holds = evaluate_integers(g, values)
            if holds is not None:  # those of loops further in stand further in
                runs = runs * holds
    return values, runs


def _guards(stage: Stage, bounds: Bounds) -> list[Expr]:
    """The conditions under which an iteration of a stage runs."""
    own, window = bounds.stages[stage], window_of(stage, bounds)
    if not isinstance(stage.op, ComputeOp):
        guards = index_up(stage.relations, dict(own.vars), own.extents, bounds.analyzer)
        return [g for _, g in needed_guards(stage.relations, guards)]
    values, guards = values_and_guards(own.ranges, own.extents, stage.relations, own.vars, bounds.analyzer)
    place = [values[iv] for iv in stage.op.axis]
    new = [] if window is None else window.is_new(place, bounds.analyzer)
    kept = [] if window is None else window.is_kept(place, own.regions[0])
    return [*new, *(g for _, g in kept), *(g for _, g in guards)]
