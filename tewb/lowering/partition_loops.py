"""Loop partition: take guards out of the iterations where they hold."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from tewb.arith import Analyzer, detect_linear, simplify_stmt
from tewb.arith.intset import Interval, eval_set, interval
from tewb.ir import (
    GE,
    GT,
    LE,
    LEAVES,
    LT,
    Allocate,
    AttrStmt,
    BufferLoad,
    Call,
    Expr,
    FloorDiv,
    FloorMod,
    For,
    ForKind,
    IfThenElse,
    Let,
    LetStmt,
    Node,
    Stmt,
    Var,
    conjuncts,
    const,
    const_int,
    free_vars,
    is_barrier,
    is_same_expression,
    launched,
    ops,
    replace,
    rewriter,
    seq,
    substitute,
    walk,
    walk_statements,
    without_loop,
)
from tewb.lowering.iterations import Ends, at_least, at_most, iterations_where


def partition_loops(body: Stmt, sizes: Iterable[Var] = (), constant: bool = True) -> Stmt:
    """Split loops around conditions into the part where they hold and the rest.

        for i in 4:                            for i in 3:
            for j in 32:                  ->       for j in 32: S
                if likely(i*32 + j < 100): S   for j in 4: S

        for i in 8:                                                     for i in 16: O[i] = if_then_else(i > 0, A[i-1], 0)
            for j in 16: O[i*16+j] =                               ->   for i in 7:
                if_then_else(i*16 + j > 0, A[i*16 + j - 1], 0)              for j in 16: O[i*16+j+16] = A[i*16+j+15]

    A condition marked `likely` is taken out of every serial, unrolled or parallel loop. Another one is taken out of a
    serial loop when it is a choice in an expression, and the loop then has most of its iterations free of such
    choices; there are at most two of these loops inside of each other, so the code grows at most ninefold.
    A loop that only runs its guarded body is cut short where the guard depends on the loop itself, whatever
    its kind.

    A fused loop has no range in which its tiles are whole: each iteration tests once, before the loops inside.

        for f in 6:                            for f in 6:
            for j in 32:                  ->       if likely(f % 3*32 + 31 < 90): for j in 32: S
                if likely(f % 3*32 + j < 90): S    else: for j in 32: if likely(f % 3*32 + j < 90): S

    So does each thread of a launch, before its own loops: whole tiles are the same code for all threads.

    Where the loop ends is an expression when sizes are symbolic; `sizes` are variables that are not negative. Without
    `constant`, loops of constant extent stay whole.

        for i in (n + 31)//32:                 for i in n//32:
            for j in 32:                  ->       for j in 32: S
                if likely(i*32 + j < n): S     for i in (n + 31)//32 - n//32:
                                                   for j in min(32, n - (i + n//32)*32): S
    """
    return _Partition(sizes, constant).rewrite(body)


# Conditions are taken out of no loop whose body is larger, in nodes.
LARGEST = 2000
# Nodes that a loop nest may grow by in all, unrolled loops written out. Loops inside of each other multiply their
# parts: when this is used up, guards stay.
GROWTH = 40_000
# Iterations of a parallel loop that are so few that its last one, done after the others, would keep threads waiting.
FEW_TASKS = 64
# Iterations of a loop of a thread whose guards are tested in each.
FEW = 8

IterationRange = tuple[int, int]


class _Partition:
    def __init__(self, sizes: Iterable[Var], constant: bool) -> None:
        self.sizes, self.constant = tuple(sizes), constant
        self.ranges: dict[Var, Interval] = {}
        self.lanes: set[Var] = set()  # the variables of vectorized loops around
        self.launches = 0  # around
        self.is_asked = False  # whether the thread has tested if its part is whole
        self.analyzer = Analyzer()
        for v in self.sizes:
            self.analyzer.bind(v, 0, None)
        self.rewrite: Callable[[Stmt], Stmt] = rewriter(
            {For: self.loop, LetStmt: self.let, AttrStmt: self.attribute}
        )
        self._conditions_of: dict[int, tuple[Stmt, list[_Condition]]] = {}
        self._loops: dict[Var, For] = {}  # the loops that were met, as they are at first
        self._exact: dict[int, tuple[Expr, bool]] = {}
        self.left = GROWTH

    def conditions(self, s: Stmt) -> list[_Condition]:
        """`_conditions` of a statement, computed once for all the loops around it."""
        entry = self._conditions_of.get(id(s))
        if entry is None:
            self._conditions_of[id(s)] = entry = (s, self.settled(s, _conditions(s)))
        return entry[1]

    def settled(self, s: Stmt, conditions: list[_Condition]) -> list[_Condition]:
        """The conditions in `s`, with those marked that compare values that may wrap."""
        if not any(c.is_choice for c in conditions):
            return conditions
        for n in walk_statements(s):
            if isinstance(n, For):
                self._loops.setdefault(n.var, n)
        around = _guards_around(s)
        return [
            c
            if not c.is_choice or self.is_exact(c.cond, around[id(c.cond)])
            else _Condition(c.cond, c.is_likely, c.is_choice, True)
            for c in conditions
        ]

    def is_exact(self, cond: Expr, guards: Collection[Expr]) -> bool:
        """Whether neither side of a choice wraps, wherever the choice occurs: behind one of the guards."""
        entry = self._exact.get(id(cond))
        if entry is None:
            entry = self._exact[id(cond)] = (cond, all([self._find_exact(cond, g) for g in guards]))
        return entry[1]

    def _find_exact(self, cond: Expr, guard: Expr) -> bool:
        if not isinstance(cond, LT | LE | GT | GE) or cond.a.dtype.is_float:
            return True
        analyzer = Analyzer()
        for v in self.sizes:
            analyzer.bind(v, 0, None)
        for v, n in self._loops.items():
            analyzer.bind_extent(v, n.min, n.extent)
        with analyzer.assume(guard), analyzer.values():
            return analyzer.is_exact(cond.a) and analyzer.is_exact(cond.b)

    def let(self, n: LetStmt) -> Stmt:
        """A variable that is never negative counts as a size."""
        least = self.analyzer.const_bounds(n.value)[0] if n.var.dtype in ("int32", "int64") else None
        if least is not None and least >= 0:
            self.sizes = (*self.sizes, n.var)
            self.analyzer.bind(n.var, 0, None)
        rewritten: Stmt = n.map_children(self.rewrite)
        return rewritten

    def attribute(self, n: AttrStmt) -> Stmt:
        """The threads of a launch are known inside of it."""
        axis = launched(n)
        if axis is None:
            same: Stmt = n.map_children(self.rewrite)
            return same
        self.ranges[axis.var] = interval(const(0, axis.dtype), n.value)
        self.launches += 1
        rewritten: Stmt = n.map_children(self.rewrite)
        self.launches -= 1
        del self.ranges[axis.var]
        return rewritten

    def may_copy(self, s: Stmt, times: int) -> bool:
        """Whether there is room for so many copies of a statement; if so, the room is used up."""
        size = times * _unrolled_size(s, self.left + 1)
        if size > self.left:
            return False
        self.left -= size
        return True

    def loop(self, n: For) -> Stmt:
        extent = const_int(n.extent)
        self._loops.setdefault(n.var, n)
        if const_int(n.min) != 0 or not self.conditions(n.body):
            return self.inside(n)
        if self.launches and _waits(n.body):
            return self.inside(n)
        if extent is not None and not self.constant:
            return self.inside(n)
        if self.launches and not self.is_asked:
            return self.of_thread(n)
        if extent is None:
            return self.symbolic(self.cut_short(n))
        trimmed = _trimmed(n, extent)
        if trimmed is not n:
            return self.rewrite(trimmed)
        if n.kind not in (ForKind.SERIAL, ForKind.PARALLEL, ForKind.UNROLLED):
            return self.inside(n)
        clean = self.clean_choices(n, extent)
        if clean is None or self.depth(n.body) > 1:
            clean = self.clean_guards(n, extent)
        if clean is None:
            return self.inside(self.cut_short(n))
        begin, end = clean
        if not self.may_copy(n.body, (begin > 0) + (end < extent)):
            return self.inside(self.cut_short(n))
        main = replace(n, body=_without_guards(self.proved(n, begin, end), n.body))
        if n.kind is ForKind.PARALLEL and extent <= FEW_TASKS and (begin, end) == (0, extent - 1):
            return self.inside(self.with_last(n, main))
        # The ends of a parallel loop are a few tiles: not worth waking threads a second time.
        ends = ForKind.SERIAL if n.kind is ForKind.PARALLEL else n.kind
        sections = [
            *_iterations_between(n, 0, begin, ends),
            *_iterations_between(main, begin, end, n.kind),
            *_iterations_between(n, end, extent, ends),
        ]
        return seq(*[self.rewrite(self.simple(part)) for part in sections])

    def with_last(self, n: For, main: For) -> For:
        """A parallel loop of a few large parts, the last of which is not whole: threads do it while others do the others.

        for p in parallel(2):                     for p in parallel(2):
            for k in 52:                    ->        if likely(p < 1): for k in 52: S
                if likely(p*52 + k < 103): S          else: for k in 51: S
        """
        last = n.extent.value - 1  # type: ignore[attr-defined]
        (end,) = _iterations_between(n, last, last + 1, ForKind.SERIAL)
        is_whole = ops.likely(ops.less(n.var, const(last, n.var.dtype)))
        return replace(n, body=IfThenElse(is_whole, main.body, self.simple(end), n.origin))

    def simple(self, s: Stmt) -> Stmt:
        """`s` with constants folded, so that a guard on one iteration becomes one on the loop inside."""
        return simplify_stmt(s, self.knowing())

    def knowing(self) -> Analyzer:
        """An analyzer that knows sizes and the loops around."""
        analyzer = Analyzer()
        for v in self.sizes:
            analyzer.bind(v, 0, None)
        for v, x in self.ranges.items():
            analyzer.bind(v, x.lo, x.hi)
        return analyzer

    def inside(self, n: For) -> Stmt:
        self.ranges[n.var] = interval(n.min, n.extent)
        if n.kind is ForKind.VECTORIZED:
            self.lanes.add(n.var)
        rewritten = self.asked_once(n).map_children(self.rewrite)
        self.lanes.discard(n.var)
        del self.ranges[n.var]
        return rewritten

    # ---- fused loops

    def asked_once(self, n: For) -> For:
        """A loop whose iterations test at their beginning whether they are whole, where their guards use quotients and
        remainders of its variable and depend on the loops inside."""
        if n.kind not in (ForKind.SERIAL, ForKind.PARALLEL):
            return n
        guards = [c for c in self.guards(n.body) if _is_divided(n.var, c)]
        asked = self.whole(guards, n.body)
        if asked is None:
            return n
        condition, covered = asked
        return replace(n, body=IfThenElse(condition, _without_guards(covered, n.body), n.body, n.origin))

    def guards(self, s: Stmt) -> list[Expr]:
        """The conditions in `s` that are marked likely, and compare what does not wrap."""
        return [c.cond for c in self.conditions(s) if c.is_likely and not c.wraps]

    def whole(self, guards: Sequence[Expr], s: Stmt) -> tuple[Expr, set[Expr]] | None:
        """The condition that guards hold for all values of the loops in `s`, and those of them that it covers; None
        where that is not known before these loops, or would be no gain."""
        if not guards or _is_large(s):
            return None
        inner, lets = _inner(s), _lets(s)
        whole: list[Expr] = []
        covered: set[Expr] = set()
        for c in guards:
            worst = _worst(c, inner, {*lets, *self.lanes})
            if worst is not None:
                covered.add(c)
                holds = self.analyzer.simplify(ops.less(worst, 0))
                if not any(is_same_expression(holds, other) for other in whole):
                    whole.append(holds)
        if not any(v in inner for c in covered for v in free_vars(c)) or not self.may_copy(s, 1):
            return None
        return ops.all_of(*[ops.likely(c) for c in whole]), covered

    # ---- loops of threads

    def of_thread(self, n: For) -> Stmt:
        """A loop of a thread, which tests before it whether its part is whole: not all threads have the same ends."""
        asked = None if _shares(n) else self.whole(self.guards(n), n)
        self.is_asked = True
        if asked is None:
            rewritten = self.loop(n)
        else:
            condition, covered = asked
            rewritten = IfThenElse(
                condition, self.rewrite(_without_guards(covered, n)), self.loop(n), n.origin
            )
        self.is_asked = False
        return rewritten

    # ---- ends that are expressions

    def symbolic(self, n: For) -> Stmt:
        """A loop whose extent is not constant, as up to three: before, in and after the iterations in which all
        guards with known ends hold."""
        ends = self.ends(n)
        if not ends or not self.may_copy(n.body, 2):
            return self.inside(n)
        analyzer, zero = self.knowing(), const(0, n.var.dtype)
        begin, end = zero, n.extent
        for low in (e.begin for e in ends.values() if e.begin is not None):
            begin = at_most(at_least(low, begin, analyzer), n.extent, analyzer)
        for high in (e.end for e in ends.values() if e.end is not None):
            end = at_most(high, end, analyzer)
        end = at_least(end, begin, analyzer)
        main = replace(n, body=_without_guards(set(ends), n.body))
        others = ForKind.SERIAL if n.kind is ForKind.PARALLEL else n.kind
        sections = [
            _iterations_from(n, zero, analyzer.simplify(begin), others),
            _iterations_from(main, begin, analyzer.simplify(ops.sub(end, begin)), n.kind),
            _iterations_from(n, end, analyzer.simplify(ops.sub(n.extent, end)), others),
        ]
        return seq(*[self.rest(part.var, self.simple(part)) for part in sections])

    def rest(self, v: Var, part: Stmt) -> Stmt:
        """A part of the loop of `v`, which is not split again; the loops inside are."""
        return self.inside(part) if isinstance(part, For) and part.var is v else self.rewrite(part)

    def ends(self, n: For) -> dict[Expr, Ends]:
        """The conditions of a loop that hold from some iteration on or up to one, each with its ends."""
        if n.kind not in (ForKind.SERIAL, ForKind.PARALLEL):
            return {}
        choices = n.kind is ForKind.SERIAL and not _is_large(n.body) and self.depth(n.body) <= 1
        inner, analyzer = _inner(n.body), self.knowing()
        ends = {
            c.cond: iterations_where(_below_zero(c.cond), n.var, inner, _lets(n.body), analyzer)
            for c in self.conditions(n.body)
            if (c.is_likely or choices) and not c.wraps
        }
        return {c: e for c, e in ends.items() if e is not None}

    def cut_short(self, n: For) -> For:
        """`for v in e: if v + x < n: S` is `for v in min(e, n - x): S`, when `e` or `n` or `x` is no constant."""
        if n.kind is not ForKind.SERIAL or not isinstance(n.body, IfThenElse) or n.body.other is not None:
            return n
        size = const_int(n.extent)
        if self.launches and size is not None and size <= FEW:
            return n  # as many tests are quicker than a loop, which might become a call of memcpy
        analyzer, extent, proved = self.knowing(), n.extent, set[Expr]()
        for c in (_unlikely(c) for c in conjuncts(n.body.cond) if _is_guard(c)):
            e = iterations_where(_below_zero(c), n.var, {}, (), analyzer)
            if e is not None and e.end is not None:
                extent = at_least(at_most(e.end, extent, analyzer), const(0, n.var.dtype), analyzer)
                proved.add(c)
        return replace(n, extent=extent, body=_without_guards(proved, n.body)) if proved else n

    # ---- constant ends

    def clean_guards(self, n: For, extent: int) -> IterationRange | None:
        """The iterations that satisfy some `likely` guard for all values of the loops inside; None when
        partition would gain nothing."""
        inner = _inner(n.body)
        likely = [c.cond for c in self.conditions(n.body) if c.is_likely and not c.wraps]
        ranges = [self.where(c, n.var, extent, inner) for c in likely]
        both = _common(ranges, extent)
        # A prologue is worth its code where a loop of most iterations remains.
        if both is not None and both[1] - both[0] > 1 and 2 * (both[1] - both[0]) >= extent:
            return both
        return _common([r for r in ranges if r is not None and r[0] == 0], extent)

    def clean_choices(self, n: For, extent: int) -> IterationRange | None:
        """The iterations in which all choices that depend on the loop are decided; None when they are too few, or
        some choice never is."""
        if n.kind is not ForKind.SERIAL:
            return None
        inner = _inner(n.body)
        begin, end = 0, extent
        for c in self.conditions(n.body):
            if c.is_choice and any(v is n.var for v in free_vars(c.cond)):
                decided = None if c.wraps else self.where(c.cond, n.var, extent, inner)
                if decided is None:
                    return None
                begin, end = max(begin, decided[0]), min(end, decided[1])
        if (begin, end) == (0, extent) or _is_large(n.body):
            return None
        if end - begin < 2 or 2 * (end - begin) < extent:
            return None
        return begin, end

    def depth(self, s: Stmt) -> int:
        """How many loops inside of each other in `s` have choices to take out."""
        inside = max((self.depth(c) for c in s.children() if isinstance(c, Stmt)), default=0)
        return 1 + inside if isinstance(s, For) and self.has_choices(s) else inside

    def has_choices(self, n: For) -> bool:
        """Whether choices are taken out of this loop."""
        extent = const_int(n.extent)
        if extent is not None:
            return self.clean_choices(n, extent) is not None
        inner, analyzer = _inner(n.body), self.knowing()
        return n.kind is ForKind.SERIAL and any(
            iterations_where(_below_zero(c.cond), n.var, inner, _lets(n.body), analyzer) is not None
            for c in self.conditions(n.body)
            if c.is_choice and not c.is_likely and not c.wraps
        )

    def where(self, cond: Expr, v: Var, extent: int, inner: Mapping[Var, Interval]) -> IterationRange | None:
        """The iterations of `v` in which `cond` holds whatever the inner loops do, when it compares
        sums of multiples of loop variables; empty ranges end where they begin."""
        below = _below_zero(cond)
        linear = None if below is None else detect_linear(below, [v])
        if linear is None or v not in linear[0]:
            return None
        slope = const_int(linear[0][v])
        rest = eval_set(linear[1], inner)
        worst = None if rest is None else const_int(self.analyzer.simplify(rest.hi))
        if slope is None or slope == 0 or worst is None:
            return None
        if slope > 0:  # slope*v + worst < 0 holds for v < -worst/slope
            return 0, max(0, min(extent, (slope - 1 - worst) // slope))
        return max(0, min(extent, worst // -slope + 1)), extent  # and here for v > worst/-slope

    def proved(self, n: For, begin: int, end: int) -> set[Expr]:
        """The conditions that hold in all iterations from `begin` to `end`."""
        inner = _inner(n.body)
        ranges = {
            c.cond: self.where(c.cond, n.var, end, inner) for c in self.conditions(n.body) if not c.wraps
        }
        return {c for c, r in ranges.items() if r is not None and r[0] <= begin and end <= r[1]}


@dataclass(frozen=True, slots=True)
class _Condition:
    """One of the terms of a condition; a choice is that of an if_then_else expression."""

    cond: Expr
    is_likely: bool
    is_choice: bool
    wraps: bool = False  # what it compares may wrap, so that it may hold in any iteration


def _conditions(s: Stmt) -> list[_Condition]:
    """The terms of the conditions in `s` that may be taken out."""
    conditions: list[_Condition] = []
    for n in walk(s):
        if isinstance(n, IfThenElse):
            terms = [c for c in conjuncts(n.cond) if _is_guard(c)]
            conditions += [_Condition(_unlikely(c), True, False) for c in terms]
        elif isinstance(n, Call) and n.op == "if_then_else":
            conditions += [_Condition(_unlikely(c), _is_guard(c), True) for c in conjuncts(n.args[0])]
    return conditions


def _guards_around(s: Stmt) -> dict[int, list[Expr]]:
    """For each term of a choice in `s`, by id, the guard around each of its occurrences."""
    guards: dict[int, list[Expr]] = {}
    seen: set[tuple[Expr, Expr]] = set()

    def look(n: Any, guard: Expr) -> None:
        if isinstance(n, Expr):
            if n.__class__ in LEAVES or (n, guard) in seen:
                return
            seen.add((n, guard))
        if isinstance(n, IfThenElse):
            look(n.cond, guard)
            inner = ops.all_of(guard, *[c for c in conjuncts(n.cond) if _is_guard(c)])
            look(n.then, inner)
            if n.other is not None:
                look(n.other, guard)
            return
        if isinstance(n, Call) and n.op == "if_then_else":
            for c in conjuncts(n.args[0]):
                guards.setdefault(id(_unlikely(c)), []).append(guard)
        for child in n.children():
            look(child, guard)

    look(s, const(True))
    return guards


def _common(ranges: Sequence[IterationRange | None], extent: int) -> IterationRange | None:
    """The iterations in all of the ranges that hold some but not all."""
    some = [r for r in ranges if r is not None and r != (0, extent) and r[0] < r[1]]
    begin, end = max((r[0] for r in some), default=0), min((r[1] for r in some), default=0)
    return (begin, end) if begin < end else None


def _below_zero(cond: Expr) -> Expr | None:
    """The integer that is below zero where `cond` holds."""
    if not isinstance(cond, LT | LE | GT | GE) or not cond.a.dtype.is_int or cond.a.dtype.lanes > 1:
        return None
    a, b = (cond.a, cond.b) if isinstance(cond, LT | LE) else (cond.b, cond.a)
    return ops.sub(a, b) if isinstance(cond, LT | GT) else ops.sub(ops.sub(a, b), 1)


def _is_divided(v: Var, e: Expr) -> bool:
    """Whether `e` has a quotient or a remainder of an expression of `v`."""
    return any(isinstance(n, FloorDiv | FloorMod) and any(x is v for x in free_vars(n.a)) for n in walk(e))


def _worst(cond: Expr, inner: Mapping[Var, Interval], unknown: Collection[Var]) -> Expr | None:
    """What is below zero where `cond` holds for all values of the loops inside; None when it is not known before them."""
    below = _below_zero(cond)
    bounds = None if below is None else eval_set(below, inner)
    if bounds is None or any(isinstance(n, BufferLoad | Call | Let) for n in walk(bounds.hi)):
        return None
    return None if any(v in inner or v in unknown for v in free_vars(bounds.hi)) else bounds.hi


def _is_large(s: Stmt) -> bool:
    return any(True for _ in islice(walk(s), LARGEST, None))


def _unrolled_size(s: Node, most: int) -> int:
    """The number of nodes of `s`, with the iterations of unrolled loops counted one by one, and at most `most`."""
    if isinstance(s, For) and s.kind is ForKind.UNROLLED:
        return min((const_int(s.extent) or 1) * _unrolled_size(s.body, most), most)
    if isinstance(s, Expr):
        return sum(1 for _ in islice(walk(s), most))
    size = 1
    for c in s.children():
        size += _unrolled_size(c, most)
        if size >= most:
            return most
    return size


def _iterations_between(n: For, begin: int, end: int, kind: ForKind) -> list[Stmt]:
    """The iterations from `begin` to `end`: one is written out, more stay a loop counted from 0."""
    if begin == end:
        return []
    if end - begin == 1:
        return [without_loop(substitute(n.body, {n.var: const(begin, n.var.dtype)}), n.origin)]
    if begin == 0:
        return [replace(n, extent=const(end, n.var.dtype), kind=kind)]
    fresh = Var(n.var.name, n.var.dtype)
    body = substitute(n.body, {n.var: ops.add(fresh, begin)})
    return [replace(n, var=fresh, extent=const(end - begin, fresh.dtype), kind=kind, body=body)]


def _iterations_from(n: For, begin: Expr, extent: Expr, kind: ForKind) -> For:
    """`extent` iterations from `begin` on, counted from 0."""
    if const_int(begin) == 0:
        return replace(n, extent=extent, kind=kind)
    fresh = Var(n.var.name, n.var.dtype)
    body = substitute(n.body, {n.var: ops.add(fresh, begin)})
    return replace(n, var=fresh, extent=extent, kind=kind, body=body)


def _trimmed(n: For, extent: int) -> For:
    """`for v in 64: if v < 9: S` is `for v in 9: S`."""
    if not isinstance(n.body, IfThenElse) or n.body.other is not None:
        return n
    kept: list[Expr] = []
    for c in conjuncts(n.body.cond):
        match _unlikely(c):
            case LT(a, b) if a is n.var and (size := const_int(b)) is not None:
                extent = max(0, min(extent, size))
            case _:
                kept.append(c)
    if len(kept) == len(conjuncts(n.body.cond)):
        return n
    body = n.body.then if not kept else replace(n.body, cond=ops.all_of(*kept))
    return replace(n, extent=const(extent, n.var.dtype), body=body)


def _unlikely(e: Expr) -> Expr:
    return e.args[0] if isinstance(e, Call) and e.op == "likely" else e


def _is_guard(n: object) -> bool:
    return isinstance(n, Call) and n.op == "likely"


def _inner(s: Stmt) -> dict[Var, Interval]:
    inner: dict[Var, Interval] = {}
    for n in walk_statements(s):
        if isinstance(n, For):
            inner[n.var] = interval(n.min, n.extent)
        elif isinstance(n, AttrStmt) and launched(n) is not None:
            inner[n.var] = interval(const(0, n.var.dtype), n.value)
    return inner


def _waits(s: Stmt) -> bool:
    """Whether threads wait for each other in `s`: all of them then run the loop equally often."""
    return any(map(is_barrier, walk_statements(s)))


def _shares(s: Stmt) -> bool:
    """Whether `s` has memory that threads share: all of them have the same."""
    return any(
        isinstance(n, Allocate) and n.buffer.scope.split(".")[0] in ("shared", "warp")
        for n in walk_statements(s)
    )


def _lets(s: Stmt) -> set[Var]:
    return {n.var for n in walk_statements(s) if isinstance(n, LetStmt)}


def _without_guards(proved: set[Expr], s: Stmt) -> Stmt:
    """`s` with the guards in `proved` gone."""

    def branch(n: IfThenElse) -> Stmt:
        kept = [c for c in conjuncts(n.cond) if _unlikely(c) not in proved]
        then: Stmt = rewrite(n.then)
        if not kept:
            return then
        other = None if n.other is None else rewrite(n.other)
        cond = n.cond if len(kept) == len(conjuncts(n.cond)) else ops.all_of(*kept)
        same = cond is n.cond and then is n.then and other is n.other
        return n if same else replace(n, cond=cond, then=then, other=other)

    def choice(n: Call) -> Expr:
        if n.op != "if_then_else":
            same: Expr = n.map_children(rewrite)
            return same
        kept = [c for c in conjuncts(n.args[0]) if _unlikely(c) not in proved]
        then: Expr = rewrite(n.args[1])
        if not kept:
            return then
        return ops.if_then_else(ops.all_of(*kept), then, rewrite(n.args[2]))

    rewrite: Callable[[Any], Any] = rewriter({IfThenElse: branch, Call: choice})
    rewritten: Stmt = rewrite(s)
    return rewritten
