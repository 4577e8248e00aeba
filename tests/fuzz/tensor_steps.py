"""Intrinsics that fit, which chance would hardly find: each computes what the loops of a stage do from one on."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tests.fuzz.schedules import Step
from tewb import te
from tewb.arith.intset import point
from tewb.base import TewbError
from tewb.ir import (
    Buffer,
    BufferStore,
    Expr,
    For,
    ForKind,
    IfThenElse,
    IterVar,
    LetStmt,
    ProducerLoad,
    Range,
    Reduce,
    Stmt,
    Var,
    const,
    const_int,
    free_vars,
    load,
    ops,
    replace,
    rewriter,
    script,
    seq,
)
from tewb.lowering.combine_values import combined
from tewb.schedule import Schedule, Stage
from tewb.schedule.bounds import infer_bounds
from tewb.schedule.ranges_with_gaps import elements_of
from tewb.schedule.relation import full, intervals_up
from tewb.tensor import ComputeOp, TensorIntrin

PARTS = ("body reset update", "body reset update", "body update", "body")
MOST_ELEMENTS = 4096


def tensor_steps(s: Schedule, rng: random.Random) -> Iterator[Step]:
    """Steps that may be refused, each made when those before it were tried: a stage, or the cache of one, in tiles,
    whose insides an intrinsic does, and something of what chance does to the rest."""
    stages = [
        st for st in s.stages if isinstance(st.op, ComputeOp) and not st.is_inlined and st.leaf_iter_vars
    ]
    if not stages:
        return
    stage = rng.choice(stages)
    if rng.random() < 0.3:
        yield "cache_write", stage.name, {"scope": rng.choice(["local", "global"])}
        stage = next((st for st in s.stages if st.name == f"{stage.name}.local"), stage)
    for read in stage.reads():
        if rng.random() < 0.25 and not read.is_inlined:
            yield "cache_read", read.name, {"scope": "local", "readers": [stage.name]}
    inner = []
    for iv in (*stage.op.axis, *stage.op.reduce_axis):
        name = stage.axis_name(iv)
        if (factor := _factor(iv, rng)) is None:
            continue
        yield "split", stage.name, {"axis": name, "factor": factor}
        if name not in _loops(stage):
            inner.append(f"{name}.inner")
    rng.shuffle(inner)
    outer = [name for name in _loops(stage) if name not in inner]
    if rng.random() < 0.6:
        rng.shuffle(outer)
    if len(outer) + len(inner) > 1:
        yield "reorder", stage.name, {"axes": [*outer, *inner]}
    if inner:
        yield fitted(stage.name, inner[0] if rng.random() < 0.8 else rng.choice(_loops(stage)), rng)
    for read in stage.reads():
        if not read.is_placeholder and outer and rng.random() < 0.4:
            yield "compute_at", read.name, {"parent": stage.name, "axis": rng.choice(outer)}
    for name in outer:
        mark = rng.choice(["parallel", "unroll", "bind", "", ""])
        if mark:
            more = (
                {"thread": rng.choice(["threadIdx.x", "blockIdx.x", "vthread vx"])} if mark == "bind" else {}
            )
            yield mark, stage.name, {"axis": name, **more}
    if len(outer) > 1 and rng.random() < 0.3:
        at = rng.randrange(len(outer) - 1)
        yield "fuse", stage.name, {"axes": outer[at : at + 2]}


def _loops(stage: Stage) -> list[str]:
    return [stage.axis_name(iv) for iv in stage.leaf_iter_vars]


def _factor(iv: IterVar, rng: random.Random) -> int | None:
    """One that divides, if there is one and often none else; for a symbolic size often none at all."""
    n = None if iv.dom is None else const_int(iv.dom.extent)
    divisors = [f for f in (1, 2, 3, 4, 5, 8, n or 1) if n and n % f == 0]
    if rng.random() < 0.25:
        return rng.choice((2, 3, 4))
    return rng.choice(divisors) if divisors else None


def fitted(stage: str, loop: str, rng: random.Random) -> Step:
    """The step that tensorizes a loop by an intrinsic made for it."""
    return (
        "tensorize",
        stage,
        {"axis": loop, "intrin": f"@fitting(s, {stage!r}, {loop!r}, {rng.choice(PARTS)!r})"},
    )


# ---------------------------------------------------------------- an intrinsic that is made to fit


def fitting(s: Schedule, name: str, loop: str, parts: str) -> TensorIntrin | None:
    """An intrinsic for what the loops of a stage do from `loop` on, as they are now, with these parts; None where the
    parts of tensors that they read are not boxes."""
    stage = s.find(name)
    if stage is None or loop not in _loops(stage):
        return None
    try:
        bounds = infer_bounds(s)
    except TewbError:
        return None
    op = bounds.operations.get(stage)
    if not isinstance(op, ComputeOp) or op.domains or stage not in bounds.stages:
        return None
    own, analyzer = bounds.stages[stage], bounds.analyzer
    at = _loops(stage).index(loop)
    sets = {iv: point(own.vars[iv]) for iv in stage.leaf_iter_vars[:at]}
    sets |= {iv: full(own.extents[iv]) for iv in stage.leaf_iter_vars[at:]}
    intervals_up(stage.relations, sets, own.extents, analyzer)
    sizes = {}
    for iv, r in own.ranges.items():
        x = elements_of(r, sets[iv])
        sizes[iv] = 1 if x.is_point else const_int(analyzer.simplify(ops.add(ops.sub(x.hi, x.lo), 1)))
    return _intrinsic(op, sizes, analyzer.simplify, parts)


def _intrinsic(
    op: ComputeOp, sizes: dict[IterVar, int | None], simplify: Callable[[Expr], Expr], parts: str
) -> TensorIntrin | None:
    """The compute `op` on axes of these sizes, and loops for it."""
    total = 1
    for n in sizes.values():
        if n is None or (total := total * n) > MOST_ELEMENTS:
            return None
    axes = {iv: _axis(iv, n) for iv, n in sizes.items() if n is not None and n > 1}
    if op.reduce_axis and not any(iv in axes for iv in op.reduce_axis):  # it needs one to reduce over
        axes[op.reduce_axis[-1]] = _axis(op.reduce_axis[-1], 1)
    mine: dict[Var, Expr] = {iv.var: own.var for iv, own in axes.items()}
    mine |= {iv.var: const(0, iv.dtype) for iv in sizes if iv not in axes}
    inner = {iv.var: iv for iv in axes}
    inputs: dict[Any, Any] = {}
    fits = True

    def element(n: ProducerLoad) -> Expr:
        nonlocal fits
        key: list[Any] = [n.producer]
        shape, indices = [], []
        for index in n.indices:
            used = [v for v in dict.fromkeys(free_vars(index)) if v in inner]
            start = index if not used else simplify(ops.sub(*ops.match(index, used[0])))
            fits &= len(used) < 2 and not any(v in inner for v in free_vars(start))
            key += [script(start), *used]
            if used:
                shape.append(const(sizes[inner[used[0]]] or 1, used[0].dtype))
                indices.append(mine[used[0]])
        if tuple(key) not in inputs:
            inputs[tuple(key)] = te.placeholder(tuple(shape), n.dtype, f"x{len(inputs)}")
        return ProducerLoad(inputs[tuple(key)], tuple(indices), n.dtype)

    rewrite: Callable[[Any], Any] = rewriter({ProducerLoad: element, Var: lambda v: mine.get(v, v)})

    def reduction(n: Reduce) -> Expr:
        return replace(
            n, source=tuple(map(rewrite, n.source)), condition=rewrite(n.condition), init=tuple(map(rewrite, n.init)),
            axes=tuple(axes[iv] for iv in op.reduce_axis if iv in axes),
        )  # fmt: skip

    body = tuple(reduction(e) if isinstance(e, Reduce) else rewrite(e) for e in op.body)
    if not fits:
        return None
    made = ComputeOp("z", tuple(axes[iv] for iv in op.axis if iv in axes), body)
    if not made.inputs:
        return None
    try:
        return te.decl_tensor_intrin(
            made, lambda ins, outs: _statements(made, ins, outs, parts), name="fitting"
        )
    except TewbError:
        return None


def _axis(iv: IterVar, n: int) -> IterVar:
    return IterVar(Range(const(0, iv.dtype), const(n, iv.dtype)), Var(iv.name, iv.dtype), iv.kind)


def _statements(op: ComputeOp, ins: Sequence[Buffer], outs: Sequence[Buffer], parts: str) -> Any:
    """The statements of an intrinsic: loops on its buffers."""
    reduction = op.body[0]
    if not isinstance(reduction, Reduce):
        return _loops_of(op, ins, outs, op.body, None)
    start = _loops_of(op, ins, outs, reduction.init or reduction.combiner.identity, None)
    update = _loops_of(op, ins, outs, reduction.source, reduction)
    whole = seq(start, update)
    return (whole, start if "reset" in parts else None, update) if "update" in parts else whole


def _loops_of(
    op: ComputeOp,
    ins: Sequence[Buffer],
    outs: Sequence[Buffer],
    values: Sequence[Expr],
    reduction: Reduce | None,
) -> Stmt:
    """Loops that store `values`, or combine what is there with them."""
    axes = [*op.axis, *(op.reduce_axis if reduction is not None else ())]
    fresh = {iv.var: Var(f"{iv.name}.own", iv.dtype) for iv in axes}
    buffers = dict(zip(op.inputs, ins, strict=True))

    def element(n: ProducerLoad) -> Expr:
        return load(buffers[n.producer], tuple(map(own, n.indices)))

    own: Callable[[Any], Any] = rewriter({ProducerLoad: element, Var: lambda v: fresh.get(v, v)})
    index = tuple(fresh[iv.var] for iv in op.axis)
    new = [own(e) for e in values]
    if reduction is None:
        body = seq(*[BufferStore(b, e, index) for b, e in zip(outs, new, strict=True)])
    else:
        old = [load(b, index) for b in outs]
        names = [Var(f"v{n}", e.dtype) for n, e in enumerate((*old, *new))]
        results = combined(reduction.combiner, names[: len(old)], names[len(old) :])
        body = seq(*[BufferStore(b, e, index) for b, e in zip(outs, results, strict=True)])
        for v, e in reversed(list(zip(names, (*old, *new), strict=True))):
            body = LetStmt(v, e, body)
        if const_int(reduction.condition) != 1:
            body = IfThenElse(own(reduction.condition), body, None)
    for iv in reversed(axes):
        assert iv.dom is not None
        body = For(fresh[iv.var], const(0, iv.dtype), iv.dom.extent, ForKind.SERIAL, body)
    return body
