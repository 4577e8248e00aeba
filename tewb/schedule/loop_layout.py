"""The loops of a stage as the layout of a tensor: one dimension for each loop over data, in their order.

i.outer(3), j(5), i.inner(4)    of C[i, j]    is    L[i.outer, j, i.inner]    with    C[i, j] = L[i // 4, j, i % 4]
"""

from __future__ import annotations

from dataclasses import dataclass

from tewb.arith import Analyzer
from tewb.ir import AxisKind, AxisValues, CommReducer, Expr, IterVar, Range, Reduce, Var, const, ops, replace
from tewb.schedule.relation import index_down, index_up, with_guards
from tewb.schedule.stage import Stage
from tewb.tensor import ComputeOp


@dataclass(frozen=True, slots=True, eq=False)
class LoopLayout:
    """`axis` are the dimensions, `values` the axes of the stage by these, `indices` where an element of the stage is among
    them. Under `guards` a place holds an element; where splits do not divide, some hold none."""

    axis: tuple[IterVar, ...]
    values: dict[Var, Expr]
    indices: tuple[Expr, ...]
    guards: tuple[Expr, ...]


def data_loops(stage: Stage) -> list[IterVar]:
    """The loops of a compute that are not over its reduce axes, outermost first."""
    return [iv for iv in stage.leaf_iter_vars if iv.kind is not AxisKind.REDUCE]


def loop_layout(stage: Stage, suffix: str) -> LoopLayout:
    """The layout that the loops over the data axes of a compute are. No loop is over data and reduce axes at once."""
    op, extents, loops = stage.op, stage.schedule.extents(stage), data_loops(stage)
    assert isinstance(op, ComputeOp)
    analyzer = Analyzer()
    for size in stage.schedule.size_vars():
        analyzer.bind(size, 0, None)
    axis = tuple(_dimension(iv, extents[iv], f"{iv.name}{suffix}") for iv in loops)
    for iv in (*axis, *op.axis):
        assert iv.dom is not None
        analyzer.bind_extent(iv.var, iv.dom.min, iv.dom.extent)
    up: dict[IterVar, Expr] = {iv: new.var for iv, new in zip(loops, axis, strict=True)}
    relations = with_guards(stage.relations)
    guards = index_up(relations, up, extents, analyzer)
    down: dict[IterVar, Expr] = {iv: iv.var for iv in op.axis}
    index_down(relations, down, extents, analyzer)
    return LoopLayout(
        axis,
        {iv.var: up[iv] for iv in op.axis},
        tuple(down[iv] for iv in loops),
        tuple(g for _, g in guards if not analyzer.can_prove(g)),
    )


def _dimension(loop: IterVar, extent: Expr, name: str) -> IterVar:
    dom = loop.dom or Range(const(0, extent.dtype), extent)
    return IterVar(dom, Var(name, loop.dtype), AxisKind.DATA)


def guarded_bodies(op: ComputeOp, at: AxisValues, guard: Expr | None) -> tuple[Expr, ...]:
    """The expressions of a compute at other axes, which read nothing where `guard` does not hold."""
    whole = op.body[0]
    if not isinstance(whole, Reduce):
        return tuple(guarded(guard, at(e), const(0, e.dtype)) for e in op.body)
    condition = at(whole.condition)
    if guard is not None:
        condition = ops.logical_and(guard, condition)
    combiner = _combined_at(whole.combiner, at)
    starts = zip(whole.init, combiner.identity, strict=False)
    one = replace(
        whole,
        combiner=combiner,
        source=tuple(at(e) for e in whole.source),
        condition=condition,
        init=tuple(guarded(guard, at(e), identity) for e, identity in starts),
    )
    # The parts of one reduction share their source.
    return tuple(replace(one, index=i, dtype=e.dtype) for i, e in enumerate(op.body))


def _combined_at(c: CommReducer, at: AxisValues) -> CommReducer:
    """A combination that may use axes, at their values."""
    result, identity = tuple(at(e) for e in c.result), tuple(at(e) for e in c.identity)
    same = all(a is b for a, b in zip((*result, *identity), (*c.result, *c.identity), strict=True))
    return c if same else replace(c, result=result, identity=identity)


def guarded(guard: Expr | None, value: Expr, other: Expr) -> Expr:
    return value if guard is None or ops.is_const(value) else ops.if_then_else(guard, value, other)
