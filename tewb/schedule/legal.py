"""Why a primitive may not be applied: one function each, which answers with a refusal or None.

Errors, menus and the fuzzer share these answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

from tewb.base import LowerError
from tewb.ir import AxisKind, IterVar, Reduce, const_int, script
from tewb.schedule.hybrid_loops import accesses_of, loops_to, scheduled_body
from tewb.schedule.primitive import Refusal, Values
from tewb.schedule.recompute import recompute_factor
from tewb.schedule.relation import Fuse, Split, divides
from tewb.schedule.stage import INLINE, At, Loops, Stage
from tewb.schedule.tiles import opaque_last
from tewb.tensor import ComputeOp, ExternOp, PlaceholderOp
from tewb.tensor.hybrid import HybridOp

if TYPE_CHECKING:
    from tewb.schedule.schedule import Schedule

MAX_LANES = 1024
MAX_UNROLL = 4096


# ---------------------------------------------------------------- what stages and axes allow


def _has_loops(stage: Stage) -> Refusal | None:
    if isinstance(stage.op, PlaceholderOp):
        return Refusal(
            f"{stage.name} is an input and has no loops", "schedule a stage that computes something"
        )
    if stage.is_inlined:
        return Refusal(f"{stage.name} is computed inline and has no loops", "call compute_root first")
    return None


def _untouched(stage: Stage, iv: IterVar) -> Refusal | None:
    """An axis may be changed when it is not opaque, not annotated, and nothing is computed at it."""
    name = stage.axis_name(iv)
    if iv.kind is AxisKind.OPAQUE:
        return Refusal(
            f"axis {name} is the inside of extern {stage.name}, which only its own code knows",
            f"split {name}: its outer loop makes one call for each iteration",
        )
    if iv in stage.annotations:
        return Refusal(
            f"loop {name} is marked {stage.annotations[iv]}", f"split or fuse before {stage.annotations[iv]}"
        )
    here = attached_at(stage, iv)
    if here:
        return Refusal(
            f"{here[0].name} is computed at loop {name}", f"move {here[0].name} first, or change other loops"
        )
    return None


def attached_at(stage: Stage, iv: IterVar) -> list[Stage]:
    """The stages that are computed at loop `iv` of `stage`."""
    return [
        s
        for s in stage.schedule.stages
        if isinstance(s.attach, At) and s.attach.stage is stage and s.attach.axis is iv
    ]


def _independent(stage: Stage, iv: IterVar, verb: str) -> Refusal | None:
    name = stage.axis_name(iv)
    if iv.kind is AxisKind.REDUCE:
        return Refusal(
            f"{name} is a reduce axis: its iterations all add to the same elements, so they would race",
            f"{verb} a data axis ({', '.join(_data_axes(stage)) or 'there is none'})",
        )
    if iv.kind is AxisKind.ORDERED:
        why = getattr(stage.op, "dependence", {}).get(
            _root_of(stage, iv), "an iteration may need one before it"
        )
        return Refusal(f"the iterations of {name} must run in order: {why}")
    return None


def _data_axes(stage: Stage) -> list[str]:
    return [stage.axis_name(iv) for iv in stage.leaf_iter_vars if iv.kind is AxisKind.DATA]


def _root_of(stage: Stage, iv: IterVar) -> IterVar:
    for r in reversed(stage.relations):
        if isinstance(r, Split) and (iv is r.outer or iv is r.inner):
            iv = r.parent
    return iv


# ---------------------------------------------------------------- loops


def split(stage: Stage, v: Values) -> Refusal | None:
    iv, factor, nparts = v["axis"], v.get("factor"), v.get("nparts")
    if (factor is None) == (nparts is None):
        return Refusal("give either factor or nparts", "factor=16 makes an inner loop of 16")
    size = factor if factor is not None else nparts
    if size is not None and size < 1:
        return Refusal(f"{'factor' if factor is not None else 'nparts'}={size} must be at least 1")
    if size is not None and size >= 1 << 31:
        return Refusal(f"{size} is too large for a loop")
    return _has_loops(stage) or (
        _cut_again(stage, iv) if iv.kind is AxisKind.OPAQUE else _untouched(stage, iv)
    )


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
    return _hybrid_tiles(stage, v) if isinstance(stage.op, HybridOp) else reorder(stage, {"axes": [x, y]})


def _hybrid_tiles(stage: Stage, v: Values) -> Refusal | None:
    with _trying(stage):
        x, y = (Split.make(v[key], v[f"{key}_factor"], None) for key in ("x", "y"))
        for r in (x, y):
            stage.relations.append(r)
            stage.replace_leaves([r.parent], [r.outer, r.inner])
        return _hybrid_order(stage, [x.outer, y.outer, x.inner, y.inner])


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
    refused = _has_loops(stage)
    for iv in axes:
        refused = refused or _untouched(stage, iv)
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
    return _hybrid_fusion(stage, axes) if isinstance(stage.op, HybridOp) else None


def _hybrid_fusion(stage: Stage, axes: list[IterVar]) -> Refusal | None:
    fused = axes[0]
    with _trying(stage):
        for inner in axes[1:]:
            relation = Fuse.make(fused, inner)
            stage.relations.append(relation)
            stage.replace_leaves([fused, inner], [relation.fused])
            fused = relation.fused
        return _hybrid_refusal(stage)


def reorder(stage: Stage, v: Values) -> Refusal | None:
    axes: list[IterVar] = v["axes"]
    if len(set(axes)) < len(axes):
        return Refusal("an axis is named twice")
    refused = _has_loops(stage)
    if refused:
        return refused
    if isinstance(stage.op, HybridOp):
        return _hybrid_order(stage, axes)
    after = reordered(stage.leaf_iter_vars, axes)
    if not after.same_as(opaque_last(after)):
        return _untouched(stage, next(iv for iv in axes if iv.kind is AxisKind.OPAQUE))
    if not after.same_as(stage.leaf_iter_vars):
        refused = _in_given_order(stage, "reorder")
        if refused:
            return refused
    for iv in after:
        if iv.kind is AxisKind.ORDERED and after.index(iv) != stage.leaf_iter_vars.index(iv):
            return _independent(stage, iv, "reorder")
    before = stage.leaf_iter_vars
    vectors = [iv for iv in before if stage.annotations.get(iv) == "vectorize"]
    stage.leaf_iter_vars = after
    try:
        return places(stage.schedule) or next(
            (r for iv in vectors if (r := _nothing_inside(stage, iv))), None
        )
    finally:
        stage.leaf_iter_vars = before


def _hybrid_order(stage: Stage, axes: list[IterVar]) -> Refusal | None:
    """The loops of a hybrid function move within perfect nests, and only if no iteration depends on another."""
    before = stage.leaf_iter_vars
    after = reordered(before, axes)
    for iv in axes:
        if iv.kind is AxisKind.ORDERED and after.index(iv) != before.index(iv):
            return _independent(stage, iv, "reorder")
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
    return None


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


def _annotate(stage: Stage, iv: IterVar) -> Refusal | None:
    if iv in stage.annotations:
        return Refusal(f"loop {stage.axis_name(iv)} is already marked {stage.annotations[iv]}")
    if iv.kind is AxisKind.OPAQUE:
        return _untouched(stage, iv)
    return None


def _constant(stage: Stage, iv: IterVar, most: int, verb: str) -> Refusal | None:
    # A stage that is computed at a loop may need a constant part of a symbolic axis; lowering knows.
    size = const_int(stage.schedule.extents(stage)[iv])
    name = stage.axis_name(iv)
    if size is None and stage.attach is None:
        return Refusal(
            f"the extent of {name} is not a constant", f"split {name} by a constant and {verb} the inner loop"
        )
    if size is not None and size > most and stage.attach is None:
        return Refusal(
            f"{name} has {size} iterations, more than {most}", f"split {name} and {verb} the inner loop"
        )
    return None


def vectorize(stage: Stage, v: Values) -> Refusal | None:
    iv = v["axis"]
    return (
        _has_loops(stage)
        or _annotate(stage, iv)
        or _calls(stage, iv)
        or _independent(stage, iv, "vectorize")
        or _nothing_inside(stage, iv)
        or _constant(stage, iv, MAX_LANES, "vectorize")
        or _one_vector_loop(stage, iv)
    )


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
        for s in attached_at(stage, inner):
            return Refusal(
                f"{s.name} is computed inside of loop {stage.axis_name(iv)}, and its loops cannot become lanes",
                f"compute {s.name} further out",
            )
    return None


def unroll(stage: Stage, v: Values) -> Refusal | None:
    iv = v["axis"]
    return _has_loops(stage) or _annotate(stage, iv) or _constant(stage, iv, MAX_UNROLL, "unroll")


def parallel(stage: Stage, v: Values) -> Refusal | None:
    iv = v["axis"]
    return (
        _has_loops(stage)
        or _annotate(stage, iv)
        or _independent(stage, iv, "parallelise")
        or _in_given_order(stage, "parallelise")
        or _tiles_overlap(stage, iv)
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


# ---------------------------------------------------------------- places


def _computes(stage: Stage, verb: str) -> Refusal | None:
    if isinstance(stage.op, PlaceholderOp):
        return Refusal(f"{stage.name} is an input: its values are given, not computed")
    if stage.is_output:
        return Refusal(
            f"{stage.name} is an output, and outputs are computed at the root", f"{verb} what it reads"
        )
    return None


def compute_at(stage: Stage, v: Values) -> Refusal | None:
    parent, axis = v["parent"], v["axis"]
    refused = _computes(stage, "compute_at")
    if refused:
        return refused
    if parent is stage:
        return Refusal("a stage cannot be computed inside of itself")
    if parent.is_placeholder:
        return Refusal(f"{parent.name} is an input")
    refused = _has_loops(parent)
    if refused:
        return refused
    if axis.kind is AxisKind.OPAQUE:
        return _untouched(parent, axis)
    if stage not in parent.reads() and not _reads_through(parent, stage):
        return Refusal(f"{parent.name} does not read {stage.name}", _consumers(stage))
    name = parent.axis_name(axis)
    if any(parent.annotations.get(iv) == "vectorize" for iv in loops_to(parent, axis)):
        return Refusal(f"loop {name} of {parent.name} is vectorized, and loops cannot become lanes")
    return _with_attach(stage, At(parent, axis)) or _repeats(stage, At(parent, axis))


def _repeats(stage: Stage, place: At) -> Refusal | None:
    """A stateful extern may be computed in pieces, and not twice."""
    if not (isinstance(stage.op, ExternOp) and stage.op.effect == "stateful"):
        return None
    before = stage.attach
    stage.attach = place
    try:
        times = recompute_factor(stage)
    finally:
        stage.attach = before
    if times == 1:
        return None
    often = "an unknown number of times" if times is None else f"{times:.3g} times on average"
    return Refusal(
        f"extern {stage.name} is stateful, and would make each element {often} there",
        "compute it further out, or declare effect='idempotent'",
    )


def _consumers(stage: Stage) -> str:
    readers = [s.name for s in stage.readers()]
    return f"it is read by {', '.join(readers)}" if readers else "nothing reads it"


def _reads_through(parent: Stage, stage: Stage) -> bool:
    """Whether some reader of `stage` is computed inside of `parent`, or inlined into it."""
    seen = set()
    pending = stage.readers()
    while pending:
        reader = pending.pop()
        if reader is parent:
            return True
        if reader not in seen:
            seen.add(reader)
            if reader.is_inlined:
                pending.extend(reader.readers())
            elif isinstance(reader.attach, At):
                pending.append(reader.attach.stage)
    return False


def compute_inline(stage: Stage, v: Values) -> Refusal | None:
    refused = _computes(stage, "inline")
    if refused:
        return refused
    if stage.is_inlined:
        return Refusal("it is computed inline already")
    if not isinstance(stage.op, ComputeOp):
        return Refusal(
            f"{stage.name} is not a compute: there is no expression to put elsewhere", "use compute_at"
        )
    if any(isinstance(e, Reduce) for e in stage.op.body):
        return Refusal("a reduction needs loops and cannot be inlined", "use compute_at")
    for reader in stage.readers():
        if not isinstance(reader.op, ComputeOp):
            return Refusal(
                f"{reader.name} reads {stage.name} from memory, so it cannot be inlined", "use compute_at"
            )
    for s in stage.schedule.stages:
        if isinstance(s.attach, At) and s.attach.stage is stage:
            return Refusal(f"{s.name} is computed inside of its loops", f"move {s.name} first")
    return _with_attach(stage, INLINE)


def compute_root(stage: Stage, v: Values) -> Refusal | None:
    if isinstance(stage.op, PlaceholderOp):
        return Refusal(f"{stage.name} is an input: its values are given, not computed")
    return _with_attach(stage, None)


def _with_attach(stage: Stage, attach: At | str | None) -> Refusal | None:
    before = stage.attach
    stage.attach = attach
    try:
        return places(stage.schedule)
    finally:
        stage.attach = before


def places(schedule: Schedule) -> Refusal | None:
    """Why the places of the stages do not fit together: each must be around everything that reads it."""
    for stage in schedule.stages:
        if not isinstance(stage.attach, At):
            continue
        parent, axis = stage.attach.stage, stage.attach.axis
        if _circular(stage):
            return Refusal(f"{stage.name} would be computed inside of itself")
        for reader in stage.readers():
            if not inside(reader, parent, axis):
                return Refusal(
                    f"{reader.name} also reads {stage.name}, and is computed outside of loop "
                    f"{parent.axis_name(axis)} of {parent.name}",
                    f"compute {reader.name} at the same loop, or {stage.name} further out",
                )
        refused = _hybrid_reads(stage, parent, axis)
        if refused:
            return refused
    return None


def _hybrid_reads(stage: Stage, parent: Stage, axis: IterVar) -> Refusal | None:
    """A hybrid function must read the stage inside of that loop only, at places that its loops tell."""
    if not isinstance(parent.op, HybridOp) or stage not in parent.reads():
        return None
    op, name = parent.op, parent.axis_name(axis)
    buffers = [
        b for t, b in zip(op.inputs, op.in_buffers, strict=True) if stage.schedule.stage_of(t) is stage
    ]
    still = [iv.var for iv in loops_to(parent, axis)]
    for access in accesses_of(scheduled_body(parent, op.body), buffers):
        line = "" if access.line is None else f" (line {access.line})"
        if not any(n.var is axis.var for n in access.loops):
            return Refusal(
                f"{parent.name} reads {stage.name} outside of loop {name} too{line}",
                f"choose a loop that is around all of them, or s[{stage.name}].compute_root()",
            )
        if None in access.box(still):
            indices = ", ".join(script(i) for i in access.node.indices)
            return Refusal(
                f"which elements of {stage.name} an iteration of {name} reads is known only when it runs: "
                f"{access.node.buffer.name}[{indices}]{line}",
                f"compute {stage.name} at the root",
            )
    return None


def _circular(stage: Stage) -> bool:
    seen = {stage}
    place = stage.attach
    while isinstance(place, At):
        if place.stage in seen:
            return True
        seen.add(place.stage)
        place = place.stage.attach
    return False


def inside(reader: Stage, parent: Stage, axis: IterVar) -> bool:
    """Whether all of `reader` is computed inside loop `axis` of `parent`."""
    if reader is parent:
        return True
    if reader.is_inlined:
        return all(inside(r, parent, axis) for r in reader.readers())
    if not isinstance(reader.attach, At):
        return False
    if reader.attach.stage is parent:
        return axis in Loops(loops_to(parent, reader.attach.axis))
    return inside(reader.attach.stage, parent, axis)


# ---------------------------------------------------------------- memory


def cache_read(stage: Stage, v: Values) -> Refusal | None:
    if stage.is_inlined:
        return Refusal(
            f"{stage.name} is computed inline and has no memory to copy", "call compute_root first"
        )
    outputs = stage.op.outputs
    if not 0 <= v["output"] < len(outputs):
        return Refusal(f"it has {len(outputs)} outputs, not {v['output'] + 1}")
    if not v["readers"]:
        return Refusal("no readers are given", _consumers(stage))
    for reader in v["readers"]:
        if stage not in reader.reads():
            return Refusal(f"{reader.name} does not read {stage.name}", _consumers(stage))
    return None


def cache_write(stage: Stage, v: Values) -> Refusal | None:
    if not isinstance(stage.op, ComputeOp):
        return Refusal(f"{stage.name} is not a compute, so there is no expression to compute elsewhere")
    if stage.is_inlined:
        return Refusal(f"{stage.name} is computed inline and has no memory", "call compute_root first")
    if stage.relations or stage.annotations or any(attached_at(stage, iv) for iv in stage.leaf_iter_vars):
        return Refusal(
            "its loops are scheduled already", "call cache_write before the other primitives on this stage"
        )
    if not stage.leaf_iter_vars.same_as([*stage.op.axis, *stage.op.reduce_axis]):
        return Refusal(
            "its loops are reordered already", "call cache_write before the other primitives on this stage"
        )
    return None


def set_scope(stage: Stage, v: Values) -> Refusal | None:
    return _computes(stage, "set the scope of")
