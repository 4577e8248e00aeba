"""split and tile: loops in two, and two loops as tiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from tewb.base import INT64
from tewb.ir import AxisKind, Expr, IterVar, Var, const_int, free_vars
from tewb.schedule.declare import (
    AXIS,
    Arguments,
    Param,
    Refusal,
    Results,
    Selection,
    Values,
    loop_names,
    primitive,
)
from tewb.schedule.dependent_loops import keeps_ranges_known, reason
from tewb.schedule.extern_tiles import opaque_last
from tewb.schedule.journal import Step
from tewb.schedule.part_sizes import PartSize, part_value, part_with
from tewb.schedule.primitives.reorder import hybrid_order, reorder_refusal
from tewb.schedule.questions import (
    has_loops,
    hybrid_refusal,
    not_inline,
    reordered,
    settled,
    trying,
    untouched,
)
from tewb.schedule.relation import GUARD, PREDICATE, SHIFT, TAILS
from tewb.schedule.rounded_tails import refused_past_end
from tewb.schedule.shifted_tails import refused_again
from tewb.schedule.stage import LoopList, Stage, split_loop
from tewb.tensor import ComputeOp, ExternOp
from tewb.tensor.hybrid import HybridOp


def _tail_names(stage: Stage) -> list[str]:
    return list(TAILS)


@primitive(
    AXIS,
    Param("factor", "size", "iterations of the inner loop", None),
    Param("nparts", "size", "iterations of the outer loop", None),
    Param("disable_predication", "int", "1: it divides, and no iteration is guarded", None, rare=True),
    Param(
        "tail",
        "word",
        "what the last part does where it does not divide",
        None,
        _tail_names,
        "tail={}",
        unsaid=GUARD,
    ),
    results="axis",
)
def split(
    stage: Stage,
    parent: IterVar | str,
    factor: int | Expr | None = None,
    nparts: int | Expr | None = None,
    disable_predication: bool = False,
    tail: str | None = None,
) -> tuple[IterVar, IterVar]:
    """Split a loop into an outer and an inner one, with `factor` inner or `nparts` outer iterations.

        for i in n:              for i.outer in (n + factor - 1) // factor:
            body(i)         ->       for i.inner in factor:
                                         if i.outer*factor + i.inner < n:     (where it does not divide)
                                             body(i.outer*factor + i.inner)

    Stages that are computed at the loop are computed at the inner one then. Returns (outer, inner). They are int64 where
    n, rounded up, passes int32; of a symbolic n that is checked when the kernel is called.

    A size may be a variable (`factor=te.var("f")`), or an expression of variables such as `n // 4`: its value is told by the
    arguments of each call, which is refused where it is less than 1. Such a loop has no constant extent.

    `disable_predication` says that it divides, so that no iteration is guarded: refused where it does not, and checked
    once in each call where that is not known before.

    `tail` says what the last part does where it would pass the end of the loop:

    * "guard": a guard keeps those iterations from running, and loops are cut so that most parts have none;
    * "shift": it is moved inwards, and makes some elements again. No part has a guard, and all are full. Calls in which a
      symbolic loop has fewer iterations than `factor` run loops with masks, which stand beside; where other stages are computed
      in the loop, or its tiles become instructions, they are refused;
    * "predicate": all parts have the guard, as a mask where lanes are vectors, and no loop is cut: less code;
    * "round_up": it is whole, and memory is padded for what it makes past the end, which nothing reads. No store has a guard,
      nor at the edges of the tensor where the stage is computed in pieces. It reads what lies in memory, padded memory of other
      stages too; a read that might leave it has a guard. Not of outputs and arguments, whose memory is the caller's, nor of a
      loop of a reduction, unless what is past its end is proved to be the identity.
    """
    sure = int(disable_predication) if isinstance(disable_predication, bool) else disable_predication
    return stage.do(  # type: ignore[no-any-return]
        "split", axis=parent, factor=factor, nparts=nparts, disable_predication=sure or None, tail=tail
    )


@split.legal
def _split_refusal(stage: Stage, v: Values) -> Refusal | None:
    iv, factor, nparts = v["axis"], v.get("factor"), v.get("nparts")
    if (factor is None) == (nparts is None):
        return Refusal("give either factor or nparts", "factor=16 makes an inner loop of 16")
    size = factor if factor is not None else nparts
    if isinstance(size, str):
        return _variable_refusal(stage, v, size)
    if size is not None and size < 1:
        name = "factor" if factor is not None else "nparts"
        return Refusal(f"{name}={size} must be at least 1", f"{name}=8")
    if size is not None and size >= 1 << 62:
        return Refusal(f"{size} is too large for a loop", "a factor is from 1 to the extent of the loop")
    refused = has_loops(stage) or (
        _cut_again(stage, iv) if iv.kind is AxisKind.OPAQUE else untouched(stage, iv)
    )
    refused = refused or _rounded_past_int64(stage, iv, size or 1)
    refused = refused or (
        _hybrid_parts(stage, iv, factor, nparts) if isinstance(stage.op, HybridOp) else None
    )
    return settled(refused or _tail_refusal(stage, v) or not_inline(stage), _divides(stage, v, size or 1))


def _variable_refusal(stage: Stage, v: Values, size: str) -> Refusal | None:
    """Why a loop cannot be split by a size that is known in kernels only."""
    iv = v["axis"]
    name, hint = stage.axis_name(iv), "give a number, such as factor=8"
    if isinstance(stage.op, ExternOp):
        return Refusal(
            f"{stage.name} is an extern, whose tiles have a constant size, and {size} is none", hint
        )
    refused = has_loops(stage) or untouched(stage, iv)
    if refused is not None:
        return refused
    root = next((x for x in getattr(stage.op, "domains", ()) if iv in stage.loops_of(x)), None)
    if root is not None:
        return Refusal(
            f"how often {name} runs is not the same for all elements ({reason(stage, root)}), and by {size} only a loop "
            "that always runs as often is split",
            hint,
        )
    n = stage.schedule.extents(stage)[iv]
    if (const_int(n) or 0) >= 1 << 62:
        return Refusal(
            f"{name} has {const_int(n)} iterations, too many for parts of a size that is not known", hint
        )
    if not {*free_vars(n)} <= {*stage.schedule.size_vars(), *stage.schedule.part_sizes}:
        return Refusal(
            f"how often {name} runs is not told by the sizes of arguments, and it is split by {size}", hint
        )
    factor, nparts = v.get("factor"), v.get("nparts")
    refused = _hybrid_parts(stage, iv, factor, nparts) if isinstance(stage.op, HybridOp) else None
    return settled(refused or _tail_refusal(stage, v) or not_inline(stage), _divides(stage, v, None))


def _tail_refusal(stage: Stage, v: Values) -> Refusal | None:
    """Why the last part cannot do what is asked of it."""
    tail = v.get("tail")
    if tail is None or tail == GUARD:
        return None
    refused = _not_at_end(stage, v, tail)
    return None if refused is None else replace(refused, instead=_with_tails(stage, v, refused.hint or ""))


def _with_tails(stage: Stage, v: Values, hint: str) -> tuple[Step, ...]:
    """The same split with each tail that a hint names."""
    args = {**v, "axis": stage.axis_name(v["axis"])}
    given = {key: value for key, value in args.items() if value is not None}
    return tuple([Step("split", stage.name, {**given, "tail": t}) for t in TAILS if f'tail="{t}"' in hint])


def _not_at_end(stage: Stage, v: Values, tail: str) -> Refusal | None:
    """Why the last part cannot do what a tail says."""
    iv = v["axis"]
    if tail not in TAILS:
        return Refusal(f'tail="{tail}" is none of {", ".join(TAILS)}', 'tail="shift"')
    if v.get("disable_predication"):
        return Refusal(
            f'a split that is said to divide has no tail, and tail="{tail}" is asked of it',
            "choose one of the two",
        )
    refused = _edge_refusal(stage, iv, "tail")
    if refused or tail == PREDICATE:
        return refused
    size = v.get("factor") or v.get("nparts")
    return _done_twice(stage, iv) if tail == SHIFT else refused_past_end(stage, iv, size)


def _edge_refusal(stage: Stage, iv: IterVar, word: str) -> Refusal | None:
    """Why nothing can be said, by `word`, of what happens at the end of a loop."""
    hint = f"leave {word} out"
    if not isinstance(stage.op, ComputeOp):
        return Refusal(
            f"{stage.name} is not a compute, and what its edges need only its own code knows", hint
        )
    root = next((x for x in stage.op.domains if iv in stage.loops_of(x)), None)
    if root is None:
        return None
    return Refusal(
        f"how often {stage.axis_name(iv)} runs is not the same for all elements ({reason(stage, root)})", hint
    )


def _done_twice(stage: Stage, iv: IterVar) -> Refusal | None:
    """Why iterations of a loop may not run a second time."""
    name, hint = stage.axis_name(iv), 'tail="guard"'
    if iv.kind is not AxisKind.DATA:
        return Refusal(f"{name} is a loop of a reduction, which would combine some elements twice", hint)
    return refused_again(stage, [iv])


def _divides(stage: Stage, v: Values, size: int | None) -> Refusal | None:
    """Whether a split may do without a guard."""
    said, iv = v.get("disable_predication"), v["axis"]
    if not said:
        return None
    if said != 1:
        return Refusal(f"disable_predication={said} must be True or False", "disable_predication=True")
    refused = _edge_refusal(stage, iv, "disable_predication")
    if refused:
        return refused
    n = const_int(stage.schedule.extents(stage)[iv])
    if n is None or size is None or size >= n or n % size == 0:
        return None
    name, hint = stage.axis_name(iv), "leave disable_predication out, or choose a size that divides"
    reason_now = f"{name} has {n} iterations, which {size} does not divide, and no guard keeps those past its end from running"
    return Refusal(reason_now, hint, later=not stage.is_output and iv.kind is AxisKind.DATA)


def _rounded_past_int64(stage: Stage, iv: IterVar, size: int) -> Refusal | None:
    """Whether a loop is so long that rounded up to whole parts nothing counts its iterations."""
    n = const_int(stage.schedule.extents(stage)[iv]) or 0
    rounded = -(-n // size) * size if size < n else n
    if rounded <= INT64.max_value():
        return None
    return Refusal(
        f"{stage.axis_name(iv)} has {n} iterations, which are {rounded} in parts of {size}: more than int64 counts",
        "choose a size that divides them",
    )


def _hybrid_parts(
    stage: Stage, iv: IterVar, factor: int | str | None, nparts: int | str | None
) -> Refusal | None:
    """Whether the statement of a hybrid function takes the loops of a split where they are now."""
    with trying(stage):
        r = split_loop(stage, iv, factor, nparts)
        stage.relations.append(r)
        stage.replace_leaves([r.parent], [r.outer, r.inner])
        return hybrid_refusal(stage)


def _cut_again(stage: Stage, iv: IterVar) -> Refusal | None:
    """Tiles that are shifted or padded at edges are cut once: their edges are those of the tensor."""
    if not (isinstance(stage.op, ExternOp) and stage.op.tail != "clip") or iv in LoopList(
        list(stage.op.axis)
    ):
        return None
    return Refusal(
        f'{stage.axis_name(iv)} is part of a tile already, and tail="{stage.op.tail}" knows one size of tiles',
        "choose the size in one split, or declare tail='clip'",
    )


@split.effect
def _split(stage: Stage, v: Values, step: int) -> Results:
    parent, factor, nparts = v["axis"], v.get("factor"), v.get("nparts")
    sure, tail = bool(v.get("disable_predication")), v.get("tail") or GUARD
    schedule, text = stage.schedule, next((n for n in (factor, nparts) if isinstance(n, str)), None)
    part, variables = None, list[Var]()
    if text is not None:
        given, value = part_value(schedule, text, schedule.extents(stage)[parent])
        part, variables = part_with(schedule, value), free_vars(given)
    # The same step makes the same loops again: what was worked out for them before an undo still holds.
    relation = schedule.result_cache.once(
        ("split", id(parent), factor, nparts, sure, tail, id(part), *map(id, variables)),
        (parent, part, *variables),
        partial(split_loop, stage, parent, factor, nparts, sure, part, tail),
    )
    if text is not None and part is None and isinstance(relation.size, Var):
        said = _said(stage, parent, "nparts" if factor is None else "factor", text)
        schedule.part_sizes[relation.size] = PartSize(relation.size, given, value, said)
    stage.relations.append(relation)
    stage.replace_leaves([relation.parent], [relation.outer, relation.inner])
    stage.register(relation.outer, step, [relation.parent])
    stage.register(relation.inner, step, [relation.parent])
    stage.leaf_iter_vars = opaque_last(stage.leaf_iter_vars)
    stage.carry([relation.parent], relation.inner)
    return [relation.outer, relation.inner]


def _said(stage: Stage, iv: IterVar, word: str, text: str) -> str:
    """What is said of a call in which a size is less than 1."""
    what = f"argument {text} is" if text.isidentifier() else f"arguments make {text}"
    return f"{what} less than 1: stage {stage.name} splits {stage.axis_name(iv)} with {word}={text}"


@split.suggest
def _sizes(at: Selection) -> Iterator[Arguments]:
    n = at.extent(at.loop)
    useful = [f for f in (4, at.lanes, 4 * at.lanes) if n is None or f < n]
    yield from ({"axis": at.loop, "factor": f} for f in useful or [1])
    f = at.lanes
    if f in useful and (n is None or n % f):
        yield from ({"axis": at.loop, "factor": f, "tail": tail} for tail in TAILS if tail != GUARD)


# ---------------------------------------------------------------- tile


@primitive(
    Param("x", "axis", "the first loop", choices=loop_names),
    Param("y", "axis", "the second loop", choices=loop_names),
    Param("x_factor", "size", "iterations of the first loop inside a tile", code="{}"),
    Param("y_factor", "size", "iterations of the second loop inside a tile", code="{}"),
    results="axis",
)
def tile(
    stage: Stage, x_parent: IterVar | str, y_parent: IterVar | str, x_factor: int | Expr, y_factor: int | Expr
) -> tuple[IterVar, IterVar, IterVar, IterVar]:
    """Split two loops and order them as a loop over tiles around the loops inside one tile.

        for x in n:                  for x.outer, y.outer:
            for y in m:         ->       for x.inner in x_factor:
                body(x, y)                   for y.inner in y_factor: body

    Returns (x.outer, y.outer, x.inner, y.inner).
    """
    return stage.do("tile", x=x_parent, y=y_parent, x_factor=x_factor, y_factor=y_factor)  # type: ignore[no-any-return]


@tile.legal
def _tile_refusal(stage: Stage, v: Values) -> Refusal | None:
    x, y = v["x"], v["y"]
    if x is y:
        return Refusal(f"both axes are {stage.axis_name(x)}", "tile takes two different loops")
    later = None
    for iv, key in ((x, "x_factor"), (y, "y_factor")):
        refused = _split_refusal(stage, {"axis": iv, "factor": v[key]})
        if refused and not refused.later:
            return refused
        later = later or refused
    if isinstance(stage.op, HybridOp):
        return _as_tiles(stage, v, lambda axes: hybrid_order(stage, axes)) or later
    refused = reorder_refusal(stage, {"axes": [x, y]})
    if refused and not refused.later:
        return refused
    return _as_tiles(stage, v, lambda axes: _known_ranges(stage, axes)) or later or refused


def _as_tiles(stage: Stage, v: Values, why_not: Callable[[list[IterVar]], Refusal | None]) -> Refusal | None:
    """What `why_not` says of the loops of tiles in their order, when both loops are split."""
    with trying(stage):
        x, y = (split_loop(stage, v[key], v[f"{key}_factor"], None) for key in ("x", "y"))
        for r in (x, y):
            stage.relations.append(r)
            stage.replace_leaves([r.parent], [r.outer, r.inner])
        return why_not([x.outer, y.outer, x.inner, y.inner])


def _known_ranges(stage: Stage, axes: list[IterVar]) -> Refusal | None:
    """Whether ranges that depend on loops stay inside of these when `axes` are put in their order."""
    with trying(stage):
        stage.leaf_iter_vars = reordered(stage.leaf_iter_vars, axes)
        return keeps_ranges_known(stage)


@tile.effect
def _tile(stage: Stage, v: Values, step: int) -> Results:
    xo, xi = _split(stage, {"axis": v["x"], "factor": v["x_factor"]}, step)
    yo, yi = _split(stage, {"axis": v["y"], "factor": v["y_factor"]}, step)
    stage.leaf_iter_vars = reordered(stage.leaf_iter_vars, [xo, yo, xi, yi])
    for iv in (xo, yo, xi, yi):
        stage.shape(iv, step)
    return [xo, yo, xi, yi]


@tile.suggest
def _tiles(at: Selection) -> Iterator[Arguments]:
    other = _neighbour(at)
    if other is None:
        yield {"x": at.loop, "x_factor": 4, "y_factor": 4}
        return
    first, second = sorted((at.position, at.loops.index(other)))
    x, y = at.loops[first], at.loops[second]
    sizes = [at.extent(x), at.extent(y)]
    pairs = [(4, at.lanes), (at.lanes, at.lanes), (2 * at.lanes, 4 * at.lanes)]
    fits = [p for p in pairs if all(n is None or f < n for f, n in zip(p, sizes, strict=True))]
    for a, b in fits or [(2, 2)]:
        yield {"x": x, "y": y, "x_factor": a, "y_factor": b}


def _neighbour(at: Selection) -> str | None:
    """The loop to tile the chosen one with: the next of its kind inside of it, or around it, or the next of any
    kind."""
    leaves, position = at.stage.leaf_iter_vars, at.position
    order = [*leaves[position + 1 :], *reversed(leaves[:position])]
    same = [iv for iv in order if iv.kind is leaves[position].kind]
    return next((at.stage.axis_name(iv) for iv in (*same, *order)), None)
