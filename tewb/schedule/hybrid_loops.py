"""The loops of a hybrid function as its schedule wants them: the statement itself is rewritten."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from tewb.arith import Analyzer
from tewb.arith.intset import Interval, interval, point, relaxed
from tewb.base import LowerError
from tewb.ir import (
    And,
    Buffer,
    BufferLoad,
    BufferStore,
    Call,
    Expr,
    For,
    ForKind,
    IfThenElse,
    IterVar,
    Node,
    Range,
    Stmt,
    Var,
    const,
    const_int,
    ops,
    replace,
    rewriter,
    substitute,
    uses,
    walk,
)
from tewb.schedule.relation import Fuse, Relation, Singleton, Split, ceil_div, clamped, parts_of
from tewb.schedule.stage import Stage
from tewb.tensor.hybrid import HybridOp


def scheduled_body(stage: Stage, body: Stmt, parts: Mapping[IterVar, Range] | None = None) -> Stmt:
    """`body` with its loops split, fused, reordered and annotated as in `stage`. The loops in `parts` run over
    that part of what they ran over.

    Raises LowerError where a fusion or a reordering meets loops that are not perfectly nested.
    """
    for iv, part in (parts or {}).items():
        body = _in_part(body, iv.var, part)
    for r in stage.relations:
        body = _related(stage, body, r)
    body = _in_order(body, [iv.var for iv in stage.leaf_iter_vars])
    return _annotated(stage, body)


def _related(stage: Stage, body: Stmt, r: Relation) -> Stmt:
    match r:
        case Split():
            return _split(stage, body, r)
        case Fuse():
            return _fuse(stage, body, r)
        case Singleton(one):
            return _loop(stage, one, const(1, one.dtype), body)


def _on_loop(body: Stmt, v: Var, change: Callable[[For], Stmt]) -> Stmt:
    """`body` with the loop over `v` replaced."""

    def loop(n: For) -> Stmt:
        return change(n) if n.var is v else n.map_children(rewrite)

    rewrite: Callable[[Stmt], Stmt] = rewriter({For: loop})
    return rewrite(body)


def _in_part(body: Stmt, v: Var, part: Range) -> Stmt:
    def change(n: For) -> Stmt:
        inside = substitute(n.body, {v: ops.add(part.min, v)})
        # A part has no more iterations than the loop, however wide the indices are that tell it.
        return replace(n, extent=ops.cast(part.extent, v.dtype), body=inside)

    return _on_loop(body, v, change)


def _split(stage: Stage, body: Stmt, r: Split) -> Stmt:
    def change(n: For) -> Stmt:
        extent = ops.cast(n.extent, r.inner.dtype)
        known = const_int(extent)
        wanted = (clamped if r.nparts is None else parts_of)(r.size, extent)
        other = ceil_div(extent, wanted, Analyzer())
        outer, inner = (other, wanted) if r.factor is not None else (wanted, other)
        value = ops.add(ops.mul(r.outer.var, inner), r.inner.var)
        inside = substitute(n.body, {n.var: value})
        exact = known is not None and (const_int(outer) or 0) * (const_int(inner) or 0) == known
        if not exact:
            inside = IfThenElse(ops.likely(ops.less(value, extent)), inside, None, n.origin)
        return _loop(stage, r.outer, outer, _loop(stage, r.inner, inner, inside))

    return _on_loop(body, r.parent.var, change)


def _loop(stage: Stage, iv: IterVar, extent: Expr, body: Stmt) -> For:
    return For(iv.var, const(0, iv.dtype), extent, ForKind.SERIAL, body, stage.origin(iv))


def _fuse(stage: Stage, body: Stmt, r: Fuse) -> Stmt:
    def change(n: For) -> Stmt:
        inner = n.body
        if not isinstance(inner, For) or inner.var is not r.inner.var or uses(inner.extent, [n.var]):
            raise LowerError(
                f"loops {r.outer.name} and {r.inner.name} of {stage.name} are not perfectly nested",
                hint="only loops with nothing between them can be fused",
            )
        rows, columns = (ops.cast(x, r.fused.dtype) for x in (n.extent, inner.extent))
        length = const(1, columns.dtype) if const_int(columns) == 0 else columns
        values = {n.var: ops.floordiv(r.fused.var, length), inner.var: ops.floormod(r.fused.var, length)}
        return _loop(stage, r.fused, ops.mul(rows, columns), substitute(inner.body, values))

    return _on_loop(body, r.outer.var, change)


def _in_order(body: Stmt, order: list[Var]) -> Stmt:
    """Put the loops of every perfect nest into the order of `order`. Guards of splits move to the inside."""
    place = {v: i for i, v in enumerate(order)}

    def nest(n: For) -> Stmt:
        chain: list[For] = []
        guards: list[Expr] = []
        at: Stmt = n
        while True:
            if isinstance(at, For):
                chain.append(at)
                at = at.body
            elif isinstance(at, IfThenElse) and _guards_a_loop(at):
                guards.append(at.cond)
                at = at.then
            else:
                break
        wanted = sorted(chain, key=lambda f: place[f.var])
        if all(a is b for a, b in zip(chain, wanted, strict=True)):
            inside = rewrite(at)
            return n if inside is at and not guards else _rebuilt(chain, guards, inside)
        if any(uses(f.extent, [g.var for g in chain]) for f in chain):
            raise LowerError(
                f"loop {n.var.name} bounds a loop inside of it, so they cannot change places",
                hint=f"keep {n.var.name} outside of the loops that it bounds",
            )
        return _rebuilt(wanted, guards, rewrite(at))

    rewrite: Callable[[Stmt], Stmt] = rewriter({For: nest})
    reordered = rewrite(body)
    _check_order(reordered, place)
    return reordered


def _is_guard(s: Stmt) -> bool:
    return isinstance(s, IfThenElse) and s.other is None and _is_likely(s.cond)


def _guards_a_loop(s: Stmt) -> bool:
    """Whether a loop stands right behind one guard or more: a loop that is split again has one of each split."""
    while isinstance(s, IfThenElse) and _is_guard(s):
        s = s.then
        if isinstance(s, For):
            return True
    return False


def _is_likely(e: Expr) -> bool:
    if isinstance(e, And):
        return _is_likely(e.a) and _is_likely(e.b)
    return isinstance(e, Call) and e.op == "likely"


def within_guards(s: Stmt, change: Callable[[Stmt], Stmt]) -> Stmt:
    """`s` with what stands behind the guards of its splits changed."""
    if isinstance(s, IfThenElse) and _is_guard(s):
        return replace(s, then=within_guards(s.then, change))
    return change(s)


def _rebuilt(chain: list[For], guards: list[Expr], body: Stmt) -> Stmt:
    if guards:
        body = IfThenElse(ops.all_of(*guards), body)
    for f in reversed(chain):
        body = replace(f, body=body)
    return body


def _check_order(s: Stmt, place: dict[Var, int], outer: int = -1) -> None:
    """A loop inside of another must come after it in the schedule's order."""
    if isinstance(s, For):
        if place[s.var] < outer:
            raise LowerError(
                f"loop {s.var.name} cannot move out of the loop around it: other statements stand between them",
                hint="only loops with nothing between them can change places",
            )
        outer = place[s.var]
    for c in s.children():
        if isinstance(c, Stmt):
            _check_order(c, place, outer)


def _annotated(stage: Stage, body: Stmt) -> Stmt:
    shaped = {iv.var: iv for iv in stage.leaf_iter_vars if iv in stage.shaped_by}

    def annotate(n: For) -> Stmt:
        loop = n.map_children(rewrite)
        if n.var not in shaped:
            return loop
        iv = shaped[n.var]
        kind = stage.loop_kind(iv) or loop.kind
        return replace(loop, kind=kind, origin=stage.origin(iv))

    rewrite: Callable[[Stmt], Stmt] = rewriter({For: annotate})
    return rewrite(body)


# ---------------------------------------------------------------- what the loops read and write


@dataclass(frozen=True, slots=True)
class LoopAccess:
    """A load or a store, the loops around it from outermost to innermost, and the line it stands on."""

    node: BufferLoad | BufferStore
    loops: tuple[For, ...]
    line: int | None

    def box(self, still: Iterable[Var] = ()) -> list[Interval | None]:
        """What each index covers while the loops over `still` stand still and the others run; None where that is
        only known when the kernel runs."""
        fixed = set(still)
        box: list[Interval | None] = [point(i) for i in self.node.indices]
        for n in reversed(self.loops):
            if n.var not in fixed:
                box = [relaxed(x, {n.var: interval(n.min, n.extent)}) for x in box]
        return [None if x is None or _reads(x.lo) or _reads(x.hi) else x for x in box]


def _reads(e: Expr) -> bool:
    return any(isinstance(n, BufferLoad) for n in walk(e))


def accesses_of(body: Stmt, buffers: Iterable[Buffer]) -> list[LoopAccess]:
    """The loads and stores of `buffers` in `body`."""
    wanted = set(buffers)
    accesses: list[LoopAccess] = []

    def go(n: Node, loops: tuple[For, ...], line: int | None) -> None:
        origin = getattr(n, "origin", None)
        if origin is not None and origin.span is not None:
            line = origin.span.line
        if isinstance(n, BufferStore) and n.buffer in wanted:
            accesses.append(LoopAccess(n, loops, line))
        for c in n.children():
            if isinstance(c, Expr):
                loads = [x for x in walk(c) if isinstance(x, BufferLoad) and x.buffer in wanted]
                accesses.extend([LoopAccess(x, loops, line) for x in loads])
                continue
            go(c, (*loops, n) if isinstance(n, For) and c is n.body else loops, line)

    go(body, (), None)
    return accesses


def loops_to(stage: Stage, axis: IterVar) -> list[IterVar]:
    """The loops of `stage` around what is computed at `axis`, outermost first, `axis` included. A hybrid
    function may have loops one after the other."""
    leaves = stage.leaf_iter_vars
    if not leaves:  # they moved to another stage after something was put there
        return []
    if axis not in leaves:  # it was split or fused after something was put there
        axis = (stage.loops_of(axis) or leaves)[-1]
    before = leaves[: leaves.index(axis) + 1]
    if not isinstance(stage.op, HybridOp):
        return list(before)
    loops = {n.var: n for n in walk(scheduled_body(stage, stage.op.body)) if isinstance(n, For)}
    return [iv for iv in before if any(n is loops[axis.var] for n in walk(loops[iv.var]))]
