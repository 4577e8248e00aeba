"""Why a primitive may not be applied: one function each, which answers with a refusal or None.

Errors, menus and the fuzzer share these answers. Here are those about loops; those about places and memory
come from `places.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

from tewb.base import LowerError
from tewb.ir import AxisKind, IterVar, const_int, script
from tewb.schedule.alignment import storage_align
from tewb.schedule.allowed import attached_at, has_loops, independent, unmarked, untouched
from tewb.schedule.dependent_loops import fits_one_loop, keeps_ranges_known
from tewb.schedule.dot import dot, keeps_dot_innermost
from tewb.schedule.hybrid_loops import scheduled_body
from tewb.schedule.places import (
    cache_read,
    cache_write,
    compute_at,
    compute_inline,
    compute_root,
    double_buffer,
    places,
    set_scope,
)
from tewb.schedule.pragma import pragma
from tewb.schedule.prefetch import prefetch
from tewb.schedule.primitive import Refusal, Values
from tewb.schedule.relation import Split, divides
from tewb.schedule.rfactor import rfactor
from tewb.schedule.stage import Loops, Stage, fuse_loops, split_loop
from tewb.schedule.stores import nontemporal
from tewb.schedule.tiles import opaque_last
from tewb.schedule.transposition import tile_stores, untransposed
from tewb.tensor import ExternOp
from tewb.tensor.hybrid import HybridOp

if TYPE_CHECKING:
    pass


__all__ = [
    "cache_read", "cache_write", "compute_at", "compute_inline", "compute_root", "dot", "double_buffer", "fuse", "nontemporal", "parallel", "places", "pragma", "prefetch", "reorder", "reordered", "rfactor", "set_scope", "split", "storage_align", "tile", "transpose", "unroll", "vectorize",
]  # fmt: skip

MAX_LANES = 1024  # of a tile, and of partial results
MAX_VECTORIZED = 1 << 31  # of a loop of elements, which is cut into vectors
MAX_UNROLL = 4096
MOST_ITERATIONS = (1 << 63) - 1  # of a loop, which int64 counts


def split(stage: Stage, v: Values) -> Refusal | None:
    iv, factor, nparts = v["axis"], v.get("factor"), v.get("nparts")
    if (factor is None) == (nparts is None):
        return Refusal("give either factor or nparts", "factor=16 makes an inner loop of 16")
    size = factor if factor is not None else nparts
    if size is not None and size < 1:
        return Refusal(f"{'factor' if factor is not None else 'nparts'}={size} must be at least 1")
    if size is not None and size >= 1 << 62:
        return Refusal(f"{size} is too large for a loop")
    refused = has_loops(stage) or (
        _cut_again(stage, iv) if iv.kind is AxisKind.OPAQUE else untouched(stage, iv)
    )
    refused = refused or _rounded_past_int64(stage, iv, size or 1)
    return refused or (_hybrid_parts(stage, iv, factor, nparts) if isinstance(stage.op, HybridOp) else None)


def _rounded_past_int64(stage: Stage, iv: IterVar, size: int) -> Refusal | None:
    """Whether a loop is so long that rounded up to whole parts nothing counts its iterations."""
    n = const_int(stage.schedule.extents(stage)[iv]) or 0
    rounded = -(-n // size) * size if size < n else n
    if rounded <= MOST_ITERATIONS:
        return None
    return Refusal(
        f"{stage.axis_name(iv)} has {n} iterations, which are {rounded} in parts of {size}: more than int64 counts"
    )


def _hybrid_parts(stage: Stage, iv: IterVar, factor: int | None, nparts: int | None) -> Refusal | None:
    """Whether the statement of a hybrid function takes the loops of a split where they are now."""
    with _trying(stage):
        r = split_loop(stage, iv, factor, nparts)
        stage.relations.append(r)
        stage.replace_leaves([r.parent], [r.outer, r.inner])
        return _hybrid_refusal(stage)


def _cut_again(stage: Stage, iv: IterVar) -> Refusal | None:
    """Tiles that are shifted or padded at edges are cut once: their edges are those of the tensor."""
    if not (isinstance(stage.op, ExternOp) and stage.op.tail != "clip") or iv in Loops(list(stage.op.axis)):
        return None
    return Refusal(
        f'{stage.axis_name(iv)} is part of a tile already, and tail="{stage.op.tail}" knows one size of tiles',
        "choose the size in one split, or declare tail='clip'",
    )


def tile(stage: Stage, v: Values) -> Refusal | None:
    x, y = v["x"], v["y"]
    if x is y:
        return Refusal(f"both axes are {stage.axis_name(x)}", "tile takes two different loops")
    for iv, key in ((x, "x_factor"), (y, "y_factor")):
        refused = split(stage, {"axis": iv, "factor": v[key]})
        if refused:
            return refused
    if isinstance(stage.op, HybridOp):
        return _as_tiles(stage, v, lambda axes: _hybrid_order(stage, axes))
    return reorder(stage, {"axes": [x, y]}) or _as_tiles(stage, v, lambda axes: _known_ranges(stage, axes))


def _as_tiles(stage: Stage, v: Values, why_not: Callable[[list[IterVar]], Refusal | None]) -> Refusal | None:
    """What `why_not` says of the loops of tiles in their order, when both loops are split."""
    with _trying(stage):
        x, y = (split_loop(stage, v[key], v[f"{key}_factor"], None) for key in ("x", "y"))
        for r in (x, y):
            stage.relations.append(r)
            stage.replace_leaves([r.parent], [r.outer, r.inner])
        return why_not([x.outer, y.outer, x.inner, y.inner])


def _known_ranges(stage: Stage, axes: list[IterVar]) -> Refusal | None:
    """Whether ranges that depend on loops stay inside of these when `axes` are put in their order."""
    with _trying(stage):
        stage.leaf_iter_vars = reordered(stage.leaf_iter_vars, axes)
        return keeps_ranges_known(stage)


@contextmanager
def _trying(stage: Stage) -> Iterator[None]:
    """What happens to the loops of `stage` inside of the block is undone at its end."""
    before, leaves = list(stage.relations), stage.leaf_iter_vars
    try:
        yield
    finally:
        stage.relations, stage.leaf_iter_vars = before, leaves


def fuse(stage: Stage, v: Values) -> Refusal | None:
    axes: list[IterVar] = v["axes"]
    if len(axes) < 2:
        return Refusal("fuse takes at least two loops")
    refused = has_loops(stage)
    for iv in axes:
        refused = refused or untouched(stage, iv)
    if refused:
        return refused
    leaves = stage.leaf_iter_vars
    for a, b in pairwise(axes):
        at = leaves.index(a)
        if at + 1 >= len(leaves) or leaves[at + 1] is not b:
            return Refusal(
                f"{stage.axis_name(b)} is not the loop right inside {stage.axis_name(a)}",
                "reorder them next to each other first, the outer one first",
            )
        if a.kind is not b.kind:
            return Refusal(
                f"{stage.axis_name(a)} is a {a.kind.value} axis and {stage.axis_name(b)} a {b.kind.value} axis"
            )
    return fits_one_loop(stage, axes) or _passes_int64(stage, axes) or _fusion(stage, axes)


def _passes_int64(stage: Stage, axes: list[IterVar]) -> Refusal | None:
    """Whether nothing counts the iterations of the loops as one, as far as their sizes are known."""
    extents = stage.schedule.extents(stage)
    sizes = [const_int(extents[iv]) for iv in axes]
    total = 1
    for n in sizes:
        total *= max(1 if n is None else n, 0)
        if total > MOST_ITERATIONS:
            made = " x ".join(
                script(extents[iv]) if n is None else str(n) for iv, n in zip(axes, sizes, strict=True)
            )
            return Refusal(
                f"{made} iterations are more than int64 counts", "fuse fewer loops, the inner ones first"
            )
    return None


def _fusion(stage: Stage, axes: list[IterVar]) -> Refusal | None:
    """Why the loops cannot be one, of a hybrid function or where their ranges depend on each other."""
    fused = axes[0]
    with _trying(stage):
        for inner in axes[1:]:
            relation = fuse_loops(stage, fused, inner)
            stage.relations.append(relation)
            stage.replace_leaves([fused, inner], [relation.fused])
            fused = relation.fused
        return _hybrid_refusal(stage) if isinstance(stage.op, HybridOp) else keeps_ranges_known(stage)


def reorder(stage: Stage, v: Values) -> Refusal | None:
    axes: list[IterVar] = v["axes"]
    if len(set(axes)) < len(axes):
        return Refusal("an axis is named twice")
    refused = has_loops(stage)
    if refused:
        return refused
    if isinstance(stage.op, HybridOp):
        return _hybrid_order(stage, axes)
    after = reordered(stage.leaf_iter_vars, axes)
    if not after.same_as(opaque_last(after)):
        return untouched(stage, next(iv for iv in axes if iv.kind is AxisKind.OPAQUE))
    if not after.same_as(stage.leaf_iter_vars):
        refused = _in_given_order(stage, "reorder")
        if refused:
            return refused
    for iv in after:
        if iv.kind is AxisKind.ORDERED and after.index(iv) != stage.leaf_iter_vars.index(iv):
            return independent(stage, iv, "reorder")
    refused = keeps_dot_innermost(stage, after)
    if refused:
        return refused
    before = stage.leaf_iter_vars
    vectors = [iv for iv in before if stage.annotations.get(iv) == "vectorize"]
    stage.leaf_iter_vars = after
    try:
        return (
            keeps_ranges_known(stage)
            or places(stage.schedule)
            or next((r for iv in vectors if (r := _nothing_inside(stage, iv))), None)
            or _tile_kept(stage)
        )
    finally:
        stage.leaf_iter_vars = before


def _hybrid_order(stage: Stage, axes: list[IterVar]) -> Refusal | None:
    """The loops of a hybrid function move within perfect nests, and only if no iteration depends on another."""
    before = stage.leaf_iter_vars
    after = reordered(before, axes)
    for iv in axes:
        if iv.kind is AxisKind.ORDERED and after.index(iv) != before.index(iv):
            return independent(stage, iv, "reorder")
    with _trying(stage):
        stage.leaf_iter_vars = after
        return _hybrid_refusal(stage) or places(stage.schedule)


def _hybrid_refusal(stage: Stage) -> Refusal | None:
    """Why the statement of a hybrid function cannot take the loops that its stage has now."""
    assert isinstance(stage.op, HybridOp)
    try:
        scheduled_body(stage, stage.op.body)
    except LowerError as e:
        return Refusal(e.message, e.hint)
    return _tile_kept(stage)


def _tile_kept(stage: Stage) -> Refusal | None:
    """The loops of a tile stay what they are while others move."""
    rows = next((iv for iv, kind in stage.annotations.items() if kind == "transpose"), None)
    if rows is None:
        return None
    lanes = next(iv for iv, kind in stage.annotations.items() if kind == "vectorize")
    if _tile_inside(stage, rows, lanes) is None:
        return None
    return Refusal(
        f"{stage.axis_name(rows)} and {stage.axis_name(lanes)} are the rows and the lanes of a tile, and stay the two "
        "innermost loops",
        "reorder the loops around them",
    )


def reordered(leaves: Loops, axes: list[IterVar]) -> Loops:
    """The loops with `axes` put, in their order, into the places that they take now."""
    moved, following = Loops(axes), iter(axes)
    return Loops([next(following) if iv in moved else iv for iv in leaves])


def _in_given_order(stage: Stage, verb: str) -> Refusal | None:
    """Calls of a stateful extern come one after the other, first tile first."""
    if isinstance(stage.op, ExternOp) and stage.op.effect == "stateful":
        return Refusal(
            f"extern {stage.name} is stateful: to {verb} its loops changes what its calls see",
            "declare effect='idempotent' if the order does not matter",
        )
    return None


def _constant(stage: Stage, iv: IterVar, most: int, verb: str) -> Refusal | None:
    # A stage that is computed at a loop may need a constant part of a symbolic axis; lowering knows.
    # Of a reduce axis all is needed everywhere.
    size = const_int(stage.schedule.extents(stage)[iv])
    name = stage.axis_name(iv)
    partial = stage.attach is not None and iv.kind is not AxisKind.REDUCE
    if size is None and not partial:
        return Refusal(
            f"the extent of {name} is not a constant", f"split {name} by a constant and {verb} the inner loop"
        )
    if size is not None and size > most and not partial:
        return Refusal(
            f"{name} has {size} iterations, more than {most}", f"split {name} and {verb} the inner loop"
        )
    return None


def vectorize(stage: Stage, v: Values) -> Refusal | None:
    iv = v["axis"]
    return (
        has_loops(stage)
        or unmarked(stage, iv)
        or _calls(stage, iv)
        or _lanes(stage, iv)
        or _nothing_inside(stage, iv)
        or _constant(stage, iv, MAX_LANES if iv.kind is AxisKind.REDUCE else MAX_VECTORIZED, "vectorize")
        or _one_vector_loop(stage, iv)
    )


def transpose(stage: Stage, v: Values) -> Refusal | None:
    rows, lanes = v["rows"], v["lanes"]
    if rows is lanes:
        return Refusal(f"both loops are {stage.axis_name(rows)}", "a tile takes two different loops")
    vectorized = stage.annotations.get(lanes) == "vectorize" and "transpose" not in stage.annotations.values()
    return (
        has_loops(stage)
        or _calls(stage, rows)
        or unmarked(stage, rows)
        or (None if vectorized else unmarked(stage, lanes) or _one_vector_loop(stage, lanes))
        or independent(stage, rows, "transpose")
        or independent(stage, lanes, "transpose")
        or _tile_inside(stage, rows, lanes)
        or _nothing_inside(stage, rows)
        or _constant(stage, rows, MAX_LANES, "transpose")
        or _constant(stage, lanes, MAX_LANES, "transpose")
        or untransposed(stage, rows, lanes)
    )


def _tile_inside(stage: Stage, rows: IterVar, lanes: IterVar) -> Refusal | None:
    """The loops of a tile stand inside of all others: the rows around the lanes, and nothing between."""
    if isinstance(stage.op, HybridOp):
        found = tile_stores(stage, stage.op, rows, lanes)
        return found if isinstance(found, Refusal) else None
    leaves = stage.leaf_iter_vars
    if leaves[-1] is lanes and leaves[-2] is rows:
        return None
    r, n = stage.axis_name(rows), stage.axis_name(lanes)
    others = [stage.axis_name(iv) for iv in leaves if iv is not rows and iv is not lanes]
    return Refusal(
        f"{r} and {n} are not the two innermost loops in this order, as the rows and the lanes of a tile are",
        f"reorder({', '.join([*others, r, n])})",
    )


def _lanes(stage: Stage, iv: IterVar) -> Refusal | None:
    """Iterations that become lanes are independent of each other, or terms of a reduction, which may be combined
    in any order: then each lane has a partial result."""
    return None if iv.kind is AxisKind.REDUCE else independent(stage, iv, "vectorize")


def _calls(stage: Stage, iv: IterVar) -> Refusal | None:
    if not isinstance(stage.op, ExternOp):
        return None
    return Refusal(
        f"every iteration of {stage.axis_name(iv)} is a call of extern {stage.name}, and calls cannot become lanes",
        "vectorize a stage that computes, or parallelise this loop",
    )


def _one_vector_loop(stage: Stage, iv: IterVar) -> Refusal | None:
    other = next((x for x, kind in stage.annotations.items() if kind == "vectorize"), None)
    if other is None:
        return None
    name = stage.axis_name(other)
    return Refusal(
        f"loop {name} is vectorized already", f"fuse {name} and {stage.axis_name(iv)}, then vectorize"
    )


def _nothing_inside(stage: Stage, iv: IterVar) -> Refusal | None:
    at = stage.leaf_iter_vars.index(iv)
    for inner in stage.leaf_iter_vars[at:]:
        if any(p.axis is inner for p in stage.prefetches):
            return Refusal(
                f"loop {stage.axis_name(inner)} prefetches, which is done once and not by lanes",
                "prefetch at a loop around the vectorized one",
            )
        for s in attached_at(stage, inner):
            return Refusal(
                f"{s.name} is computed inside of loop {stage.axis_name(iv)}, and its loops cannot become lanes",
                f"compute {s.name} further out",
            )
    return None


def unroll(stage: Stage, v: Values) -> Refusal | None:
    iv = v["axis"]
    return has_loops(stage) or unmarked(stage, iv) or _constant(stage, iv, MAX_UNROLL, "unroll")


def parallel(stage: Stage, v: Values) -> Refusal | None:
    iv = v["axis"]
    return (
        has_loops(stage)
        or unmarked(stage, iv)
        or independent(stage, iv, "parallelise")
        or _one_ahead(stage, iv)
        or _in_given_order(stage, "parallelise")
        or _tiles_overlap(stage, iv)
    )


def _one_ahead(stage: Stage, iv: IterVar) -> Refusal | None:
    """What is double buffered at a loop is made by the iteration before."""
    double = next((s for s in attached_at(stage, iv) if s.is_double), None)
    if double is None:
        return None
    return Refusal(
        f"{double.name} is double buffered at {stage.axis_name(iv)}: iterations must come in order"
    )


def _tiles_overlap(stage: Stage, iv: IterVar) -> Refusal | None:
    """With `tail="shift"` the last tile makes elements of the one before again: not at the same time."""
    if not (isinstance(stage.op, ExternOp) and stage.op.tail == "shift"):
        return None
    extents = stage.schedule.extents(stage)
    if all(divides(r, extents) for r in stage.relations if isinstance(r, Split)):
        return None
    return Refusal(
        f'extern {stage.name} has tail="shift", and its last tile would write what another iteration of '
        f"{stage.axis_name(iv)} writes",
        "choose a factor that divides, or tail='clip'",
    )
