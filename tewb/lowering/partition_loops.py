"""Loop partition: take guards out of the iterations where they hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tewb.arith import Analyzer, detect_linear, simplify_stmt
from tewb.arith.intset import Interval, eval_set, interval
from tewb.ir import (
    LT,
    And,
    Call,
    Expr,
    For,
    ForKind,
    IfThenElse,
    Stmt,
    Var,
    const,
    const_int,
    ops,
    replace,
    rewriter,
    seq,
    substitute,
    walk,
    without_loop,
)


def partition_loops(body: Stmt) -> Stmt:
    """Split every serial or parallel loop around a `likely` guard into the part where the guard holds and
    the rest.

        for i in 4:                            for i in 3:
            for j in 32:                  ->       for j in 32: S
                if likely(i*32 + j < 100): S   for j in 4: S

    A loop that only runs its guarded body is cut short where the guard is about the loop itself, whatever
    its kind. Needs constant extents; other loops keep their guards.
    """
    return _Partition().rewrite(body)


class _Partition:
    def __init__(self) -> None:
        self.ranges: dict[Var, Interval] = {}
        self.analyzer = Analyzer()
        self.rewrite: Callable[[Stmt], Stmt] = rewriter({For: self.loop})

    def loop(self, n: For) -> Stmt:
        extent = const_int(n.extent)
        if extent is None or const_int(n.min) != 0 or not _has_guard(n.body):
            return self.inside(n)
        trimmed = _trimmed(n, extent)
        if trimmed is not n:
            return self.rewrite(trimmed)
        if n.kind not in (ForKind.SERIAL, ForKind.PARALLEL):
            return self.inside(n)
        end = self.clean_iterations(n, extent)
        if end is None:
            return self.inside(n)
        main = replace(n, extent=const(end, n.var.dtype), body=_without(self.proved(n, end), n.body))
        parts = [self.rewrite(self.simple(main))]
        parts += [self.rewrite(self.simple(rest)) for rest in _tail(n, end, extent)]
        return seq(*parts)

    def simple(self, s: Stmt) -> Stmt:
        """`s` with constants folded, so that a guard about one iteration turns into one about its loop."""
        analyzer = Analyzer()
        for v, x in self.ranges.items():
            analyzer.bind(v, x.lo, x.hi)
        return simplify_stmt(s, analyzer)

    def inside(self, n: For) -> Stmt:
        self.ranges[n.var] = interval(n.min, n.extent)
        made = n.map_children(self.rewrite)
        del self.ranges[n.var]
        return made

    def clean_iterations(self, n: For, extent: int) -> int | None:
        """How many first iterations satisfy some guard for all values of the loops inside; None when
        partition would gain nothing."""
        ends = [
            e for g in _guards(n.body) if (e := self.end_of(g, n.var, extent, _inner(n.body))) is not None
        ]
        ends = [e for e in ends if 0 < e < extent]
        return min(ends) if ends else None

    def end_of(self, guard: LT, v: Var, extent: int, inner: Mapping[Var, Interval]) -> int | None:
        """The number of first iterations of `v` in which `guard` holds whatever the inner loops do."""
        linear = detect_linear(guard.a, [v])
        if linear is None or v not in linear[0] or any(x is v for x in walk(guard.b)):
            return None
        slope = const_int(linear[0][v])
        rest = eval_set(ops.sub(linear[1], guard.b), inner)
        if slope is None or slope <= 0 or rest is None:
            return None
        worst = const_int(self.analyzer.simplify(rest.hi))
        if worst is None:
            return None
        # slope*v + worst < 0 holds for v < -worst/slope
        return max(0, min(extent, (slope - 1 - worst) // slope))

    def proved(self, n: For, end: int) -> set[Expr]:
        """The guards that hold in all of the first `end` iterations."""
        inner = _inner(n.body)
        return {
            g for g in _guards(n.body) if (e := self.end_of(g, n.var, end, inner)) is not None and e >= end
        }


def _tail(n: For, begin: int, end: int) -> list[Stmt]:
    """The iterations from `begin` on: one is written out, more stay a loop counted from 0."""
    if end - begin == 1:
        return [without_loop(substitute(n.body, {n.var: const(begin, n.var.dtype)}), n.origin)]
    fresh = Var(n.var.name, n.var.dtype)
    body = substitute(n.body, {n.var: ops.add(fresh, begin)})
    # A parallel tail is a few tiles: not worth waking threads a second time.
    return [replace(n, var=fresh, extent=const(end - begin, fresh.dtype), kind=ForKind.SERIAL, body=body)]


def _trimmed(n: For, extent: int) -> For:
    """`for v in 64: if v < 9: S` is `for v in 9: S`."""
    if not isinstance(n.body, IfThenElse) or n.body.other is not None:
        return n
    kept: list[Expr] = []
    for c in _conjuncts(n.body.cond):
        match _unlikely(c):
            case LT(a, b) if a is n.var and (size := const_int(b)) is not None:
                extent = max(0, min(extent, size))
            case _:
                kept.append(c)
    if len(kept) == len(_conjuncts(n.body.cond)):
        return n
    body = n.body.then if not kept else replace(n.body, cond=ops.all_of(*kept))
    return replace(n, extent=const(extent, n.var.dtype), body=body)


def _conjuncts(e: Expr) -> list[Expr]:
    return [*_conjuncts(e.a), *_conjuncts(e.b)] if isinstance(e, And) else [e]


def _unlikely(e: Expr) -> Expr:
    return e.args[0] if isinstance(e, Call) and e.op == "likely" else e


def _is_guard(n: object) -> bool:
    return isinstance(n, Call) and n.op == "likely"


def _has_guard(s: Stmt) -> bool:
    return any(_is_guard(n) for n in walk(s))


def _guards(s: Stmt) -> list[LT]:
    return [
        n.args[0] for n in walk(s) if isinstance(n, Call) and n.op == "likely" and isinstance(n.args[0], LT)
    ]


def _inner(s: Stmt) -> dict[Var, Interval]:
    return {n.var: interval(n.min, n.extent) for n in walk(s) if isinstance(n, For)}


def _without(proved: set[Expr], s: Stmt) -> Stmt:
    """`s` with the guards in `proved` gone."""

    def branch(n: IfThenElse) -> Stmt:
        kept = [c for c in _conjuncts(n.cond) if _unlikely(c) not in proved]
        then = rewrite(n.then)
        if not kept:
            return then
        other = None if n.other is None else rewrite(n.other)
        cond = n.cond if len(kept) == len(_conjuncts(n.cond)) else ops.all_of(*kept)
        same = cond is n.cond and then is n.then and other is n.other
        return n if same else replace(n, cond=cond, then=then, other=other)

    rewrite: Callable[[Stmt], Stmt] = rewriter({IfThenElse: branch})
    return rewrite(s)
