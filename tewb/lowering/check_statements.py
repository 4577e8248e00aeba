"""Checks for the accesses of statements that a user wrote: the bodies of externs and of intrinsics.

b[idx[i]] = a[i]     ->     assert 0 <= idx[i] < 5, "extern E writes outside of b in dimension 0: idx[i]"
                            b[idx[i]] = a[i]
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import Any

from tewb.arith import Analyzer, unlikely
from tewb.base import any_depth
from tewb.ir import (
    LEAVES,
    Allocate,
    And,
    AssertStmt,
    Broadcast,
    Buffer,
    BufferLoad,
    BufferStore,
    Call,
    Expr,
    For,
    IfThenElse,
    Let,
    LetStmt,
    Max,
    Min,
    Or,
    Ramp,
    Select,
    Stmt,
    Var,
    While,
    conjuncts,
    const,
    disjuncts,
    ops,
    replace,
    rewriter,
    script,
    seq,
    substitute,
    walk,
)
from tewb.lowering.bind_buffers import compact_strides
from tewb.tensor import checked_index, index_text

Check = tuple[Expr, str]
ALWAYS: Expr = const(1, "bool")


@any_depth
def check_statements(what: str, body: Stmt, buffers: Iterable[Buffer], analyzer: Analyzer) -> Stmt:
    """`body`, of `what`, in which each access to `buffers`, and to memory that it allocates, is proved to be inside, or is
    checked when the kernel runs. A select whose side is not proved to be inside evaluates the side that it takes only."""
    return _Statements(what, {*buffers}, analyzer).rewrite(body)


class _Statements:
    def __init__(self, what: str, known: set[Buffer], analyzer: Analyzer) -> None:
        self.what, self.known, self.analyzer = what, known, analyzer
        self.checks: list[Check] = []
        # Of an index that is compared with the very expression that its loop ends at, it does not matter what the
        # expression is: `y < min(a, b) - c` where y ends there. In these facts it has a name.
        self.plain = Analyzer()
        self.names: dict[str, Var] = {}
        self.named: Any = rewriter({Min: self.name, Max: self.name})

    def name(self, e: Expr) -> Expr:
        return self.names.setdefault(script(e), Var("end", e.dtype))

    def proved(self, cond: Expr) -> bool:
        return self.analyzer.can_prove(cond) or self.plain.can_prove(self.named(cond))

    # ---- statements

    def rewrite(self, s: Stmt) -> Stmt:
        match s:
            case For():
                checks, (low, extent) = self.evaluated(s.min, s.extent)
                if not (_loads(low) or _loads(extent)):
                    self.analyzer.bind_extent(s.var, low, extent)
                    self.plain.bind_extent(s.var, self.named(low), self.named(extent))
                return self.behind(checks, replace(s, min=low, extent=extent, body=self.rewrite(s.body)))
            case IfThenElse():
                checks, (cond,) = self.evaluated(s.cond)
                then = self.rewrite_under(cond, s.then)
                other = None if s.other is None else self.rewrite_under(ops.logical_not(cond), s.other)
                return self.behind(checks, replace(s, cond=cond, then=then, other=other))
            case While():
                checks, (cond,) = self.evaluated(s.cond)
                again = [self.behind(checks, seq())] if checks else []
                return self.behind(checks, replace(s, cond=cond, body=seq(self.rewrite(s.body), *again)))
            case LetStmt():
                checks, (value,) = self.evaluated(s.value)
                if not _loads(value):
                    self.analyzer.bind_value(s.var, value)
                return self.behind(checks, replace(s, value=value, body=self.rewrite(s.body)))
            case AssertStmt():
                checks, (cond,) = self.evaluated(s.cond)
                return self.behind(checks, replace(s, cond=cond, body=self.rewrite_under(cond, s.body)))
            case BufferStore():
                self.checks = []
                self.access(s.buffer, s.indices, ALWAYS, "writes")
                checks, (value, *indices) = self.evaluated(s.value, *s.indices, before=self.checks)
                return self.behind(checks, replace(s, value=value, indices=tuple(indices)))
            case Allocate():
                self.known.add(s.buffer)
        own: list[Check] = []

        def child(n: Any) -> Any:
            if isinstance(n, Stmt):
                return self.rewrite(n)
            if not isinstance(n, Expr):
                return n
            checks, (e,) = self.evaluated(n)
            own.extend(checks)
            return e

        rewritten: Stmt = s.map_children(child)
        return self.behind(own, rewritten)

    def rewrite_under(self, cond: Expr, s: Stmt) -> Stmt:
        """`s`, which runs when `cond` holds. What is stored in it may change what a condition on elements was of."""
        with ExitStack() as around:
            for c in conjuncts(cond):
                if not _loads(c):
                    around.enter_context(self.analyzer.assume(unlikely(c), wraps=True))
            return self.rewrite(s)

    def behind(self, checks: Sequence[Check], s: Stmt) -> Stmt:
        for cond, message in reversed(checks):
            s = AssertStmt(cond, message, s)
        return s

    # ---- expressions

    def evaluated(self, *exprs: Expr, before: Sequence[Check] = ()) -> tuple[list[Check], list[Expr]]:
        """The checks for expressions of one statement, then those of `before`; and the expressions to evaluate."""
        self.checks = []
        results = [self.expression(e, ALWAYS) for e in exprs]
        checks = [*self.checks, *before]
        self.checks = []
        return checks, results

    def expression(self, e: Expr, when: Expr) -> Expr:
        """`e`, which is evaluated when `when` holds, with its checks added to `checks`."""
        if e.__class__ in LEAVES or not _loads(e):
            return e
        match e:
            case Select(cond, then, other):
                cond = self.expression(cond, when)
                before = len(self.checks)
                both = self.expression(then, when), self.expression(other, when)
                if len(self.checks) == before:
                    return Select(cond, *both, e.dtype)
                del self.checks[before:]
                one = self.side(cond, then, when), self.side(ops.logical_not(cond), other, when)
                return Call("if_then_else", (cond, *one), e.dtype)
            case Call("if_then_else", (cond, then, other)):
                cond = self.expression(cond, when)
                sides_of = (cond, self.side(cond, then, when), self.side(ops.logical_not(cond), other, when))
                return Call("if_then_else", sides_of, e.dtype)
            case And() | Or():
                return self.in_turn(e, when)
            case Let(var, value, body):
                value = self.expression(value, when)
                return self.expression(substitute(body, {var: value}), when)
            case BufferLoad():
                indices = tuple(self.expression(i, when) for i in e.indices)
                self.access(e.buffer, indices, when, "reads")
                return replace(e, indices=indices)
        rewritten: Expr = e.map_children(lambda n: self.expression(n, when) if isinstance(n, Expr) else n)
        return rewritten

    def side(self, cond: Expr, e: Expr, when: Expr) -> Expr:
        """`e`, which is evaluated when `cond` holds too. Nothing is stored meanwhile."""
        with self.analyzer.assume(unlikely(cond), wraps=True):
            return self.expression(e, cond if when is ALWAYS else ops.logical_and(when, cond))

    def in_turn(self, e: Expr, when: Expr) -> Expr:
        """A conjunction, each term of which is evaluated when those before it hold, or a disjunction."""
        holds = isinstance(e, And)
        terms = []
        with ExitStack() as around:
            for term in conjuncts(e) if holds else disjuncts(e):
                terms.append(self.expression(term, when))
                true = term if holds else ops.logical_not(term)
                around.enter_context(self.analyzer.assume(unlikely(true), wraps=True))
                when = true if when is ALWAYS else ops.logical_and(when, true)
        return ops.all_of(*terms) if holds else ops.any_of(*terms)

    # ---- accesses

    def access(self, buffer: Buffer, indices: Sequence[Expr], when: Expr, verb: str) -> None:
        """Add the checks of an access for what is not proved of it."""
        if buffer not in self.known:
            return
        where = _dimensions(buffer, indices)
        if indices and isinstance(indices[-1], Ramp) and not all(self.is_inside(*place) for place in where):
            where = [_in_memory(buffer, indices)]  # lanes may go on in the next row
        for d, (index, low, end) in enumerate(where):
            if self.is_inside(index, low, end):
                continue
            ends = _ends(index)
            if index.dtype.lanes == 1 or isinstance(index, Ramp | Broadcast):
                ends = [checked_index(i, {}, end) for i in ends]
            inside = ops.all_of(*[c for i in ends for c in _inside(i, low, end)])
            cond = inside if when is ALWAYS else ops.logical_or(ops.logical_not(when), inside)
            at = f" in dimension {d}" if len(where) == len(buffer.shape) else ""
            written = index if len(where) == len(indices) else indices[-1]
            self.checks.append(
                (cond, f"{self.what} {verb} outside of {buffer.name}{at}: {index_text(written)}")
            )

    def is_inside(self, index: Expr, low: Expr, end: Expr) -> bool:
        """Whether an index is proved to be at least `low` and less than `end`, in all lanes."""
        if index.dtype.lanes > 1 and not isinstance(index, Ramp | Broadcast):
            return False
        return all(self.proved(c) for i in _ends(index) for c in _inside(i, low, end))


def _inside(index: Expr, low: Expr, end: Expr) -> tuple[Expr, Expr]:
    lanes = index.dtype.lanes
    low, end = ops.cast(low, index.dtype.element), ops.cast(end, index.dtype.element) if lanes > 1 else end
    return ops.greater_equal(index, ops.broadcast(low, lanes)), ops.less(index, ops.broadcast(end, lanes))


def _dimensions(b: Buffer, indices: Sequence[Expr]) -> list[tuple[Expr, Expr, Expr]]:
    """Each index with the first number that it may be, and the first beyond the last. One index of a buffer of several
    dimensions counts elements of the memory from its first one."""
    if len(indices) == len(b.shape):
        return [(i, const(0, n.dtype), n) for i, n in zip(indices, b.shape, strict=True)]
    return [(ops.cast(indices[0], "int64"), *_memory(b))] if len(indices) == 1 else []


def _in_memory(b: Buffer, indices: Sequence[Expr]) -> tuple[Expr, Expr, Expr]:
    """The place of the lanes of an access, in elements from the first of the buffer, and where its memory begins and ends."""
    last = indices[-1]
    assert isinstance(last, Ramp)
    strides = (
        [ops.cast(s, "int64") for s in compact_strides(b)]
        if len(indices) == len(b.shape)
        else [const(1, "int64")]
    )
    place: Expr = const(0, "int64")
    for i, stride in zip((*indices[:-1], last.base), strides, strict=True):
        place = ops.add(place, ops.mul(ops.cast(i, "int64"), stride))
    step = ops.mul(ops.cast(last.stride, "int64"), strides[-1])
    return ops.ramp(place, step, last.lanes), *_memory(b)


def _memory(b: Buffer) -> tuple[Expr, Expr]:
    """The places of the first element of a buffer in memory, and of the one behind the last, from the element at 0."""
    low: Expr = const(0, "int64")
    last: Expr = const(0, "int64")
    for n, stride in zip(b.shape, compact_strides(b), strict=True):
        reach = ops.mul(ops.cast(ops.sub(n, 1), "int64"), ops.cast(stride, "int64"))
        low, last = ops.add(low, ops.minimum(reach, 0)), ops.add(last, ops.maximum(reach, 0))
    return low, ops.add(last, 1)


def _ends(index: Expr) -> list[Expr]:
    """What of an index is to be inside: of a ramp the first and the last lane, of other vectors all lanes."""
    match index:
        case Broadcast(value):
            return [value]
        case Ramp(base, stride, lanes):
            return [base, ops.add(base, ops.mul(stride, lanes - 1))]
    return [index]


def _loads(e: Expr) -> bool:
    """Whether elements of arrays are read in `e`."""
    return any(isinstance(n, BufferLoad) for n in walk(e))
