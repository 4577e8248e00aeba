"""The primitives: each declared once, with its parameters, its legality and its effect."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tewb.schedule import legal
from tewb.schedule.dataflow import copy_for_readers, copy_of_result
from tewb.schedule.pragma import KEYS
from tewb.schedule.prefetch import Prefetch
from tewb.schedule.primitive import PRIMITIVES, Param, Primitive, Results, Values
from tewb.schedule.rfactor import factored_reduction
from tewb.schedule.schedule import Schedule
from tewb.schedule.stage import INLINE, At, Stage, fuse_loops, split_loop
from tewb.schedule.tiles import opaque_last

Effect = Callable[[Stage, Values, int], Results]


def _leaves(stage: Stage) -> list[str]:
    return [stage.axis_name(iv) for iv in stage.leaf_iter_vars]


def _readers(stage: Stage) -> list[str]:
    return [s.name for s in stage.readers()]


def _parents(stage: Stage) -> list[str]:
    """Where a stage may be computed: its readers, and the stages that these are computed in."""
    found: dict[str, None] = {}
    pending = stage.readers()
    while pending:
        reader = pending.pop(0)
        if reader.is_inlined:
            pending.extend(reader.readers())
            continue
        found[reader.name] = None
        if isinstance(reader.attach, At):
            pending.append(reader.attach.stage)
    return list(found)


def _scopes(stage: Stage) -> list[str]:
    return ["local", "global"]


AXIS = Param("axis", "axis", "a loop of the stage", choices=_leaves)
AXES = Param("axes", "axes", "loops of the stage, in order", choices=_leaves)


def _dimensions(stage: Stage) -> list[str]:
    return [stage.axis_name(iv) for iv in stage.op.axis]


def _read(stage: Stage) -> list[str]:
    return [s.name for s in stage.reads()]


def _pragmas(stage: Stage) -> list[str]:
    return list(KEYS)


def _declare(name: str, *params: Param, results: str = "none") -> Callable[[Effect], Effect]:
    def add(effect: Effect) -> Effect:
        method = getattr(Stage, name, None) or getattr(Schedule, name)
        PRIMITIVES[name] = Primitive(
            name, params, method.__doc__ or "", getattr(legal, name), effect, results
        )
        return effect

    return add


@_declare(
    "split",
    AXIS,
    Param("factor", "int", "iterations of the inner loop", None),
    Param("nparts", "int", "iterations of the outer loop", None),
    results="axis",
)
def _split(stage: Stage, v: Values, step: int) -> Results:
    parent, factor, nparts = v["axis"], v.get("factor"), v.get("nparts")
    # The same step makes the same loops again: what was worked out for them before an undo still holds.
    relation = stage.schedule.memory.once(
        ("split", id(parent), factor, nparts), (parent,), partial(split_loop, stage, parent, factor, nparts)
    )
    stage.relations.append(relation)
    stage.replace_leaves([relation.parent], [relation.outer, relation.inner])
    stage.register(relation.outer, step, [relation.parent])
    stage.register(relation.inner, step, [relation.parent])
    stage.leaf_iter_vars = opaque_last(stage.leaf_iter_vars)
    return [relation.outer, relation.inner]


@_declare(
    "tile",
    Param("x", "axis", "the first loop", choices=_leaves),
    Param("y", "axis", "the second loop", choices=_leaves),
    Param("x_factor", "int", "iterations of the first loop inside a tile"),
    Param("y_factor", "int", "iterations of the second loop inside a tile"),
    results="axis",
)
def _tile(stage: Stage, v: Values, step: int) -> Results:
    xo, xi = _split(stage, {"axis": v["x"], "factor": v["x_factor"]}, step)
    yo, yi = _split(stage, {"axis": v["y"], "factor": v["y_factor"]}, step)
    _reorder(stage, {"axes": [xo, yo, xi, yi]}, step)
    return [xo, yo, xi, yi]


@_declare("fuse", AXES, results="axis")
def _fuse(stage: Stage, v: Values, step: int) -> Results:
    fused = v["axes"][0]
    for inner in v["axes"][1:]:
        relation = stage.schedule.memory.once(
            ("fuse", id(fused), id(inner)), (fused, inner), partial(fuse_loops, stage, fused, inner)
        )
        stage.relations.append(relation)
        stage.replace_leaves([fused, inner], [relation.fused])
        stage.register(relation.fused, step, [fused, inner])
        fused = relation.fused
    return [fused]


@_declare("reorder", AXES)
def _reorder(stage: Stage, v: Values, step: int) -> Results:
    stage.leaf_iter_vars = legal.reordered(stage.leaf_iter_vars, v["axes"])
    for iv in v["axes"]:
        stage.shape(iv, step)
    return []


def _annotation(kind: str) -> Effect:
    def effect(stage: Stage, v: Values, step: int) -> Results:
        stage.annotations[v["axis"]] = kind
        stage.made_by[v["axis"]] = step
        stage.shape(v["axis"], step)
        return []

    return effect


for _kind in ("vectorize", "unroll", "parallel", "dot"):
    _declare(_kind, AXIS)(_annotation(_kind))


@_declare(
    "transpose",
    Param("rows", "axis", "the outer loop of the tile", choices=_leaves),
    Param("lanes", "axis", "the loop right inside of it, which becomes lanes", choices=_leaves),
)
def _transpose(stage: Stage, v: Values, step: int) -> Results:
    for iv, kind in ((v["rows"], "transpose"), (v["lanes"], "vectorize")):
        _annotation(kind)(stage, {"axis": iv}, step)
    return []


@_declare(
    "compute_at",
    Param("parent", "stage", "the stage to compute this one in", choices=_parents),
    Param("axis", "place", "a loop of that stage"),
)
def _compute_at(stage: Stage, v: Values, step: int) -> Results:
    stage.attach = At(v["parent"], v["axis"])
    stage.place(step)
    return []


@_declare("compute_inline")
def _compute_inline(stage: Stage, v: Values, step: int) -> Results:
    stage.attach = INLINE
    stage.place(step)
    return []


@_declare("compute_root")
def _compute_root(stage: Stage, v: Values, step: int) -> Results:
    stage.attach = None
    stage.place(step)
    return []


@_declare("set_scope", Param("scope", "scope", "global or local", choices=_scopes))
def _set_scope(stage: Stage, v: Values, step: int) -> Results:
    stage.scope = v["scope"]
    stage.place(step)
    return []


@_declare(
    "cache_read",
    Param("scope", "scope", "where the copy is kept", "local", choices=_scopes),
    Param("readers", "stages", "the stages that read the copy", choices=_readers),
    Param("output", "int", "which output of the stage, when it has several", 0),
    results="stage",
)
def _cache_read(stage: Stage, v: Values, step: int) -> Results:
    return [copy_for_readers(stage, v["output"], v["scope"], v["readers"], step)]


@_declare(
    "cache_write",
    Param("scope", "scope", "where the result is computed", "local", choices=_scopes),
    results="stage",
)
def _cache_write(stage: Stage, v: Values, step: int) -> Results:
    return list(copy_of_result(stage, v["scope"], step))


@_declare("nontemporal")
def _nontemporal(stage: Stage, v: Values, step: int) -> Results:
    stage.is_nontemporal = True
    stage.shape(None, step)
    return []


@_declare(
    "rfactor",
    AXIS,
    Param("factor_axis", "int", "place of the new axis among those of the new stage", 0),
    results="stage",
)
def _rfactor(stage: Stage, v: Values, step: int) -> Results:
    return list(factored_reduction(stage, v["axis"], v["factor_axis"], step))


@_declare(
    "storage_align",
    Param("axis", "dimension", "an axis of the tensor", choices=_dimensions),
    Param("factor", "int", "elements that the stride is a multiple of"),
    Param("offset", "int", "elements that it is more than that", 0),
)
def _storage_align(stage: Stage, v: Values, step: int) -> Results:
    stage.alignments[v["axis"]] = (v["factor"], v["offset"])
    stage.place(step)
    return []


@_declare(
    "prefetch",
    Param("tensor", "stage", "what will be read", choices=_read),
    AXIS,
    Param("offset", "int", "iterations ahead", 1),
)
def _prefetch(stage: Stage, v: Values, step: int) -> Results:
    stage.prefetches.append(Prefetch(v["tensor"], v["axis"], v["offset"]))
    stage.shape(v["axis"], step)
    return []


@_declare(
    "pragma",
    AXIS,
    Param("key", "word", "which pragma", choices=_pragmas),
    Param("value", "int", "its number", 1),
)
def _pragma(stage: Stage, v: Values, step: int) -> Results:
    stage.pragmas[v["axis"], v["key"]] = v["value"]
    stage.shape(v["axis"], step)
    return []


@_declare("double_buffer")
def _double_buffer(stage: Stage, v: Values, step: int) -> Results:
    stage.is_double = True
    stage.place(step)
    return []
