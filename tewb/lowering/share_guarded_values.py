"""Values that several conditions guard: computed once, when any of their users needs them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import reduce
from typing import Any, NamedTuple

from tewb.arith import Analyzer, Keys
from tewb.base import BOOL, HANDLE, lazy
from tewb.ir import (
    LEAVES,
    And,
    Broadcast,
    BufferLoad,
    BufferStore,
    Call,
    Evaluate,
    Expr,
    For,
    IfThenElse,
    Let,
    LetStmt,
    Node,
    Or,
    Ramp,
    Stmt,
    Var,
    const,
    everywhere,
    intrinsics,
    ops,
    replace,
    rewriter,
    walk,
)
from tewb.lowering.demands import ALWAYS, Demand, Demands, Term

FEW_CHOICES = 6  # choices of an expression that cannot multiply what is below them by much
FEW_COPIES = 1000  # nodes of an expression that may be computed again where they occur
MOST_TRIES = 16  # attempts to put the values of a statement in order


def share_guarded_values(body: Stmt, facts: Callable[[], Analyzer]) -> Stmt:
    """Give names to the values that several conditions of a statement guard, where they would be computed so often that
    the statement became very long.

        C[i] = (x*2 if a else 0) + (x*3 if b else 1)    ->    let shared = (x if a or b else 0)
                                                              C[i] = (shared*2 if a else 0) + (shared*3 if b else 1)

    Such a value is still computed only where one of its users needs it. Nested, each level would double what is below.
    `facts` makes an analyzer that knows the sizes of the arguments.
    """
    around: list[For | Expr] = []

    def loop(s: For) -> Stmt:
        return inside(s, s)

    def inside(s: Any, fact: For | Expr) -> Stmt:
        around.append(fact)
        rewritten: Stmt = s.map_children(rewrite)
        around.pop()
        return rewritten

    def shared(s: Stmt) -> Stmt:
        roots = _roots(s)
        if not _has_many_copies(roots):
            return s
        surroundings = _Surroundings(facts(), around)
        guard = isinstance(s, IfThenElse) and s.cond.dtype.lanes > 1
        return _SharedValues(_merged(roots, surroundings.analyzer), guard, surroundings.reads_inside).around(
            s
        )

    def branch(s: IfThenElse) -> Stmt:
        if s.cond.dtype.lanes == 1:
            return shared(inside(s, s.cond) if s.other is None else s.map_children(rewrite))
        # Values of a single store may be computed before it; of several stores, one may change what the next reads.
        return shared(s) if isinstance(s.then, BufferStore) else s

    rewrite: Callable[[Any], Any] = rewriter(
        {
            For: loop,
            IfThenElse: branch,
            LetStmt: lambda s: shared(s.map_children(rewrite)),
            BufferStore: shared,
            Evaluate: shared,
        }
    )
    rewritten: Stmt = rewrite(body)
    return rewritten


class _Surroundings:
    """The facts that hold inside of the loops around, and under the conditions around that no store changes."""

    def __init__(self, analyzer: Analyzer, around: Iterable[For | Expr]) -> None:
        self.analyzer = analyzer
        self.conditions = [c for c in around if isinstance(c, Expr) and not analyzer.reads_data(c)]
        for s in around:
            if isinstance(s, For):
                analyzer.bind_extent(s.var, s.min, s.extent)

    def reads_inside(self, n: BufferLoad) -> bool:
        """Whether an access is inside of its buffer, whatever its statement says."""
        with ExitStack() as facts:
            for c in self.conditions:
                facts.enter_context(self.analyzer.assume(c, wraps=True))
            return all(
                self.analyzer.can_prove(ops.greater_equal(end, 0))
                and self.analyzer.can_prove(ops.less(end, size))
                for i, size in zip(n.indices, n.buffer.shape, strict=True)
                for end in _ends(i)
            )


def _roots(s: Stmt) -> tuple[Expr, ...]:
    """The expressions that a statement evaluates whenever it runs."""
    match s:
        case BufferStore(_, value, indices):
            return (value, *indices)
        case IfThenElse(cond, BufferStore(_, value, indices)) if cond.dtype.lanes > 1:
            return (cond, value, *indices)
        case IfThenElse(cond):
            return (cond,)
        case LetStmt(_, value) | Evaluate(value):
            return (value,)
    return ()


def _with_roots(s: Any, roots: Sequence[Expr]) -> Stmt:
    """`s` with its `_roots` replaced by `roots`."""
    rewritten: Stmt
    match s:
        case BufferStore():
            rewritten = replace(s, value=roots[0], indices=tuple(roots[1:]))
        case IfThenElse(cond, BufferStore()) if cond.dtype.lanes > 1:
            rewritten = replace(s, cond=roots[0], then=_with_roots(s.then, roots[1:]))
        case IfThenElse():
            rewritten = replace(s, cond=roots[0])
        case _:
            rewritten = replace(s, value=roots[0])
    return rewritten


# ---------------------------------------------------------------- expressions as graphs


class _Use(NamedTuple):
    """A part of an expression, evaluated with it if `cond` is `holds`, or always without a `cond`."""

    part: Expr
    cond: Expr | None = None
    holds: bool = True


_OPAQUE = frozenset((*intrinsics.STACK, *intrinsics.ADDRESSES, "prefetch"))


def _parts(e: Expr) -> list[_Use]:
    match e:
        case Call("if_then_else", (cond, then, other)):
            return [_Use(cond), _Use(then, cond, True), _Use(other, cond, False)]
        case And(a, b):
            return [_Use(a), _Use(b, a, True)]
        case Or(a, b):
            return [_Use(a), _Use(b, a, False)]
        case Call(op) if op in _OPAQUE:
            return []
    return [_Use(c) for c in e.children()]


def _users_first(roots: Sequence[Expr]) -> list[Expr]:
    """The nodes of `roots` except leaves, each after all the nodes that it is a part of."""
    order: list[Expr] = []
    seen: set[Expr] = set()
    stack = [(e, False) for e in roots]
    while stack:
        top, ready = stack.pop()
        if ready:
            order.append(top)
        elif top not in seen and top.__class__ not in LEAVES:
            seen.add(top)
            stack.append((top, True))
            stack += [(u.part, False) for u in _parts(top)]
    return order[::-1]


def _merged(roots: Sequence[Expr], analyzer: Analyzer) -> list[Expr]:
    """`roots` with equal parts merged into one node: simplification under several conditions copies them, and some
    copies of an index may be simpler than others."""
    key, merged = Keys().of, dict[Any, Expr]()

    def merge(e: Expr) -> Expr:
        if e.__class__ in LEAVES:
            return e
        node = merged.get(key(e))
        if node is None:
            node = e.map_children(merge)
            if isinstance(node, BufferLoad):
                node = replace(node, indices=tuple([analyzer.simplify_index(i) for i in node.indices]))
            node = merged[key(e)] = merged.setdefault(key(node), node)
        return node

    return [merge(e) for e in roots]


def _has_many_copies(roots: Sequence[Expr]) -> bool:
    """Whether many nodes would be computed in several places, under conditions that do not imply one another."""
    choices = 0
    for n in (n for root in roots for n in walk(root)):
        if isinstance(n, Let) or (n.__class__ is Call and n.op in intrinsics.EFFECTS):
            return False
        choices += isinstance(n, And | Or) or (n.__class__ is Call and n.op == "if_then_else")
    return choices >= FEW_CHOICES and _copies(roots) > FEW_COPIES


def _copies(roots: Sequence[Expr]) -> int:
    """How many more nodes are computed than exist, when each is computed wherever it occurs."""
    users: dict[Expr, set[tuple[Expr | None, bool]]] = {e: {(None, True)} for e in roots}
    copies: dict[Expr | None, int] = {None: 1}
    order = _users_first(roots)
    for e in order:
        own = users[e]
        for u in [u for u, holds in own if u is not None and holds and (u, False) in own]:
            own = (
                own - {(u, True), (u, False)} | users[u]
            )  # both sides want it, so it is computed before them
        users[e] = own
        copies[e] = min(sum([copies[u] for u, _ in own]), 1 << 60)
        for part, cond, holds in _parts(e):
            users.setdefault(part, set()).update(own if cond is None else {(e, holds)})
    return sum([copies[e] for e in order]) - 4 * len(order)


# ---------------------------------------------------------------- one statement


class _SharedValues:
    """The values of one statement that get names. If it is guarded, the first root is the mask of its lanes.
    `reads_inside` answers whether an access is certainly inside of its buffer."""

    def __init__(
        self, roots: Sequence[Expr], is_guarded: bool, reads_inside: Callable[[BufferLoad], bool]
    ) -> None:
        self.roots, self.reads_inside = roots, reads_inside
        self.guard = roots[0] if is_guarded else None
        self.order = _users_first(roots)
        self.place = {e: n for n, e in enumerate(self.order)}
        self.demands = Demands()
        self.always = ALWAYS if self.guard is None else self.demands.under(ALWAYS, self.guard, True)
        self.demand: dict[Expr, Demand] = {}
        self.named: dict[Expr, Var] = {}
        self.wanted: dict[Demand, Var] = {}
        # Found in earlier attempts: conditions that need a name; and values that their own condition depends on, which
        # are therefore computed in any case, or have no name.
        self.conditions: set[Expr] = set()
        self.certain: set[Expr] = set()
        self.unnamed: set[Expr] = _vector_indices(roots[1 + is_guarded :], self.order)

    def around(self, s: Any) -> Stmt:
        """`s` inside of the names that it needs."""
        for _ in range(MOST_TRIES):
            self.choose()
            if self.has_named_conditions() and (items := self.in_order()) is not None:
                return self.with_names(s, items)
        return s  # type: ignore[no-any-return]

    def with_names(self, s: Any, items: Sequence[Expr | Demand]) -> Stmt:
        self.wanted = {d: Var("wanted", BOOL.with_lanes(d.lanes)) for d in items if isinstance(d, Demand)}
        rename = self.renaming()
        body = _with_roots(s, [rename(e) for e in self.roots])
        for item in reversed(items):
            if isinstance(item, Demand):
                body = LetStmt(self.wanted[item], self.condition(item), body, s.origin)
            else:
                body = LetStmt(self.named[item], self.value(item, item.map_children(rename)), body, s.origin)
        return body

    # ---- which values

    def choose(self) -> None:
        """Find when each node is needed, and name those that are needed in several places."""
        wanted = {e: [self.always] for e in self.roots}
        if self.guard is not None:
            wanted[self.guard] = [ALWAYS]
        users: dict[Expr, set[object]] = {e: {None} for e in self.roots}
        self.named = {}
        for e in self.order:
            demand = self.always if e in self.certain else self.demands.any_of(wanted[e])
            own = users[e]
            self.demand[e] = demand
            if e in self.conditions or (len(own) > 1 and self.can_be_named(e) and not _is_small(e)):
                self.named[e] = Var("shared", e.dtype)
                own = {None if demand is ALWAYS else e}
            for part, cond, holds in _parts(e):
                under = demand if cond is None else self.demands.under(demand, cond, holds)
                wanted.setdefault(part, []).append(under)
                users.setdefault(part, set()).update(own if cond is None else {(e, holds)})

    def can_be_named(self, e: Expr) -> bool:
        """Whether the conditions that need `e` can choose it: conditions on lanes cannot choose a scalar."""
        return e not in self.unnamed and e.dtype is not HANDLE and self.demand[e].lanes in (1, e.dtype.lanes)

    def has_named_conditions(self) -> bool:
        """Whether the conditions of the named values have names too. If not, they get them in the next attempt."""
        before = len(self.conditions), len(self.unnamed)
        fine: dict[Demand, bool] = {}

        def can_be_asked(d: Demand) -> bool:
            if d not in fine:
                fine[d] = all([self.may_have_name(c) and can_be_asked(under) for under, c, _ in d.terms])
            return fine[d]

        for e in self.named:
            if not can_be_asked(self.demand[e]):
                self.unnamed.add(e)
                self.conditions.discard(e)
        return before == (len(self.conditions), len(self.unnamed))

    def may_have_name(self, cond: Expr) -> bool:
        """Whether a condition has a name, or can have one in the next attempt."""
        if isinstance(cond, Var) or cond in self.named:
            return True
        if self.can_be_named(cond):
            self.conditions.add(cond)
        return cond in self.conditions

    # ---- in which order

    def in_order(self) -> list[Expr | Demand] | None:
        """The named values and their demands, each after what it needs; None if some need themselves, which is
        recorded for the next attempt."""
        ordered: list[Expr | Demand] = []
        done: dict[Expr | Demand, bool] = {}
        path: list[Expr | Demand] = []
        fine = True

        def visit(item: Expr | Demand) -> None:
            nonlocal fine
            if item in done:
                if not done[item]:
                    fine = False
                    self.cut([x for x in path[_index(path, item) :]])
                return
            done[item] = False
            path.append(item)
            for needed in self.needs(item):
                visit(needed)
            path.pop()
            done[item] = True
            ordered.append(item)

        for e in self.named:
            visit(e)
        return ordered if fine else None

    def needs(self, item: Expr | Demand) -> Iterator[Expr | Demand]:
        if isinstance(item, Demand):
            for before, cond, _ in self.terms(item):
                if before is not ALWAYS:
                    yield before
                if cond in self.named:
                    yield cond
            return
        if self.demand[item] is not ALWAYS:
            yield self.demand[item]
        pending, seen = [item], set[Expr]()
        while pending:
            for part, _, _ in _parts(pending.pop()):
                if part in self.named:
                    yield part
                elif part not in seen and part.__class__ not in LEAVES:
                    seen.add(part)
                    pending.append(part)

    def cut(self, circle: Sequence[Expr | Demand]) -> None:
        """Break a cycle at the last value whose demand is part of it."""
        pairs = zip(circle, (*circle[1:], circle[0]), strict=True)
        e = [a for a, b in pairs if isinstance(a, Expr) and isinstance(b, Demand)][-1]
        if self.is_safe(e):
            self.certain.add(e)
        else:
            self.conditions.discard(e)
            self.unnamed.add(e)

    @lazy
    def is_safe(self) -> Callable[[Node], bool]:
        """Whether a value may be computed where it is not needed: what it reads exists."""

        def is_there(n: Node) -> bool:
            if isinstance(n, BufferLoad):
                return self.demand.get(n) in (ALWAYS, self.always) or self.reads_inside(n)
            return not isinstance(n, Call) or n.op in intrinsics.PURE

        return everywhere(is_there)

    # ---- how they are written

    def renaming(self) -> Callable[[Expr], Expr]:
        """The function that replaces named values by their names."""
        done: dict[Expr, Expr] = {}

        def rename(e: Expr) -> Expr:
            if e.__class__ in LEAVES or (isinstance(e, Call) and e.op in _OPAQUE):
                return e
            named = self.named.get(e)
            if named is not None:
                return named
            renamed = done.get(e)
            if renamed is None:
                renamed = done[e] = e.map_children(rename)
            return renamed

        return rename

    def value(self, e: Expr, computed: Expr) -> Expr:
        """What the name of `e` stands for: `computed` where it is needed."""
        demand = self.demand[e]
        if demand is ALWAYS:
            return computed
        return Call("if_then_else", (self.wanted[demand], computed, const(0, e.dtype)), e.dtype)

    def condition(self, d: Demand) -> Expr:
        """A demand as an expression of names."""
        terms = []
        for before, cond, holds in self.terms(d):
            term: Expr = self.named.get(cond, cond)
            term = term if holds else ops.logical_not(term)
            terms.append(term if before is ALWAYS else ops.logical_and(self.wanted[before], term))
        return reduce(ops.logical_or, terms)

    def terms(self, d: Demand) -> list[Term]:
        """The terms of a demand in the order of their conditions, which is always the same."""
        return sorted(d.terms, key=lambda t: (self.place.get(t[1], -1), t[2], t[0].number))


# ---------------------------------------------------------------- helpers


def _index(path: Sequence[object], item: object) -> int:
    return next(n for n, x in enumerate(path) if x is item)


def _vector_indices(stored: Sequence[Expr], order: Iterable[Expr]) -> set[Expr]:
    """The parts of the indices of a store and of loads that show which lanes are neighbours, which a name would hide."""
    pending = [*stored, *[i for e in order if isinstance(e, BufferLoad) for i in e.indices]]
    lane_parts: set[Expr] = set()
    while pending:
        top = pending.pop()
        if top.dtype.lanes > 1 and top not in lane_parts and not isinstance(top, BufferLoad):
            lane_parts.add(top)
            pending += top.children()
    return lane_parts


def _is_small(e: Expr) -> bool:
    """Whether `e` is one operation or access on leaves."""
    if isinstance(e, BufferLoad):
        return all(i.__class__ in LEAVES or isinstance(i, Ramp) for i in e.indices)
    return all(c.__class__ in LEAVES for c in e.children())


def _ends(index: Expr) -> tuple[Expr, ...]:
    """The least and the greatest element of an index, one of which is the first."""
    match index:
        case Ramp(base, stride, lanes):
            return base, ops.add(base, ops.mul(stride, lanes - 1))
        case Broadcast(value):
            return (value,)
    return (index,)
