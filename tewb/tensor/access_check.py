"""Whether a compute reads inside of its tensors: proved, refused, or left to a check at run time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from tewb.arith import Analyzer, detect_linear, unlikely
from tewb.base import BOOL, BoundError, any_depth, here, lazy
from tewb.ir import (
    LEAVES,
    Add,
    And,
    Call,
    Expr,
    IntImm,
    IterVar,
    Or,
    ProducerLoad,
    Range,
    Reduce,
    Sub,
    Var,
    conjuncts,
    disjuncts,
    is_same_expression,
    ops,
    visit,
    walk,
)
from tewb.tensor.domains import depends_on

# A load, the dimension in which it is not proved to be in bounds, and the condition under which it happens.
UnprovedRead = tuple[ProducerLoad, int, Expr]
ALWAYS: Expr = IntImm(1, BOOL)


@any_depth
def check_accesses(op: Any, refuse: bool = True, of_a_step: bool | None = None) -> tuple[UnprovedRead, ...]:
    """The accesses (load, dimension) of a compute that cannot be proved in bounds.

    Raises BoundError for an access that certainly leaves its tensor: one that nothing guards, affine in
    the axes, whose smallest or largest index is outside (unless `refuse` is off). Whether it is a step of a scan, which
    reads `state[t - 1]` and begins later, is not known where it is written: `of_a_step` is None then.
    """
    if refuse and of_a_step is None:
        try:
            return check_accesses(op, of_a_step=False)
        except BoundError:
            if not reads_earlier(op):
                raise
        refuse = False
    unproved: list[UnprovedRead] = []
    paths = _Paths(op)
    checker = _Checker(op, unproved, refuse, paths, (*op.axis, *op.reduce_axis))
    for iv in op.axis:  # the body is evaluated inside of their loops, so that none of them is empty
        extent = op.domain(iv).extent
        if isinstance(extent, Var):
            checker.analyzer.bind(extent, 1, None)
    for e in op.body:
        checker.check(e, ALWAYS, frozenset())
    for iv, domain in op.domains.items():
        around = (*op.axis, *depends_on(iv, op.domains, op.reduce_axis))
        checker = _Checker(op, unproved, refuse, paths, around)
        for e in domain.exprs:
            checker.check(e, ALWAYS, frozenset())
    return tuple(unproved)


@any_depth
def reads_earlier(op: Any) -> bool:
    """Whether a compute reads an input as a step of a scan reads its state: at `t - 1` in the first dimension, which is
    as long as the axis t. If it is none, its schedule says so."""
    extents = {iv.var: op.domain(iv).extent for iv in op.axis}
    loads = [n for e in op.exprs() for n in walk(e) if isinstance(n, ProducerLoad)]
    return any(
        _is_before(n.indices[0], n.producer.shape[0], extents)
        for n in loads
        if n.producer.is_input and n.indices
    )


def _is_before(index: Expr, size: Expr, extents: dict[Var, Expr]) -> bool:
    """Whether an index is `t - 1`, or further back, of an axis t of that size."""
    match index:
        case Sub(Var() as t, IntImm(back)):
            return back > 0 and t in extents and is_same_expression(extents[t], size)
        case Add(Var() as t, IntImm(ahead)):
            return ahead < 0 and t in extents and is_same_expression(extents[t], size)
    return False


def access_facts(op: Any) -> Analyzer:
    """An analyzer that knows the axes of a compute and the sizes of its tensors."""
    analyzer = Analyzer()
    for iv in (*op.axis, *op.reduce_axis):
        dom = op.domain(iv)
        analyzer.bind_extent(iv.var, dom.min, dom.extent)
    for t in op.inputs:
        for size in t.shape:
            for v in walk(size):
                if isinstance(v, Var):
                    analyzer.bind(v, 0, None)
    return analyzer


# Conditions, each with whether it holds, by id: under these an expression is evaluated.
_Under = frozenset[tuple[int, bool]]
_Conditions = dict[tuple[int, bool], Expr]  # what is true under each
_MOST_PATHS = 6  # chains of conditions under which an expression is looked at
_MORE_PATHS = 200  # so many times, in all of a compute, one is looked at under yet another chain


class _Paths:
    """What the checkers of a compute share: of expressions that many chains of conditions lead to, the conditions that
    all chains have, and whether all loads are inside of their tensors under these; and how often one may still be
    looked at under one more chain."""

    def __init__(self, op: Any) -> None:
        self.roots = (*op.body, *[e for domain in op.domains.values() for e in domain.exprs])
        self.safe: dict[tuple[Expr, tuple[IterVar, ...]], bool] = {}
        self.more = _MORE_PATHS

    @lazy
    def shared(self) -> dict[Expr, _Conditions]:
        """The conditions that hold whenever an expression is evaluated: those of all chains that lead to it. They are
        found from the parents of each, once, although the chains may double with every choice around it."""
        order: dict[Any, None] = {}
        for e in self.roots:
            visit(e, lambda n: order.setdefault(n))
        conditions_of: dict[Expr, _Conditions] = {e: {} for e in self.roots}
        for e in reversed(order):  # parents come before what they evaluate
            for child, conditions in _branches(e) if e in conditions_of else ():
                chain = {**conditions_of[e], **conditions}
                known = conditions_of.get(child, chain)
                conditions_of[child] = {c: true for c, true in known.items() if c in chain}
        return conditions_of


def _branches(e: Expr) -> Iterator[tuple[Expr, _Conditions]]:
    """What an expression evaluates, each with the conditions under which it does."""
    match e:
        case Call("if_then_else", (cond, then, other)):
            yield cond, {}
            yield then, {(id(cond), True): cond}
            yield other, {(id(cond), False): ops.logical_not(cond)}
        case And() | Or():
            holds = isinstance(e, And)
            before: _Conditions = {}
            for term in conjuncts(e) if holds else disjuncts(e):
                yield term, dict(before)
                before[id(term), holds] = term if holds else ops.logical_not(term)
        case Reduce(combiner, source, _, condition, _, init):
            # Partial results are combined whatever the condition says of terms.
            yield from ((s, {}) for s in (*combiner.children(), *init, condition))
            guard = {} if ops.is_const(condition, 1) else {(id(condition), True): condition}
            yield from ((s, guard) for s in source)
        case _:
            yield from ((child, {}) for child in e.children())


class _Checker:
    """Looks at the loads of a compute, in expressions that stand inside of `axes`."""

    def __init__(
        self, op: Any, unproved: list[UnprovedRead], refuse: bool, paths: _Paths, axes: tuple[IterVar, ...]
    ) -> None:
        self.op, self.unproved, self.refuse, self.paths, self.axes = op, unproved, refuse, paths, axes
        self.analyzer = access_facts(op)
        self.seen: dict[Expr, list[_Under]] = {}

    def is_done(self, e: Expr, under: _Under) -> bool:
        """Whether the loads of `e` have been looked at under some of the same conditions: then they have been so
        under these. Note that they are now.

        The chains of conditions that lead to an expression may double with every choice around it, so that of many
        only what all of them share is looked at: `e` under `i > 0 and a` and under `i > 0 and not a`, under `i > 0`.
        """
        seen = self.seen.setdefault(e, [])
        if any(conditions <= under for conditions in seen):
            return True
        seen.append(under)
        if len(seen) < _MOST_PATHS:
            return False
        if self.is_safe(e):
            return True
        if self.paths.more > 0:
            self.paths.more -= 1
            return False
        raise BoundError(
            f"compute {self.op.name}: an expression is read under {len(seen)} different chains of conditions, and "
            "needs them to stay inside of its tensors",
            hint="guard each access with a te.if_then_else of its own, or compute the expression as a stage",
            span=here(),
        )

    def is_safe(self, e: Expr) -> bool:
        """Whether all loads of `e` are inside of their tensors where the conditions hold that all chains share."""
        key = (e, self.axes)
        if key not in self.paths.safe:
            leaving: list[UnprovedRead] = []
            checker = _Checker(self.op, leaving, False, self.paths, self.axes)
            conditions = self.paths.shared[e]
            with ExitStack() as around:
                for true in conditions.values():
                    around.enter_context(checker.analyzer.assume(unlikely(true), wraps=True))
                checker.check(e, ALWAYS, frozenset(conditions))
            self.paths.safe[key] = not leaving
        return self.paths.safe[key]

    def check(self, e: Expr, when: Expr, under: _Under) -> None:
        """Check every load of `e`, which is evaluated when `when` holds."""
        if e.__class__ in LEAVES or self.is_done(e, under):
            return
        match e:
            case Call("if_then_else", (cond, then, other)):
                self.check(cond, when, under)
                self.under(cond, True, then, when, under)
                self.under(cond, False, other, when, under)
                return
            case And() | Or():
                self.in_turn(e, when, under)
                return
            case Reduce(combiner, source, _, condition, _, init):
                for s in (*combiner.children(), *init, condition):
                    self.check(s, when, under)
                for s in source:
                    self.under(condition, True, s, when, under)
                return
            case ProducerLoad(tensor, indices):
                for i in indices:  # what an index reads is checked before the index is
                    self.check(i, when, under)
                for d, (i, size) in enumerate(zip(indices, tensor.shape, strict=True)):
                    if self.refuse and not isinstance(i, Var | IntImm):
                        _refuse_overflow(self.op, self.analyzer, e, d, i)
                    if not _inside(self.analyzer, i, size):
                        if self.refuse and when is ALWAYS:
                            _refuse_if_certain(self.op, self.analyzer, e, d, i, size, self.axes)
                        self.unproved.append((e, d, when))
                return
        for child in e.children():
            self.check(child, when, under)

    def in_turn(self, e: And | Or, when: Expr, under: _Under) -> None:
        """Check the terms of a conjunction, each of which is evaluated when those before it hold, or of a
        disjunction, where those before it do not hold."""
        holds = isinstance(e, And)
        with ExitStack() as around:
            for term in conjuncts(e) if holds else disjuncts(e):
                self.check(term, when, under)
                true = term if holds else ops.logical_not(term)
                around.enter_context(self.analyzer.assume(unlikely(true), wraps=True))
                when = true if when is ALWAYS else ops.logical_and(when, true)
                under |= {(id(term), holds)}

    def under(self, cond: Expr, holds: bool, e: Expr, when: Expr, under: _Under) -> None:
        """Check `e`, which is evaluated when `cond` holds, or when it does not."""
        if e.__class__ in LEAVES:
            return
        true = cond if holds else ops.logical_not(cond)
        if ops.is_const(true, 1):
            self.check(e, when, under)
            return
        with self.analyzer.assume(unlikely(true), wraps=True):
            all_of = true if when is ALWAYS else ops.logical_and(when, true)
            self.check(e, all_of, under | {(id(cond), holds)})


def _inside(analyzer: Analyzer, index: Expr, size: Expr) -> bool:
    lo, hi = analyzer.const_bounds(index)
    extent = ops.const_int(size)
    if lo is not None and hi is not None and extent is not None and lo >= 0 and hi < extent:
        return True
    return analyzer.can_prove(ops.greater_equal(index, ops.const(0, index.dtype))) and analyzer.can_prove(
        ops.less(index, size)
    )


def _refuse_overflow(op: Any, analyzer: Analyzer, load: ProducerLoad, d: int, index: Expr) -> None:
    """Refuse an index that is known to pass 64 bits on the way."""
    overflow = analyzer.overflow(index)
    if overflow is None:
        return
    term, end = overflow
    raise BoundError(
        f"compute {op.name} reads {load.producer.name} at an index that passes {term.dtype}: in dimension {d}, "
        f"{term!r} reaches {end}",
        hint="take remainders before products: (i % n) * (i % n)",
        span=here(),
    )


def _refuse_if_certain(
    op: Any,
    analyzer: Analyzer,
    load: ProducerLoad,
    d: int,
    index: Expr,
    size: Expr,
    axes: tuple[IterVar, ...],
) -> None:
    """Refuse an affine index that can leave its tensor: it reaches its bounds, so it does leave it. One with a
    symbolic size in it is not refused, for there may be no size for which it leaves: `A[n - 1]`."""
    linear = None if analyzer.reads_data(index) else detect_linear(index, [iv.var for iv in axes])
    if linear is None or ops.const_int(linear[1]) is None:
        return
    lo, hi = analyzer.const_bounds(index)
    extent = ops.const_int(size)
    low = lo is not None and lo < 0
    high = hi is not None and extent is not None and hi >= extent
    if not (low or high) or any(_empty(op.domain(iv)) for iv in axes):
        return
    reached = f"{index!r} runs from {lo} to {hi}"
    hint = "guard it with te.if_then_else(condition, inside, outside), or clamp with te.max(te.min(...))"
    if (
        d == 0
        and load.producer.is_input
        and _is_before(index, size, {iv.var: op.domain(iv).extent for iv in op.axis})
    ):
        hint += "; a step that reads the steps before it is an update of te.scan"
    raise BoundError(
        f"compute {op.name} reads outside of {load.producer.name}: in dimension {d}, {reached}, "
        f"and the size is {size!r}",
        hint=hint,
        span=op.span or here(),  # of what may be a step of a scan it is asked later
    )


def _empty(dom: Range | None) -> bool:
    return dom is None or ops.const_int(dom.extent) in (0, None)
